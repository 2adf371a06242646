//! `tar`, whose options may stand without a dash and whose mode decides what its paths are.

use super::super::PathUse;
use super::super::apply::Work;
use super::super::grammar::{Given, Part, read};
use super::super::rows::tables;
use crate::shell::argument::{Argument, Value};

/// Letters that take a value.
const WITH_VALUES: &str = "bfCFgHIKLNTVX";

/// Judges a call of `tar`.
pub(super) fn judge(work: &mut Work<'_>) {
    let Some(command) = tables().command("tar") else {
        return;
    };
    let arguments = dashed(work.arguments);
    let parts = read(tables(), command, &[], &arguments, 1);
    if let Some(first) = arguments.get(1).and_then(Argument::known)
        && !first.starts_with("--")
    {
        let early = first
            .chars()
            .rev()
            .skip(1)
            .any(|letter| WITH_VALUES.contains(letter));
        if work.arguments[1].known() != Some(first) && early {
            work.hazard(1, "is a spelling of options that is not understood");
        }
    }
    let has = |wanted: &[&str]| {
        parts.iter().any(
            |part| matches!(part, Part::Option { name, .. } if wanted.contains(&name.as_str())),
        )
    };
    let extracts = has(&["-x", "--extract", "--get"]);
    let lists = has(&["-t", "--list", "-d", "--diff", "--compare"]);
    let mut archive = Vec::new();
    for part in &parts {
        match part {
            Part::Option {
                at,
                name,
                fact,
                values,
            } => {
                work.apply(*at, fact);
                if name == "-f" || name == "--file" {
                    archive.extend(values.iter().cloned());
                } else {
                    values
                        .iter()
                        .for_each(|value| work.apply_value(*at, fact, value));
                }
            }
            Part::Unclear { at } => work.hazard(*at, "is not known here and could be any option"),
            Part::Strange { .. } | Part::Operand { .. } => {}
        }
    }
    let is_local = has(&["--force-local"]);
    for given in archive {
        archive_of(work, &given, extracts || lists, is_local);
    }
    let operands = parts.iter().filter_map(|part| match part {
        Part::Operand { at } => Some(*at),
        _ => None,
    });
    if extracts {
        let folder = work.folder().unwrap_or_else(|| ".".to_owned());
        let text = Some(folder);
        work.effect.writes.push(PathUse {
            at: 0,
            text,
            is_search_start: true,
        });
    } else if !lists {
        for at in operands {
            work.read_path(&Given { at, text: None }, true);
        }
    }
}

/// The archive: read or written, here or on another host.
fn archive_of(work: &mut Work<'_>, given: &Given, is_read: bool, is_local: bool) {
    let texts = work.texts(given).unwrap_or_default();
    if texts.iter().any(|text| text.contains(':')) && !is_local {
        work.effect.network = Some("reads or writes an archive of another host".to_owned());
        work.hazard(given.at, "starts a program that reaches another host");
    } else if texts.iter().any(|text| text == "-") {
        // Standard input or output.
    } else {
        let (at, text) = (given.at, given.text.clone());
        let path = PathUse {
            at,
            text,
            is_search_start: false,
        };
        let paths = if is_read {
            &mut work.effect.reads
        } else {
            &mut work.effect.writes
        };
        paths.push(path);
    }
}

/// The arguments with a dash before options that have none.
fn dashed(arguments: &[Argument]) -> Vec<Argument> {
    let mut arguments = arguments.to_vec();
    if let Some(first) = arguments.get_mut(1)
        && let Value::Known(text) = &first.value
        && !text.starts_with('-')
    {
        first.value = Value::Known(format!("-{text}"));
    }
    arguments
}
