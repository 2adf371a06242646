//! Values as they stand in a text: string literals, escaped or not, and bare words.

use crate::assign::LONGEST_NAME;
use crate::bytes::{Alphabet, before, byte_at, find, is_blank, is_quote, skip_blanks};

/// Longest value that is read, in bytes.
const LONGEST_VALUE: usize = 2048;

/// A value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quoted: bool,
}

/// How far an unquoted value may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It stands among other text, whose brackets it does not close.
    Word,
    /// The line is one setting, and all up to the next blank is its value.
    Setting,
}

/// Returns the value at `from`: a string literal, or what is there up to the next separator.
pub(crate) fn value_at(text: &[u8], from: usize, extent: Extent) -> Option<Value> {
    let mut at = skip_blanks(text, from);
    if matches!(byte_at(text, at), b'b' | b'r' | b'u' | b'@' | b'L')
        && is_quote(byte_at(text, at + 1))
    {
        at += 1;
    }
    let slashes = text[at.min(text.len())..]
        .iter()
        .take_while(|byte| **byte == b'\\')
        .count();
    let start = at + slashes;
    let value = if is_quote(byte_at(text, start)) {
        quoted_value(text, at, start)
    } else {
        let end = bare_end(text, at, extent);
        Value {
            start: at,
            end,
            quoted: false,
        }
    };
    (value.end > value.start && value.end - value.start <= LONGEST_VALUE).then_some(value)
}

/// Reads a string whose opening, maybe escaped, is `text[from..=quote]`.
fn quoted_value(text: &[u8], from: usize, quote: usize) -> Value {
    let opening = if text[quote..].starts_with(b"\"\"\"") {
        &text[quote..quote + 3]
    } else {
        &text[from..=quote]
    };
    let start = if opening.len() == 3 && from == quote {
        quote + 3
    } else {
        quote + 1
    };
    let reach = text.len().min(start + LONGEST_VALUE + 1);
    let mut at = start;
    while let Some(end) = find(&text[..reach], opening, at) {
        if opening.len() > 1 || before(text, end) != b'\\' {
            return Value {
                start,
                end,
                quoted: true,
            };
        }
        at = end + 1;
    }
    Value {
        start,
        end: bare_end(text, start, Extent::Word),
        quoted: true,
    }
}

/// Returns the end of an unquoted value.
fn bare_end(text: &[u8], start: usize, extent: Extent) -> usize {
    let reach = text.len().min(start + LONGEST_VALUE + 1);
    let mut end = start;
    while end < reach && !ends_bare(text, start, end, extent) {
        end += 1;
    }
    while end > start && matches!(text[end - 1], b'.' | b',' | b':') {
        end -= 1;
    }
    end
}

fn ends_bare(text: &[u8], start: usize, at: usize, extent: Extent) -> bool {
    let next = byte_at(text, at + 1);
    match text[at] {
        0..=b' ' | 0x7f | b'"' | b'\'' | b'`' | b'<' | b'>' | b';' | b'|' => true,
        b'\\' => matches!(next, b'n' | b'r' | b't' | b'"' | b'\'' | b'\\' | b'u'),
        b'%' => text[at..].starts_with(b"%26"),
        b',' | b'&' => {
            let name = Alphabet::DOTTED.run_within(text, at + 1, LONGEST_NAME);
            is_blank(next)
                || is_quote(next)
                || next < b' '
                || name > at + 1 && matches!(byte_at(text, name), b'=' | b':')
        }
        b')' | b'}' | b']' if extent == Extent::Word => {
            let opening = match text[at] {
                b')' => b'(',
                b'}' => b'{',
                _ => b'[',
            };
            !text[start..at].contains(&opening) && !next.is_ascii_alphanumeric()
        }
        _ => false,
    }
}
