//! Words, and what stands in them.

use super::super::tree::{Operation, Parameter, Piece, Word};
use super::Printer;

/// What a word stands in, as far as quoting goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Nothing that quotes.
    Nothing,
    /// The operand of `"${..}"`.
    Text,
    /// A pattern in `"${../..}"`.
    Pattern,
    /// An arithmetic expression.
    Arithmetic,
}

impl Printer {
    pub(super) fn word(&mut self, word: &Word) {
        for piece in &word.pieces {
            self.piece(piece, Within::Nothing);
        }
    }

    pub(super) fn arithmetic(&mut self, expression: &Word) {
        for piece in &expression.pieces {
            self.piece(piece, Within::Arithmetic);
        }
    }

    pub(super) fn subscript(&mut self, subscript: &Word) {
        self.say("[");
        for piece in &subscript.pieces {
            match piece {
                Piece::Bare(text) | Piece::Quoted(text)
                    if !text.is_empty() && text.chars().all(is_plain_in_subscript) =>
                {
                    self.say(text);
                }
                Piece::Quoted(_) => self.piece(piece, Within::Nothing),
                _ => self.piece(piece, Within::Arithmetic),
            }
        }
        self.say("]");
    }

    fn piece(&mut self, piece: &Piece, within: Within) {
        let is_quoted = match piece {
            Piece::Parameter { is_quoted, .. }
            | Piece::Command { is_quoted, .. }
            | Piece::Arithmetic { is_quoted, .. } => *is_quoted && within == Within::Nothing,
            Piece::Bare(_) | Piece::Quoted(_) | Piece::Process { .. } | Piece::Array(_) => false,
        };
        self.say(if is_quoted { "\"" } else { "" });
        match piece {
            Piece::Bare(text) => self.say(text),
            Piece::Quoted(text) => self.quoted(text, within),
            Piece::Parameter {
                parameter,
                is_quoted,
            } => self.parameter(parameter, *is_quoted),
            Piece::Command { script, .. } => self.between("$(", script, ")"),
            Piece::Arithmetic { expression, .. } => {
                self.say("$((");
                self.arithmetic(expression);
                self.say("))");
            }
            Piece::Process { script } => self.between("<(", script, ")"),
            Piece::Array(elements) => self.array(elements),
        }
        self.say(if is_quoted { "\"" } else { "" });
    }

    fn array(&mut self, elements: &[(Option<Word>, Word)]) {
        self.say("(");
        for (index, (subscript, word)) in elements.iter().enumerate() {
            self.say(if index > 0 { " " } else { "" });
            if let Some(subscript) = subscript {
                self.subscript(subscript);
                self.say("=");
            }
            self.word(word);
        }
        self.say(")");
    }

    fn quoted(&mut self, text: &str, within: Within) {
        let escaped = match within {
            Within::Nothing => return self.say(&format!("'{}'", text.replace('\'', r"'\''"))),
            Within::Arithmetic => return self.say(text),
            Within::Text => "$`\"\\}",
            Within::Pattern => "$`\"\\}/'",
        };
        for letter in text.chars() {
            if escaped.contains(letter) {
                self.say("\\");
            }
            self.text.push(letter);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, is_quoted: bool) {
        self.say("${");
        self.say(match &parameter.operation {
            Operation::Length => "#",
            Operation::Indirect(_) | Operation::Names => "!",
            _ => "",
        });
        self.say(&parameter.name);
        if let Some(subscript) = &parameter.subscript {
            self.subscript(subscript);
        } else if parameter.operation == Operation::Names {
            self.say("*");
        }
        self.operation(&parameter.operation, is_quoted);
        self.say("}");
    }

    fn operation(&mut self, operation: &Operation, is_quoted: bool) {
        match operation {
            Operation::Plain | Operation::Length | Operation::Names => {}
            Operation::Indirect(inner) => self.operation(inner, is_quoted),
            Operation::Transform(letter) => self.say(&format!("@{letter}")),
            Operation::Substitute(operand) => self.operand(":-", operand, is_quoted, Within::Text),
            Operation::Assign(operand) => self.operand(":=", operand, is_quoted, Within::Text),
            Operation::Trim(operand) => self.operand("%%", operand, is_quoted, Within::Pattern),
            Operation::Replace(pattern, replacement) => {
                self.operand("//", pattern, is_quoted, Within::Pattern);
                self.operand("/", replacement, is_quoted, Within::Pattern);
            }
            Operation::Slice(offset, length) => {
                self.say(":");
                self.arithmetic(offset);
                if let Some(length) = length {
                    self.say(":");
                    self.arithmetic(length);
                }
            }
        }
    }

    fn operand(&mut self, sign: &str, operand: &Word, is_quoted: bool, within: Within) {
        self.say(sign);
        for piece in &operand.pieces {
            self.piece(piece, if is_quoted { within } else { Within::Nothing });
        }
    }
}

fn is_plain_in_subscript(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_@*+-/%.,: ".contains(letter)
}
