//! Disks that are too small, from a state folder that cannot even be begun to one that holds all
//! but the index; and a state folder that is mounted read-only. Real file systems, the real binary.
//!
//! In CI a few sizes are tried. `BOWLINE_TEST_DISK_STEP_KB=64 cargo test -p bowline --test it disks`
//! goes from 64 KB to 4 MB in steps of so many, with a session that needs about 4 MB.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind};

/// A file system mounted at a folder, if this test may mount one; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(path: PathBuf, args: &[&str]) -> Option<Self> {
        std::fs::create_dir_all(&path).expect("a folder");
        let mounted = mount(args, &path);
        mounted.then_some(Self(path))
    }

    fn tmpfs(path: PathBuf, size: &Size) -> Option<Self> {
        let Size { kilobytes, files } = size;
        let options = format!("size={kilobytes}k,nr_inodes={files},mode=700");
        Self::new(path, &["-t", "tmpfs", "-o", &options, "tmpfs"])
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(mount(&["-o", &options], &self.0), "{options}");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], path: &std::path::Path) -> bool {
    let status = Command::new("mount")
        .args(args)
        .arg(path)
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// What a disk has room for. A disk without room for another file is as full as any.
#[derive(Debug, Clone, Copy)]
struct Size {
    kilobytes: usize,
    files: usize,
}

/// Room for more files than any session makes.
const FILES: usize = 10_000;

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("a line");
}

/// Where a disk of some size failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Failed {
    /// Before any call was recorded.
    Opening,
    /// After one was.
    Append,
    /// Only the index, or the system log, which no session depends on.
    Beside,
    Nowhere,
}

/// Commands that each leave a mark outside of the disk and print so many bytes.
fn steps(calls: usize, bytes: usize) -> Value {
    let call = |number: usize| {
        let command =
            format!("echo mark-{number} >> marks; head -c {bytes} /dev/zero | tr '\\0' x");
        json!({ "calls": [{ "tool": "shell", "input": { "command": command } }] })
    };
    let mut steps: Vec<Value> = (0..calls).map(call).collect();
    steps.push(json!({ "text": "done" }));
    Value::Array(steps)
}

fn marks(scratch: &Scratch) -> Vec<String> {
    let text = std::fs::read_to_string(scratch.work().join("marks")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Every command that left its mark was recorded as started before, and none left it twice.
fn nothing_unrecorded(scratch: &Scratch, note: &str) {
    let marks = marks(scratch);
    if marks.is_empty() {
        return;
    }
    let events = scratch.events();
    let started = of_kind(&events, "CallStarted").len();
    assert!(
        marks.len() <= started,
        "{note}: {marks:?}, {started} starts"
    );
    let mut once = marks.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), marks.len(), "{note}: {marks:?}");
}

fn judge(scratch: &Scratch, ran: &Ran, note: &str) -> Failed {
    let failed = match ran.code {
        0 if ran.err.contains("is not up to date") || ran.err.contains("is not complete") => {
            Failed::Beside
        }
        0 => return Failed::Nowhere,
        1 if marks(scratch).is_empty() => Failed::Opening,
        1 => Failed::Append,
        code => panic!("{note}: exit {code}: {} {}", ran.out, ran.err),
    };
    let text = format!("{}{}", ran.out, ran.err);
    let full = text.contains("the disk is full") && text.contains("Make room");
    // SQLite does not say why it cannot make the file that it keeps beside the index.
    let beside = failed == Failed::Beside && text.contains("has room");
    assert!(full || beside, "{note}: {text}");
    failed
}

