//! Holds the words of a rule against the arguments of a command: allow rules narrowly, deny and
//! ask rules generously.

use super::argument::{Argument, Value};
use crate::safeguard::{Safeguard, is_on};

/// How the words of a deny or ask rule fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// They do not.
    No,
    /// It depends on what is not known.
    Maybe,
    /// They do.
    Yes,
}

/// Folders in which a command is what its bare name says.
const STANDARD_FOLDERS: [&str; 3] = ["/bin/", "/usr/bin/", "/usr/local/bin/"];

/// Options of git before the subcommand that take the next argument as their value.
const GIT_VALUES: [&str; 7] = [
    "-C",
    "-c",
    "--git-dir",
    "--work-tree",
    "--namespace",
    "--config-env",
    "--super-prefix",
];

/// The bare name of a command in one of the standard folders, or the command as it is.
pub(super) fn plain_name(command: &str) -> &str {
    let in_standard = STANDARD_FOLDERS
        .iter()
        .find_map(|folder| command.strip_prefix(folder));
    in_standard
        .filter(|name| !name.contains('/') && !name.is_empty())
        .unwrap_or(command)
}

/// The last part of a command's path.
pub(super) fn base_name(command: &str) -> &str {
    command.rsplit('/').next().unwrap_or(command)
}

/// Whether `text` fits `pattern`, in which `*` stands for any characters. Linear in both.
pub(super) fn word_fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((tail, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= tail.len() && rest.ends_with(tail)
}

/// How many words of an allow rule cover arguments one by one, if the rule fits: what its trailing
/// `*` takes is not among them.
pub(super) fn fits_narrowly(rule: &[String], arguments: &[Argument]) -> Option<usize> {
    let (first, rest) = rule.split_first()?;
    let (command, others) = arguments.split_first()?;
    if !names_narrowly(first, command.known()?) {
        return None;
    }
    let is_open = rule.last().is_some_and(|word| word == "*");
    let words = if is_open {
        // A rule that is only `*` covers the command word, too.
        rest.split_last().map_or(rest, |(_, words)| words)
    } else {
        rest
    };
    if others.len() < words.len() || (!is_open && others.len() > words.len()) {
        return None;
    }
    let fit = words.iter().zip(others).all(|(word, argument)| {
        match &argument.value {
            Value::Known(text) => word_fits(word, text),
            // One argument, whatever it says.
            Value::UnknownOne { .. } => word == "*",
            Value::OneOf(_) | Value::WorkspacePaths { .. } | Value::Unknown { .. } => false,
        }
    });
    fit.then_some(words.len() + 1)
}

fn names_narrowly(pattern: &str, command: &str) -> bool {
    let plain = plain_name(command);
    if pattern.contains('/') {
        return word_fits(pattern, command);
    }
    !plain.contains('/') && word_fits(pattern, plain)
}

/// How a deny or ask rule fits. The name matches under any folder if `anywhere`.
pub(super) fn fits_generously(rule: &[String], arguments: &[Argument], anywhere: bool) -> Fit {
    let Some((command, others)) = arguments.split_first() else {
        return Fit::No;
    };
    let Some((first, words)) = rule.split_first() else {
        return Fit::No;
    };
    let named = match command.known() {
        None => Fit::Maybe,
        Some(name) if names_generously(first, name, anywhere) => Fit::Yes,
        Some(_) => return Fit::No,
    };
    if words.is_empty() && first == "*" {
        return named;
    }
    let mut best = rest_fits(words, others);
    let name = command.known().map_or("", base_name);
    if best != Fit::Yes
        && is_on(Safeguard::GitOptions)
        && let Some(skipped) = without_options(name, others)
    {
        best = best.max(rest_fits(words, skipped));
    }
    best.min(named)
}

fn names_generously(pattern: &str, command: &str, anywhere: bool) -> bool {
    let plain = plain_name(command);
    word_fits(pattern, command)
        || word_fits(pattern, plain)
        || (anywhere && word_fits(pattern, base_name(command)))
}

/// The arguments from the subcommand on, if options stand before it.
fn without_options<'a>(name: &str, arguments: &'a [Argument]) -> Option<&'a [Argument]> {
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        let Some(text) = argument.known() else { break };
        at += match name {
            "git" if GIT_VALUES.contains(&text) => 2,
            "git" if text.starts_with('-') => 1,
            "cargo" if text.starts_with('+') => 1,
            _ => break,
        };
    }
    (at > 0).then(|| arguments.get(at..)).flatten()
}

/// Holds words against arguments of which some may stand for any number.
fn rest_fits(words: &[String], arguments: &[Argument]) -> Fit {
    let is_open = words.last().is_some_and(|word| word == "*");
    let words = if is_open {
        &words[..words.len() - 1]
    } else {
        words
    };
    // The plain case first: every argument that a word meets is known.
    let is_plain = |argument: &Argument| matches!(argument.value, Value::Known(_));
    if arguments.iter().take(words.len() + 1).all(is_plain) {
        let enough = arguments.len() == words.len() || (is_open && arguments.len() > words.len());
        let mut pairs = words.iter().zip(arguments);
        let fits = |(word, argument): (&String, &Argument)| {
            argument.known().is_some_and(|text| word_fits(word, text))
        };
        return if enough && pairs.all(fits) {
            Fit::Yes
        } else {
            Fit::No
        };
    }
    // `reach[i]`: how well the first `i` words fit the arguments so far.
    let mut reach = vec![Fit::No; words.len() + 1];
    reach[0] = Fit::Yes;
    let mut closed = Fit::No;
    for argument in arguments {
        if is_open {
            closed = closed.max(reach[words.len()]);
        }
        reach = advance(words, &reach, argument);
    }
    reach[words.len()].max(closed)
}

/// One argument further.
fn advance(words: &[String], reach: &[Fit], argument: &Argument) -> Vec<Fit> {
    let mut next = vec![Fit::No; reach.len()];
    // Arguments of any number may be none.
    let may_be_none = !matches!(argument.value, Value::Known(_) | Value::UnknownOne { .. });
    if may_be_none {
        for (to, from) in next.iter_mut().zip(reach) {
            *to = (*from).min(Fit::Maybe);
        }
    }
    for (at, word) in words.iter().enumerate() {
        let fit = one_fits(word, argument);
        let from = if may_be_none {
            // More than one of it may stand there.
            reach[at].max(next[at])
        } else {
            reach[at]
        };
        next[at + 1] = next[at + 1].max(from.min(fit));
    }
    next
}

fn one_fits(word: &str, argument: &Argument) -> Fit {
    let begins = word.split('*').next().unwrap_or_default();
    match &argument.value {
        Value::Known(text) if word_fits(word, text) => Fit::Yes,
        Value::Known(_) => Fit::No,
        Value::OneOf(texts) if texts.iter().any(|text| word_fits(word, text)) => Fit::Maybe,
        Value::OneOf(_) => Fit::No,
        Value::UnknownOne { .. } if word == "*" => Fit::Yes,
        Value::UnknownOne { prefix, .. } => {
            if begins.starts_with(prefix.as_str()) || prefix.starts_with(begins) {
                Fit::Maybe
            } else {
                Fit::No
            }
        }
        // A path in the workspace is no option and no word of a tool's own.
        Value::WorkspacePaths { .. } if begins.starts_with('-') => Fit::No,
        Value::WorkspacePaths { .. } | Value::Unknown { .. } => Fit::Maybe,
    }
}

#[cfg(test)]
mod tests;
