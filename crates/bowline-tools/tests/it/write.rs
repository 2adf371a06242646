//! `write`: whole or not at all, only over what was judged, and found again after a crash.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use bowline_core::{Action, Digest};
use bowline_tools::Found;
use serde_json::json;

use crate::bench::Bench;

crate::cases![
    creates_and_replaces,
    tells_what_changed,
    keeps_permissions,
    refuses_a_file_that_changed_since_it_was_read,
    never_replaces_anything_but_a_file,
    leaves_other_names_of_a_file_alone,
    fails_when_the_file_changes_after_the_decision,
    fails_when_the_path_is_swapped_for_a_link,
    follows_a_folder_that_was_judged_only_while_it_is_there,
    is_found_again_after_a_crash,
    leaves_nothing_behind,
];

fn creates_and_replaces() {
    let mut bench = Bench::new();
    let text = bench.ok("write", json!({"path": "new/deep/a", "content": "1\n2\n"}));
    assert_eq!(text, "Created `new/deep/a` (2 lines).");
    assert_eq!(bench.content("new/deep/a"), "1\n2\n");
    let text = bench.ok(
        "write",
        json!({"path": "new/deep/a", "content": "1\n3\n4\n"}),
    );
    assert_eq!(text, "Replaced `new/deep/a` (+2 -1 lines).");
    assert_eq!(bench.content("new/deep/a"), "1\n3\n4\n");
    let text = bench.ok(
        "write",
        json!({"path": "new/deep/a", "content": "1\n3\n4\n"}),
    );
    assert!(text.contains("already holds exactly this"), "{text}");
    bench.file("unseen", "anything");
    bench.ok("write", json!({"path": "unseen", "content": ""}));
    assert_eq!(bench.content("unseen"), "");
}

fn tells_what_changed() {
    let mut bench = Bench::new();
    let path = bench.file("a", "1\n2\n");
    let plan = bench
        .prepare("write", json!({"path": "a", "content": "1\nx\n"}))
        .unwrap()
        .plan;
    assert_eq!(plan.essence, "write a (2 lines)");
    assert!(matches!(&plan.actions[..], [Action::WritePath { .. }]));
    let finish = bench
        .call("write", json!({"path": "a", "content": "1\nx\n"}))
        .unwrap();
    let change = &finish.effect.files[0];
    assert_eq!(change.path, path.to_str().unwrap());
    assert_eq!(change.before, Some(Digest::of(b"1\n2\n")));
    assert_eq!(change.after, Digest::of(b"1\nx\n"));
    assert_eq!((change.added_lines, change.removed_lines), (1, 1));
    assert!(change.diff.contains("-2\n+x\n"), "{}", change.diff);
    assert_eq!(bench.seen[path.to_str().unwrap()], change.after);
    assert_eq!(finish.summary, "replaced a +1 -1");
}

fn keeps_permissions() {
    let mut bench = Bench::new();
    let path = bench.file("run.sh", "#!/bin/sh\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
    bench.ok(
        "write",
        json!({"path": "run.sh", "content": "#!/bin/sh\nexit 1\n"}),
    );
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o751);
}

fn refuses_a_file_that_changed_since_it_was_read() {
    let mut bench = Bench::new();
    bench.file("a", "old\n");
    bench.ok("read", json!({"path": "a"}));
    bench.file("a", "somebody else's\n");
    let text = bench.fails("write", json!({"path": "a", "content": "mine\n"}));
    assert!(
        text.contains("changed since you last read it: read it again"),
        "{text}"
    );
    assert_eq!(bench.content("a"), "somebody else's\n");
    bench.ok("read", json!({"path": "a"}));
    bench.ok("write", json!({"path": "a", "content": "mine\n"}));
    bench.ok("write", json!({"path": "a", "content": "mine again\n"}));
}

fn never_replaces_anything_but_a_file() {
    let mut bench = Bench::new();
    let fifo = bench.root().join("fifo");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    bench.file("folder/x", "");
    let mut check = |path: &str, expect: &str| {
        let text = bench.fails("write", json!({"path": path, "content": "x"}));
        assert!(text.contains(expect), "{path}: {text}");
    };
    check("fifo", "is a FIFO, which file tools never touch");
    check("folder", "is a folder, not a file");
    check("folder/", "names a folder");
    check("folder/x/y", "is a file, not a folder");
    check("/dev/full", "is a device");
    assert!(fs::symlink_metadata(&fifo).unwrap().mode() & 0o170_000 == 0o010_000);
}

fn leaves_other_names_of_a_file_alone() {
    let mut bench = Bench::new();
    let outside = bench.at("out/ledger");
    fs::write(&outside, "outside\n").unwrap();
    fs::hard_link(&outside, bench.root().join("copy")).unwrap();
    bench.ok("write", json!({"path": "copy", "content": "inside\n"}));
    assert_eq!(fs::read_to_string(outside).unwrap(), "outside\n");
}

