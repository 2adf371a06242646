//! Small graphs and sources; every rule has an input that it catches.

use super::{boundaries, judge, matches};
use crate::metadata::{Dependency, Package, Table};
use crate::tree::Tree;

fn package(name: &str, dependencies: &[(&str, Table)]) -> Package {
    let dependencies = dependencies.iter().map(|&(name, table)| Dependency {
        name: name.into(),
        table,
        features: Vec::new(),
    });
    Package {
        name: name.into(),
        is_member: true,
        dependencies: dependencies.collect(),
        ..Package::default()
    }
}

/// Judges one crate with one dependency, in a workspace of all crates it could name.
fn check(name: &str, dependency: &str, table: Table, expect: &[&str]) {
    let mut members: Vec<Package> = super::ARROWS
        .iter()
        .filter(|arrows| arrows.name != name)
        .map(|arrows| package(arrows.name, &[]))
        .collect();
    members.push(package(name, &[(dependency, table)]));
    assert_eq!(judge(&members).lines(), expect, "{name} -> {dependency}");
}

#[test]
fn arrows_point_down_only() {
    check(
        "bowline-core",
        "bowline-policy",
        Table::Normal,
        &["bowline-core: may not know bowline-policy"],
    );
    check("bowline-policy", "bowline-core", Table::Normal, &[]);
    check(
        "bowline-tools",
        "bowline-journal",
        Table::Normal,
        &["bowline-tools: may not know bowline-journal"],
    );
    check("bowline-runtime", "bowline-journal", Table::Normal, &[]);
    check(
        "bowline-runtime",
        "bowline",
        Table::Normal,
        &["bowline-runtime: may not know bowline"],
    );
    check("bowline", "bowline-runtime", Table::Normal, &[]);
    check(
        "xtask",
        "bowline-core",
        Table::Normal,
        &["xtask: may not know bowline-core"],
    );
    check(
        "bowline-testkit",
        "bowline-tools",
        Table::Normal,
        &["bowline-testkit: may not know bowline-tools"],
    );
}

#[test]
fn the_testkit_is_for_tests() {
    check("bowline", "bowline-testkit", Table::Dev, &[]);
    check(
        "bowline",
        "bowline-testkit",
        Table::Normal,
        &["bowline: depends on bowline-testkit outside its tests"],
    );
}

#[test]
fn libraries_have_owners() {
    check("bowline-journal", "rusqlite", Table::Normal, &[]);
    check(
        "bowline-runtime",
        "rusqlite",
        Table::Normal,
        &["bowline-runtime: depends on rusqlite, which belongs to bowline-journal"],
    );
    check("bowline-runtime", "rusqlite", Table::Dev, &[]);
    check(
        "bowline-runtime",
        "anyhow",
        Table::Normal,
        &["bowline-runtime: depends on anyhow, which belongs to bowline and xtask"],
    );
    check(
        "bowline",
        "grep-regex",
        Table::Normal,
        &["bowline: depends on grep-regex, which belongs to bowline-tools"],
    );
}

#[test]
fn pure_crates_stay_pure() {
    check(
        "bowline-core",
        "tokio",
        Table::Normal,
        &["bowline-core: is pure and may not depend on tokio"],
    );
    check(
        "bowline-secrets",
        "tokio-util",
        Table::Normal,
        &["bowline-secrets: is pure and may not depend on tokio-util"],
    );
    check("bowline-policy", "tempfile", Table::Dev, &[]);
    check("bowline-tools", "tokio", Table::Normal, &[]);

    let mut core = package("bowline-core", &[("uuid", Table::Normal)]);
    assert_eq!(judge(std::slice::from_ref(&core)).lines(), [""; 0]);
    core.dependencies[0].features = vec!["v7".into()];
    assert_eq!(
        judge(&[core]).lines(),
        [
            "bowline-core: is pure and may not make ids (uuid with v4 or v7 reads a clock or randomness)",
        ]
    );
}

#[test]
fn a_crate_without_a_row_is_found() {
    let found = judge(&[package("bowline-utils", &[])]);
    assert_eq!(
        found.lines(),
        ["bowline-utils: the crate has no row in the table of arrows"]
    );
}

