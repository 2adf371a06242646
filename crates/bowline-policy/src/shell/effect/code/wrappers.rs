//! Commands that run other commands.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};
use super::super::kinds::PUBLISHING;
use super::super::{InnerCommand, Language, Lines, Program, Wrapper, effect};
use crate::shell::argument::{Argument, Value};

/// `env`: assignments, then a command; without one it prints the environment.
pub(super) fn env(work: &mut Work<'_>) {
    let operands = work.operand_places();
    let is_dash = |at: usize| work.arguments[at].known() == Some("-");
    let mut rest = operands
        .iter()
        .copied()
        .skip_while(|at| is_dash(*at) || is_assignment(&work.arguments[*at]));
    let command = rest.next();
    let assigns = |at: &&usize| is_assignment(&work.arguments[**at]) && Some(**at) != command;
    let first_assignment = operands.iter().find(assigns).copied();
    if let Some(at) = command {
        let inner = work.arguments[at..].to_vec();
        work.inner(InnerCommand::Arguments(inner), Wrapper::Opaque);
    } else if !has_option(work, &["-S", "--split-string"]) {
        work.effect.discloses = Some("prints the environment".to_owned());
        work.ask("`env` without a command prints the environment");
    }
    if let Some(at) = first_assignment.filter(|at| command.is_none_or(|command| *at < command)) {
        work.hazard(at, "changes the environment of the command");
        work.ask("`env` changes the environment of the command");
    }
}

fn is_assignment(argument: &Argument) -> bool {
    let text = match &argument.value {
        Value::Known(text) => text.as_str(),
        Value::UnknownOne { prefix, .. } => prefix.as_str(),
        _ => return false,
    };
    text.contains('=')
}

fn has_option(work: &Work<'_>, wanted: &[&str]) -> bool {
    work.parts
        .iter()
        .any(|part| matches!(part, Part::Option { name, .. } if wanted.contains(&name.as_str())))
}

/// `sudo`: assignments, then a command.
pub(super) fn sudo(work: &mut Work<'_>) {
    let operands = work.operand_places().into_iter();
    let mut rest = operands.skip_while(|at| is_assignment(&work.arguments[*at]));
    if let Some(at) = rest.next() {
        let inner = work.arguments[at..].to_vec();
        work.inner(InnerCommand::Arguments(inner), Wrapper::Opaque);
    }
}

/// `runuser -u USER COMMAND`: without `-u` the operands are a user and what its shell gets.
pub(super) fn runuser(work: &mut Work<'_>) {
    if work.words[0] == "runuser"
        && has_option(work, &["-u", "--user"])
        && let Some(at) = work.operand_places().first()
    {
        let inner = work.arguments[*at..].to_vec();
        work.inner(InnerCommand::Arguments(inner), Wrapper::Opaque);
    }
}

/// `xargs`: what it reads is added to the command, or stands where `-I` says.
pub(super) fn xargs(work: &mut Work<'_>) {
    let mut replaced = None;
    let mut input = work.input;
    for part in &work.parts {
        if let Part::Option { name, values, .. } = part {
            let value = values.first().and_then(|value| work.texts(value));
            let text = value.and_then(|mut texts| texts.pop());
            match name.as_str() {
                "-I" | "-i" | "--replace" => {
                    let default = values.is_empty().then(|| "{}".to_owned());
                    replaced = Some(text.or(default).unwrap_or_default());
                }
                "-a" | "--arg-file" => input = Lines::Unknown,
                _ => {}
            }
        }
    }
    let span = work.arguments[0].span;
    let written = "(what xargs reads)".to_owned();
    let read = Argument {
        span,
        value: match input {
            Lines::WorkspacePaths => Value::WorkspacePaths { written },
            Lines::Unknown | Lines::OfInput => Value::Unknown { written },
        },
    };
    let operands = work.operand_places();
    let mut inner: Vec<Argument> = match operands.first() {
        Some(at) => work.arguments[*at..].to_vec(),
        None => vec![Argument {
            value: Value::Known("echo".to_owned()),
            span,
        }],
    };
    match replaced {
        Some(text) => {
            for argument in &mut inner {
                put(argument, &text, &read);
            }
        }
        None => inner.push(read),
    }
    work.inner(InnerCommand::Arguments(inner), Wrapper::Each);
}

