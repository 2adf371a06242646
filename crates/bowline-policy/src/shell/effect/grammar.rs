//! Which arguments are options, values and operands: one reader for every command, told by rows.

use super::rows::{Command, Fact, Standing, Style, Tables, Takes};
use crate::shell::argument::{Argument, Value};

/// One part of a command's arguments.
#[derive(Debug, Clone)]
pub(super) enum Part<'t> {
    /// An option that has a row.
    Option {
        /// The argument.
        at: usize,
        /// Its spelling in the rows.
        name: String,
        /// What it does.
        fact: &'t Fact,
        /// Its values.
        values: Vec<Given>,
    },
    /// Something that looks like an option and has no row.
    Strange {
        /// The argument.
        at: usize,
    },
    /// A word that is not known and could be any option.
    Unclear {
        /// The argument.
        at: usize,
    },
    /// An operand.
    Operand {
        /// The argument.
        at: usize,
    },
}

/// A value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// The argument.
    pub(super) at: usize,
    /// The value, if it is a known part of the argument; else it is the whole argument, or a part
    /// that is not known.
    pub(super) text: Option<String>,
}

/// Reads the arguments from `from` on as options and operands of `command`, whose parents' options
/// count too where `outer` has them.
pub(super) fn read<'t>(
    tables: &'t Tables,
    command: &'t Command,
    outer: &[&'t Command],
    arguments: &[Argument],
    from: usize,
) -> Vec<Part<'t>> {
    let mut reader = Reader {
        tables,
        command,
        outer,
        arguments,
        parts: Vec::new(),
        at: from,
        is_done: false,
    };
    while reader.at < arguments.len() {
        reader.argument();
    }
    reader.parts
}

struct Reader<'r, 't> {
    tables: &'t Tables,
    command: &'t Command,
    outer: &'r [&'t Command],
    arguments: &'r [Argument],
    parts: Vec<Part<'t>>,
    at: usize,
    is_done: bool,
}

