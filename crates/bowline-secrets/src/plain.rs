//! A line as the recognisers see it: without the terminal's colours, which may stand inside a
//! token (`grep --color` puts them around what it matched), and with mask tokens for what was
//! found already.

use std::borrow::Cow;
use std::ops::Range;

use crate::formats::Hit;
use crate::placeholder::TOKEN_OPENING;
use crate::token::token_end;

/// A line made plain, and where its bytes came from.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    line: &'a [u8],
    /// The bytes that are seen.
    pub(crate) text: Cow<'a, [u8]>,
    /// What is left out of the line or replaced, in order, disjoint.
    edits: Vec<Edit>,
    /// What the seen text is made of; empty if the line is seen as it is.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Edit {
    place: Range<usize>,
    /// What stands there instead: the token of this kind, or nothing.
    kind: Option<&'static str>,
}

#[derive(Debug)]
struct Piece {
    /// Where it begins in the seen text.
    seen: usize,
    /// What it stands for in the line.
    origin: Range<usize>,
    copied: bool,
}

impl<'a> Plain<'a> {
    /// Leaves the sequences `ESC [ .. letter` out of a line.
    pub(crate) fn of(line: &'a [u8]) -> Self {
        let text = Cow::Borrowed(line);
        let mut plain = Self {
            line,
            text,
            edits: Vec::new(),
            pieces: Vec::new(),
        };
        let mut at = 0;
        while let Some(step) = line[at..].iter().position(|byte| *byte == 0x1b) {
            at += step;
            let end = colour_end(line, at);
            plain.edits.extend(end.map(|end| Edit {
                place: at..end,
                kind: None,
            }));
            at = end.unwrap_or(at + 1);
        }
        if !plain.edits.is_empty() {
            plain.rebuild();
        }
        plain
    }

    /// Puts tokens in the places of hits, which are ranges of the seen text.
    pub(crate) fn replace(&mut self, hits: &[Hit]) {
        if hits.is_empty() {
            return;
        }
        let edits = hits.iter().map(|hit| Edit {
            place: self.origin(hit.range.start).start..self.origin(hit.range.end - 1).end,
            kind: Some(hit.kind),
        });
        let mut edits: Vec<Edit> = edits.chain(self.edits.iter().cloned()).collect();
        edits.sort_by_key(|edit| (edit.place.start, std::cmp::Reverse(edit.place.end)));
        edits.dedup_by(|later, earlier| later.place.start < earlier.place.end);
        self.edits = edits;
        self.rebuild();
    }

    /// Returns what was replaced, as ranges of the line.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        let hit = |edit: &Edit| {
            Some(Hit {
                range: edit.place.clone(),
                kind: edit.kind?,
            })
        };
        self.edits.iter().filter_map(hit).collect()
    }

    /// Returns where the seen text before `end` ends in the line; the end of the line for all.
    pub(crate) fn place(&self, end: usize) -> usize {
        match end {
            0 => 0,
            _ if end >= self.text.len() => self.line.len(),
            _ => self.origin(end - 1).end,
        }
    }

    fn origin(&self, at: usize) -> Range<usize> {
        match self
            .pieces
            .partition_point(|piece| piece.seen <= at)
            .checked_sub(1)
        {
            None => at..at + 1,
            Some(index) => {
                let piece = &self.pieces[index];
                let copy = piece.origin.start + (at - piece.seen);
                if piece.copied {
                    copy..copy + 1
                } else {
                    piece.origin.clone()
                }
            }
        }
    }

    fn rebuild(&mut self) {
        let mut text = Vec::with_capacity(self.line.len());
        self.pieces.clear();
        let mut at = 0;
        for edit in &self.edits {
            let copied = at..edit.place.start;
            at = edit.place.end;
            self.pieces.push(Piece {
                seen: text.len(),
                origin: copied.clone(),
                copied: true,
            });
            text.extend_from_slice(&self.line[copied]);
            if let Some(kind) = edit.kind {
                let origin = edit.place.clone();
                self.pieces.push(Piece {
                    seen: text.len(),
                    origin,
                    copied: false,
                });
                text.extend_from_slice([TOKEN_OPENING, kind, "]"].concat().as_bytes());
            }
        }
        self.pieces.push(Piece {
            seen: text.len(),
            origin: at..self.line.len(),
            copied: true,
        });
        text.extend_from_slice(&self.line[at..]);
        self.text = Cow::Owned(text);
    }
}

/// Gives `take` the pieces of a text between the sequences `ESC [ .. letter`.
pub(crate) fn without_colours(text: &[u8], mut take: impl FnMut(&[u8])) {
    let (mut at, mut from) = (0, 0);
    while let Some(step) = text[at..].iter().position(|byte| *byte == 0x1b) {
        at += step;
        match colour_end(text, at) {
            Some(end) => {
                take(&text[from..at]);
                at = end;
                from = end;
            }
            None => at += 1,
        }
    }
    take(&text[from..]);
}

/// Returns the end of the colour sequence that begins at `at`; a mask token behind an escape
/// character is none.
fn colour_end(line: &[u8], at: usize) -> Option<usize> {
    let sequence = line[at..].strip_prefix(b"\x1b[")?;
    if token_end(line, at + 1).is_some() {
        return None;
    }
    let of_colour = |byte: &&u8| matches!(byte, b'0'..=b'9' | b';' | b':');
    let digits = sequence.iter().take_while(of_colour).count();
    sequence
        .get(digits)?
        .is_ascii_alphabetic()
        .then_some(at + 2 + digits + 1)
}

#[cfg(test)]
mod tests;
