//! Expressions of `find`.

use super::super::apply::Work;
use super::super::grammar::Given;
use super::super::rows::{Takes, tables};
use super::super::{InnerCommand, Lines, Wrapper};
use crate::shell::argument::{Argument, Value};

/// Judges a call of `find`.
pub(super) fn judge(work: &mut Work<'_>) {
    let mut at = start(work);
    while at < work.arguments.len() {
        let Some(text) = work.arguments[at].known() else {
            unknown(work, at);
            at += 1;
            continue;
        };
        match text {
            "-exec" | "-execdir" | "-ok" | "-okdir" => at = command(work, at),
            "-delete" => {
                work.limit(at, "deletes what it finds");
                work.hazard(at, "deletes what it finds");
                writes_starts(work);
                at += 1;
            }
            "(" | ")" | "!" | "," => at += 1,
            _ => at = test(work, at, text),
        }
    }
}

/// Options and starting points; gives where the expression begins.
fn start(work: &mut Work<'_>) -> usize {
    let mut at = 1;
    while at < work.arguments.len() {
        match work.arguments[at].known() {
            Some("-H" | "-L" | "-P") => {}
            Some("-D") => at += 1,
            Some(text) if text.starts_with("-O") => {}
            Some("--") => {}
            Some(text) if text.starts_with('-') || ["(", ")", "!", ","].contains(&text) => break,
            Some(_) => work.read_path(&Given { at, text: None }, true),
            None => {
                if !is_operand(&work.arguments[at].value) {
                    unknown(work, at);
                }
                work.read_path(&Given { at, text: None }, true);
            }
        }
        at += 1;
    }
    at
}

fn is_operand(value: &Value) -> bool {
    match value {
        Value::Known(text) => !text.starts_with('-'),
        Value::OneOf(texts) => texts.iter().all(|text| !text.starts_with('-')),
        Value::WorkspacePaths { .. } => true,
        Value::UnknownOne { prefix, .. } => !prefix.is_empty() && !prefix.starts_with('-'),
        Value::Unknown { .. } => false,
    }
}

fn unknown(work: &mut Work<'_>, at: usize) {
    work.limit(at, "is not known here and could be any action");
    work.hazard(at, "is not known here and could be any action");
}

/// What the starting points are is written.
fn writes_starts(work: &mut Work<'_>) {
    let starts = work.effect.reads.clone();
    let starts = starts.into_iter().filter(|path| path.is_search_start);
    let mut writes: Vec<_> = starts.collect();
    if writes.is_empty() {
        let text = Some(".".to_owned());
        writes.push(super::super::PathUse {
            at: 0,
            text,
            is_search_start: true,
        });
    }
    work.effect.writes.extend(writes);
}

/// A test or another action: told by rows.
fn test(work: &mut Work<'_>, at: usize, text: &str) -> usize {
    let tables = tables();
    let newer = text.starts_with("-newer").then_some("-newer");
    let option = tables.command("find").and_then(|find| {
        let exact = tables.option(find, text);
        exact.or_else(|| newer.and_then(|newer| tables.option(find, newer)))
    });
    let Some(option) = option else {
        work.limit(at, "is no test or action that the tables know");
        return at + 1;
    };
    work.apply(at, &option.fact);
    let Takes::Values(count) = option.takes else {
        return at + 1;
    };
    for value in (at + 1..=at + count).filter(|value| *value < work.arguments.len()) {
        if let Value::Unknown { .. } = work.arguments[value].value {
            unknown(work, value);
        }
        let is_first = value == at + 1;
        if is_first {
            work.apply_value(
                at,
                &option.fact,
                &Given {
                    at: value,
                    text: None,
                },
            );
        }
    }
    at + 1 + count
}

/// `-exec COMMAND ;` and `-exec COMMAND {} +`.
fn command(work: &mut Work<'_>, at: usize) -> usize {
    let rest = &work.arguments[at + 1..];
    let end = rest
        .iter()
        .enumerate()
        .position(|(index, argument)| match argument.known() {
            Some(";") => true,
            Some("+") => index > 0 && rest[index - 1].known() == Some("{}"),
            _ => false,
        });
    let Some(end) = end else {
        work.limit(at, "has no end, so what it runs is not known");
        work.hazard(at, "has no end, so what it runs is not known");
        return work.arguments.len();
    };
    let found: Vec<Argument> = rest[..end].iter().map(found).collect();
    if found.is_empty() {
        work.limit(at, "runs nothing");
    } else {
        work.inner(InnerCommand::Arguments(found), Wrapper::Each);
    }
    work.effect.output = Lines::Unknown;
    at + 2 + end
}

/// An argument with `{}` in it: what is found stands there.
fn found(argument: &Argument) -> Argument {
    let value = match argument.known() {
        Some("{}") => Value::WorkspacePaths {
            written: "{}".to_owned(),
        },
        Some(text) => match text.split_once("{}") {
            Some((prefix, _)) => Value::UnknownOne {
                prefix: prefix.to_owned(),
                written: text.to_owned(),
            },
            None => argument.value.clone(),
        },
        None => argument.value.clone(),
    };
    Argument {
        value,
        span: argument.span,
    }
}

/// Judges what `fd` runs: everything after `-x` or `-X`, up to a `;`.
pub(super) fn fd(work: &mut Work<'_>) {
    let options = ["--exec-batch", "--exec", "-X", "-x"];
    for at in 1..work.arguments.len() {
        let Some(text) = work.arguments[at].known() else {
            continue;
        };
        let Some(option) = options.iter().find(|option| text.starts_with(**option)) else {
            continue;
        };
        let joined = text[option.len()..].trim_start_matches('=');
        let is_long = option.starts_with("--");
        if is_long && !text[option.len()..].is_empty() && !text[option.len()..].starts_with('=') {
            continue;
        }
        let first = (!joined.is_empty()).then(|| Argument {
            value: Value::Known(joined.to_owned()),
            span: work.arguments[at].span,
        });
        let rest = work.arguments[at + 1..].iter();
        let rest = rest.take_while(|argument| argument.known() != Some(";"));
        let mut inner: Vec<Argument> = first.into_iter().chain(rest.cloned()).collect();
        inner.push(Argument {
            value: Value::WorkspacePaths {
                written: "{}".to_owned(),
            },
            span: work.arguments[at].span,
        });
        work.inner(InnerCommand::Arguments(inner), Wrapper::Each);
        return;
    }
}