fn fails_when_the_file_changes_after_the_decision() {
    let bench = Bench::new();
    let check = |name: &str, before: Option<&str>, after: Option<&str>| {
        let path = bench.root().join(name);
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        let ready = bench
            .prepare("write", json!({"path": name, "content": "mine\n"}))
            .unwrap();
        match after {
            Some(after) => fs::write(&path, after).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let finish = ready.go();
        assert!(finish.failed_before_effect, "{}", finish.text);
        assert!(
            finish
                .text
                .contains("changed since the call was decided upon"),
            "{}",
            finish.text
        );
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), after);
    };
    check("changed", Some("old\n"), Some("new\n"));
    check("appeared", None, Some("new\n"));
    check("vanished", Some("old\n"), None);
}

fn fails_when_the_path_is_swapped_for_a_link() {
    let bench = Bench::new();
    let (inside, outside) = (bench.root().join("sub"), bench.at("out"));
    fs::create_dir(&inside).unwrap();
    let ready = bench
        .prepare("write", json!({"path": "sub/log", "content": "x"}))
        .unwrap();
    fs::rename(&inside, bench.root().join("sub.away")).unwrap();
    symlink(&outside, &inside).unwrap();
    let finish = ready.go();
    assert!(finish.failed_before_effect, "{}", finish.text);
    assert!(
        finish.text.contains("a link stands in the path now"),
        "{}",
        finish.text
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);

    bench.file("file", "old\n");
    fs::write(bench.at("out/private"), "private\n").unwrap();
    let ready = bench
        .prepare("write", json!({"path": "file", "content": "x"}))
        .unwrap();
    fs::remove_file(bench.root().join("file")).unwrap();
    symlink(bench.at("out/private"), bench.root().join("file")).unwrap();
    let finish = ready.go();
    assert!(finish.failed_before_effect, "{}", finish.text);
    assert_eq!(
        fs::read_to_string(bench.at("out/private")).unwrap(),
        "private\n"
    );
    assert!(bench.root().join("file").is_symlink());
}

/// Swaps a folder for a link to outside and back while writes go on: whoever wins, nothing
/// outside changes.
fn follows_a_folder_that_was_judged_only_while_it_is_there() {
    let bench = Bench::new();
    let (inside, away) = (bench.root().join("sub"), bench.root().join("away"));
    let outside = bench.at("out");
    fs::create_dir(&inside).unwrap();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let (mut written, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Ends with the rounds, also when one of them panics.
            let (is_done, mut swap) = (is_done, 0);
            while is_done.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                fs::rename(&inside, &away).unwrap();
                // A write in between makes the missing folder anew; then there is no swap.
                if symlink(&outside, &inside).is_ok() {
                    std::thread::yield_now();
                    fs::remove_file(&inside).unwrap();
                }
                while fs::rename(&away, &inside).is_err() {
                    let _gone = fs::rename(&inside, bench.at(&format!("made-{swap}")));
                    swap += 1;
                }
                std::thread::yield_now();
            }
        });
        let _done = done;
        for round in 0..300 {
            let input = json!({"path": "sub/log", "content": format!("{round}")});
            let Ok(ready) = bench.prepare("write", input) else {
                refused += 1;
                continue;
            };
            // Judged while the link was there: a policy would see where it leads.
            if !ready.plan.resolved[0].ends_with("w/sub/log") {
                continue;
            }
            if ready.go().failed_before_effect {
                refused += 1
            } else {
                written += 1
            }
        }
    });
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(written + refused > 0, "{written} {refused}");
}

fn is_found_again_after_a_crash() {
    let bench = Bench::new();
    let path = bench.file("a", "old\n");
    let prepare = |content: &str| {
        bench
            .prepare("write", json!({"path": "a", "content": content}))
            .unwrap()
    };
    assert!(matches!(prepare("new\n").reconcile(), Found::DidNot { .. }));
    let ready = prepare("new\n");
    fs::write(&path, "new\n").unwrap();
    match ready.reconcile() {
        Found::Happened(finish) => {
            assert_eq!(finish.effect.files[0].after, Digest::of(b"new\n"));
            assert_eq!(finish.effect.seen[0].content, Digest::of(b"new\n"));
            assert!(finish.text.contains("before a restart"), "{}", finish.text);
        }
        other => panic!("{other:?}"),
    }
    assert!(
        matches!(prepare("new\n").reconcile(), Found::Happened(_)),
        "before and after agree"
    );
    let ready = prepare("newer\n");
    fs::write(&path, "another\n").unwrap();
    assert!(matches!(ready.reconcile(), Found::Unknown { .. }));
    let ready = prepare("newer\n");
    fs::remove_file(&path).unwrap();
    assert!(matches!(ready.reconcile(), Found::Unknown { .. }));
    assert!(matches!(
        prepare("first\n").reconcile(),
        Found::DidNot { .. }
    ));
}

fn leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.file("a", "old\n");
    bench.ok("write", json!({"path": "a", "content": "new\n"}));
    let ready = bench
        .prepare("write", json!({"path": "a", "content": "newer\n"}))
        .unwrap();
    bench.file("a", "meanwhile\n");
    assert!(ready.go().failed_before_effect);
    let names: Vec<_> = fs::read_dir(bench.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["a"]);
}
