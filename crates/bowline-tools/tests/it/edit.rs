//! `edit`: all replacements or none.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use bowline_core::{Action, Digest};
use bowline_tools::Found;
use serde_json::json;

use crate::bench::Bench;

crate::cases![
    makes_several_replacements_at_once,
    makes_none_if_one_does_not_fit,
    keeps_line_ends_and_permissions,
    refuses_what_it_cannot_edit,
    refuses_a_file_that_changed_since_it_was_read,
    fails_when_the_file_is_swapped_after_the_decision,
    is_found_again_after_a_crash,
    reads_and_writes_for_the_policy,
];

fn makes_several_replacements_at_once() {
    let mut bench = Bench::new();
    let path = bench.file("a.rs", "fn one() {}\nfn two() {}\nfn two_more() {}\n");
    let edits = json!([
        {"old": "fn one()", "new": "fn eins()"},
        {"old": "two", "new": "zwei", "all": true},
    ]);
    let finish = bench
        .call("edit", json!({"path": "a.rs", "edits": edits}))
        .unwrap();
    assert_eq!(finish.text, "Edited `a.rs` (+3 -3 lines).");
    let expect = "fn eins() {}\nfn zwei() {}\nfn zwei_more() {}\n";
    assert_eq!(bench.content("a.rs"), expect);
    assert!(finish.effect.files[0].diff.contains("+fn eins() {}"));
    assert_eq!(
        bench.seen[path.to_str().unwrap()],
        Digest::of(expect.as_bytes())
    );
}

fn makes_none_if_one_does_not_fit() {
    let mut bench = Bench::new();
    bench.file("a", "one\ntwo\ntwo\n");
    let mut check = |edits: serde_json::Value, expect: &str| {
        let text = bench.fails("edit", json!({"path": "a", "edits": edits}));
        assert!(text.contains(expect), "{text}");
        assert_eq!(bench.content("a"), "one\ntwo\ntwo\n");
    };
    let good = json!({"old": "one", "new": "1"});
    check(
        json!([good, {"old": "three", "new": "3"}]),
        "`a`: edits[1].old was not found",
    );
    check(
        json!([good, {"old": "two", "new": "2"}]),
        "edits[1].old has 2 matches (lines 2, 3)",
    );
    check(
        json!([good, {"old": "one\ntwo", "new": "2"}]),
        "overlap at line 1",
    );
    check(json!([]), "\"edits\" needs at least 1 entry");
    check(
        json!([{"old_string": "a", "new_string": "b"}]),
        "did you mean \"old\"?",
    );
}

fn keeps_line_ends_and_permissions() {
    let mut bench = Bench::new();
    let path = bench.file("a", "\u{feff}one\r\ntwo\r\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    bench.ok("read", json!({"path": "a"}));
    bench.ok(
        "edit",
        json!({"path": "a", "edits": [{"old": "one\ntwo", "new": "one\nand\ntwo"}]}),
    );
    assert_eq!(bench.content("a"), "\u{feff}one\r\nand\r\ntwo\r\n");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
}

fn refuses_what_it_cannot_edit() {
    let mut bench = Bench::new();
    bench.file("latin", b"gr\xfc\xdfe\n");
    bench.file("folder/x", "");
    fs::File::create(bench.root().join("large"))
        .unwrap()
        .set_len(17 << 20)
        .unwrap();
    let fifo = bench.root().join("fifo");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let mut check = |path: &str, expect: &str| {
        let edits = json!([{"old": "a", "new": "b"}]);
        let text = bench.fails("edit", json!({"path": path, "edits": edits}));
        assert!(text.contains(expect), "{path}: {text}");
    };
    check("latin", "is not valid UTF-8 (byte 2)");
    check("folder", "is a folder, not a file");
    check("none", "does not exist: `write` creates files");
    check("large", "is larger than 16 MiB");
    check("fifo", "is a FIFO");
}

fn refuses_a_file_that_changed_since_it_was_read() {
    let mut bench = Bench::new();
    bench.file("a", "one\n");
    bench.ok("read", json!({"path": "a"}));
    bench.file("a", "one\ntwo\n");
    let edit = json!({"path": "a", "edits": [{"old": "one", "new": "1"}]});
    let text = bench.fails("edit", edit.clone());
    assert!(text.contains("changed since you last read it"), "{text}");
    assert_eq!(bench.content("a"), "one\ntwo\n");
    bench.seen.clear();
    bench.ok("edit", edit);
}

fn fails_when_the_file_is_swapped_after_the_decision() {
    let bench = Bench::new();
    let edit = || json!({"path": "a", "edits": [{"old": "one", "new": "1"}]});
    let path = bench.file("a", "one\n");
    let ready = bench.prepare("edit", edit()).unwrap();
    fs::write(&path, "one\nmore\n").unwrap();
    let finish = ready.go();
    assert!(finish.failed_before_effect, "{}", finish.text);
    assert_eq!(bench.content("a"), "one\nmore\n");

    fs::write(bench.at("out/private"), "one\nmore\n").unwrap();
    let ready = bench.prepare("edit", edit()).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(bench.at("out/private"), &path).unwrap();
    let finish = ready.go();
    assert!(finish.failed_before_effect, "{}", finish.text);
    assert_eq!(
        fs::read_to_string(bench.at("out/private")).unwrap(),
        "one\nmore\n"
    );
}

fn is_found_again_after_a_crash() {
    let bench = Bench::new();
    let path = bench.file("a", "one\n");
    let prepare = || {
        bench
            .prepare(
                "edit",
                json!({"path": "a", "edits": [{"old": "one", "new": "1"}]}),
            )
            .unwrap()
    };
    assert!(matches!(prepare().reconcile(), Found::DidNot { .. }));
    let ready = prepare();
    fs::write(path, "1\n").unwrap();
    assert!(matches!(ready.reconcile(), Found::Happened(_)));
}

fn reads_and_writes_for_the_policy() {
    let bench = Bench::new();
    bench.file("a", "one\n");
    let input = json!({"path": "a", "edits": [{"old": "one", "new": "1"}]});
    let plan = bench.prepare("edit", input).unwrap().plan;
    assert!(matches!(
        &plan.actions[..],
        [Action::ReadPath { .. }, Action::WritePath { .. }]
    ));
    assert_eq!(plan.resolved.len(), 1);
    assert_eq!(plan.essence, "edit a (1 replacement)");
}
