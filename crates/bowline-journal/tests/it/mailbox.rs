//! Commands from others: in order, once, whole or not at all.

use std::path::Path;

use bowline_journal::Error;
use bowline_journal::mailbox::{Put, drain, is_empty, put};

use crate::sample::prompt;

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("mailbox");
    (home, path)
}

fn keys(dir: &Path) -> Vec<String> {
    drain(dir)
        .unwrap()
        .commands
        .iter()
        .map(|(_, command)| command.key.clone())
        .collect()
}

#[test]
fn commands_come_out_in_order_and_stay_until_done() {
    let (_home, dir) = folder();
    assert!(is_empty(&dir).unwrap());
    assert!(keys(&dir).is_empty());
    assert!(!dir.exists(), "looking makes no folder");
    // The clock is set back after the first command, and forward again.
    for (at_ms, key) in [
        (2_000, "first"),
        (1_000, "second"),
        (10_000_000_000_000, "third"),
    ] {
        assert_eq!(put(&dir, at_ms, &prompt(key, "go on")).unwrap(), Put::New);
    }
    assert!(!is_empty(&dir).unwrap());
    assert_eq!(keys(&dir), ["first", "second", "third"]);
    let drained = drain(&dir).unwrap();
    assert_eq!(drained.commands[0].1, prompt("first", "go on"));
    for (entry, _) in drained.commands.into_iter().take(2) {
        entry.done().unwrap();
    }
    assert_eq!(keys(&dir), ["third"]);
}

/// Whatever the clock says, commands of one sender come out as they were put.
#[test]
fn a_clock_that_jumps_changes_no_order() {
    let (_home, dir) = folder();
    let times = [7_000, 7_000, 0, u64::MAX - 9, 3, 7_000, 999_999_999_999_999];
    let sent: Vec<String> = (0..times.len())
        .map(|number| format!("key {number}"))
        .collect();
    for (at_ms, key) in times.into_iter().zip(&sent) {
        assert_eq!(put(&dir, at_ms, &prompt(key, "go on")).unwrap(), Put::New);
    }
    assert_eq!(keys(&dir), sent);
}

#[test]
fn a_command_put_twice_waits_once() {
    let (_home, dir) = folder();
    assert_eq!(put(&dir, 1, &prompt("key", "one")).unwrap(), Put::New);
    assert_eq!(put(&dir, 1, &prompt("key", "one")).unwrap(), Put::Already);
    assert_eq!(put(&dir, 2, &prompt("key", "two")).unwrap(), Put::Already);
    assert_eq!(
        std::fs::read_dir(&dir).unwrap().count(),
        1,
        "no temporary file is left"
    );
    // Two writers at the same moment: the name of the later one is removed.
    let name = std::fs::read_dir(&dir)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let later = name
        .to_str()
        .unwrap()
        .replacen("000000000000001", "000000000000009", 1);
    std::fs::copy(dir.join(&name), dir.join(later)).unwrap();
    assert_eq!(keys(&dir), ["key"]);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
}

#[test]
fn many_writers_of_one_key_leave_one_command() {
    let (_home, dir) = folder();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| put(&dir, 5, &prompt("key", "go")).unwrap());
        }
    });
    assert_eq!(keys(&dir), ["key"]);
}

#[test]
fn a_key_never_becomes_a_path() {
    let (home, dir) = folder();
    for key in [
        "../../escape",
        "/etc/passwd",
        "a/b",
        "",
        ".",
        "x\0y",
        &"long".repeat(10_000),
    ] {
        assert_eq!(
            put(&dir, 1, &prompt(key, "go")).unwrap(),
            Put::New,
            "{key:?}"
        );
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    for entry in std::fs::read_dir(&dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let shape = |c: char| c.is_ascii_hexdigit() || "-.json".contains(c);
        assert!(
            name.chars().all(shape) && name.len() == 15 + 1 + 64 + 5,
            "{name}"
        );
    }
    assert_eq!(keys(&dir).len(), 7);
}

#[test]
fn what_is_no_command_is_set_aside_and_told() {
    let (_home, dir) = folder();
    put(&dir, 5, &prompt("good", "go")).unwrap();
    let real = std::fs::read_dir(&dir)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let hash = "0".repeat(64);
    std::fs::write(
        dir.join(format!("000000000000001-{hash}.json")),
        b"{\"key\":",
    )
    .unwrap();
    std::fs::write(
        dir.join(format!("000000000000002-{hash}.json")),
        b"\xff\x00",
    )
    .unwrap();
    std::fs::copy(&real, dir.join(format!("000000000000003-{hash}.json"))).unwrap();
    std::os::unix::fs::symlink(&real, dir.join("000000000000004-link.json")).unwrap();
    std::fs::create_dir(dir.join("000000000000006-folder.json")).unwrap();
    let fifo = dir.join("000000000000007-fifo.json");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let large = std::fs::File::create(dir.join("000000000000008-large.json")).unwrap();
    large.set_len(1 << 40).unwrap();
    std::fs::write(dir.join("notes.txt"), "not ours").unwrap();

    let drained = drain(&dir).unwrap();
    assert_eq!(drained.commands.len(), 1);
    assert_eq!(drained.commands[0].1.key, "good");
    assert_eq!(drained.set_aside.len(), 7);
    for aside in &drained.set_aside {
        assert!(
            aside.path.to_str().unwrap().ends_with(".json.bad"),
            "{aside:?}"
        );
        assert!(aside.path.symlink_metadata().is_ok() && !aside.why.is_empty());
    }
    assert!(drain(&dir).unwrap().set_aside.is_empty(), "told once");
    assert!(dir.join("notes.txt").exists());
}

#[test]
fn a_command_that_is_too_large_is_refused() {
    let (_home, dir) = folder();
    let huge = prompt(&"k".repeat(9 << 20), "go");
    assert!(matches!(put(&dir, 1, &huge), Err(Error::Invalid { .. })));
    assert!(is_empty(&dir).unwrap());
}
