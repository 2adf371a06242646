//! What a variable comes to.

use super::{Bit, Expander, live, quiet};
use crate::shell::argument::Value;
use crate::shell::scope::{any_count, either};
use crate::shell::tree::{Operation, Parameter};

/// Variables that the shell itself sets to a number, whatever the environment says.
const COUNTS: [&str; 11] = [
    "?", "#", "!", "$", "RANDOM", "SECONDS", "LINENO", "UID", "EUID", "PPID", "BASHPID",
];

/// What the shell splits at, unless the text says otherwise: the environment's `IFS` does not count.
const BLANKS: &str = " \t\n";

impl Expander<'_, '_> {
    /// Adds what a parameter expansion comes to. `is_whole`: it is not split.
    pub(super) fn parameter(&mut self, parameter: &Parameter, is_whole: bool, bits: &mut Vec<Bit>) {
        let written = format!("${}", parameter.name);
        let unknown = || Value::Unknown {
            written: written.clone(),
        };
        let is_list = is_list(parameter);
        let value = match &parameter.operation {
            Operation::Plain => {
                if is_list && self.spread(parameter, bits) {
                    return;
                }
                self.variable(&parameter.name)
            }
            Operation::Length => Some(any_count()),
            Operation::Substitute(word) | Operation::Assign(word) => {
                let operand = self.value(word);
                let value = self.variable(&parameter.name);
                value.map(|value| either(&value, &operand, &parameter.name))
            }
            Operation::Indirect(_)
            | Operation::Names
            | Operation::Transform(_)
            | Operation::Trim(_)
            | Operation::Replace(..)
            | Operation::Slice(..) => None,
        };
        match value.unwrap_or_else(unknown) {
            Value::Known(text) if is_whole => {
                if text.is_empty() {
                    bits.push(Bit::Empty);
                } else {
                    bits.push(Bit::Text(text.chars().map(quiet).collect()));
                }
            }
            Value::Known(text) => self.split(&text, bits),
            Value::OneOf(texts) => bits.push(Bit::OneOf {
                texts,
                is_split: !is_whole,
            }),
            Value::WorkspacePaths { .. } => bits.push(Bit::Paths { written }),
            Value::UnknownOne { prefix, .. } if is_whole => {
                bits.push(Bit::Text(prefix.chars().map(quiet).collect()));
                bits.push(Bit::One { written });
            }
            Value::Unknown { .. } | Value::UnknownOne { .. } if is_whole && !is_list => {
                bits.push(Bit::One { written });
            }
            Value::Unknown { .. } | Value::UnknownOne { .. } => bits.push(Bit::Any { written }),
        }
    }

    /// `$@` and `$*` of a function that was called with known arguments.
    fn spread(&self, parameter: &Parameter, bits: &mut Vec<Bit>) -> bool {
        let Some(all) = &self.scope.positional else {
            return false;
        };
        if parameter.name != "@" && parameter.name != "*" {
            return false;
        }
        for (at, value) in all.iter().enumerate() {
            if at > 0 {
                bits.push(Bit::Break);
            }
            bits.push(match value {
                Value::Known(text) if text.is_empty() => Bit::Empty,
                Value::Known(text) => Bit::Text(text.chars().map(quiet).collect()),
                Value::OneOf(texts) => Bit::OneOf {
                    texts: texts.clone(),
                    is_split: false,
                },
                Value::WorkspacePaths { written } => Bit::Paths {
                    written: written.clone(),
                },
                Value::UnknownOne { written, .. } => Bit::One {
                    written: written.clone(),
                },
                Value::Unknown { written } => Bit::Any {
                    written: written.clone(),
                },
            });
        }
        true
    }

    /// What a variable holds, if that is known.
    fn variable(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.scope.variable(name) {
            return Some(value.clone());
        }
        if COUNTS.contains(&name) {
            return Some(any_count());
        }
        if let Ok(number) = name.parse::<usize>() {
            let positional = self.scope.positional.as_ref()?;
            return match (number, positional.get(number.checked_sub(1)?)) {
                (_, Some(value)) => Some(value.clone()),
                (_, None) => None,
            };
        }
        match name {
            "PWD" => match self.scope.places.as_deref() {
                Some([place]) => Some(Value::Known(place.logical.clone())),
                _ => None,
            },
            "HOME" => self.policy.home.clone().map(Value::Known),
            "IFS" => Some(Value::Known(BLANKS.to_owned())),
            _ => None,
        }
    }

    /// Known text outside quotes: split, and what comes of it may be a glob.
    fn split(&self, text: &str, bits: &mut Vec<Bit>) {
        let at = match self.scope.variable("IFS") {
            None => BLANKS.to_owned(),
            Some(Value::Known(at)) => at.clone(),
            Some(_) => {
                bits.push(Bit::Any {
                    written: text.to_owned(),
                });
                return;
            }
        };
        for (number, part) in text.split(|one| at.contains(one)).enumerate() {
            if number > 0 {
                bits.push(Bit::Break);
            }
            bits.push(Bit::Text(part.chars().map(live).collect()));
        }
    }
}

/// Whether it may come to several arguments even in double quotes.
fn is_list(parameter: &Parameter) -> bool {
    let is_all = |text: &str| text == "@" || text == "*";
    is_all(&parameter.name)
        || parameter
            .subscript
            .as_ref()
            .is_some_and(|word| is_all(&super::written(&word.pieces)))
}
