//! Parts of git that rows cannot say.

use super::super::apply::Work;
use super::super::grammar::Part;

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
    work.hazard(0, "shows or changes git's configuration");
    if is_shown {
        work.limit(0, "may print passwords of the configuration");
    } else {
        work.limit(0, "changes git's configuration, which can start programs");
        work.ask("`git config` changes git's configuration, which can start programs");
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
