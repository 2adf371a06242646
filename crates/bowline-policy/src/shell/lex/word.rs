//! Words: pieces outside and inside quotes, up to where the word ends.

use super::super::parse::NotUnderstood;
use super::super::tree::{Operation, Parameter, Piece, Word};
use super::quote::Quoting;
use super::{Lexer, begins_name, continues_name, is_break};

/// Where a word stands, as far as that changes how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Flavour {
    /// Anywhere.
    Ordinary,
    /// Right of `==` and the like in `[[ ]]`: extended patterns are on.
    Pattern,
    /// Right of `=~` in `[[ ]]`: `|` and groups in parentheses are text.
    Regex,
}

/// Pieces that grow.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) all: Vec<Piece>,
    /// The last piece is `$NAME` without braces, or a lone `$`.
    is_open: bool,
    /// Such a piece stands where a brace expansion could lengthen it.
    is_lengthened: bool,
    /// A lone `$` stands outside quotes: what is expanded before it is not split.
    has_dollar: bool,
}

impl Pieces {
    pub(super) fn bare(&mut self, text: char) {
        self.is_lengthened |= self.is_open && matches!(text, '{' | ',' | '}');
        self.is_open = false;
        match self.all.last_mut() {
            Some(Piece::Bare(last)) => last.push(text),
            _ => self.all.push(Piece::Bare(text.to_string())),
        }
    }

    pub(super) fn quoted(&mut self, text: &str) {
        self.is_open = false;
        match self.all.last_mut() {
            Some(Piece::Quoted(last)) => last.push_str(text),
            _ => self.all.push(Piece::Quoted(text.to_owned())),
        }
    }

    pub(super) fn quoted_char(&mut self, text: char) {
        self.quoted(text.encode_utf8(&mut [0; 4]));
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.is_open = false;
        self.all.push(piece);
    }

    /// Text after this could be read as more of the last piece's name.
    pub(super) fn leave_open(&mut self) {
        self.is_open = true;
    }
}

