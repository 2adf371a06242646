//! Private keys over several lines: where a block begins, which lines belong to it, where it
//! ends. A block is followed line by line, so that a stream can be masked as it comes.

use crate::bytes::{Alphabet, find};
use crate::known::Known;
use crate::known_hits;
use crate::plain::Plain;

/// What a private key is called.
pub(crate) const KIND: &str = "private-key";

/// Fewest characters of key material that make a block a key; what has less is prose or code
/// about keys.
pub(crate) const LEAST_MATTER: usize = 16;

/// Most lines without key material (headers, empty lines) in front of the first that has some.
const MOST_BARE_LINES: usize = 16;

/// The first line of a PEM, OpenPGP or SSH2 private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Where the dashes begin.
    pub(crate) start: usize,
    /// Where the closing dashes end.
    pub(crate) end: usize,
}

impl Opening {
    /// Returns the opening whose `BEGIN` stands at `at`.
    pub(crate) fn find(text: &[u8], at: usize) -> Option<Self> {
        const LONGEST_LABEL: usize = 48;
        let dashes = text[..at].strip_suffix(b" ").unwrap_or(&text[..at]);
        let start = dashes.len()
            - dashes
                .iter()
                .rev()
                .take(5)
                .take_while(|byte| **byte == b'-')
                .count();
        let label = &text[at..text.len().min(at + LONGEST_LABEL)];
        let close = find(label, b"----", 0)?;
        let name = label[..close].trim_ascii_end();
        let private = name.ends_with(b"PRIVATE KEY")
            || name.ends_with(b"PRIVATE KEY BLOCK")
            || name.eq_ignore_ascii_case(b"BEGIN OpenVPN Static key V1");
        if dashes.len() - start < 4 || !private {
            return None;
        }
        let close = at + close;
        let dashes = text[close..]
            .iter()
            .take(5)
            .take_while(|byte| **byte == b'-')
            .count();
        Some(Self {
            start,
            end: close + dashes,
        })
    }
}

/// What a line is to an open block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The whole line belongs to it.
    Inside,
    /// The block ends within this line, at this place; 0 if none of the line belongs to it.
    Ends(usize),
}

/// A private key that has begun and not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    matter: usize,
    bare_lines: usize,
}

impl Block {
    /// Whether `rest`, what follows an opening on its line, leaves the block open.
    pub(crate) fn may_follow(rest: &[u8]) -> bool {
        undecorated(rest).is_empty()
    }

    /// Whether enough key material was seen to call this a key.
    pub(crate) fn is_key(&self) -> bool {
        self.matter >= LEAST_MATTER
    }

    /// Takes the next line, with or without its line end.
    pub(crate) fn step(&mut self, line: &[u8], known: &Known) -> Step {
        let mut plain = Plain::of(line);
        plain.replace(&known_hits(&plain.text, known));
        if let Some(end) = closing(&plain.text) {
            return Step::Ends(plain.place(end));
        }
        match matter(&plain.text) {
            Some(0) if !self.is_key() && self.bare_lines >= MOST_BARE_LINES => Step::Ends(0),
            Some(0) => {
                self.bare_lines += 1;
                Step::Inside
            }
            Some(count) => {
                self.matter = self.matter.saturating_add(count);
                Step::Inside
            }
            None => Step::Ends(0),
        }
    }
}

/// Returns the line end that a text ends with.
pub(crate) fn line_end(text: &[u8]) -> &'static [u8] {
    match text {
        [.., b'\r', b'\n'] => b"\r\n",
        [.., b'\n'] => b"\n",
        _ => b"",
    }
}

/// Returns the end of the line that closes a block.
fn closing(line: &[u8]) -> Option<usize> {
    let at = find(line, b"---- END ", 0).or_else(|| find(line, b"-----END ", 0))?;
    let dashes = find(line, b"----", at + 8)?;
    Some(
        dashes
            + line[dashes..]
                .iter()
                .take(5)
                .take_while(|byte| **byte == b'-')
                .count(),
    )
}

/// Returns how many characters of key material a line holds, `None` if it belongs to no block.
fn matter(line: &[u8]) -> Option<usize> {
    let line = undecorated(line);
    if line.is_empty() || is_header(line) {
        return Some(0);
    }
    let mut fields = line
        .rsplit(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|field| !field.is_empty());
    let key = undecorated(fields.next()?);
    let margin = |field: &[u8]| {
        field.len() <= 7
            && field
                .iter()
                .all(|byte| byte.is_ascii_digit() || !byte.is_ascii_alphanumeric())
    };
    let coded = key.iter().all(|byte| Alphabet::BASE64.holds(*byte));
    (coded && fields.all(margin)).then_some(key.len())
}

/// Strips blanks, quotes and the signs with which code joins lines.
fn undecorated(line: &[u8]) -> &[u8] {
    let mut rest = line.trim_ascii();
    loop {
        let shorter = rest
            .strip_suffix(b"\\n")
            .or_else(|| rest.strip_suffix(b"\\r"))
            .or_else(|| rest.strip_suffix(b"\" +"))
            .or_else(|| rest.strip_suffix(b"' +"))
            .or_else(|| {
                rest.split_last()
                    .filter(|(last, _)| is_decoration(**last))
                    .map(|(_, rest)| rest)
            })
            .or_else(|| {
                rest.split_first()
                    .filter(|(first, _)| is_decoration(**first))
                    .map(|(_, rest)| rest)
            });
        match shorter {
            Some(shorter) => rest = shorter.trim_ascii(),
            None => return rest,
        }
    }
}

fn is_decoration(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'\'' | b'`' | b',' | b';' | b'\\' | b'|' | b'>' | b'#' | b'*' | b'-'
    )
}

/// The header lines of RFC 1421 and RFC 4880 armour.
fn is_header(line: &[u8]) -> bool {
    const NAMES: [&str; 8] = [
        "Proc-Type:",
        "DEK-Info:",
        "Version:",
        "Comment:",
        "Hash:",
        "Charset:",
        "MessageID:",
        "Subject:",
    ];
    NAMES.iter().any(|name| line.starts_with(name.as_bytes()))
}

#[cfg(test)]
mod tests;