/// Opened while there is still no room, a session does nothing and says why.
fn full_still(scratch: &Scratch, note: &str) {
    let before = marks(scratch);
    for session in scratch.sessions() {
        let model = format!("scripted/{}", scratch.path("scenario.json").display());
        let ran = scratch.run(&["exec", "--resume", &session, "--model", &model]);
        assert_eq!(ran.code, 1, "{note}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains("the disk is full"), "{note}: {}", ran.err);
    }
    assert_eq!(marks(scratch), before, "{note}");
}

/// With room again every session that there is opens, and goes on to its end.
fn goes_on(scratch: &Scratch, calls: usize, note: &str) {
    for session in scratch.sessions() {
        let shown = scratch.run(&["events", &session, "--json"]);
        if shown.out.is_empty() {
            // Nothing was ever acknowledged.
            continue;
        }
        let model = format!("scripted/{}", scratch.path("scenario.json").display());
        let ran = scratch.run(&["exec", "--resume", &session, "--model", &model, "go on"]);
        assert!(!ran.err.contains("damaged"), "{note}: {}", ran.err);
        assert!(matches!(ran.code, 0 | 1), "{note}: {} {}", ran.out, ran.err);
        scratch.run(&["events", &session, "--json"]).expect(0, &[]);
        nothing_unrecorded(scratch, note);
        assert!(marks(scratch).len() <= calls, "{note}");
    }
}

#[test]
fn disks_of_every_size_stop_the_next_act_and_lose_nothing() {
    let step = std::env::var("BOWLINE_TEST_DISK_STEP_KB").ok();
    let step: Option<usize> = step.and_then(|text| text.parse().ok());
    let of_kilobytes = |kilobytes| Size {
        kilobytes,
        files: FILES,
    };
    let of_files = |files| Size {
        kilobytes: 4096,
        files,
    };
    let (calls, bytes) = if step.is_some() {
        (20, 300_000)
    } else {
        (3, 8_000)
    };
    let sizes: Vec<Size> = match step {
        Some(step) => (64..=4096)
            .step_by(step)
            .map(of_kilobytes)
            .chain((2..40).map(of_files))
            .collect(),
        None => [64, 128, 160, 192, 224, 256]
            .map(of_kilobytes)
            .into_iter()
            .chain([3, 9, 14, 20].map(of_files))
            .collect(),
    };
    let mut found: BTreeMap<Failed, Vec<String>> = BTreeMap::new();
    for size in sizes {
        let note = match size.files {
            FILES => format!("{} KB", size.kilobytes),
            files => format!("{files} files"),
        };
        let scratch = Scratch::new();
        let Some(disk) = Mounted::tmpfs(scratch.home(), &size) else {
            say("skipped: this user may not mount a tmpfs");
            return;
        };
        let ran = scratch.play("full", &steps(calls, bytes), &[]);
        let failed = judge(&scratch, &ran, &note);
        if failed == Failed::Append {
            full_still(&scratch, &note);
        }
        disk.remount(&format!("size=32m,nr_inodes={FILES}"));
        nothing_unrecorded(&scratch, &note);
        goes_on(&scratch, calls, &note);
        found.entry(failed).or_default().push(note);
    }
    say(&format!("disks by what failed: {found:?}"));
    for failed in [Failed::Opening, Failed::Append, Failed::Beside] {
        assert!(
            found.contains_key(&failed),
            "{failed:?} in no size: {found:?}"
        );
    }
}

#[test]
fn a_state_folder_mounted_read_only_says_so_and_opens_again_later() {
    let scratch = Scratch::new();
    scratch
        .play("full", &json!([{ "text": "one" }, { "text": "two" }]), &[])
        .expect(0, &[]);
    let session = scratch.sessions().remove(0);
    let home = scratch.home();
    let own = home.display().to_string();
    let Some(bound) = Mounted::new(home.clone(), &["--bind", &own]) else {
        say("skipped: this user may not mount");
        return;
    };
    bound.remount("bind,ro");
    let before = crate::support::snapshot(&home);
    for args in [
        vec!["exec", "--resume", &session, "again"],
        vec!["exec", "--model", "scripted/none.json", "new"],
        vec!["sessions", "delete", &session, "--yes"],
    ] {
        let ran = scratch.run(&args);
        assert_ne!(ran.code, 0, "{args:?}: {}", ran.out);
        if !args.contains(&"new") {
            ran.expect(1, &["the file system is read-only", "writable again"]);
        }
    }
    assert_eq!(crate::support::snapshot(&home), before);
    scratch.run(&["events", &session, "--json"]).expect(0, &[]);
    drop(bound);
    scratch
        .run(&["exec", "--resume", &session, "again"])
        .expect(0, &["two"]);
}
