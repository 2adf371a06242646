//! Small trees; every rule has one that it catches.

use super::{MOST_LINES, REVIEW_LINES, events, forgotten, judge_source, manifests, places};
use crate::finding::Findings;
use crate::tree::Tree;

fn check(judge: fn(&Tree) -> Findings, files: &[(&str, &str)], expect: &[&str]) {
    assert_eq!(judge(&Tree::of(files)).lines(), expect, "{files:?}");
}

#[test]
fn files_have_a_header_and_an_end() {
    let sources = |lines: usize| {
        let mut findings = Findings::default();
        judge_source(
            "a.rs",
            &format!("//! a\n{}", "\n".repeat(lines - 1)),
            &mut findings,
        );
        (findings.faults.len(), findings.notices.len())
    };
    assert_eq!(sources(REVIEW_LINES), (0, 0));
    assert_eq!(sources(REVIEW_LINES + 1), (0, 1));
    assert_eq!(sources(MOST_LINES), (0, 1));
    assert_eq!(sources(MOST_LINES + 1), (1, 0));

    let mut findings = Findings::default();
    judge_source("a.rs", "// a\nfn a() {}\n", &mut findings);
    assert_eq!(
        findings.lines(),
        ["a.rs: the first line is no module header"]
    );
}

const FORGOTTEN: &str = "no `mod` names this file, so it is never compiled and its tests never run";

#[test]
fn files_without_a_mod_are_forgotten() {
    let forgotten = |path: &str| format!("{path}: {FORGOTTEN}");
    let judge = forgotten::judge;
    check(
        judge,
        &[
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a.rs", "#[cfg(test)] mod tests;"),
            ("x/src/a/tests.rs", ""),
        ],
        &[],
    );
    check(
        judge,
        &[
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a.rs", "// mod tests;"),
            ("x/src/a/tests.rs", ""),
        ],
        &[&forgotten("x/src/a/tests.rs")],
    );
    check(
        judge,
        &[
            ("x/tests/it/main.rs", "mod a;"),
            ("x/tests/it/a.rs", ""),
            ("x/tests/it/b.rs", ""),
        ],
        &[&forgotten("x/tests/it/b.rs")],
    );
    check(
        judge,
        &[("x/src/lib.rs", "mod a { mod b; }"), ("x/src/a/b.rs", "")],
        &[],
    );
    check(
        judge,
        &[
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a/mod.rs", "mod b;"),
            ("x/src/a/b.rs", ""),
        ],
        &[],
    );
    check(
        judge,
        &[
            ("x/src/lib.rs", "#[path = \"odd.rs\"] mod a;"),
            ("x/src/odd.rs", ""),
        ],
        &[],
    );
    check(
        judge,
        &[
            ("x/src/main.rs", ""),
            ("x/src/bin/y.rs", ""),
            ("x/benches/z.rs", ""),
            ("build.rs", ""),
        ],
        &[],
    );
    check(
        judge,
        &[
            ("x/tests/a.rs", "mod common;"),
            ("x/tests/common/mod.rs", ""),
        ],
        &[],
    );
}

#[test]
fn sources_for_a_compiler_under_test_need_a_test_that_names_them() {
    let case = ("x/tests/fail/a.rs", "fn main() {}");
    check(
        forgotten::judge,
        &[
            ("x/tests/all.rs", "t.compile_fail(\"tests/fail/*.rs\")"),
            case,
        ],
        &[],
    );
    check(
        forgotten::judge,
        &[("x/tests/all.rs", ""), case],
        &[&format!("{}: {FORGOTTEN}", case.0)],
    );
}

const FACTS: &str = r##"
/// The facts. enum Fact { NotThis }
pub enum Fact {
    /// A, with a comma.
    TurnStarted { id: Id, list: Vec<(u8, u8)> },
    #[doc(alias = "x, y")]
    CallStarted(Box<Call>),
    TurnEnded,
}
enum Other { Stray }
fn kind(&self) -> &str {
    match self {
        Self::CallStarted(_) => "call_started",
        Other::Stray => "stray",
    }
}
fn read(kind: &str) -> Fact {
    match kind {
        "call_started" | "CallBegun" => Fact::CallStarted(x),
        "other" => Other::Stray,
    }
}
"##;

fn check_events(source: &str, list: &str, expect: &[&str]) {
    let files = [
        ("crates/bowline-core/src/event.rs", source),
        (events::LIST, list),
    ];
    check(events::judge, &files, expect);
}

