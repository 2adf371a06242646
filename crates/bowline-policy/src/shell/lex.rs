//! Reads shell text byte by byte: where it stands, what comes next, how much may still be read.
//!
//! A backslash before a newline joins two lines wherever bash looks for the next character;
//! [`Lexer::peek`] and what rests on it skip it, [`Lexer::raw`] does not.

mod arithmetic;
mod here;
mod parameter;
mod quote;
mod scan;
mod word;

use std::cell::Cell;
use std::collections::BTreeMap;

pub(super) use here::{Body, Pending};
pub(super) use word::Flavour;

use super::parse::NotUnderstood;
use super::tree::Span;

/// Deepest nesting that is followed.
const DEPTH_MAX: usize = 200;

/// How many levels a substitution counts for: it is read by many functions within each other, and
/// a thread's stack is small.
pub(super) const SUBSTITUTION_LEVELS: usize = 3;

/// How many bytes may be read for each byte of the text: some constructs are read more than once
/// (`((`, backquotes, here-documents), and nested ones would be read without end.
const READS_PER_BYTE: usize = 64;

/// What the whole of a text may still cost.
pub(super) struct Budget {
    left: Cell<usize>,
}

impl Budget {
    /// The budget for a text of `length` bytes.
    pub(super) fn for_length(length: usize) -> Budget {
        let left = Cell::new(length.saturating_mul(READS_PER_BYTE).saturating_add(1024));
        Budget { left }
    }

    /// Bytes that may still be read.
    pub(super) fn left(&self) -> usize {
        self.left.get()
    }

    fn spend(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_sub(bytes));
    }
}

/// Where the text that is read stands in the whole text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// It is a part of it, from this byte on.
    From(usize),
    /// It was derived from what stands there.
    All(Span),
}

/// The text, the place in it, and what is remembered on the way.
pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) origin: Origin,
    pub(super) budget: &'t Budget,
    pub(super) depth: usize,
    /// Whether this is within `$(`, `<(` or `>(` of the same text.
    pub(super) in_substitution: bool,
    /// Where the script of the substitution that was entered last begins.
    pub(super) substitution_at: Option<usize>,
    /// Whether this is within a `((` that turned out to be two subshells.
    pub(super) in_double_parenthesis: bool,
    /// Here-documents whose bodies begin after the next newline.
    pub(super) pending: Vec<Pending>,
    /// Bodies that were found, by where their operator stands.
    pub(super) bodies: BTreeMap<usize, Body>,
    /// Whether all bodies are known: the text is read for the second time.
    pub(super) bodies_known: bool,
}

impl<'t> Lexer<'t> {
    /// A reader at the beginning of `text`.
    pub(super) fn new(
        text: &'t str,
        origin: Origin,
        budget: &'t Budget,
        depth: usize,
    ) -> Lexer<'t> {
        Lexer {
            text,
            at: 0,
            origin,
            budget,
            depth,
            in_substitution: false,
            substitution_at: None,
            in_double_parenthesis: false,
            pending: Vec::new(),
            bodies: BTreeMap::new(),
            bodies_known: false,
        }
    }

    /// The next byte, joined lines skipped.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.text.as_bytes()[self.at..].starts_with(b"\\\n") {
            self.at += 2;
            self.budget.spend(2);
        }
        self.raw()
    }

    /// The next byte as it is.
    pub(super) fn raw(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The byte `ahead` places on, joined lines skipped.
    pub(super) fn look(&mut self, ahead: usize) -> Option<u8> {
        let begin = self.at;
        let mut found = self.peek();
        for _ in 0..ahead {
            if found.is_some() {
                self.bump();
            }
            found = self.peek();
        }
        self.at = begin;
        found
    }

    /// Goes on by one byte.
    pub(super) fn bump(&mut self) {
        self.at += 1;
        self.budget.spend(1);
    }

    /// Takes the next character as it is.
    pub(super) fn take_char(&mut self) -> Option<char> {
        let taken = self.text[self.at..].chars().next()?;
        self.at += taken.len_utf8();
        self.budget.spend(taken.len_utf8());
        Some(taken)
    }

    /// Whether the next bytes are these, joined lines skipped.
    pub(super) fn sees(&mut self, expected: &str) -> bool {
        let begin = self.at;
        let is_there = self.eat(expected);
        self.at = begin;
        is_there
    }

    /// Takes these bytes if they come next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let begin = self.at;
        for byte in expected.bytes() {
            if self.peek() != Some(byte) {
                self.at = begin;
                return false;
            }
            self.bump();
        }
        true
    }

    /// Skips blanks, joined lines and a comment. Only where a word may begin.
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.bump();
        }
        if self.raw() == Some(b'#') {
            // In a comment a backslash joins nothing.
            while !matches!(self.raw(), None | Some(b'\n')) {
                self.bump();
            }
        }
    }

    /// The place in the whole text of a range of this one.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        match self.origin {
            Origin::From(offset) => Span {
                start: offset + start,
                end: offset + end,
            },
            Origin::All(span) => span,
        }
    }

    /// The place from `start` to here.
    pub(super) fn span_from(&self, start: usize) -> Span {
        self.span(start, self.at)
    }

    /// What is said of a place that is not understood.
    pub(super) fn not_understood(&self, why: impl Into<String>) -> NotUnderstood {
        NotUnderstood {
            why: why.into(),
            at: self.span(self.at, self.at).start,
        }
    }

    /// Nothing, or that too much was read.
    pub(super) fn check_budget(&self) -> Result<(), NotUnderstood> {
        if self.budget.left() == 0 {
            return Err(self.not_understood("it is too intricate to be followed"));
        }
        Ok(())
    }

    /// Reads something nested.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, NotUnderstood>,
    ) -> Result<T, NotUnderstood> {
        self.nested_by(1, read)
    }

    /// Reads something nested that counts for several levels.
    pub(super) fn nested_by<T>(
        &mut self,
        levels: usize,
        read: impl FnOnce(&mut Self) -> Result<T, NotUnderstood>,
    ) -> Result<T, NotUnderstood> {
        self.check_budget()?;
        if self.depth + levels > DEPTH_MAX {
            let why = format!("it is nested deeper than {DEPTH_MAX} levels");
            return Err(self.not_understood(why));
        }
        self.depth += levels;
        let outcome = read(self);
        self.depth -= levels;
        outcome
    }
}

/// Whether a byte ends a word outside quotes.
pub(super) fn is_break(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>'
    )
}

/// Whether a byte may begin a variable's name.
pub(super) fn begins_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

/// Whether a byte may stand in a variable's name.
pub(super) fn continues_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
