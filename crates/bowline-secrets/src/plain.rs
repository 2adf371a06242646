//! A line as a reader sees it: without the terminal's colours, which may stand inside a token
//! (`grep --color` puts them around what it matched).

use std::borrow::Cow;
use std::ops::Range;

/// A line without colour sequences, and where its bytes were.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    /// The bytes that are seen.
    pub(crate) text: Cow<'a, [u8]>,
    /// For each of them and for the end its place in the line; empty if nothing was left out.
    places: Vec<usize>,
}

impl<'a> Plain<'a> {
    /// Leaves the sequences `ESC [ .. letter` out of a line.
    pub(crate) fn of(line: &'a [u8]) -> Self {
        if !line.contains(&0x1b) {
            return Self {
                text: Cow::Borrowed(line),
                places: Vec::new(),
            };
        }
        let (mut text, mut places) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < line.len() {
            match colour_end(line, at) {
                Some(end) => at = end,
                None => {
                    text.push(line[at]);
                    places.push(at);
                    at += 1;
                }
            }
        }
        places.push(line.len());
        Self {
            text: Cow::Owned(text),
            places,
        }
    }

    /// Returns where a place in the seen text is in the line.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.places.get(at).copied().unwrap_or(at)
    }

    /// Returns where a range of the seen text that is not empty is in the line.
    pub(crate) fn range(&self, seen: Range<usize>) -> Range<usize> {
        self.place(seen.start)..self.place(seen.end - 1) + 1
    }
}

/// Returns the end of the colour sequence that begins at `at`.
fn colour_end(line: &[u8], at: usize) -> Option<usize> {
    let sequence = line[at..].strip_prefix(b"\x1b[")?;
    let digits = sequence
        .iter()
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'))
        .count();
    sequence
        .get(digits)?
        .is_ascii_alphabetic()
        .then_some(at + 2 + digits + 1)
}

#[cfg(test)]
mod tests;
