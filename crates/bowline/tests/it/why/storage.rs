//! Disks that are full, read-only, or give back something else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Expect, check, check_with};
use crate::support::{Scratch, ran};

/// A small file system of its own, if this test may mount one; unmounted when dropped.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(path: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(path).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(path))
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let done = Command::new("mount")
            .args(["-o", &options])
            .arg(self.0)
            .status();
        assert!(done.expect("mount starts").success(), "{option}");
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Writes to `path` until nothing more fits.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).expect("a file");
    for size in [64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![0_u8; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk() {
    let scratch = Scratch::new();
    let home = scratch.home();
    let disk = Disk::mount(&home);
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "read", "input": { "path": "pipe" } }] },
        { "text": "x".repeat(60_000) }
    ]));
    scratch.file("pipe", "hello\n");
    let args = ["exec", "--model", &model, "--mode", "full", "go"];
    if disk.is_some() {
        // The first run makes what there must be; then there is no room for another.
        scratch
            .run(&["tools", "call", "list", "--input", "{}"])
            .expect(0, &[]);
        fill(&home.join("fill"));
        let session = scratch.sessions().remove(0);
        // More than what is left of a page that has room.
        let prompt = "all of it ".repeat(2_000);
        let resumed = scratch.run(&["exec", "--resume", &session, "--model", &model, &prompt]);
        resumed.expect(1, &[]);
    } else {
        let line = format!(
            "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\" # {}",
            home.display()
        );
        let mut command = Command::new("bash");
        let plain = scratch.command(&args);
        command
            .args(["-c", &line])
            .arg(plain.get_program())
            .args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(scratch.work());
        ran(&command.output().expect("bash")).expect(1, &[]);
    }
    let expect = Expect {
        standing: "storage_failed",
        cause: &["State could not be written", "the last durable event"],
        source: "StorageFailed",
        last: if disk.is_some() {
            "TurnEnded"
        } else {
            "AttemptReserved"
        },
        outstanding: &["never acknowledged"],
        next: &["make room on the disk", "bowline exec --resume"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_state_folder_that_became_read_only() {
    let scratch = Scratch::new();
    let home = scratch.home();
    let disk = Disk::mount(&home);
    let lock = |locked: bool| match &disk {
        Some(disk) => disk.remount(if locked { "ro" } else { "rw" }),
        None => {
            let mode = if locked { 0o500 } else { 0o700 };
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&home, permissions).expect("changed");
        }
    };
    scratch
        .play("full", &json!([{ "text": "one" }]), &[])
        .expect(0, &[]);
    lock(true);
    let session = scratch.sessions().remove(0);
    if disk.is_some() {
        scratch
            .run(&["exec", "--resume", &session, "again"])
            .expect(1, &["ead-only"]);
    }
    let expect = Expect {
        standing: "ended",
        cause: &["The turn ended as it should"],
        source: "Stopped",
        last: "TurnEnded",
        outstanding: &[],
        next: &[
            "make the state folder writable again",
            "bowline exec --resume",
        ],
    };
    let page = check_with(&scratch, &expect, || lock(false), || lock(true));
    let cause = page["cause"].to_string();
    assert!(
        cause.contains("The state folder cannot be written"),
        "{cause}"
    );
    lock(false);
}

#[test]
fn a_damaged_journal() {
    let scratch = Scratch::new();
    scratch
        .play("full", &json!([{ "text": "one" }]), &[])
        .expect(0, &[]);
    let session = scratch.sessions().remove(0);
    let journal = scratch
        .home()
        .join("sessions")
        .join(&session)
        .join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).expect("a journal");
    std::fs::write(&journal, text.replace("\"TurnStarted\"", "\"TurnStarred\"")).expect("changed");
    scratch
        .run(&["exec", "--resume", &session, "again"])
        .expect(1, &["damaged"]);
    let expect = Expect {
        standing: "damaged",
        cause: &["is damaged at record", "does not match"],
        source: "StorageFailed",
        last: "PromptAccepted",
        outstanding: &["begin a turn"],
        next: &["bowline events", "from a backup"],
    };
    check(&scratch, &expect);
}
