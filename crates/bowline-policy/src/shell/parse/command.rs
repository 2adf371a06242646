//! One command: which kind it is, and the redirections after a compound one.

use super::super::lex::{Lexer, is_break};
use super::super::tree::{Command, CommandKind, Piece};
use super::{NotUnderstood, RESERVED};

impl Lexer<'_> {
    /// The reserved word that stands here: unquoted and followed by what ends a word.
    pub(in super::super) fn reserved(&mut self) -> Option<&'static str> {
        let begin = self.at;
        let mut word = String::new();
        while let Some(byte) = self.peek() {
            if is_break(byte) || word.len() > 8 {
                break;
            }
            if !(byte.is_ascii_lowercase() || b"![]{}".contains(&byte)) {
                self.at = begin;
                return None;
            }
            word.push(char::from(byte));
            self.bump();
        }
        let goes_on = matches!(self.peek(), Some(b'<' | b'>')) && self.look(1) == Some(b'(');
        self.at = begin;
        let found = RESERVED.iter().find(|known| **known == word).copied();
        found.filter(|_| !goes_on)
    }

    /// Takes a reserved word if it stands here.
    pub(super) fn take_reserved(&mut self, expected: &str) -> bool {
        self.reserved() == Some(expected) && self.eat(expected)
    }

    /// Takes a reserved word, which must stand here.
    pub(super) fn expect_reserved(&mut self, expected: &str) -> Result<(), NotUnderstood> {
        if self.take_reserved(expected) {
            return Ok(());
        }
        Err(self.not_understood(format!("no `{expected}` where one must stand")))
    }

    /// Takes a whole word that is exactly this, unquoted.
    pub(super) fn take_exactly(&mut self, expected: &str) -> bool {
        let begin = self.at;
        if self.eat(expected) && self.peek().is_none_or(is_break) && !self.is_at_process() {
            return true;
        }
        self.at = begin;
        false
    }

    /// Whether `<(` or `>(` stands here.
    pub(super) fn is_at_process(&mut self) -> bool {
        matches!(self.peek(), Some(b'<' | b'>')) && self.look(1) == Some(b'(')
    }

    /// Reads one command of any kind.
    pub(super) fn command(&mut self) -> Result<Command, NotUnderstood> {
        self.skip_blanks();
        self.check_budget()?;
        if self.is_at_compound() {
            return self.compound();
        }
        let start = self.at;
        match self.reserved() {
            // Where it times something it was taken before: after `|` it is a word.
            None | Some("time") => self.simple(),
            Some("function") => {
                self.eat("function");
                self.function_with_word(start)
            }
            Some("coproc") => {
                self.eat("coproc");
                self.coprocess(start)
            }
            Some(word) => Err(self.not_understood(format!("`{word}` where a command begins"))),
        }
    }

    /// Whether a compound command begins here.
    pub(super) fn is_at_compound(&mut self) -> bool {
        self.peek() == Some(b'(')
            || matches!(
                self.reserved(),
                Some("{" | "[[" | "if" | "while" | "until" | "for" | "select" | "case")
            )
    }

    /// Reads a compound command with the redirections after it.
    pub(super) fn compound(&mut self) -> Result<Command, NotUnderstood> {
        let start = self.at;
        let kind = self.nested(Lexer::compound_kind)?;
        let mut redirections = Vec::new();
        loop {
            self.skip_blanks();
            if !self.is_at_redirection() {
                break;
            }
            redirections.push(self.redirection()?);
        }
        let is_word = self.peek().is_some_and(|byte| !is_break(byte)) || self.is_at_process();
        let may_close = redirections.is_empty() && self.closer().is_some();
        if (is_word && !may_close) || self.peek() == Some(b'(') {
            return Err(self.not_understood("a word after a compound command"));
        }
        Ok(Command {
            kind,
            redirections,
            span: self.span_from(start),
        })
    }

    /// A body that must be a compound command.
    fn compound_body(&mut self) -> Result<Box<Command>, NotUnderstood> {
        if !self.is_at_compound() {
            return Err(self.not_understood("a body that is no compound command"));
        }
        self.compound().map(Box::new)
    }

    /// `function NAME [()] BODY`, after the word.
    fn function_with_word(&mut self, start: usize) -> Result<Command, NotUnderstood> {
        self.skip_blanks();
        if self.reserved().is_some() {
            return Err(self.not_understood("a function named like a reserved word"));
        }
        let word = self.word(super::super::lex::Flavour::Ordinary)?;
        let Some(name) = super::simple::function_name(&word) else {
            return Err(self.not_understood("a function without a plain name"));
        };
        self.skip_blanks();
        let begin = self.at;
        if self.eat("(") {
            self.skip_blanks();
            if !self.eat(")") {
                self.at = begin;
            }
        }
        self.function(start, name)
    }

    /// The body of a function, after its name and parentheses.
    pub(super) fn function(
        &mut self,
        start: usize,
        name: String,
    ) -> Result<Command, NotUnderstood> {
        self.skip_newlines()?;
        let body = self.nested(Lexer::compound_body)?;
        Ok(Command {
            kind: CommandKind::Function { name, body },
            redirections: Vec::new(),
            span: self.span_from(start),
        })
    }

    /// `coproc [NAME] COMMAND`, after the word.
    fn coprocess(&mut self, start: usize) -> Result<Command, NotUnderstood> {
        self.skip_blanks();
        let name = self.coprocess_name();
        let body = if name.is_some() || self.is_at_compound() {
            self.compound_body()?
        } else if self.reserved().is_some() {
            return Err(self.not_understood("a reserved word after `coproc`"));
        } else {
            Box::new(self.simple()?)
        };
        if begins_otherwise(&body.kind) {
            return Err(self.not_understood("a function or a reserved word after `coproc`"));
        }
        Ok(Command {
            kind: CommandKind::Coprocess { name, body },
            redirections: Vec::new(),
            span: self.span_from(start),
        })
    }

    /// Takes a name that a compound command follows.
    fn coprocess_name(&mut self) -> Option<String> {
        if self.reserved().is_some() {
            return None;
        }
        let begin = self.at;
        let name = self.name();
        if !name.is_empty() && matches!(self.peek(), Some(b' ' | b'\t')) {
            self.skip_blanks();
            if self.is_at_compound() {
                return Some(name);
            }
        }
        self.at = begin;
        None
    }
}

/// What bash takes for something else after `coproc`.
fn begins_otherwise(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::Function { .. } => true,
        CommandKind::Simple { words, .. } => words.get(1).is_some_and(|word| {
            matches!(&word.pieces[..], [Piece::Bare(text)] if RESERVED.contains(&text.as_str()))
        }),
        _ => false,
    }
}
