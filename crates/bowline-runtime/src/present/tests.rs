//! What is told of a folder, and that nothing in it is followed.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::present;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The places that are told, as `path` or `path:line`.
fn told(folder: &Path) -> Vec<String> {
    let place = |one: super::Present| match one.line {
        Some(line) => format!("{}:{line}", one.path),
        None => one.path,
    };
    present(folder).into_iter().map(place).collect()
}

#[test]
fn each_file_that_somebody_acts_on_is_told() {
    let check = |name: &str, text: &str, expect: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), name, text);
        assert_eq!(told(folder.path()), expect, "{name}");
    };
    check("src/main.rs", "fn main() {}", &[]);
    check("README.md", "", &[]);
    check("AGENTS.md", "x", &["AGENTS.md"]);
    check(".mcp.json", "{}", &[".mcp.json"]);
    check(".claude/commands/x.md", "", &[".claude/commands/"]);
    check(".env.local", "A=1", &[".env.local"]);
    check("evil.pth", "import os", &["evil.pth"]);
    check(".git/hooks/pre-commit", "", &[".git/hooks/pre-commit"]);
    check(".git/hooks/pre-commit.sample", "", &[]);
    check("git", "not executable", &[]);
    check(
        ".gitattributes",
        "# filter=x\n*.c diff=x\n*.h text\n",
        &[".gitattributes:2"],
    );
    check(
        ".git/config",
        "[core]\n\tbare = false\n\tfsMonitor = ./x\n[user] name = a\n[alias]\n\ts = status\n\tx = \
         \"!sh\"\n[filter \"lfs\"] clean = x\n[FILTER \"A.b\"]\n\tSmudge = x\n# pager = x\n\
         [submodule \"s\"]\n\tupdate = !sh\n\tpath = s\n[pager]\n\tlog = x\n[remote \"origin\"]\n\turl = x\n",
        &[3, 7, 8, 10, 13, 16]
            .map(|line| format!(".git/config:{line}"))
            .each_ref()
            .map(String::as_str),
    );
}

#[test]
fn a_planted_repository_and_a_planted_program_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["inner/HEAD", "inner/refs/x", "inner/objects/x"] {
        write(folder.path(), name, "");
    }
    write(folder.path(), "inner/config", "[core]\nfsmonitor = x\n");
    write(folder.path(), "git", "#!/bin/sh\n");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path().join("git"), mode).unwrap();
    assert_eq!(told(folder.path()), ["git", "inner/", "inner/config:2"]);
}

#[test]
fn links_and_what_is_no_file_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "hooks/pre-commit", "");
    write(outside.path(), "config", "[core]\nfsmonitor = x\n");
    symlink(outside.path(), folder.path().join(".git")).unwrap();
    symlink(outside.path().join("hooks"), folder.path().join(".cursor")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join(".gitattributes"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert_eq!(told(folder.path()), [".git"]);
}
