//! Simple commands: assignments, words, redirections; and functions, which begin like one.

use super::super::lex::{Flavour, Lexer, is_break};
use super::super::tree::{Assignment, Command, CommandKind, Piece, Redirection, Word};
use super::NotUnderstood;

/// Commands whose arguments may assign arrays.
const DECLARATIONS: [&str; 5] = ["declare", "export", "local", "readonly", "typeset"];

/// What was read of a simple command so far.
#[derive(Default)]
struct Parts {
    assignments: Vec<Assignment>,
    words: Vec<Word>,
    redirections: Vec<Redirection>,
    /// Whether a subscript or an array may stand in an assignment here.
    takes_arrays: bool,
}

impl Lexer<'_> {
    /// Reads a simple command, or a function that begins like one.
    pub(super) fn simple(&mut self) -> Result<Command, NotUnderstood> {
        let start = self.at;
        let mut end = start;
        let mut parts = Parts {
            takes_arrays: true,
            ..Parts::default()
        };
        loop {
            self.skip_blanks();
            if self.is_at_redirection() {
                let redirection = self.redirection()?;
                parts.redirections.push(redirection);
                parts.takes_arrays &= parts.assignments.is_empty() && parts.words.is_empty();
            } else if self.peek().is_none_or(is_break) && !self.is_at_process() {
                break;
            } else {
                self.part(&mut parts)?;
            }
            end = self.at;
        }
        if self.peek() == Some(b'(') {
            return self.function_of(start, &parts);
        }
        let Parts {
            assignments,
            words,
            redirections,
            ..
        } = parts;
        if assignments.is_empty() && words.is_empty() && redirections.is_empty() {
            return Err(self.not_understood("a sign where a command must stand"));
        }
        Ok(Command {
            kind: CommandKind::Simple { assignments, words },
            redirections,
            span: self.span(start, end),
        })
    }

    /// One assignment or word.
    fn part(&mut self, parts: &mut Parts) -> Result<(), NotUnderstood> {
        if parts.words.is_empty() {
            if let Some(assignment) = self.assignment(parts.takes_arrays)? {
                parts.assignments.push(assignment);
                return Ok(());
            }
            let word = self.word(Flavour::Ordinary)?;
            parts.takes_arrays &= matches!(
                &word.pieces[..],
                [Piece::Bare(name)] if DECLARATIONS.contains(&name.as_str())
            );
            parts.words.push(word);
            return Ok(());
        }
        let begin = self.at;
        if parts.takes_arrays && self.assigned_name() && self.peek() == Some(b'(') {
            let name = self.text[begin..self.at].replace("\\\n", "");
            let array = self.array()?;
            parts.words.push(Word {
                pieces: vec![Piece::Bare(name), array],
                span: self.span_from(begin),
            });
            return self.check_end_of_array();
        }
        self.at = begin;
        let word = self.word(Flavour::Ordinary)?;
        parts.words.push(word);
        Ok(())
    }

    /// Takes `NAME=` or `NAME+=`, if one stands here.
    fn assigned_name(&mut self) -> bool {
        !self.name().is_empty() && (self.eat("+=") || self.eat("="))
    }

    /// Reads an assignment, if one stands here.
    fn assignment(&mut self, takes_arrays: bool) -> Result<Option<Assignment>, NotUnderstood> {
        let begin = self.at;
        let name = self.name();
        if name.is_empty() {
            self.at = begin;
            return Ok(None);
        }
        let mut subscript = None;
        if self.peek() == Some(b'[') {
            if !takes_arrays {
                return Err(self.not_understood("a subscript after a redirection"));
            }
            subscript = Some(self.subscript()?);
        }
        let is_append = self.eat("+=");
        if !is_append && !self.eat("=") {
            if subscript.is_some() {
                return Err(self.not_understood("a subscript that nothing is assigned to"));
            }
            self.at = begin;
            return Ok(None);
        }
        let value = if self.peek() == Some(b'(') {
            if !takes_arrays || subscript.is_some() {
                return Err(self.not_understood("a list where none can be assigned"));
            }
            let start = self.at;
            let array = self.array()?;
            self.check_end_of_array()?;
            Word {
                pieces: vec![array],
                span: self.span_from(start),
            }
        } else {
            self.word(Flavour::Ordinary)?
        };
        Ok(Some(Assignment {
            name,
            subscript,
            is_append,
            value,
            span: self.span_from(begin),
        }))
    }

    /// `(..)` after `NAME=`.
    fn array(&mut self) -> Result<Piece, NotUnderstood> {
        let had_pending = !self.pending.is_empty();
        self.nested(|lexer| {
            lexer.bump();
            let mut elements = Vec::new();
            loop {
                lexer.skip_blanks();
                if lexer.peek() == Some(b'\n') {
                    if had_pending {
                        let why = "a newline between a here-document and its body";
                        return Err(lexer.not_understood(why));
                    }
                    lexer.bump();
                    continue;
                }
                if lexer.eat(")") {
                    return Ok(Piece::Array(elements));
                }
                let mut subscript = None;
                if lexer.peek() == Some(b'[') {
                    subscript = Some(lexer.subscript()?);
                    if !(lexer.eat("+=") || lexer.eat("=")) {
                        return Err(lexer.not_understood("a bracket at the beginning of a value"));
                    }
                }
                let word = lexer.word(Flavour::Ordinary)?;
                let is_empty = word.pieces.is_empty() && subscript.is_none();
                if is_empty || lexer.is_redirected(&word) {
                    return Err(lexer.not_understood("a sign in a list of values"));
                }
                elements.push((subscript, word));
            }
        })
    }

    /// After `NAME=(..)` the word must end.
    fn check_end_of_array(&mut self) -> Result<(), NotUnderstood> {
        if self.peek().is_none_or(is_break) && !self.is_at_process() {
            return Ok(());
        }
        Err(self.not_understood("text right after a list of values"))
    }

    /// A function, if what was read before the parenthesis is its name.
    fn function_of(&mut self, start: usize, parts: &Parts) -> Result<Command, NotUnderstood> {
        let is_name_alone = parts.assignments.is_empty() && parts.redirections.is_empty();
        let name = match &parts.words[..] {
            [word] if is_name_alone => function_name(word),
            _ => None,
        };
        let Some(name) = name else {
            return Err(self.not_understood("a `(` after a word"));
        };
        self.bump();
        self.skip_blanks();
        if !self.eat(")") {
            return Err(self.not_understood("a `(` after a word"));
        }
        self.function(start, name)
    }
}

/// The name of a function, if a word can be one.
pub(super) fn function_name(word: &Word) -> Option<String> {
    let [Piece::Bare(name)] = &word.pieces[..] else {
        return None;
    };
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-.:+@/,%^".contains(letter);
    (!name.is_empty() && name.chars().all(is_plain)).then(|| name.clone())
}
