//! Paths of one machine and hosts of registries have no business in a repository that others clone.

use crate::finding::Findings;
use crate::tree::{Tree, is_data};

/// Folders that exist on somebody's machine only.
const MACHINE_FOLDERS: [&str; 7] = [
    "/work/",
    "/farm/",
    "/root/",
    "/tmp/target",
    "/tmp/brief",
    "/tmp/bash_jobs",
    "/.pyenv/",
];
/// Parents of homes; the next path segment names a person.
const HOMES: [&str; 2] = ["/home/", "/Users/"];
/// Names that stand for anybody.
const ANYBODY: [&str; 10] = [
    "alice", "ann", "bob", "dev", "me", "runner", "someone", "u", "user", "you",
];
/// Hosts that packages come from. What the lock file says about crates.io is checked on its own.
const REGISTRIES: [&str; 8] = [
    "index.crates.io",
    "static.crates.io",
    "rsproxy.cn",
    "registry.npmjs.org",
    "files.pythonhosted.org",
    "pypi.org",
    "proxy.golang.org",
    "registry-1.docker.io",
];
const LOCK_FILE: &str = "Cargo.lock";
const LOCK_SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Text that may stand under one path, and why.
struct Exception {
    under: &'static str,
    text: &'static str,
    #[expect(dead_code, reason = "for the reader of this table")]
    why: &'static str,
}

const EXCEPTIONS: [Exception; 2] = [
    Exception {
        under: "xtask/src/tidy/",
        text: "",
        why: "names what it looks for",
    },
    Exception {
        under: "crates/bowline-policy/",
        text: "/root/",
        why: "judges paths of homes",
    },
];

pub(super) fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    for (path, text) in tree.texts().filter(|(path, _)| !is_data(path)) {
        for (at, line) in text.lines().enumerate() {
            for found in offences(line)
                .into_iter()
                .filter(|found| !is_excepted(path, found))
            {
                findings.fault(
                    format!("{path}:{}", at + 1),
                    format!("names `{found}`"),
                    "use a relative path, a temporary folder or an `example` name; a real need goes into \
                     EXCEPTIONS in xtask/src/tidy/places.rs",
                );
            }
        }
    }
    judge_lock_file(tree, &mut findings);
    findings
}

fn judge_lock_file(tree: &Tree, findings: &mut Findings) {
    for (at, line) in tree.text(LOCK_FILE).unwrap_or_default().lines().enumerate() {
        if line.starts_with("source = ") && line != LOCK_SOURCE {
            findings.fault(
                format!("{LOCK_FILE}:{}", at + 1),
                format!("a package comes from elsewhere than crates.io: {line}"),
                "depend on a published version",
            );
        }
    }
}

/// Every machine path and registry host in a line.
fn offences(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in MACHINE_FOLDERS {
        let starts = line
            .match_indices(folder)
            .filter(|&(at, _)| begins_path(line, at, folder));
        found.extend(starts.map(|_| folder.to_owned()));
    }
    for home in HOMES {
        for (at, _) in line
            .match_indices(home)
            .filter(|&(at, _)| begins_path(line, at, home))
        {
            let rest = &line[at + home.len()..];
            let length = rest
                .find(|letter: char| !is_name(letter))
                .unwrap_or(rest.len());
            let person = &rest[..length];
            if !person.is_empty() && !ANYBODY.contains(&person) {
                found.push(format!("{home}{person}"));
            }
        }
    }
    found.extend(
        REGISTRIES
            .into_iter()
            .filter(|host| line.contains(host))
            .map(str::to_owned),
    );
    found
}

/// Whether an absolute path begins at `at`, rather than being the middle of a longer one.
fn begins_path(line: &str, at: usize, folder: &str) -> bool {
    let inside_anything = folder.starts_with("/.");
    let before = line[..at].chars().next_back();
    inside_anything
        || before
            .is_none_or(|letter| !is_name(letter) && !matches!(letter, '~' | '}' | ')' | '>' | '*'))
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

fn is_excepted(path: &str, found: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|exception| path.starts_with(exception.under) && found.contains(exception.text))
}
