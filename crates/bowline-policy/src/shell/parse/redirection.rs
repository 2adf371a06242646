//! Redirections: the descriptor, the operator, the word after it.

use super::super::lex::{Flavour, Lexer, is_break};
use super::super::tree::{Descriptor, Operator, Piece, Redirection, Word};
use super::NotUnderstood;

/// The operators as written, a longer one before one that it begins with.
const OPERATORS: [(&str, Operator); 11] = [
    ("<<<", Operator::HereString),
    ("<<", Operator::HereDocument),
    ("<&", Operator::DuplicateInput),
    ("<>", Operator::ReadWrite),
    ("<", Operator::Read),
    (">>", Operator::Append),
    (">&", Operator::DuplicateOutput),
    (">|", Operator::Clobber),
    (">", Operator::Write),
    ("&>>", Operator::AppendBoth),
    ("&>", Operator::WriteBoth),
];

impl Lexer<'_> {
    /// Whether a redirection begins here.
    pub(super) fn is_at_redirection(&mut self) -> bool {
        let begin = self.at;
        let found = match self.peek() {
            Some(b'&') => self.look(1) == Some(b'>'),
            _ => {
                self.descriptor().is_some()
                    && matches!(self.peek(), Some(b'<' | b'>'))
                    && self.look(1) != Some(b'(')
            }
        };
        self.at = begin;
        found
    }

    /// What stands before an operator; `None` if no operator can follow.
    fn descriptor(&mut self) -> Option<Descriptor> {
        match self.peek()? {
            b'<' | b'>' => Some(Descriptor::Default),
            b'0'..=b'9' => {
                let mut number = String::new();
                while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
                    number.push(char::from(digit));
                    self.bump();
                }
                // A number that is too large is refused where it is used as one.
                Some(Descriptor::Number(number.parse().unwrap_or(u32::MAX)))
            }
            b'{' => {
                self.bump();
                let name = self.name();
                let is_name = !name.is_empty() && (self.peek() == Some(b'[') || self.eat("}"));
                if is_name && self.peek() == Some(b'[') {
                    while self
                        .peek()
                        .is_some_and(|byte| byte != b'}' && !is_break(byte))
                    {
                        self.bump();
                    }
                    // Not taken, but not to be missed either.
                    return self.eat("}").then(|| Descriptor::Variable(String::new()));
                }
                is_name.then_some(Descriptor::Variable(name))
            }
            _ => None,
        }
    }

    /// Reads one redirection.
    pub(super) fn redirection(&mut self) -> Result<Redirection, NotUnderstood> {
        let start = self.at;
        let descriptor = match self.peek() {
            Some(b'&') => Descriptor::Default,
            _ => self.descriptor().unwrap_or(Descriptor::Default),
        };
        let is_plain = match &descriptor {
            Descriptor::Default => true,
            Descriptor::Number(number) => *number <= 1024,
            Descriptor::Variable(name) => !name.is_empty(),
        };
        let operator_at = self.at;
        let found = OPERATORS.iter().find(|(text, _)| self.eat(text));
        let Some((_, operator)) = found.filter(|_| is_plain) else {
            return Err(self.not_understood("a descriptor that is no plain one"));
        };
        let target = if *operator == Operator::HereDocument {
            let strips_tabs = self.eat("-");
            self.here_document(operator_at, strips_tabs)?
        } else {
            self.target(*operator)?
        };
        Ok(Redirection {
            descriptor,
            operator: *operator,
            target,
            span: self.span_from(start),
        })
    }

    /// The word after an operator.
    fn target(&mut self, operator: Operator) -> Result<Word, NotUnderstood> {
        let duplicates = matches!(
            operator,
            Operator::DuplicateInput | Operator::DuplicateOutput
        );
        self.skip_blanks();
        let begin = self.at;
        if duplicates && self.eat("-") && !self.peek().is_none_or(is_break) {
            return Err(self.not_understood("text right after `&-`"));
        }
        self.at = begin;
        let word = self.word(Flavour::Ordinary)?;
        if word.pieces.is_empty() {
            return Err(self.not_understood("a redirection without a target"));
        }
        let is_number = is_all_digits(&word);
        if self.is_redirected(&word) && !(duplicates && is_number) {
            return Err(self.not_understood("a descriptor where a target must stand"));
        }
        Ok(word)
    }

    /// Whether the word that was just read is the descriptor of a redirection.
    pub(super) fn is_redirected(&mut self, word: &Word) -> bool {
        if !matches!(self.peek(), Some(b'<' | b'>')) {
            return false;
        }
        is_all_digits(word)
            || matches!(
                &word.pieces[..],
                [Piece::Bare(text)] if text.starts_with('{') && text.ends_with('}')
            )
    }
}

fn is_all_digits(word: &Word) -> bool {
    match &word.pieces[..] {
        [Piece::Bare(text)] => text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}
