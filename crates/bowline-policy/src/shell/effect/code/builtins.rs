//! What bash itself runs: places, names, scripts in arguments.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};
use super::super::{InnerCommand, Wrapper};
use crate::shell::argument::Value;

/// Operators of `test` that look at a path.
const LOOKS: [&str; 20] = [
    "-a", "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-p", "-r", "-s", "-u", "-w", "-x", "-G",
    "-L", "-N", "-O", "-S",
];

/// Variables that steer no program.
const HARMLESS: [&str; 11] = [
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
    "CI",
];

/// `cd` and `pushd`: where they go.
pub(super) fn cd(work: &mut Work<'_>) {
    let operands = work.operand_places();
    let to = operands.first().copied();
    let is_back = |at: &usize| {
        work.arguments[*at]
            .known()
            .is_some_and(|text| text == "-" || text.is_empty() || text.starts_with('+'))
    };
    work.effect.goes_to = Some(to.filter(|at| !is_back(at)));
    if operands.len() > 1 {
        work.limit(operands[1], "is one folder too many");
    }
}

/// `eval`: all arguments are a script.
pub(super) fn eval(work: &mut Work<'_>) {
    let mut arguments = work.arguments[1..].to_vec();
    if arguments
        .first()
        .is_some_and(|first| first.known() == Some("--"))
    {
        arguments.remove(0);
    }
    if !arguments.is_empty() {
        work.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
    }
}

/// `trap`: the first operand is a script, unless it resets or ignores.
pub(super) fn trap(work: &mut Work<'_>) {
    let operands = work.operand_places();
    let Some(first) = operands.first() else {
        return;
    };
    let argument = work.arguments[*first].clone();
    if operands.len() > 1 && !matches!(argument.known(), Some("-" | "")) {
        let arguments = vec![argument];
        work.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
    }
}

/// `test` and `[`: paths that are looked at, names that are evaluated.
pub(super) fn test(work: &mut Work<'_>) {
    let last = work.arguments.len();
    for at in 1..last {
        let operator = work.arguments[at].known();
        let given = Given {
            at: at + 1,
            text: None,
        };
        let has_operand = at + 1 < last;
        match operator {
            Some("-v" | "-R") if has_operand => {
                work.effect.evaluates.push(at + 1);
                let name = work.arguments[at + 1].known();
                if !name.is_some_and(is_name) {
                    work.limit(at + 1, "is evaluated and no plain name");
                    work.hazard(at + 1, "is evaluated and no plain name");
                }
            }
            Some(text) if LOOKS.contains(&text) && has_operand => look(work, &given),
            Some("-nt" | "-ot" | "-ef") if has_operand && at > 1 => {
                look(
                    work,
                    &Given {
                        at: at - 1,
                        text: None,
                    },
                );
                look(work, &given);
            }
            _ => {}
        }
    }
}

fn look(work: &mut Work<'_>, given: &Given) {
    let is_known = work
        .texts(given)
        .is_some_and(|texts| !texts.iter().any(|text| text == "]"));
    if is_known {
        work.read_path(given, false);
    }
}

/// Whether a text is a plain name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    !text.is_empty()
        && !text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.chars().all(is_part)
}

/// Operands that are names of variables: `read`, `unset`, `wait`, `mapfile`, `getopts`.
pub(super) fn names(work: &mut Work<'_>, only_lower: bool) {
    for at in work.operand_places() {
        let text = work.arguments[at].known();
        let is_plain = text.is_some_and(is_name);
        if !is_plain {
            work.effect.evaluates.push(at);
            work.limit(at, "is evaluated and no plain name");
            work.hazard(at, "is evaluated and no plain name");
        } else if text.is_some_and(|text| text.chars().any(char::is_uppercase)) {
            work.limit(at, "is a name in upper case, which may steer programs");
            if !only_lower {
                work.ask("a variable in upper case may steer programs");
            }
        }
    }
}

/// `set`: without arguments it prints all variables; options change how the shell behaves.
pub(super) fn set(work: &mut Work<'_>) {
    if work.arguments.len() == 1 {
        work.effect.discloses = Some("prints all variables".to_owned());
        return work.ask("`set` prints all variables");
    }
    let mut is_value = false;
    for argument in &work.arguments[1..] {
        let text = argument.known().unwrap_or("?");
        let is_harmless = match text {
            "--" => return,
            _ if is_value => ["pipefail", "errexit", "nounset"].contains(&text),
            _ => {
                let flags = text.strip_prefix(['-', '+']);
                flags.is_some_and(|flags| {
                    !flags.is_empty() && flags.chars().all(|flag| "eufo".contains(flag))
                })
            }
        };
        is_value = !is_value && text.starts_with(['-', '+']) && text.ends_with('o');
        if !is_harmless {
            let shown = argument.shown();
            return work.ask(format!("`set {shown}` changes how the shell behaves"));
        }
    }
    if is_value {
        work.ask("`set -o` prints or changes how the shell behaves");
    }
}

/// `export`, `declare`, `typeset`, `local`, `readonly`: what they print, mark and evaluate.
pub(super) fn export(work: &mut Work<'_>) {
    let operands = work.operand_places();
    let letters: Vec<String> = work
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Option { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect();
    let has = |letter: &str| letters.iter().any(|name| name == letter);
    let word = work.words.concat();
    let is_query = (has("-F") || has("-f")) && word != "export";
    if (has("-p") || operands.is_empty()) && !is_query && word != "local" {
        work.effect.discloses = Some("prints variables".to_owned());
        return work.ask(format!("`{word}` prints variables with their values"));
    }
    if has("-f") && word == "export" {
        work.ask("`export -f` gives a function to every program that is started");
    }
    for at in operands {
        let text = match &work.arguments[at].value {
            Value::Known(text) => text.clone(),
            Value::UnknownOne { prefix, .. } if prefix.contains('=') => prefix.clone(),
            _ => String::new(),
        };
        let name = text.split(['=', '+']).next().unwrap_or_default();
        let steers = name.chars().any(char::is_uppercase) || has("-x") || word == "export";
        if steers && text.contains('=') && !HARMLESS.contains(&name) && !name.starts_with("LC_") {
            work.hazard(at, "changes the environment of what follows");
            work.ask(format!("`{name}` changes the environment of what follows"));
        }
        if !is_name(name) || has("-i") || has("-n") {
            work.effect.evaluates.push(at);
            work.hazard(at, "is evaluated by the shell");
            let shown = work.arguments[at].shown();
            work.ask(format!("`{shown}` is evaluated by the shell"));
        }
    }
}
