//! Every manifest says the same about licence and lints, and the licence texts are there.

use crate::finding::Findings;
use crate::tree::{Tree, is_data};

const LICENCE: &str = "license = \"MIT OR Apache-2.0\"";
const TEXTS: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

pub(super) fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    for (path, text) in tree
        .texts()
        .filter(|(path, _)| path.ends_with("Cargo.toml") && !is_data(path))
    {
        if path == "Cargo.toml" {
            if !has_line(text, LICENCE) {
                findings.fault(
                    path,
                    format!("does not say `{LICENCE}`"),
                    "restore the line",
                );
            }
        } else if has_line(text, "[package]") {
            judge_package(path, text, &mut findings);
        }
    }
    for path in TEXTS.into_iter().filter(|path| !tree.has(path)) {
        findings.fault(path, "the licence text is missing", "restore the file");
    }
    findings
}

fn judge_package(path: &str, text: &str, findings: &mut Findings) {
    if !has_line(text, "license.workspace = true") {
        findings.fault(
            path,
            "does not inherit the licence",
            "add `license.workspace = true`",
        );
    }
    let inherits_lints = text.split_once("[lints]").is_some_and(|(_, rest)| {
        rest.lines().map(str::trim).find(|line| !line.is_empty()) == Some("workspace = true")
    });
    if !inherits_lints {
        findings.fault(
            path,
            "does not inherit the lints",
            "add a table `[lints]` with `workspace = true`",
        );
    }
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.trim() == wanted)
}