#[test]
fn event_names_are_kept_for_ever() {
    check_events(
        FACTS,
        "# all\nTurnStarted\ncall_started\nCallBegun\nTurnEnded\n",
        &[],
    );
    check_events(
        FACTS,
        "TurnEnded\nTurnHalted\n",
        &[
            "fixtures/journals/event-names.txt: `TurnHalted` was an event once and is not read any more",
        ],
    );
    check_events(
        "pub enum Facts { A }",
        "",
        &[
            "crates/bowline-core/src/event.rs: there is no `enum Fact` with variants here or in crates/bowline-core/src/event/",
        ],
    );
}

#[test]
fn event_names_are_unique_and_read() {
    let source = "enum Fact { A, B(u8), C }\n Self::B(_) => \"A\",\n";
    check_events(
        source,
        "",
        &["crates/bowline-core/src/event.rs: two events are written as `A`"],
    );
    check_events(
        &source.replace("\"A\"", "\"b\""),
        "",
        &[
            "crates/bowline-core/src/event.rs: events are written as `b`, and nothing reads that name",
        ],
    );
}

#[test]
fn the_list_grows_and_keeps_its_order() {
    let list = "TurnHalted\nTurnEnded\n";
    let tree = Tree::of(&[
        ("crates/bowline-core/src/event/fact.rs", FACTS),
        (events::LIST, list),
    ]);
    let updated = events::updated_list(&tree);
    let names: Vec<&str> = updated.lines().skip(1).collect();
    assert_eq!(
        names,
        [
            "TurnHalted",
            "TurnEnded",
            "CallBegun",
            "TurnStarted",
            "call_started"
        ]
    );
}

fn check_line(line: &str, expect: &[&str]) {
    let files = [("crates/a/src/b.rs", line)];
    let expect: Vec<String> = expect
        .iter()
        .map(|found| format!("crates/a/src/b.rs:1: names `{found}`"))
        .collect();
    let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
    check(places::judge, &files, &expect);
}

#[test]
fn machine_paths_are_found() {
    check_line("let root = \"/work/main\";", &["/work/"]);
    check_line("see /tmp/target-x/debug", &["/tmp/target"]);
    check_line("/root/.cargo", &["/root/"]);
    check_line("(/home/jdoe/src) and /home/dev/src", &["/home/jdoe"]);
    check_line("/Users/jdoe", &["/Users/jdoe"]);
}

#[test]
fn ordinary_paths_are_not() {
    for line in [
        "{root}/work/x",
        "src/work/a",
        "~/work/a",
        "/tmp/x",
        "/home/<name>",
        "a/root/b",
        "network/",
    ] {
        check_line(line, &[]);
    }
    check(
        places::judge,
        &[
            ("fixtures/a.jsonl", "/root/x"),
            ("crates/bowline-policy/src/a.rs", "/root/x"),
        ],
        &[],
    );
}

#[test]
fn registries_are_found() {
    check_line("https://pypi.org/simple", &["pypi.org"]);
    check_line("published on crates.io and docs.rs", &[]);
    let lock = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nsource = \"git+https://example.org\"\n";
    check(
        places::judge,
        &[("Cargo.lock", lock)],
        &[
            "Cargo.lock:2: a package comes from elsewhere than crates.io: source = \"git+https://example.org\"",
        ],
    );
}

#[test]
fn manifests_inherit_licence_and_lints() {
    let root = (
        "Cargo.toml",
        "[workspace.package]\nlicense = \"MIT OR Apache-2.0\"\n",
    );
    let texts = [("LICENSE-MIT", "x"), ("LICENSE-APACHE", "x")];
    let good = "[package]\nlicense.workspace = true\n\n[lints]\nworkspace = true\n";
    check(
        manifests::judge,
        &[root, texts[0], texts[1], ("a/Cargo.toml", good)],
        &[],
    );
    check(
        manifests::judge,
        &[
            root,
            texts[0],
            ("a/Cargo.toml", "[package]\nlicense = \"MIT\"\n"),
        ],
        &[
            "a/Cargo.toml: does not inherit the licence",
            "a/Cargo.toml: does not inherit the lints",
            "LICENSE-APACHE: the licence text is missing",
        ],
    );
    check(
        manifests::judge,
        &[("Cargo.toml", "[workspace]\n"), texts[0], texts[1]],
        &["Cargo.toml: does not say `license = \"MIT OR Apache-2.0\"`"],
    );
}
