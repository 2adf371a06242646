//! A command that writes far more than anybody wants to keep: memory and disk stay bounded.
//!
//! CI writes 64 MB; `BOWLINE_OUTPUT_MB=1000` writes what the figure is stated for. Most of it are
//! zeros, which a debug build masks quickly; the end are lines, as they are told.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::Scratch;

/// Most memory of harness and of keeper, each, in KiB.
const PEAK_KIB_MAX: u64 = 64 << 10;

/// What the spool of a command may take on disk: its head, two tails, and the small records.
const SPOOL_BYTES_MAX: u64 = 3 * (256 << 10) + (8 << 10);

fn megabytes() -> u64 {
    let asked = std::env::var("BOWLINE_OUTPUT_MB").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(64)
}

/// Most memory that process `pid` has held so far, in KiB.
fn peak_kib(pid: u64) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map(|peak| peak.trim().trim_end_matches(" kB").parse());
    peak.expect("a line").expect("a number")
}

/// Bytes of all files below `folder`.
fn bytes_below(folder: &Path) -> u64 {
    let files = crate::support::snapshot(folder);
    files.values().map(|content| content.len() as u64).sum()
}

/// The folder of the records of the first kept command.
fn attempt(scratch: &Scratch) -> PathBuf {
    let session = scratch.sessions().remove(0);
    let spool = scratch.home().join("sessions").join(session).join("spool");
    let mut entries = std::fs::read_dir(spool).expect("a spool");
    entries
        .next()
        .expect("an attempt")
        .expect("an entry")
        .path()
}

fn wait_for(path: &Path) {
    while !path.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn memory_and_disk_stay_bounded() {
    let scratch = Scratch::new();
    let megabytes = megabytes();
    let gate = |name: &str| format!(": >{name}; until [ -e {name}.go ]; do sleep 0.01; done");
    let command = format!(
        "head -c {megabytes}000000 /dev/zero; yes 'a line of some words' | head -c 1000000; {}",
        gate("written")
    );
    let shell = |command: &str| json!({ "calls": [{ "tool": "shell", "input": { "command": command, "timeout_ms": 600_000 } }] });
    let model = scratch.scenario(&json!([
        shell(&command),
        shell(&gate("told")),
        { "text": "done" }
    ]));
    let mut harness = scratch
        .command(&[
            "exec",
            "--model",
            &model,
            "--mode",
            "full",
            "--output",
            "stream-json",
            "go",
        ])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_for(&scratch.work().join("written"));
    let records = attempt(&scratch);
    let claim = std::fs::read(records.join("claim")).expect("a claim");
    let claim: Value = serde_json::from_slice(&claim).expect("JSON");
    let keeper = peak_kib(claim["keeper_pid"].as_u64().expect("a keeper"));
    let on_disk = bytes_below(&records);
    scratch.file("written.go", "");
    wait_for(&scratch.work().join("told"));
    let harness_peak = peak_kib(harness.id().into());
    scratch.file("told.go", "");
    assert!(harness.wait().expect("it ends").success());
    let kept = bytes_below(&scratch.home());
    println!(
        "{megabytes} MB of output: harness {harness_peak} KiB, keeper {keeper} KiB at their peaks; \
         spool {on_disk} bytes, all of the state folder afterwards {kept} bytes"
    );
    assert!(keeper <= PEAK_KIB_MAX, "the keeper held {keeper} KiB");
    assert!(
        harness_peak <= PEAK_KIB_MAX,
        "the harness held {harness_peak} KiB"
    );
    assert!(on_disk <= SPOOL_BYTES_MAX, "{on_disk} bytes of spool");
    let result = scratch.results().remove(0);
    assert!(result.contains("bytes left out here]"), "{result}");
}
