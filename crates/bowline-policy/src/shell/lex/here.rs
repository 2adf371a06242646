//! Here-documents: the delimiter where the operator stands, the body after the line's end.
//!
//! A text that has some is read twice: the first time to find the bodies, the second time to put
//! each where its operator stands.

use super::super::parse::NotUnderstood;
use super::super::tree::{Piece, Word};
use super::word::Flavour;
use super::{Lexer, Origin};

/// A here-document whose body has not begun.
#[derive(Debug)]
pub(in super::super) struct Pending {
    /// Where its operator stands.
    operator_at: usize,
    delimiter: String,
    is_quoted: bool,
    strips_tabs: bool,
}

/// The body of a here-document.
#[derive(Debug)]
pub(in super::super) struct Body {
    start: usize,
    end: usize,
}

impl Lexer<'_> {
    /// What stands after `<<` or `<<-`: notes the delimiter, gives the body if it is known.
    pub(in super::super) fn here_document(
        &mut self,
        operator_at: usize,
        strips_tabs: bool,
    ) -> Result<Word, NotUnderstood> {
        if self.in_double_parenthesis {
            return Err(self.not_understood("a here-document within `((`"));
        }
        self.skip_blanks();
        let word = self.word(Flavour::Ordinary)?;
        let mut delimiter = String::new();
        let mut is_quoted = false;
        if word.pieces.is_empty() {
            return Err(self.not_understood("a here-document without a delimiter"));
        }
        for piece in &word.pieces {
            match piece {
                Piece::Bare(text) => delimiter.push_str(text),
                Piece::Quoted(text) => {
                    delimiter.push_str(text);
                    is_quoted = true;
                }
                _ => return Err(self.not_understood("a delimiter that is no plain word")),
            }
        }
        let raw = &self.text[operator_at..self.at];
        if delimiter.contains('\n') || raw.contains('$') || raw.contains('`') {
            return Err(self.not_understood("a delimiter that is no plain word"));
        }
        let body = self.bodies.get(&operator_at);
        let word = match body.map(|body| (body.start, body.end)) {
            Some((start, end)) => self.body_word(start, end, is_quoted, strips_tabs)?,
            None => Word::default(),
        };
        self.pending.push(Pending {
            operator_at,
            delimiter,
            is_quoted,
            strips_tabs,
        });
        Ok(word)
    }

    /// The body as a word.
    fn body_word(
        &self,
        start: usize,
        end: usize,
        is_quoted: bool,
        strips_tabs: bool,
    ) -> Result<Word, NotUnderstood> {
        let written = &self.text[start..end];
        let (body, origin) = if strips_tabs {
            let body = without_tabs(written, !is_quoted);
            (body, self.derived(start, end))
        } else {
            let origin = match self.origin {
                Origin::From(offset) => Origin::From(offset + start),
                all @ Origin::All(_) => all,
            };
            (written.to_owned(), origin)
        };
        let pieces = if is_quoted {
            vec![Piece::Quoted(body)]
        } else {
            self.here_body(&body, origin)?
        };
        Ok(Word {
            pieces,
            span: self.span(start, end),
        })
    }

    /// Takes a newline, and the bodies that begin after it.
    pub(in super::super) fn newline(&mut self) -> Result<(), NotUnderstood> {
        self.bump();
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let end = self.skip_body(&pending)?;
            if !self.bodies_known {
                self.bodies.insert(pending.operator_at, Body { start, end });
            }
        }
        Ok(())
    }

    /// Goes beyond a body and its delimiter; gives where the body ends.
    fn skip_body(&mut self, pending: &Pending) -> Result<usize, NotUnderstood> {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let length = line_length(rest, !pending.is_quoted);
            let mut line = rest[..length].replace("\\\n", "");
            if pending.is_quoted {
                line = rest[..length].to_owned();
            }
            let end = self.at;
            self.at += length;
            self.budget.spend(length);
            let line = line.strip_suffix('\n').unwrap_or(&line);
            let stripped = line.trim_start_matches('\t');
            let is_end =
                line == pending.delimiter || (pending.strips_tabs && stripped == pending.delimiter);
            if is_end {
                return Ok(end);
            }
            // There bash also ends a body at a line that only begins so.
            if self.in_substitution && stripped.starts_with(&pending.delimiter) {
                self.at = end;
                return Err(self.not_understood("a line that could end a here-document"));
            }
        }
        // Bash warns and takes all there is.
        Ok(self.at)
    }
}

/// The bytes of the first line with its end; with `joins`, of all lines that are joined to it.
fn line_length(text: &str, joins: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' if joins => at += 1,
            b'\n' => break,
            _ => {}
        }
    }
    at.min(bytes.len())
}

/// The text without the tabs at the beginning of each line.
fn without_tabs(text: &str, joins: bool) -> String {
    let mut rest = text;
    let mut stripped = String::with_capacity(text.len());
    while !rest.is_empty() {
        let (line, after) = rest.split_at(line_length(rest, joins));
        stripped.push_str(line.trim_start_matches('\t'));
        rest = after;
    }
    stripped
}
