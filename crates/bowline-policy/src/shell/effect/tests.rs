//! Tests of the tables and of what they say.

use super::rows::tables;
use super::*;
use crate::shell::argument::Value;
use crate::shell::tree::Span;

mod catalogue;
mod facts;
mod laws;

/// Arguments as a person writes them here: blanks separate, `'..'` holds blanks together; `$*` is
/// any number of unknown words, `$1` one, `src/*` paths of the workspace.
pub(super) fn arguments(text: &str) -> Vec<Argument> {
    let mut words: Vec<(String, bool)> = Vec::new();
    let (mut word, mut is_open, mut is_quoted, mut begun) = (String::new(), false, false, false);
    for letter in text.chars() {
        match letter {
            '\'' => (is_open, is_quoted, begun) = (!is_open, true, true),
            ' ' if !is_open => {
                if begun {
                    words.push((std::mem::take(&mut word), is_quoted));
                }
                (is_quoted, begun) = (false, false);
            }
            _ => {
                word.push(letter);
                begun = true;
            }
        }
    }
    if begun {
        words.push((word, is_quoted));
    }
    let value = |(text, is_quoted): (String, bool)| match text.split_once('$') {
        _ if is_quoted => Value::Known(text),
        Some(("", "*")) => Value::Unknown { written: text },
        Some((prefix, "1")) => Value::UnknownOne {
            prefix: prefix.to_owned(),
            written: text,
        },
        _ if text.ends_with("/*") => Value::WorkspacePaths { written: text },
        _ => Value::Known(text),
    };
    let argument = |word| Argument {
        value: value(word),
        span: Span::default(),
    };
    words.into_iter().map(argument).collect()
}

pub(super) fn of(text: &str) -> Effect {
    effect(&arguments(text), Lines::Unknown)
}

#[test]
fn every_row_is_understood() {
    assert_eq!(tables().problems, Vec::<String>::new());
    let unknown: Vec<&str> = tables()
        .codes()
        .filter(|code| !code::NAMES.contains(code))
        .collect();
    assert_eq!(unknown, Vec::<&str>::new());
    for code in code::NAMES {
        assert!(
            tables().codes().any(|used| used == code),
            "{code} is used by no row"
        );
    }
    assert!(tables().names().count() > 800, "the tables are there");
}
