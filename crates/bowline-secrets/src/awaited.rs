//! What a line leaves to the next ones: the value of a name that it ends with.

use crate::assign::{Slot, is_secret, is_setting, value_field};
use crate::bytes::{is_blank, skip_blanks};
use crate::formats::Hit;
use crate::names::{Name, Promise};
use crate::value::{Extent, value_at};

/// How many lines a block with a `default` is followed.
const BLOCK_LINES: u8 = 6;

/// Where the value is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Alone on the line.
    Line,
    /// In the field `value`.
    Value,
    /// In the field `default`.
    Default,
}

/// A line leaves this to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Awaited {
    place: Place,
    lines: u8,
    promise: Promise,
    kind: &'static str,
}

impl Awaited {
    /// What the next line is to be asked for, if the value of the name is there.
    pub(crate) fn from(text: &[u8], name: &Name, slot: Slot) -> Option<Self> {
        let (place, lines) = match slot {
            Slot::Here(..) => return None,
            Slot::NextLine => (Place::Line, 1),
            Slot::NextField => (Place::Value, 1),
            Slot::Default => (Place::Default, BLOCK_LINES),
        };
        Some(Self {
            place,
            lines,
            promise: name.promise,
            kind: name.kind(text),
        })
    }

    /// Returns what is awaited still if this line does not hold it.
    pub(crate) fn later(self) -> Option<Self> {
        let lines = self.lines - 1;
        (lines > 0).then_some(Self { lines, ..self })
    }

    /// Returns the awaited secret if this line holds it.
    pub(crate) fn take(self, text: &[u8]) -> Option<Hit> {
        let first = text.iter().position(|byte| !is_blank(*byte))?;
        let string = || {
            text[first..]
                .starts_with(b"<string>")
                .then_some(first + b"<string>".len())
        };
        let at = match self.place {
            Place::Line => value_field(text, first).or_else(string).unwrap_or(first),
            Place::Value => value_field(text, first).or_else(string)?,
            Place::Default => default_field(text, first)?,
        };
        if at == first
            && is_setting(
                text,
                first + usize::from(matches!(text[first], b'+' | b'-')),
            )
        {
            return None;
        }
        let value = value_at(text, at, Extent::Setting)?;
        let rest = text[value.end..].trim_ascii();
        let alone = rest.len() <= 3 || rest.starts_with(b"</") || rest.starts_with(b"\"");
        let bytes = &text[value.start..value.end];
        (alone && is_secret(bytes, self.promise, value.quoted)).then_some(Hit {
            range: value.start..value.end,
            kind: self.kind,
        })
    }
}

/// Returns where the value of a field `default` begins.
fn default_field(text: &[u8], at: usize) -> Option<usize> {
    let rest = text[at..].strip_prefix(b"default")?;
    let sign = skip_blanks(rest, 0);
    (rest.get(sign) == Some(&b'=')).then_some(text.len() - rest.len() + sign + 1)
}
