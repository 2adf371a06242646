//! Parts of git that rows cannot say.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};

/// `git config`: one named key may be read, the names of all may be listed.
pub(super) fn config(work: &mut Work<'_>) {
    let names: Vec<&str> = work
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Option { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let has = |wanted: &str| names.contains(&wanted);
    let is_list = has("--list") || has("-l");
    let names_only = has("--name-only");
    let operands = work.operand_places();
    let first = operands.first().and_then(|at| work.arguments[*at].known());
    let is_read = if has("--get") {
        operands.len() == 1 && first.is_some_and(is_harmless)
    } else if is_list || first == Some("list") {
        names_only && operands.len() <= usize::from(!is_list)
    } else if first == Some("get") {
        let key = operands.get(1).and_then(|at| work.arguments[*at].known());
        operands.len() == 2 && key.is_some_and(is_harmless)
    } else {
        false
    };
    if is_read {
        return;
    }
    let shows = [
        "--get-all",
        "--get-regexp",
        "--get-urlmatch",
        "--get-color",
        "--get-colorbool",
    ];
    let is_shown = is_list
        || has("--get")
        || shows.iter().any(|name| has(name))
        || matches!(first, Some("list" | "get"))
        || (operands.len() == 1 && !has("--edit") && !has("-e"));
    work.hazard(work.at, "shows or changes git's configuration");
    if is_shown {
        work.limit(work.at, "may print passwords of the configuration");
    } else {
        work.limit(
            work.at,
            "changes git's configuration, which can start programs",
        );
        work.ask("`git config` changes git's configuration, which can start programs");
    }
}

/// Options of what shows commits that print changes of files.
const PATCH: [&str; 16] = [
    "-p",
    "-u",
    "--patch",
    "-U",
    "--unified",
    "-c",
    "--cc",
    "-W",
    "--function-context",
    "--patch-with-raw",
    "--patch-with-stat",
    "--word-diff",
    "--color-words",
    "--binary",
    "--dd",
    "--remerge-diff",
];

/// Options that print less than changes of files, if nothing of `PATCH` stands there.
const LESS: [&str; 13] = [
    "-s",
    "--no-patch",
    "--stat",
    "--numstat",
    "--shortstat",
    "--dirstat",
    "-X",
    "--summary",
    "--name-only",
    "--name-status",
    "--raw",
    "--compact-summary",
    "--check",
];

/// `git log` and `git show`: where they print changes, their paths are read.
pub(super) fn log(work: &mut Work<'_>, is_patch: bool) {
    let has = |wanted: &[&str]| {
        work.parts.iter().any(|part| {
            let Part::Option { name, .. } = part else {
                return false;
            };
            let is_short = |full: &&&str| name.len() > 3 && full.starts_with(name.as_str());
            wanted.contains(&name.as_str()) || wanted.iter().any(|full| is_short(&full))
        })
    };
    if has(&PATCH) || (is_patch && !has(&LESS)) {
        for at in work.operand_places() {
            let text = work.arguments[at].known();
            if text.is_some_and(|text| !text.contains(':') || text.starts_with(['/', '~', '.'])) {
                work.read_path(&Given { at, text: None }, false);
            }
        }
    }
}

/// Whether a key holds no password.
fn is_harmless(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ![
        "token",
        "password",
        "extraheader",
        "secret",
        "credential",
        "cookie",
    ]
    .iter()
    .any(|word| key.contains(word))
}