impl Lexer<'_> {
    /// Reads a word up to where it ends; it may be empty.
    pub(in super::super) fn word(&mut self, flavour: Flavour) -> Result<Word, NotUnderstood> {
        self.check_budget()?;
        self.peek();
        let start = self.at;
        let mut pieces = Pieces::default();
        while let Some(byte) = self.peek() {
            if is_break(byte) {
                if !self.goes_on(byte, flavour, &mut pieces)? {
                    break;
                }
            } else {
                self.outside_quotes(byte, &mut pieces)?;
            }
        }
        // Braces are expanded before variables, as text: `$a{b,c}` is `$ab $ac`.
        if pieces.is_lengthened && pieces.all.iter().any(has_brace) {
            return Err(self.not_understood("braces could lengthen the name of a variable"));
        }
        if pieces.has_dollar && pieces.all.iter().any(is_split) {
            return Err(self.not_understood("a lone `$` beside an expansion"));
        }
        Ok(Word {
            pieces: pieces.all,
            span: self.span_from(start),
        })
    }

    /// Reads on at a byte that ends most words, if it does not end this one.
    fn goes_on(
        &mut self,
        byte: u8,
        flavour: Flavour,
        pieces: &mut Pieces,
    ) -> Result<bool, NotUnderstood> {
        match byte {
            b'<' | b'>' if self.look(1) == Some(b'(') => {
                self.process_substitution(pieces)?;
            }
            b'(' if flavour == Flavour::Regex => self.group(pieces)?,
            b'(' if flavour == Flavour::Pattern && ends_in_pattern_sign(pieces) => {
                self.group(pieces)?;
            }
            b'|' if flavour == Flavour::Regex => {
                self.bump();
                pieces.bare('|');
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads one thing outside quotes.
    pub(super) fn outside_quotes(
        &mut self,
        byte: u8,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        match byte {
            b'\\' => {
                self.bump();
                let escaped = self.take_char();
                let escaped =
                    escaped.ok_or_else(|| self.not_understood("a backslash at the end"))?;
                pieces.quoted_char(escaped);
            }
            b'\'' => self.single_quoted(pieces)?,
            b'"' => self.double_quoted(pieces)?,
            b'$' => self.dollar(Quoting::Bare, pieces)?,
            b'`' => self.backquoted(Quoting::Bare, pieces)?,
            _ => {
                if let Some(text) = self.take_char() {
                    pieces.bare(text);
                }
            }
        }
        Ok(())
    }

    /// `(..)` of an extended pattern or a regular expression: all of it is text but for quotes and
    /// expansions.
    fn group(&mut self, pieces: &mut Pieces) -> Result<(), NotUnderstood> {
        let end = self.scan_parenthesis(self.at + 1)?;
        self.nested(|lexer| {
            lexer.bump();
            pieces.bare('(');
            let mut open = 1_usize;
            while let Some(byte) = lexer.peek() {
                match byte {
                    b'(' => open += 1,
                    b')' => open -= 1,
                    _ => {}
                }
                if open == 0 {
                    break;
                }
                if matches!(byte, b'<' | b'>') && lexer.look(1) == Some(b'(') {
                    return Err(lexer.not_understood("a process substitution in a pattern"));
                }
                lexer.outside_quotes(byte, pieces)?;
            }
            if lexer.at != end {
                return Err(lexer.not_understood("parentheses that could end elsewhere"));
            }
            lexer.bump();
            pieces.bare(')');
            Ok(())
        })
    }

    /// `<(..)` and `>(..)`.
    pub(super) fn process_substitution(
        &mut self,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        self.bump();
        self.peek();
        self.bump();
        if self.peek() == Some(b'(') {
            return Err(self.not_understood("`((` in a process substitution"));
        }
        let script = self.substituted()?;
        pieces.push(Piece::Process { script });
        Ok(())
    }

    /// Whatever `$` begins.
    pub(super) fn dollar(
        &mut self,
        quoting: Quoting,
        pieces: &mut Pieces,
    ) -> Result<(), NotUnderstood> {
        let is_quoted = quoting.is_quoted();
        match self.look(1) {
            Some(b'(') if self.look(2) == Some(b'(') => {
                let piece = self.arithmetic_or_command(is_quoted)?;
                pieces.push(piece);
            }
            Some(b'(') => {
                self.eat("$(");
                let script = self.substituted()?;
                pieces.push(Piece::Command { script, is_quoted });
            }
            Some(b'{') => {
                let parameter = self.braced_parameter(quoting)?;
                let parameter = Box::new(parameter);
                pieces.push(Piece::Parameter {
                    parameter,
                    is_quoted,
                });
            }
            Some(b'[') => {
                let expression = self.old_arithmetic()?;
                pieces.push(Piece::Arithmetic {
                    expression,
                    is_quoted,
                });
            }
            Some(b'\'') if quoting == Quoting::Bare => self.decoded(pieces)?,
            Some(b'"') if quoting == Quoting::Bare => {
                self.eat("$");
                self.peek();
                self.double_quoted(pieces)?;
            }
            Some(byte) if begins_name(byte) || is_special(byte) => {
                self.eat("$");
                let name = self.plain_name();
                let parameter = Box::new(Parameter {
                    name,
                    subscript: None,
                    operation: Operation::Plain,
                });
                pieces.push(Piece::Parameter {
                    parameter,
                    is_quoted,
                });
                if !is_quoted {
                    pieces.leave_open();
                }
            }
            _ => {
                self.eat("$");
                pieces.quoted("$");
                if !is_quoted {
                    pieces.leave_open();
                    pieces.has_dollar = true;
                }
            }
        }
        Ok(())
    }

    /// The name after `$`: letters, one digit, or one sign.
    fn plain_name(&mut self) -> String {
        let mut name = String::new();
        if self.peek().is_some_and(begins_name) {
            while let Some(byte) = self.peek().filter(|byte| continues_name(*byte)) {
                name.push(char::from(byte));
                self.bump();
            }
        } else if let Some(byte) = self.peek() {
            name.push(char::from(byte));
            self.bump();
        }
        name
    }
}

/// A parameter's name that is one digit or sign.
pub(super) fn is_special(byte: u8) -> bool {
    byte.is_ascii_digit() || b"@*#?-$!".contains(&byte)
}

fn ends_in_pattern_sign(pieces: &Pieces) -> bool {
    match pieces.all.last() {
        Some(Piece::Bare(text)) => text.ends_with(['?', '*', '+', '@', '!']),
        _ => false,
    }
}

/// Whether a piece may become several words.
fn is_split(piece: &Piece) -> bool {
    match piece {
        Piece::Parameter { is_quoted, .. }
        | Piece::Command { is_quoted, .. }
        | Piece::Arithmetic { is_quoted, .. } => !is_quoted,
        Piece::Bare(_) | Piece::Quoted(_) | Piece::Process { .. } | Piece::Array(_) => false,
    }
}

/// Whether a brace expansion could begin in a piece.
fn has_brace(piece: &Piece) -> bool {
    matches!(piece, Piece::Bare(text) if text.contains('{'))
}
