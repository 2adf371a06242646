//! Arithmetic and subscripts: text that is expanded as in double quotes, up to its closing sign.

use super::super::parse::NotUnderstood;
use super::super::tree::{Piece, Word};
use super::quote::Quoting;
use super::word::{Pieces, is_special};
use super::{Lexer, begins_name};

impl Lexer<'_> {
    /// `$((..))`, or `$(` with a subshell at its beginning: bash takes it for arithmetic if the
    /// second parenthesis closes right before the first.
    pub(super) fn arithmetic_or_command(
        &mut self,
        is_quoted: bool,
    ) -> Result<Piece, NotUnderstood> {
        self.eat("$(");
        let open = self.at;
        self.peek();
        let inner_end = self.scan_parenthesis(self.at + 1)?;
        let mut ahead = inner_end + 1;
        while self.text.as_bytes()[ahead..].starts_with(b"\\\n") {
            ahead += 2;
        }
        if self.text.as_bytes().get(ahead) != Some(&b')') {
            let end = self.scan_parenthesis(ahead)?;
            self.at = open;
            let was = std::mem::replace(&mut self.in_double_parenthesis, true);
            let script = self.substituted()?;
            self.in_double_parenthesis = was;
            if self.at != end + 1 {
                return Err(self.not_understood("parentheses that could end elsewhere"));
            }
            return Ok(Piece::Command { script, is_quoted });
        }
        self.peek();
        self.bump();
        let expression = self.nested(|lexer| lexer.expression(b')'))?;
        if self.at != inner_end {
            return Err(self.not_understood("parentheses that could end elsewhere"));
        }
        self.eat("))");
        Ok(Piece::Arithmetic {
            expression,
            is_quoted,
        })
    }

    /// `$[..]`
    pub(super) fn old_arithmetic(&mut self) -> Result<Word, NotUnderstood> {
        self.eat("$[");
        let expression = self.nested(|lexer| lexer.expression(b']'))?;
        if self.peek() != Some(b']') {
            return Err(self.not_understood("a `$[` without its end"));
        }
        self.bump();
        Ok(expression)
    }

    /// An expression up to `stop`: a closing sign that nothing in it opened, or `:` or `;` outside
    /// parentheses; `:` also stops at `}`.
    pub(in super::super) fn expression(&mut self, stop: u8) -> Result<Word, NotUnderstood> {
        self.peek();
        let start = self.at;
        let mut pieces = Pieces::default();
        let mut open: Vec<u8> = Vec::new();
        let mut before = b' ';
        while let Some(byte) = self.peek() {
            if open.is_empty() && (byte == stop || (byte == b'}' && stop == b':')) {
                break;
            }
            match byte {
                b'(' => open.push(b')'),
                b'[' => open.push(b']'),
                // `for ((a; b; c))` ends its last expression so.
                b')' if stop == b';' && open.is_empty() => break,
                b')' | b']' if open.pop() != Some(byte) => {
                    return Err(self.not_understood("unbalanced parentheses in arithmetic"));
                }
                b'?' | b'{' | b'}' if matches!(stop, b':' | b'}') => {
                    return Err(self.not_understood("a sign in `${..:..}`"));
                }
                b':' | b';' if byte == stop || (byte == b':' && stop == b'}') => {
                    return Err(self.not_understood("a separator in parentheses"));
                }
                b'#' if matches!(before, b' ' | b'\t' | b'\n') => {
                    return Err(self.not_understood("a `#` in arithmetic"));
                }
                b'<' | b'>' if self.look(1) == Some(b'(') => {
                    return Err(self.not_understood("`<(` in arithmetic"));
                }
                b'\'' | b'\\' => return Err(self.not_understood("quotes in arithmetic")),
                _ => {}
            }
            before = byte;
            if byte == b'"' {
                if stop != b')' {
                    return Err(self.not_understood("quotes in arithmetic"));
                }
                self.quotes_in_arithmetic(&mut pieces)?;
            } else {
                self.in_expression(byte, &mut pieces)?;
            }
        }
        Ok(Word {
            pieces: pieces.all,
            span: self.span_from(start),
        })
    }

    /// `".."` in an expression: the quotes are dropped.
    fn quotes_in_arithmetic(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        self.check_name_ends()?;
        self.bump();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.check_name_ends()?;
                    break self.bump();
                }
                None | Some(b'\\' | b'\'' | b'(' | b')' | b'[' | b']') => {
                    return Err(self.not_understood("quotes in arithmetic"));
                }
                Some(byte) => self.in_expression(byte, pieces)?,
            }
        }
        Ok(())
    }

    /// `[..]` after a name, from the bracket on.
    pub(in super::super) fn subscript(&mut self) -> Result<Word, NotUnderstood> {
        self.nested(|lexer| {
            lexer.bump();
            lexer.peek();
            let start = lexer.at;
            let mut pieces = Pieces::default();
            let mut open = 0_usize;
            while let Some(byte) = lexer.peek() {
                match byte {
                    b']' if open == 0 => break,
                    b']' => open -= 1,
                    b'[' => open += 1,
                    b'\\' => return Err(lexer.not_understood("a backslash in a subscript")),
                    b'$' if matches!(lexer.look(1), Some(b'\'' | b'"')) => {
                        return Err(lexer.not_understood("`$` before a quote in a subscript"));
                    }
                    b'<' | b'>' if lexer.look(1) == Some(b'(') => {
                        return Err(lexer.not_understood("`<(` in a subscript"));
                    }
                    _ => {}
                }
                match byte {
                    b'\'' => lexer.single_quoted(&mut pieces)?,
                    b'"' => lexer.quotes_in_subscript(&mut pieces)?,
                    _ => lexer.in_expression(byte, &mut pieces)?,
                }
            }
            let word = Word {
                pieces: pieces.all,
                span: lexer.span_from(start),
            };
            if word.pieces.is_empty() || lexer.peek() != Some(b']') {
                return Err(lexer.not_understood("a subscript that is empty or has no end"));
            }
            lexer.bump();
            Ok(word)
        })
    }

    /// `".."` in a subscript.
    fn quotes_in_subscript(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        self.bump();
        pieces.quoted("");
        loop {
            match self.peek() {
                Some(b'"') => break self.bump(),
                None | Some(b'\\' | b'`') => {
                    return Err(self.not_understood("quotes in a subscript"));
                }
                Some(byte) => self.in_expression(byte, pieces)?,
            }
        }
        Ok(())
    }

    /// One thing of an expression or subscript, in which a lone `$` means nothing.
    fn in_expression(&mut self, byte: u8, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        let begins =
            |next: u8| begins_name(next) || is_special(next) || matches!(next, b'(' | b'{' | b'[');
        if byte == b'$' && !self.look(1).is_some_and(begins) {
            return Err(self.not_understood("a lone `$` in arithmetic or a subscript"));
        }
        self.inside_quotes(byte, b"", Quoting::Inner, pieces)
    }
}