/// Puts what is read in the place of `text`.
fn put(argument: &mut Argument, text: &str, read: &Argument) {
    let Some(known) = argument.known() else {
        return;
    };
    if known == text && !text.is_empty() {
        argument.value = match &read.value {
            Value::Unknown { written } => Value::UnknownOne {
                prefix: String::new(),
                written: written.clone(),
            },
            other => other.clone(),
        };
    } else if text.is_empty() || known.contains(text) {
        let prefix = known.split(text).next().filter(|_| !text.is_empty());
        let prefix = prefix.unwrap_or_default().to_owned();
        let written = known.to_owned();
        argument.value = Value::UnknownOne { prefix, written };
    }
}

/// `sh`, `bash` and their kin: a script in an argument, in a file, or on standard input.
pub(super) fn shell(work: &mut Work<'_>) {
    let operands = work.operand_places();
    let language = Language::Shell;
    if has_option(work, &["-c"]) {
        if let Some(at) = operands.first() {
            let arguments = vec![work.arguments[*at].clone()];
            work.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
        }
        return;
    }
    let program = match operands.first() {
        Some(at) if work.arguments[*at].known() != Some("-") && !has_option(work, &["-s"]) => {
            return work.program(
                &Given {
                    at: *at,
                    text: None,
                },
                false,
                language,
            );
        }
        _ if has_option(work, &["--version", "--help"]) => return,
        _ => Program::StandardInput { language },
    };
    work.effect.programs.push(program);
}

/// An interpreter without anything to run reads its program from standard input.
pub(super) fn interpreter(work: &mut Work<'_>) {
    let is_told = work
        .parts
        .iter()
        .any(|part| matches!(part, Part::Option { fact, .. } if fact.is_first_operand));
    let operands = work.operand_places();
    let first = operands.first().and_then(|at| work.arguments[*at].known());
    let language = Language::Other;
    if first == Some("-") || operands.is_empty() && !is_told && work.arguments.len() == 1 {
        work.effect
            .programs
            .push(Program::StandardInput { language });
    } else if let (Some(at), false) = (operands.first(), is_told) {
        work.program(
            &Given {
                at: *at,
                text: None,
            },
            false,
            language,
        );
    } else if matches!(work.words[0].as_str(), "perl" | "ruby") {
        let edits = has_option(work, &["-i"]);
        for at in operands {
            let given = Given { at, text: None };
            work.read_path(&given, false);
            if edits {
                work.write_path(&given);
            }
        }
    }
    let publishes = |at: &usize| {
        let word = work.arguments[*at].known().unwrap_or_default();
        PUBLISHING.contains(&word)
    };
    if let Some(at) = work.operand_places().into_iter().skip(1).find(publishes) {
        let word = work.arguments[at].shown();
        let why = format!("`{word}` stands for publishing");
        work.effect.publishes.get_or_insert(why);
    }
    let module = work.parts.iter().find_map(|part| match part {
        Part::Option { name, values, .. } if name == "-m" => values.first().cloned(),
        _ => None,
    });
    let Some(given) = module else { return };
    let Some(name) = work.texts(&given).and_then(|mut texts| texts.pop()) else {
        return work.hazard(given.at, "is a module that is not known here");
    };
    let span = work.arguments[given.at].span;
    let value = Value::Known(name);
    let mut inside = vec![Argument { value, span }];
    inside.extend_from_slice(&work.arguments[given.at + 1..]);
    let other = effect(&inside, work.input);
    work.merge(other, given.at);
}

/// `watch`: its operands, joined, are a script.
pub(super) fn watch(work: &mut Work<'_>) {
    let Some(at) = work.operand_places().first().copied() else {
        return;
    };
    let arguments = work.arguments[at..].to_vec();
    work.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
}

/// `flock FILE COMMAND` and `flock FILE -c SCRIPT`.
pub(super) fn flock(work: &mut Work<'_>) {
    let operands = work.operand_places();
    let Some(first) = operands.first() else {
        return;
    };
    work.write_path(&Given {
        at: *first,
        text: None,
    });
    let rest = &work.arguments[first + 1..];
    match rest.first().and_then(Argument::known) {
        Some("-c" | "--command") => {
            let arguments = rest[1..].to_vec();
            work.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
        }
        _ if rest.is_empty() => {}
        _ => work.inner(InnerCommand::Arguments(rest.to_vec()), Wrapper::Opaque),
    }
}
