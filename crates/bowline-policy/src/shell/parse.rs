//! Turns shell text into a tree, or says what is not understood and where.
//!
//! Strict: what bash might read otherwise is an error, never another tree. Time grows with the
//! length of the text, depth is bounded, and a text that is too long is refused unread.

mod command;
mod compound;
mod conditional;
mod redirection;
mod simple;

use super::lex::{Budget, Lexer, Origin, SUBSTITUTION_LEVELS};
use super::tree::{
    Command, CommandKind, Descriptor, List, Operator, Piece, Pipeline, Redirection, Script, Word,
};

/// Longest text that is read, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// Why a text is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} (byte {at})")]
pub struct NotUnderstood {
    /// What stands there, or what is missing: to go on after "not understood:".
    pub why: String,
    /// The byte in the whole text.
    pub at: usize,
}

/// What could be read of a text as `bash -c TEXT` would read it.
///
/// # Errors
/// When bash would not take the text, might read it otherwise, or it is longer than
/// [`TEXT_BYTES_MAX`] or nested too deep.
pub fn parse(text: &str) -> Result<Script, NotUnderstood> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(NotUnderstood {
            why: format!("it is longer than {TEXT_BYTES_MAX} bytes"),
            at: TEXT_BYTES_MAX,
        });
    }
    // The shell keeps marks of its own in two of these bytes.
    if let Some(at) = text.find(['\0', '\x01', '\x7f']) {
        let why = "a control character that the shell treats apart".to_owned();
        return Err(NotUnderstood { why, at });
    }
    let budget = Budget::for_length(text.len());
    whole(text, Origin::From(0), &budget, 0)
}

#[cfg(test)]
mod tests;

/// Reads all of a text.
pub(super) fn whole(
    text: &str,
    origin: Origin,
    budget: &Budget,
    depth: usize,
) -> Result<Script, NotUnderstood> {
    let mut first = Lexer::new(text, origin, budget, depth);
    let script = first.all()?;
    if first.bodies.is_empty() {
        return Ok(script);
    }
    let mut second = Lexer::new(text, origin, budget, depth);
    second.bodies = first.bodies;
    second.bodies_known = true;
    second.all()
}

/// The words that mean something where a command may begin.
pub(super) const RESERVED: [&str; 22] = [
    "!", "[[", "]]", "{", "}", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while",
];

/// Those of them that end a script.
const CLOSERS: [&str; 8] = ["}", "do", "done", "elif", "else", "esac", "fi", "then"];

