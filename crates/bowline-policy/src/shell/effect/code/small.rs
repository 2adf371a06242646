//! Small languages: modes, dates, processes, `name=value` operands, methods.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};

/// `chmod`: a mode may look like an option: `-s` takes rights, `-w+s` gives some.
pub(super) fn chmod(work: &mut Work<'_>) {
    let strange = work.parts.iter().filter_map(|part| match part {
        Part::Strange { at } => Some(*at),
        _ => None,
    });
    let mut places: Vec<usize> = strange.collect();
    places.extend(work.operand_places().first());
    for at in places {
        if work.arguments[at].known().is_none_or(sets_id) {
            let why = "may set the user or group that a program runs as";
            work.hazard(at, why);
            let shown = work.arguments[at].shown();
            work.ask(format!("`{shown}` {why}"));
        }
    }
}

/// Whether a mode sets the user or the group that a program runs as.
pub(in super::super) fn sets_id(mode: &str) -> bool {
    let digits = mode.trim_start_matches(['=', '+', '-']);
    if digits.chars().all(|digit| digit.is_digit(8)) {
        return u32::from_str_radix(digits, 8).is_ok_and(|mode| mode & 0o6000 != 0);
    }
    mode.split(',').any(|clause| {
        let from = clause.find(['+', '=']).unwrap_or(clause.len());
        clause[from..].contains('s')
    })
}

/// `date`: an operand that is no format sets the clock.
pub(super) fn date(work: &mut Work<'_>) {
    for at in work.operand_places() {
        let given = Given { at, text: None };
        let texts = work.texts(&given);
        if !texts.is_some_and(|texts| texts.iter().all(|text| text.starts_with('+'))) {
            let is_format = matches!(&work.arguments[at].value,
                crate::shell::argument::Value::UnknownOne { prefix, .. } if prefix.starts_with('+'));
            if !is_format {
                work.limit(at, "is no format, so it sets the clock");
            }
        }
    }
}

/// `dd`: `if=FILE` is read, `of=FILE` is written.
pub(super) fn dd(work: &mut Work<'_>) {
    for at in 1..work.arguments.len() {
        let given = Given { at, text: None };
        let Some(texts) = work.texts(&given) else {
            work.hazard(at, "is not known here and could name any file");
            work.write_path(&given);
            continue;
        };
        for text in texts {
            if let Some(path) = text.strip_prefix("of=") {
                work.write_path(&Given {
                    at,
                    text: Some(path.to_owned()),
                });
            } else if let Some(path) = text.strip_prefix("if=") {
                work.read_text(at, path.to_owned());
            }
        }
    }
}

/// `kill`: the first process and whole groups are nobody's to end.
pub(super) fn kill(work: &mut Work<'_>) {
    for at in work.operand_places() {
        if matches!(work.arguments[at].known(), Some("0" | "1" | "-1")) {
            let shown = work.arguments[at].shown();
            work.hazard(at, "stands for processes of others");
            work.ask(format!("`{shown}` stands for processes of others"));
        }
    }
    if work.arguments[1..]
        .iter()
        .any(|argument| argument.known() == Some("-1"))
    {
        work.ask("`-1` stands for every process");
    }
}

/// `make`: `install` writes outside, assignments change what is run.
pub(super) fn make(work: &mut Work<'_>) {
    let operands = work.operand_places();
    if operands.is_empty() {
        let (file, name) = ("Makefile", String::new());
        work.effect
            .programs
            .push(super::super::Program::Task { file, name });
    }
    for at in operands {
        let Some(text) = work.arguments[at].known().map(str::to_owned) else {
            continue;
        };
        if let Some((name, value)) = text.split_once('=') {
            let name = name.trim_end_matches([':', '+', '?', '!']);
            let steers = [
                "SHELL",
                "MAKEFLAGS",
                ".SHELLFLAGS",
                "MAKE",
                "MAKEFILES",
                "DESTDIR",
            ];
            if steers.contains(&name) || value.contains(['/', '$', '`', ';', '|', '&']) {
                work.hazard(at, "changes what the recipes run or where they write");
            }
        } else if text
            .split(['-', '_', '/'])
            .any(|part| part == "install" || part == "uninstall")
        {
            work.ask(format!("`{text}` writes outside the workspace"));
        }
    }
}

/// `curl`: a method that changes something is sending.
pub(super) fn curl(work: &mut Work<'_>) {
    let mut method = None;
    for part in &work.parts {
        if let Part::Option { name, values, .. } = part
            && (name == "-X" || name == "--request")
        {
            method = values.first().cloned();
        }
    }
    let Some(given) = method else { return };
    let is_read = work.texts(&given).is_some_and(|texts| {
        let reads = ["GET", "HEAD", "OPTIONS"];
        texts
            .iter()
            .all(|text| reads.contains(&text.to_ascii_uppercase().as_str()))
    });
    if !is_read {
        work.send("sends data to a host");
    }
}

/// `ps`: `e` among options without a dash prints the environment of processes.
pub(super) fn ps(work: &mut Work<'_>) {
    let mut is_value = false;
    for at in work.operand_places() {
        if std::mem::take(&mut is_value) {
            continue;
        }
        let Some(text) = work.arguments[at].known().map(str::to_owned) else {
            work.limit(at, "is not known here and could print environments");
            continue;
        };
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'e' => {
                    work.effect.discloses = Some("prints the environment of processes".to_owned());
                    work.limit(at, "prints the environment of processes");
                    work.hazard(at, "prints the environment of processes");
                }
                'o' | 'O' | 'p' | 't' | 'U' | 'k' | 'q' => {
                    is_value = letters.next().is_none();
                    break;
                }
                _ => {}
            }
        }
    }
}
