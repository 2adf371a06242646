//! `${..}`: the parameter, its subscript, and what is done with the value.

use super::super::parse::NotUnderstood;
use super::super::tree::{Operation, Parameter, Piece, Word};
use super::quote::Quoting;
use super::word::{Pieces, is_special};
use super::{Lexer, begins_name, continues_name};

/// What an operand is for: a text, or a pattern, in which single quotes always quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    Text,
    Pattern,
}

impl Lexer<'_> {
    /// `${..}`, from its `$` on.
    pub(super) fn braced_parameter(
        &mut self,
        quoting: Quoting,
    ) -> Result<Parameter, NotUnderstood> {
        self.nested(|lexer| {
            lexer.eat("${");
            let parameter = lexer.parameter(quoting)?;
            if lexer.peek() != Some(b'}') {
                return Err(lexer.not_understood("a `${..}` that bash would not take"));
            }
            lexer.bump();
            Ok(parameter)
        })
    }

    fn parameter(&mut self, quoting: Quoting) -> Result<Parameter, NotUnderstood> {
        match (self.peek(), self.look(1)) {
            (Some(b'#'), Some(byte)) if byte != b'}' => {
                self.bump();
                if !(begins_name(byte) || byte.is_ascii_digit() || matches!(byte, b'@' | b'*')) {
                    return Err(self.not_understood("a `${#..}` that could mean two things"));
                }
                let (name, subscript) = self.braced_name()?;
                Ok(Parameter {
                    name,
                    subscript,
                    operation: Operation::Length,
                })
            }
            (Some(b'!'), Some(byte)) if byte != b'}' => {
                self.bump();
                self.indirect(quoting)
            }
            _ => {
                let (name, subscript) = self.braced_name()?;
                let operation = self.operation(quoting)?;
                Ok(Parameter {
                    name,
                    subscript,
                    operation,
                })
            }
        }
    }

    /// `${!..}`, after the sign.
    fn indirect(&mut self, quoting: Quoting) -> Result<Parameter, NotUnderstood> {
        let start = self.at;
        let (name, subscript) = self.braced_name()?;
        let is_list = matches!(&self.text[start + name.len()..self.at], "[@]" | "[*]");
        let is_prefix = matches!(self.peek(), Some(b'*' | b'@')) && self.look(1) == Some(b'}');
        if is_prefix {
            self.bump();
        }
        let is_names = is_prefix || (is_list && self.peek() == Some(b'}'));
        let operation = if is_names {
            Operation::Names
        } else {
            Operation::Indirect(Box::new(self.operation(quoting)?))
        };
        Ok(Parameter {
            name,
            subscript,
            operation,
        })
    }

    /// The parameter with its subscript.
    fn braced_name(&mut self) -> Result<(String, Option<Word>), NotUnderstood> {
        let mut name = String::new();
        let continues = match self.peek() {
            Some(byte) if begins_name(byte) => continues_name,
            Some(byte) if byte.is_ascii_digit() => |byte: u8| byte.is_ascii_digit(),
            Some(byte) if is_special(byte) => {
                self.bump();
                return Ok((char::from(byte).to_string(), None));
            }
            _ => return Err(self.not_understood("a `${..}` without a name")),
        };
        let may_be_array = self.peek().is_some_and(begins_name);
        while let Some(byte) = self.peek().filter(|byte| continues(*byte)) {
            name.push(char::from(byte));
            self.bump();
        }
        if may_be_array && self.peek() == Some(b'[') {
            return Ok((name, Some(self.subscript()?)));
        }
        Ok((name, None))
    }

    fn operation(&mut self, quoting: Quoting) -> Result<Operation, NotUnderstood> {
        let Some(sign) = self.peek().filter(|byte| *byte != b'}') else {
            return Ok(Operation::Plain);
        };
        let next = self.look(1);
        match sign {
            b':' if !matches!(next, Some(b'-' | b'=' | b'?' | b'+')) => {
                self.bump();
                self.slice()
            }
            b':' | b'-' | b'=' | b'?' | b'+' => {
                if sign == b':' {
                    self.bump();
                }
                let is_assigned = self.peek() == Some(b'=');
                self.bump();
                let operand = self.operand(quoting, Operand::Text, b'}')?;
                Ok(if is_assigned {
                    Operation::Assign(operand)
                } else {
                    Operation::Substitute(operand)
                })
            }
            b'#' | b'%' | b'^' | b',' => {
                self.bump();
                if self.peek() == Some(sign) {
                    self.bump();
                }
                Ok(Operation::Trim(self.operand(
                    quoting,
                    Operand::Pattern,
                    b'}',
                )?))
            }
            b'/' => self.replace(quoting),
            b'@' => {
                self.bump();
                let letter = self.peek().filter(|byte| b"QEPAKakUuL".contains(byte));
                let letter = letter.ok_or_else(|| self.not_understood("an unknown `${..@..}`"))?;
                self.bump();
                Ok(Operation::Transform(char::from(letter)))
            }
            _ => Err(self.not_understood("an unknown operation in `${..}`")),
        }
    }

    /// `${v/pattern/replacement}`
    fn replace(&mut self, quoting: Quoting) -> Result<Operation, NotUnderstood> {
        self.bump();
        if matches!(self.peek(), Some(b'/' | b'#' | b'%')) {
            self.bump();
        }
        if self.peek() == Some(b'/') {
            return Err(self.not_understood("an empty pattern in `${../..}`"));
        }
        let pattern = self.operand(quoting, Operand::Pattern, b'/')?;
        if self.peek() != Some(b'/') {
            return Ok(Operation::Replace(pattern, Word::default()));
        }
        self.bump();
        let replacement = self.operand(quoting, Operand::Pattern, b'}')?;
        Ok(Operation::Replace(pattern, replacement))
    }

    /// `${v:offset:length}`
    fn slice(&mut self) -> Result<Operation, NotUnderstood> {
        let offset = self.expression(b':')?;
        if self.peek() != Some(b':') {
            if offset.pieces.is_empty() {
                return Err(self.not_understood("an empty `${..:..}`"));
            }
            return Ok(Operation::Slice(offset, None));
        }
        self.bump();
        let length = self.expression(b'}')?;
        Ok(Operation::Slice(offset, Some(length)))
    }

    /// An operand up to `stop` or the closing brace.
    fn operand(
        &mut self,
        quoting: Quoting,
        operand: Operand,
        stop: u8,
    ) -> Result<Word, NotUnderstood> {
        self.peek();
        let start = self.at;
        let mut pieces = Pieces::default();
        while let Some(byte) = self.peek() {
            if byte == b'}' || byte == stop {
                break;
            }
            if quoting.is_quoted() {
                self.quoted_operand(byte, quoting, operand, &mut pieces)?;
            } else if matches!(byte, b'<' | b'>') && self.look(1) == Some(b'(') {
                self.process_substitution(&mut pieces)?;
            } else if byte == b'$' && self.look(1) == Some(b'\'') {
                self.decoded_in_operand(&mut pieces)?;
            } else {
                self.outside_quotes(byte, &mut pieces)?;
            }
        }
        Ok(Word {
            pieces: pieces.all,
            span: self.span_from(start),
        })
    }

    /// `$'..'` in an operand. Bash may put what it stands for there without quotes, and then reads
    /// it again.
    fn decoded_in_operand(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        let open = self.at;
        let mut decoded = Pieces::default();
        self.decoded(&mut decoded)?;
        for piece in decoded.all {
            match piece {
                Piece::Quoted(text)
                    if text.chars().all(|letter| letter.is_ascii_alphanumeric()) =>
                {
                    pieces.quoted(&text);
                }
                _ => {
                    self.at = open;
                    return Err(self.not_understood("`$'..'` in a `${..}`"));
                }
            }
        }
        Ok(())
    }

    /// One thing of an operand within quotes. Bash reads this text twice, by rules that differ;
    /// only what both read alike is taken.
    fn quoted_operand(
        &mut self,
        byte: u8,
        quoting: Quoting,
        operand: Operand,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        match byte {
            b'\\' if quoting == Quoting::Here => {
                self.inside_quotes_strictly(b"$`\\", pieces)?;
            }
            b'\\' if operand == Operand::Text => {
                self.inside_quotes(byte, b"$`\"\\}", Quoting::Inner, pieces)?;
            }
            b'\\' => self.outside_quotes(byte, pieces)?,
            b'\'' => self.quote_in_operand(operand, pieces)?,
            b'"' if quoting == Quoting::Double => self.inner_quoted(pieces)?,
            b'"' => return Err(self.not_understood("a `\"` in a `${..}` that is not in quotes")),
            b'<' | b'>' if self.look(1) == Some(b'(') => {
                return Err(self.not_understood("`<(` in a quoted `${..}`"));
            }
            b'$' if matches!(self.look(1), Some(b'\'' | b'"')) => {
                return Err(self.not_understood("`$` before a quote in a quoted `${..}`"));
            }
            _ => self.inside_quotes(byte, b"", Quoting::Inner, pieces)?,
        }
        Ok(())
    }

    /// A backslash that must escape something.
    fn inside_quotes_strictly(
        &mut self,
        escapable: &[u8],
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        if !self.look(1).is_some_and(|next| escapable.contains(&next)) {
            return Err(self.not_understood("a backslash in a `${..}` of a here-document"));
        }
        self.inside_quotes(b'\\', escapable, Quoting::Inner, pieces)
    }

    /// `'..'` in a quoted operand: quotes in a pattern, two signs in a text.
    fn quote_in_operand(
        &mut self,
        operand: Operand,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        let open = self.at;
        let mut inner = Pieces::default();
        self.single_quoted(&mut inner)?;
        let between = &self.text[open + 1..self.at - 1];
        if between.contains(['$', '`', '\\', '"', '}', '/']) {
            self.at = open;
            return Err(self.not_understood("a `'` in a quoted `${..}`"));
        }
        match operand {
            Operand::Text => pieces.quoted(&self.text[open..self.at]),
            Operand::Pattern => pieces.quoted(between),
        }
        Ok(())
    }

    /// `".."` in an operand that is in double quotes itself.
    fn inner_quoted(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        self.check_name_ends()?;
        self.bump();
        pieces.quoted("");
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.check_name_ends()?;
                    break self.bump();
                }
                None | Some(b'\\' | b'\'' | b'}') => {
                    return Err(self.not_understood("quotes in a quoted `${..}`"));
                }
                Some(byte) => self.inside_quotes(byte, b"", Quoting::Inner, pieces)?,
            }
        }
        Ok(())
    }

    /// Refuses a quote after `$NAME` where bash drops the quote before it reads the name, which
    /// then goes on beyond it.
    pub(super) fn check_name_ends(&mut self) -> Result<(), NotUnderstood> {
        let goes_on = self
            .look(1)
            .is_none_or(|next| continues_name(next) || matches!(next, b'"' | b'\\'));
        let mut before = &self.text[..self.at];
        loop {
            let shorter = before
                .trim_end_matches(|letter: char| u8::try_from(letter).is_ok_and(continues_name));
            let shorter = shorter.strip_suffix("\\\n").unwrap_or(shorter);
            if shorter.len() == before.len() {
                break;
            }
            before = shorter;
        }
        let is_lone = self.text[..self.at].ends_with('$');
        if before.ends_with('$') && (goes_on || is_lone) {
            return Err(self.not_understood("a quote that ends the name of a variable"));
        }
        Ok(())
    }
}