#[test]
fn a_star_stands_for_any_ending() {
    assert!(matches("grep-*", "grep-searcher"));
    assert!(!matches("grep-*", "ripgrep"));
    assert!(!matches("ignore", "ignored"));
}

const BANS: &str = "disallowed-methods = [\"std::env::var\", \"std::fs::read\", \"std::net::TcpStream::connect\", \
    \"std::process::Command::new\", \"std::thread::spawn\", \"std::time::SystemTime::now\"]";

/// Judges one more file in a tree that has nothing to complain about.
fn check_source(path: &str, text: &str, expect: &[&str]) {
    let mut files = vec![
        (
            "crates/bowline-core/src/commit.rs",
            "pub mod door { pub fn vouch() {} }",
        ),
        ("crates/bowline-core/clippy.toml", BANS),
        ("crates/bowline-policy/clippy.toml", BANS),
        ("crates/bowline-secrets/clippy.toml", BANS),
    ];
    files.retain(|(known, _)| *known != path);
    files.push((path, text));
    assert_eq!(
        boundaries::judge(&Tree::of(&files)).lines(),
        expect,
        "{path}: {text}"
    );
}

#[test]
fn only_the_stores_open_the_commit_door() {
    let opens = "use bowline_core::commit::door;\nfn f() { door::vouch(x) }";
    check_source("crates/bowline-journal/src/file.rs", opens, &[]);
    check_source("crates/bowline-journal/src/file/append.rs", opens, &[]);
    check_source("crates/bowline-journal/src/memory.rs", opens, &[]);
    check_source("crates/bowline-testkit/src/crash.rs", opens, &[]);
    for path in [
        "crates/bowline-runtime/src/drive.rs",
        "crates/bowline-journal/src/index.rs",
    ] {
        let fault =
            format!("{path}:1: uses `door`: only the journal's stores may say what is committed");
        check_source(path, opens, &[&fault]);
    }
    let found =
        "crates/a/src/b.rs:1: uses `vouch`: only the journal's stores may say what is committed";
    check_source(
        "crates/a/src/b.rs",
        "use bowline_core::commit::*; fn f() { vouch(x) }",
        &[found],
    );
    check_source(
        "crates/a/src/b.rs",
        "// door::vouch\nfn f(door: &str) { g(\"door::vouch\") }",
        &[],
    );
}

#[test]
fn a_door_that_moved_is_found() {
    check_source(
        "crates/bowline-core/src/commit.rs",
        "pub fn other() {}",
        &[
            "crates/bowline-core/src/commit.rs: there is no `fn vouch`, so nothing guards who may commit",
        ],
    );
}

#[test]
fn unsafe_has_one_file() {
    check_source(
        "crates/bowline-tools/src/sandbox.rs",
        "unsafe fn f() {}",
        &[],
    );
    check_source(
        "crates/bowline-tools/src/keeper.rs",
        "fn f() {\n    unsafe {}\n}",
        &["crates/bowline-tools/src/keeper.rs:2: `unsafe` outside the sandbox module"],
    );
    check_source("crates/a/src/b.rs", "// unsafe\n#![deny(unsafe_code)]", &[]);
    check_source("crates/a/src/lib.rs", "//! x\n#![forbid(unsafe_code)]", &[]);
    check_source(
        "crates/a/src/lib.rs",
        "//! x\n// #![forbid(unsafe_code)]",
        &["crates/a/src/lib.rs: the crate does not forbid `unsafe`"],
    );
    check_source("crates/bowline-tools/src/lib.rs", "//! x", &[]);
    check_source(
        "crates/bowline/src/main.rs",
        "//! x",
        &["crates/bowline/src/main.rs: the crate does not forbid `unsafe`"],
    );
}

#[test]
fn pure_crates_ban_what_is_impure() {
    let without_files = BANS.replace("std::fs::read", "x");
    check_source(
        "crates/bowline-core/clippy.toml",
        &without_files,
        &["crates/bowline-core/clippy.toml: bans nothing of std::fs"],
    );
    check_source(
        "crates/bowline-core/clippy.toml",
        &format!("# {BANS}"),
        &[
            "crates/bowline-core/clippy.toml: bans nothing of std::env, std::fs, std::net, std::process, std::thread, std::time",
        ],
    );
}