impl Lexer<'_> {
    fn all(&mut self) -> Result<Script, NotUnderstood> {
        let script = self.script()?;
        if self.peek().is_some() {
            return Err(self.not_understood("something that closes what nothing opened"));
        }
        Ok(script)
    }

    /// Reads up to what closes a body; it may be empty.
    pub(super) fn script(&mut self) -> Result<Script, NotUnderstood> {
        let mut lists = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.is_at_end_of_script() {
                break;
            }
            let mut list = self.list()?;
            self.skip_blanks();
            let goes_on = match self.peek() {
                Some(b'\n') => true,
                Some(b';') if !matches!(self.look(1), Some(b';' | b'&')) => {
                    self.bump();
                    true
                }
                Some(b'&') => {
                    self.bump();
                    list.is_background = true;
                    true
                }
                _ => false,
            };
            lists.push(list);
            if !goes_on {
                break;
            }
        }
        Ok(Script { lists })
    }

    /// A body that must not be empty.
    pub(super) fn body(&mut self) -> Result<Script, NotUnderstood> {
        let script = self.script()?;
        if script.lists.is_empty() {
            return Err(self.not_understood("a body without a command"));
        }
        Ok(script)
    }

    /// Skips blanks, comments and newlines.
    pub(super) fn skip_newlines(&mut self) -> Result<(), NotUnderstood> {
        self.skip_blanks();
        while self.peek() == Some(b'\n') {
            self.newline()?;
            self.skip_blanks();
        }
        Ok(())
    }

    fn is_at_end_of_script(&mut self) -> bool {
        match self.peek() {
            None | Some(b')') => true,
            Some(b';') => matches!(self.look(1), Some(b';' | b'&')),
            _ => self.closer().is_some(),
        }
    }

    /// The reserved word that stands here, if it ends a script.
    pub(super) fn closer(&mut self) -> Option<&'static str> {
        self.reserved().filter(|word| CLOSERS.contains(word))
    }

    /// The script of `$(`, `<(` or `>(`, from after the parenthesis up to its end.
    pub(super) fn substituted(&mut self) -> Result<Script, NotUnderstood> {
        self.nested_by(SUBSTITUTION_LEVELS, |lexer| {
            lexer.skip_blanks();
            let start = lexer.at;
            lexer.substitution_at = Some(start);
            let outer = std::mem::take(&mut lexer.pending);
            let was = std::mem::replace(&mut lexer.in_substitution, true);
            let script = lexer.script()?;
            lexer.in_substitution = was;
            if lexer.peek() != Some(b')') {
                return Err(lexer.not_understood("a substitution without its `)`"));
            }
            if !lexer.pending.is_empty() {
                return Err(lexer.not_understood("a here-document without a body"));
            }
            if !outer.is_empty() && lexer.text[start..lexer.at].contains('\n') {
                return Err(lexer.not_understood("a newline between a here-document and its body"));
            }
            lexer.bump();
            lexer.pending = outer;
            Ok(script)
        })
    }

    /// Pipelines joined by `&&` and `||`.
    fn list(&mut self) -> Result<List, NotUnderstood> {
        let mut pipelines = vec![self.pipeline()?];
        loop {
            self.skip_blanks();
            let is_alternative = self.sees("||");
            if !(self.eat("&&") || self.eat("||")) {
                break;
            }
            if pipelines
                .last()
                .is_some_and(|last| last.commands.is_empty())
            {
                return Err(self.not_understood("`!` or `time` without a command"));
            }
            self.skip_newlines()?;
            let mut pipeline = self.pipeline()?;
            pipeline.is_alternative = is_alternative;
            pipelines.push(pipeline);
        }
        Ok(List {
            pipelines,
            is_background: false,
        })
    }

    /// `! time COMMAND | COMMAND`
    fn pipeline(&mut self) -> Result<Pipeline, NotUnderstood> {
        let mut pipeline = Pipeline {
            is_alternative: false,
            is_negated: false,
            is_timed: false,
            commands: Vec::new(),
        };
        self.skip_blanks();
        let is_time_doubtful =
            self.substitution_at == Some(self.at) && self.reserved() == Some("time");
        let mut is_led = false;
        loop {
            self.skip_blanks();
            if self.take_reserved("!") {
                is_led = true;
                pipeline.is_negated = !pipeline.is_negated;
            } else if self.take_reserved("time") {
                is_led = true;
                pipeline.is_timed = true;
                self.skip_blanks();
                if self.take_exactly("-p") {
                    self.skip_blanks();
                }
                self.take_exactly("--");
            } else {
                break;
            }
        }
        self.skip_blanks();
        let ends = match self.peek() {
            None | Some(b'\n') => true,
            Some(b';') => !matches!(self.look(1), Some(b';' | b'&')),
            _ => false,
        };
        if is_led && ends && !is_time_doubtful {
            return Ok(pipeline);
        }
        loop {
            let mut command = self.command()?;
            if is_time_doubtful && !is_the_same_after_a_word(&command) {
                return Err(self.not_understood("`time` at the beginning of a substitution"));
            }
            self.skip_blanks();
            let is_both = self.sees("|&");
            let goes_on = is_both || (self.peek() == Some(b'|') && self.look(1) != Some(b'|'));
            if is_both {
                let start = self.at;
                self.eat("|&");
                command.redirections.push(self.both_into_pipe(start));
            } else if goes_on {
                self.bump();
            }
            pipeline.commands.push(command);
            if !goes_on {
                return Ok(pipeline);
            }
            let end = self.at;
            self.skip_newlines()?;
            if self.text[end..self.at].contains('\n') && self.reserved() == Some("time") {
                return Err(self.not_understood("`time` on a line after `|`"));
            }
        }
    }

    /// What `|&` adds to the command before it.
    fn both_into_pipe(&self, start: usize) -> Redirection {
        let span = self.span_from(start);
        Redirection {
            descriptor: Descriptor::Number(2),
            operator: Operator::DuplicateOutput,
            target: Word {
                pieces: vec![Piece::Bare("1".to_owned())],
                span,
            },
            span,
        }
    }
}

/// Whether a command means the same if the `time` before it is an ordinary word, as it is for bash
/// 5.2 right after `$(`.
fn is_the_same_after_a_word(command: &Command) -> bool {
    match &command.kind {
        CommandKind::Simple { assignments, words } => {
            let is_array = |piece: &Piece| matches!(piece, Piece::Array(_));
            let has_array = words.iter().any(|word| word.pieces.iter().any(is_array));
            assignments.is_empty() && !words.is_empty() && !has_array
        }
        _ => false,
    }
}
