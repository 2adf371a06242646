//! `[[ .. ]]`.

use super::super::lex::{Flavour, Lexer};
use super::super::tree::{CommandKind, Piece, Test, Word};
use super::NotUnderstood;

/// Operators between two words.
const BINARY: [&str; 13] = [
    "=", "==", "!=", "=~", "-nt", "-ot", "-ef", "-eq", "-ne", "-lt", "-le", "-gt", "-ge",
];

/// The letters of operators before a word.
const UNARY: &str = "abcdefghknoprstuvwxzGLOSNR";

impl Lexer<'_> {
    /// `[[ .. ]]`, after the first word.
    pub(super) fn conditional(&mut self) -> Result<CommandKind, NotUnderstood> {
        let test = self.either()?;
        self.skip_newlines()?;
        if !self.take_reserved("]]") {
            return Err(self.not_understood("a `[[` without its `]]`"));
        }
        Ok(CommandKind::Test(test))
    }

    fn either(&mut self) -> Result<Test, NotUnderstood> {
        self.joined("||", Lexer::both)
    }

    fn both(&mut self) -> Result<Test, NotUnderstood> {
        self.joined("&&", Lexer::term)
    }

    /// Parts with a sign between them.
    fn joined(
        &mut self,
        sign: &str,
        part: fn(&mut Self) -> Result<Test, NotUnderstood>,
    ) -> Result<Test, NotUnderstood> {
        let mut parts = vec![part(self)?];
        loop {
            self.skip_newlines()?;
            if !self.eat(sign) {
                return Ok(balanced(parts));
            }
            parts.push(part(self)?);
        }
    }

    fn term(&mut self) -> Result<Test, NotUnderstood> {
        self.skip_newlines()?;
        if self.sees("((") {
            return Err(self.not_understood("`((` in `[[ ]]`"));
        }
        if self.eat("(") {
            let test = self.nested(Lexer::either)?;
            self.skip_newlines()?;
            if !self.eat(")") {
                return Err(self.not_understood("a `(` without its end in `[[ ]]`"));
            }
            return Ok(test);
        }
        if self.take_exactly("!") {
            return Ok(Test::Not(Box::new(self.nested(Lexer::term)?)));
        }
        let left = self.test_operand(Flavour::Ordinary)?;
        if let Some(operator) = unary(&left) {
            self.skip_blanks();
            let operand = self.test_operand(Flavour::Ordinary)?;
            return Ok(Test::Unary { operator, operand });
        }
        self.skip_blanks();
        if let Some(operator) = self.binary_operator()? {
            let flavour = match operator.as_str() {
                "=" | "==" | "!=" => Flavour::Pattern,
                "=~" => Flavour::Regex,
                _ => Flavour::Ordinary,
            };
            self.skip_blanks();
            let right = self.test_operand(flavour)?;
            return Ok(Test::Binary {
                left,
                operator,
                right,
            });
        }
        Ok(Test::Word(left))
    }

    /// A word that is an operand.
    fn test_operand(&mut self, flavour: Flavour) -> Result<Word, NotUnderstood> {
        if self.reserved() == Some("]]") {
            return Err(self.not_understood("an operand is missing in `[[ ]]`"));
        }
        let word = self.word(flavour)?;
        if word.pieces.is_empty() || self.is_redirected(&word) {
            return Err(self.not_understood("a sign where an operand must stand in `[[ ]]`"));
        }
        Ok(word)
    }

    /// The operator that stands here; none before what ends a term.
    fn binary_operator(&mut self) -> Result<Option<String>, NotUnderstood> {
        let sign = self.peek();
        if matches!(sign, Some(b'<' | b'>')) && !self.is_at_process() {
            self.bump();
            if matches!(self.peek(), Some(b'<' | b'>' | b'&' | b'|')) {
                return Err(self.not_understood("a redirection in `[[ ]]`"));
            }
            return Ok(sign.map(|sign| char::from(sign).to_string()));
        }
        let ends = self.sees("&&") || self.sees("||") || self.sees(")");
        if ends || self.reserved() == Some("]]") {
            return Ok(None);
        }
        let found = BINARY.iter().find(|known| self.take_exactly(known));
        match found {
            Some(operator) => Ok(Some((*operator).to_owned())),
            None => Err(self.not_understood("an unknown operator in `[[ ]]`")),
        }
    }
}

/// The operator that a word is.
fn unary(word: &Word) -> Option<String> {
    let [Piece::Bare(text)] = &word.pieces[..] else {
        return None;
    };
    let letter = text.strip_prefix('-')?;
    (letter.len() == 1 && UNARY.contains(letter)).then(|| text.clone())
}

/// A tree over the parts, no deeper than it must be.
fn balanced(mut parts: Vec<Test>) -> Test {
    while parts.len() > 1 {
        let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => Test::Both(Box::new(left), Box::new(right)),
                None => left,
            });
        }
        parts = pairs;
    }
    parts.pop().unwrap_or_else(|| Test::Word(Word::default()))
}
