//! Boundaries that manifests cannot draw: the commit door, `unsafe`, and the bans of the pure crates.

use super::PURE;
use crate::finding::Findings;
use crate::rust_text::{defines, line_of, without_comments_and_literals, words};
use crate::tree::Tree;

/// Where the door that mints a `Committed` receipt is defined, and the names of its module and function.
const DOOR_FILE: &str = "crates/bowline-core/src/commit.rs";
const DOOR_MODULE: &str = "door";
const DOOR_FUNCTION: &str = "vouch";

/// Modules of the journal crate that append and may therefore say what is committed.
const JOURNAL_STORES: [&str; 3] = ["file", "memory", "store"];

/// The one file that may hold `unsafe`.
const UNSAFE_FILE: &str = "crates/bowline-tools/src/sandbox.rs";

/// What the `clippy.toml` of a pure crate has to ban something of.
const PURE_BANS: [&str; 6] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
];

/// Judges every Rust source and the `clippy.toml` of the pure crates.
pub(super) fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    for (path, text) in tree.rust() {
        let code = without_comments_and_literals(text);
        judge_door(path, &code, &mut findings);
        judge_unsafe(path, &code, &mut findings);
    }
    let door = tree.text(DOOR_FILE).map(without_comments_and_literals);
    if !door.is_some_and(|code| defines(&code, &["fn"], DOOR_FUNCTION)) {
        findings.fault(
            DOOR_FILE,
            format!("there is no `fn {DOOR_FUNCTION}`, so nothing guards who may commit"),
            "if the door moved, say so in xtask/src/deps/boundaries.rs",
        );
    }
    for name in PURE {
        judge_bans(tree, name, &mut findings);
    }
    findings
}

fn judge_door(path: &str, code: &str, findings: &mut Findings) {
    if may_use_door(path) {
        return;
    }
    let used = words(code).find(|&(at, word)| {
        word == DOOR_FUNCTION || (word == DOOR_MODULE && is_path_segment(code, at, word))
    });
    if let Some((at, word)) = used {
        findings.fault(
            format!("{path}:{}", line_of(code, at)),
            format!("uses `{word}`: only the journal's stores may say what is committed"),
            "append through the `Journal` trait and take the receipts it returns",
        );
    }
}

fn may_use_door(path: &str) -> bool {
    if path.starts_with("crates/bowline-core/") || path.starts_with("crates/bowline-testkit/") {
        return true;
    }
    let Some(inside) = path.strip_prefix("crates/bowline-journal/src/") else {
        return false;
    };
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    JOURNAL_STORES.contains(&module) || module.starts_with("store")
}

/// Whether the word at `at` is part of a path or of the braces of a `use`.
fn is_path_segment(code: &str, at: usize, word: &str) -> bool {
    let before = code[..at].trim_end();
    let after = code[at + word.len()..].trim_start();
    after.starts_with("::") || before.ends_with("::")
}

fn judge_unsafe(path: &str, code: &str, findings: &mut Findings) {
    if path == UNSAFE_FILE {
        return;
    }
    if let Some((at, _)) = words(code).find(|&(_, word)| word == "unsafe") {
        findings.fault(
            format!("{path}:{}", line_of(code, at)),
            "`unsafe` outside the sandbox module",
            format!("use a safe wrapper, or move it to {UNSAFE_FILE} with the reason it is sound"),
        );
    }
    let is_root = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
    let package = path.split("/src/").next().unwrap_or_default();
    let is_owner = UNSAFE_FILE.starts_with(&format!("{package}/"));
    if is_root && !is_owner && !code.replace(' ', "").contains("#![forbid(unsafe_code)]") {
        findings.fault(
            path,
            "the crate does not forbid `unsafe`",
            "add `#![forbid(unsafe_code)]` below the module header",
        );
    }
}

fn judge_bans(tree: &Tree, name: &str, findings: &mut Findings) {
    let path = format!("crates/{name}/clippy.toml");
    let listed: String = tree
        .text(&path)
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let missing: Vec<&str> = PURE_BANS
        .into_iter()
        .filter(|ban| !listed.contains(&format!("{ban}::")))
        .collect();
    if !missing.is_empty() {
        findings.fault(
            path,
            format!("bans nothing of {}", missing.join(", ")),
            "list their functions and types under disallowed-methods and disallowed-types",
        );
    }
}
