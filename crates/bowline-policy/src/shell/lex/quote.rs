//! Quotes: `'..'`, `".."`, `$'..'`, backquotes, and text that is expanded as in double quotes.

use super::super::parse::{self, NotUnderstood};
use super::super::tree::{Piece, Span};
use super::word::Pieces;
use super::{Lexer, Origin, SUBSTITUTION_LEVELS};

/// Which quotes text stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// None.
    Bare,
    /// Double quotes.
    Double,
    /// Within `${..}` in double quotes, or an arithmetic expression.
    Inner,
    /// The body of a here-document.
    Here,
}

impl Quoting {
    /// Whether what is expanded stays one word.
    pub(super) fn is_quoted(self) -> bool {
        self != Quoting::Bare
    }
}

impl Lexer<'_> {
    /// `'..'`
    pub(super) fn single_quoted(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        let open = self.at;
        self.bump();
        let rest = &self.text[self.at..];
        let Some(length) = rest.find('\'') else {
            self.at = open;
            return Err(self.not_understood("a `'` without its end"));
        };
        pieces.quoted(&rest[..length]);
        self.at += length + 1;
        self.budget.spend(length + 1);
        Ok(())
    }

    /// `".."`
    pub(super) fn double_quoted(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        let open = self.at;
        self.bump();
        if self.peek() == Some(b'"') {
            self.bump();
            pieces.quoted("");
            return Ok(());
        }
        self.nested(|lexer| {
            loop {
                match lexer.peek() {
                    None => {
                        lexer.at = open;
                        return Err(lexer.not_understood("a `\"` without its end"));
                    }
                    Some(b'"') => {
                        lexer.bump();
                        return Ok(());
                    }
                    Some(byte) => lexer.inside_quotes(byte, b"$`\"\\", Quoting::Double, pieces)?,
                }
            }
        })
    }

    /// Reads one thing that is expanded as in double quotes; a backslash escapes what is in
    /// `escapable` and else stands for itself.
    pub(super) fn inside_quotes(
        &mut self,
        byte: u8,
        escapable: &[u8],
        quoting: Quoting,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        match byte {
            b'\\' => {
                self.bump();
                match self.raw() {
                    None => return Err(self.not_understood("a backslash at the end")),
                    Some(next) if escapable.contains(&next) => {
                        self.bump();
                        pieces.quoted_char(char::from(next));
                    }
                    Some(_) => pieces.quoted("\\"),
                }
            }
            b'$' => self.dollar(quoting, pieces)?,
            b'`' => self.backquoted(quoting, pieces)?,
            _ => {
                if let Some(text) = self.take_char() {
                    pieces.quoted_char(text);
                }
            }
        }
        Ok(())
    }

    /// Backquotes: the text is unescaped, then read by itself.
    pub(super) fn backquoted(
        &mut self,
        quoting: Quoting,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        let open = self.at;
        self.bump();
        let mut inner = String::new();
        loop {
            match self.take_char() {
                None => {
                    self.at = open;
                    return Err(self.not_understood("a backquote without its end"));
                }
                Some('`') => break,
                Some('\\') => match self.take_char() {
                    None => return Err(self.not_understood("a backslash at the end")),
                    Some('\n') => {}
                    Some(escaped @ ('$' | '`' | '\\')) => inner.push(escaped),
                    Some('"') if quoting == Quoting::Double => inner.push('"'),
                    Some('"') if quoting == Quoting::Inner => {
                        return Err(self.not_understood("`\\\"` in backquotes in quotes"));
                    }
                    Some(other) => {
                        inner.push('\\');
                        inner.push(other);
                    }
                },
                Some(other) => inner.push(other),
            }
        }
        let span = self.span_from(open);
        let script = self.nested_by(SUBSTITUTION_LEVELS, |lexer| {
            parse::whole(&inner, Origin::All(span), lexer.budget, lexer.depth)
        })?;
        pieces.push(Piece::Command {
            script,
            is_quoted: quoting.is_quoted(),
        });
        Ok(())
    }

    /// `$'..'`
    pub(super) fn decoded(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        let open = self.at;
        self.eat("$");
        self.eat("'");
        let mut bytes = Vec::new();
        loop {
            match self.take_char() {
                None => {
                    self.at = open;
                    return Err(self.not_understood("a `$'` without its end"));
                }
                Some('\'') => break,
                Some('\\') => self.escape(&mut bytes)?,
                Some(other) => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => pieces.quoted(&text),
            _ => {
                self.at = open;
                return Err(self.not_understood("bytes in `$'..'` that are no text"));
            }
        }
        Ok(())
    }

    /// What stands after a backslash in `$'..'`.
    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), NotUnderstood> {
        let Some(letter) = self.take_char() else {
            return Err(self.not_understood("a backslash at the end"));
        };
        match letter {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'e' | 'E' => bytes.push(27),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' | '\'' | '"' | '?' => bytes.extend(u8::try_from(letter).ok()),
            '0'..='7' => {
                self.at -= 1;
                let value = self.digits(8, 3).unwrap_or(0);
                bytes.push(u8::try_from(value & 0xff).unwrap_or(0));
            }
            'x' if self.raw() == Some(b'{') => {
                return Err(self.not_understood("`\\x{` in `$'..'`"));
            }
            'x' => match self.digits(16, 2) {
                Some(value) => bytes.push(u8::try_from(value).unwrap_or(0)),
                None => bytes.extend_from_slice(b"\\x"),
            },
            'u' | 'U' => self.code_point(letter, bytes)?,
            'c' => match self.take_char() {
                Some('?') => bytes.push(0x7f),
                Some(control) if control.is_ascii() && !matches!(control, '\\' | '\'') => {
                    let control = u8::try_from(control).unwrap_or(0);
                    bytes.push(control.to_ascii_uppercase() & 0x1f);
                }
                _ => return Err(self.not_understood("`\\c` in `$'..'`")),
            },
            other => {
                bytes.push(b'\\');
                bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Ok(())
    }

    /// `\uHHHH` and `\UHHHHHHHH`.
    fn code_point(&mut self, letter: char, bytes: &mut Vec<u8>) -> Result<(), NotUnderstood> {
        let most = if letter == 'u' { 4 } else { 8 };
        let Some(value) = self.digits(16, most) else {
            bytes.push(b'\\');
            bytes.extend(u8::try_from(letter).ok());
            return Ok(());
        };
        let Some(text) = char::from_u32(value) else {
            return Err(self.not_understood("a number in `$'..'` that is no character"));
        };
        bytes.extend_from_slice(text.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// Up to `most` digits; `None` if there is none.
    fn digits(&mut self, radix: u32, most: usize) -> Option<u32> {
        let mut value = None;
        for _ in 0..most {
            let Some(digit) = self.raw().and_then(|byte| char::from(byte).to_digit(radix)) else {
                break;
            };
            value = Some(
                value
                    .unwrap_or(0_u32)
                    .wrapping_mul(radix)
                    .wrapping_add(digit),
            );
            self.bump();
        }
        value
    }

    /// Reads the body of a here-document, or anything else that is expanded as one.
    pub(super) fn here_body(
        &self,
        body: &str,
        origin: Origin,
    ) -> Result<Vec<Piece>, NotUnderstood> {
        let mut first = Lexer::new(body, origin, self.budget, self.depth);
        let pieces = first.all_of_body()?;
        if first.bodies.is_empty() {
            return Ok(pieces);
        }
        let mut second = Lexer::new(body, origin, self.budget, self.depth);
        second.bodies = first.bodies;
        second.bodies_known = true;
        second.all_of_body()
    }

    fn all_of_body(&mut self) -> Result<Vec<Piece>, NotUnderstood> {
        let mut pieces = Pieces::default();
        self.nested(|lexer| {
            while let Some(byte) = lexer.peek() {
                lexer.inside_quotes(byte, b"$`\\", Quoting::Here, &mut pieces)?;
            }
            Ok(())
        })?;
        Ok(pieces.all)
    }

    /// The place of a range as the origin of a text that was derived from it.
    pub(super) fn derived(&self, start: usize, end: usize) -> Origin {
        let span: Span = self.span(start, end);
        Origin::All(span)
    }
}