impl<'t> Reader<'_, 't> {
    fn argument(&mut self) {
        let at = self.at;
        self.at += 1;
        if self.is_done {
            return self.operand(at);
        }
        match &self.arguments[at].value {
            Value::Known(text) if text == "--" => {
                self.is_done = true;
            }
            Value::Known(text) => {
                let text = text.clone();
                self.text(at, &text, false);
            }
            Value::UnknownOne { prefix, .. } => {
                let prefix = prefix.clone();
                self.text(at, &prefix, true);
            }
            Value::OneOf(texts) => {
                if texts.iter().any(|text| text.starts_with('-')) {
                    self.parts.push(Part::Unclear { at });
                }
                self.operand(at);
            }
            Value::WorkspacePaths { .. } => self.operand(at),
            Value::Unknown { .. } => {
                self.parts.push(Part::Unclear { at });
                self.operand(at);
            }
        }
    }

    /// An argument that is `text`, or begins with it.
    fn text(&mut self, at: usize, text: &str, is_open: bool) {
        if is_open && text.is_empty() {
            self.parts.push(Part::Unclear { at });
            return self.operand(at);
        }
        if let Some(found) = self
            .find(text)
            .filter(|_| text.starts_with('+') && !is_open)
        {
            return self.option(at, text, found, None, false);
        }
        let is_plus = text.starts_with('+') && self.find("+#").is_some();
        if is_plus {
            return self.single("+#", at, text, is_open);
        }
        if text == "-" && !is_open || !text.starts_with('-') {
            return self.operand(at);
        }
        if self.command.style == Style::Single {
            return self.single(text, at, text, is_open);
        }
        match text.strip_prefix("--") {
            Some(_) => self.long(at, text, is_open),
            None => match self.find(text).filter(|_| text.len() > 2 && !is_open) {
                Some(found) => self.option(at, text, found, None, false),
                None => self.cluster(at, text, is_open),
            },
        }
    }

    fn operand(&mut self, at: usize) {
        self.parts.push(Part::Operand { at });
        self.is_done |= self.command.ends_at_operand;
    }

    fn find(&self, spelling: &str) -> Option<&'t super::rows::Opt> {
        let own = self.tables.option(self.command, spelling);
        own.or_else(|| {
            let mut outer = self.outer.iter().rev();
            outer.find_map(|command| self.tables.option(command, spelling))
        })
    }

    /// `--name` or `--name=VALUE`.
    fn long(&mut self, at: usize, text: &str, is_open: bool) {
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None if is_open => return self.parts.push(Part::Unclear { at }),
            None => (text, None),
        };
        if let Some(found) = self.find(name) {
            return self.option(at, name, found, joined, is_open);
        }
        // `--config.script-shell=X` sets a part of `--config`.
        let whole = name.split_once('.').and_then(|(whole, _)| self.find(whole));
        if let Some(found) = whole {
            return self.option(at, name, found, joined.or(Some("")), is_open);
        }
        let candidates = match self.command.style {
            Style::Gnu => self.tables.options_from(self.command, name),
            _ => Vec::new(),
        };
        let [only] = candidates[..] else {
            self.parts.push(Part::Strange { at });
            for found in candidates {
                let fact = &found.fact;
                if fact.is_hazard || fact.limits || fact.publishes {
                    let name = name.to_owned();
                    let values = Vec::new();
                    self.parts.push(Part::Option {
                        at,
                        name,
                        fact,
                        values,
                    });
                }
            }
            return;
        };
        self.option(at, name, only, joined, is_open);
    }

    /// `-name`, `--name`, with a value joined by `=`, or one letter with a value joined to it.
    fn single(&mut self, spelling: &str, at: usize, text: &str, is_open: bool) {
        let spelling = match spelling.strip_prefix("--") {
            Some(rest) => format!("-{rest}"),
            None => spelling.to_owned(),
        };
        let (name, joined) = match spelling.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value)),
            None => (spelling.clone(), None),
        };
        if let Some(found) = self.find(&name) {
            let joined = if name == "+#" {
                Some(&text[1..])
            } else {
                joined
            };
            return self.option(at, &name, found, joined, is_open);
        }
        let longest = (2..spelling.len())
            .rev()
            .filter(|end| spelling.is_char_boundary(*end))
            .find_map(|end| {
                let found = self.find(&spelling[..end])?;
                (found.takes != Takes::Nothing).then_some((end, found))
            });
        match longest {
            Some((end, found)) => {
                let joined = Some(&spelling[end..]);
                self.option(at, &spelling[..end], found, joined, is_open);
            }
            None => self.parts.push(Part::Strange { at }),
        }
    }

    /// `-abc`, the last of which may have a value.
    fn cluster(&mut self, at: usize, text: &str, is_open: bool) {
        for (start, letter) in text.char_indices().skip(1) {
            let name = match letter {
                '0'..='9' if self.find("-#").is_some() => "-#".to_owned(),
                _ => format!("-{letter}"),
            };
            let rest = &text[start + letter.len_utf8()..];
            let Some(found) = self.find(&name) else {
                self.parts.push(Part::Strange { at });
                return self.doubt_letters(at, rest);
            };
            if found.takes != Takes::Nothing {
                let joined = (!rest.is_empty() || is_open).then_some(rest);
                return self.option(at, &name, found, joined, is_open);
            }
            self.option(at, &name, found, None, false);
        }
        if is_open {
            self.parts.push(Part::Unclear { at });
        }
    }

    /// A value that looks like an option, of a command whose options are not all told: the hazards
    /// of that option count too.
    fn doubt(&mut self, at: usize) {
        let text = self.arguments[at].known().unwrap_or_default().to_owned();
        if text.len() < 2 || !text.starts_with('-') || text == "--" {
            return;
        }
        let (count, next) = (self.parts.len(), self.at);
        self.at = self.arguments.len();
        self.text(at, &text, false);
        self.at = next;
        let doubted = self.parts.split_off(count);
        self.parts
            .extend(doubted.into_iter().filter_map(|part| match part {
                Part::Option { at, name, fact, .. } if fact.is_hazard || fact.publishes => {
                    let values = Vec::new();
                    Some(Part::Option {
                        at,
                        name,
                        fact,
                        values,
                    })
                }
                _ => None,
            }));
    }

    /// Letters after one that has no row, of a command whose options are not all told.
    fn doubt_letters(&mut self, at: usize, letters: &str) {
        let is_exact = [Standing::Any, Standing::Limited].contains(&self.command.standing);
        for letter in letters.chars().filter(|_| !is_exact) {
            let name = format!("-{letter}");
            let found = self.find(&name).map(|found| &found.fact);
            if let Some(fact) = found.filter(|fact| fact.is_hazard || fact.publishes) {
                let values = Vec::new();
                self.parts.push(Part::Option {
                    at,
                    name,
                    fact,
                    values,
                });
            }
        }
    }

    fn option(
        &mut self,
        at: usize,
        name: &str,
        found: &'t super::rows::Opt,
        joined: Option<&str>,
        is_open: bool,
    ) {
        let mut values = Vec::new();
        if let Some(value) = joined {
            let text = (!is_open).then(|| value.to_owned());
            values.push(Given { at, text });
        }
        let wanted = match found.takes {
            Takes::Values(count) => count,
            Takes::Nothing | Takes::Joined => 0,
        };
        let mut unclear = None;
        while values.len() < wanted && self.at < self.arguments.len() {
            let next = self.at;
            self.at += 1;
            values.push(Given {
                at: next,
                text: None,
            });
            if let Value::Unknown { .. } = self.arguments[next].value {
                unclear = Some(next);
            }
        }
        let steps = values
            .iter()
            .filter(|value| value.at != at)
            .map(|value| value.at);
        let steps: Vec<usize> = steps.collect();
        let (name, fact) = (name.to_owned(), &found.fact);
        self.parts.push(Part::Option {
            at,
            name,
            fact,
            values,
        });
        if let Some(at) = unclear {
            self.parts.push(Part::Unclear { at });
            self.operand(at);
        }
        let is_exact = [Standing::Any, Standing::Limited].contains(&self.command.standing);
        if !is_exact {
            steps.into_iter().for_each(|at| self.doubt(at));
        }
    }
}
