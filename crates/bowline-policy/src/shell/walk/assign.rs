//! Assignments: which names are harmless, what variables hold afterwards.

use super::Walk;
use super::flow::unknown;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::Value;
use crate::shell::expand::is_name;
use crate::shell::scope::{Scope, either};
use crate::shell::tree::{Assignment, Piece, Span, Word};

/// Variables that may be set to any literal value.
const HARMLESS: [&str; 12] = [
    "LANG",
    "TZ",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "CARGO_TERM_COLOR",
    "CI",
];

/// Variables that hold a program; harmless as `cat` or empty.
const PAGERS: [&str; 2] = ["PAGER", "GIT_PAGER"];

/// Lower-case names that programs or the shell heed.
const SPECIAL_LOWER: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "histchars",
    "auto_resume",
    "_",
];

/// Variables that the shell expands as commands later on.
const EXPANDED_LATER: [&str; 6] = ["PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "BASH_ENV"];

impl Walk<'_> {
    /// Assignments alone, or before the command `before`.
    pub(super) fn assignments(
        &mut self,
        all: &[Assignment],
        before: Option<&str>,
        scope: &mut Scope,
    ) {
        for one in all {
            if !self.step(one.span) {
                return;
            }
            if let Some(subscript) = &one.subscript {
                self.arithmetic(subscript, scope);
            }
            self.visit(&one.value, scope);
            let value = self.assigned_value(&one.value, &one.name, scope);
            let is_harmless =
                one.subscript.is_none() && !one.is_append && is_harmless(&one.name, &value)
                    || (before == Some("read")
                        && one.name == "IFS"
                        && !one.is_append
                        && matches!(value, Value::Known(_)));
            if before.is_some() {
                if !is_harmless && is_on(Safeguard::EnvironmentPrefixes) {
                    self.sets(one, &value, "changes what the command does");
                }
            } else {
                if !is_harmless && !is_ordinary(&one.name) && is_on(Safeguard::Assignments) {
                    self.sets(one, &value, "may change what later commands do");
                }
                self.assign(one, value, scope);
            }
        }
    }

    fn sets(&mut self, one: &Assignment, value: &Value, why: &str) {
        let sign = if one.is_append { "+=" } else { "=" };
        let word = format!("{}{sign}{}", one.name, shown(value));
        let part = self.judge.sets(&one.name, word, why);
        self.keep(part, one.span);
        if EXPANDED_LATER.contains(&one.name.as_str()) {
            let scope = Scope::new("/");
            self.evaluated_text(value, one.span, &scope);
        }
    }

    fn assign(&mut self, one: &Assignment, value: Value, scope: &mut Scope) {
        let name = one.name.as_str();
        if one.subscript.is_some() {
            let before = scope.variable(name).cloned();
            let all = before.map_or_else(|| unknown(name), |old| either(&old, &value, name));
            scope.set(name, all);
            return;
        }
        if !one.is_append {
            scope.set(name, value);
            return;
        }
        let is_array = matches!(&one.value.pieces[..], [Piece::Array(_)]);
        let joined = match (scope.variable(name), &value) {
            (Some(old), new) if is_array => either(old, new, name),
            (Some(Value::Known(old)), Value::Known(new)) => Value::Known(format!("{old}{new}")),
            _ => unknown(name),
        };
        scope.set(name, joined);
    }

    /// What an assignment gives its variable.
    fn assigned_value(&mut self, word: &Word, name: &str, scope: &Scope) -> Value {
        let [Piece::Array(elements)] = &word.pieces[..] else {
            return self.expander(scope).value(word);
        };
        let mut all = Value::OneOf(Vec::new());
        for (_, element) in elements {
            for value in self.expander(scope).values(element) {
                all = match (&all, value) {
                    (Value::OneOf(texts), paths @ Value::WorkspacePaths { .. })
                        if texts.is_empty() && elements.len() == 1 =>
                    {
                        paths
                    }
                    (all, value) => either(all, &value, name),
                };
            }
        }
        all
    }

    /// A variable that something else than an assignment sets.
    pub(super) fn assigned_name(&mut self, name: &str, span: Span) {
        if !is_ordinary(name) && is_on(Safeguard::Assignments) {
            let part = self.judge.sets(
                name,
                format!("{name}=.."),
                "may change what later commands do",
            );
            self.keep(part, span);
        }
    }

    /// `declare NAME=VALUE` and its like: what the variable holds afterwards.
    pub(super) fn declared(&mut self, words: &[Word], scope: &mut Scope) {
        for word in words.iter().skip(1) {
            let text = crate::shell::expand::written(&word.pieces);
            let Some((name, _)) = text.split_once('=') else {
                continue;
            };
            if !is_name(name) {
                continue;
            }
            let value = match self.expander(scope).value(word) {
                Value::Known(text) => match text.split_once('=') {
                    Some((_, value)) => Value::Known(value.to_owned()),
                    None => unknown(name),
                },
                _ => unknown(name),
            };
            scope.set(name, value);
        }
    }
}

/// Whether a name is one that nobody but the text itself heeds.
fn is_ordinary(name: &str) -> bool {
    !name.contains(|one: char| one.is_ascii_uppercase()) && !SPECIAL_LOWER.contains(&name)
}

/// Whether a variable may be set to a value, before a command too.
fn is_harmless(name: &str, value: &Value) -> bool {
    let Value::Known(value) = value else {
        return false;
    };
    if PAGERS.contains(&name) {
        return value.is_empty() || value == "cat";
    }
    HARMLESS.contains(&name) || name.starts_with("LC_")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Known(text) => text.clone(),
        Value::OneOf(texts) => texts.join("|"),
        Value::WorkspacePaths { written }
        | Value::UnknownOne { written, .. }
        | Value::Unknown { written } => written.clone(),
    }
}
