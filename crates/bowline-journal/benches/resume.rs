//! The figure for resuming: a session of 100,000 events is opened and folded by a process of its
//! own within 1 s and 200 MB. Fails when it is not.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that cannot set itself up has nothing to measure"
)]

#[path = "../tests/it/sample.rs"]
#[expect(
    dead_code,
    reason = "written for the tests; the benches use a part of it"
)]
mod sample;

use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use bowline_core::State;
use bowline_journal::{Journal as _, Store};

use sample::{Script, block_on, journal_of, owner, session_id};

/// Names the state folder for the process that is measured.
const HOME: &str = "JOURNAL_BENCH_RESUME_HOME";
/// Steps of five events each.
const STEPS: usize = 20_000;
/// The figures to hold.
const MOST_MS: u64 = 1_000;
const MOST_KB: u64 = 200 << 10;
/// How often it is measured. The fastest counts: what others do on the machine is not ours.
const TIMES: usize = 5;

fn main() {
    if let Ok(home) = std::env::var(HOME) {
        measure(&Store::at(home));
        return;
    }
    // Other filters of a bench run are for other benches.
    let others =
        |argument: &String| !argument.starts_with('-') && !"resume".contains(argument.as_str());
    if std::env::args().skip(1).any(|argument| others(&argument)) {
        return;
    }
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    for output_bytes in [20, 400] {
        let state = home.path().join(output_bytes.to_string());
        let bytes = prepare(&Store::at(&state), output_bytes);
        let fastest = (0..TIMES).map(|_| run(&state, bytes)).min();
        assert!(
            fastest.is_some_and(|ms| ms <= MOST_MS),
            "more than {MOST_MS} ms"
        );
    }
}

/// Writes a session whose every call printed so many bytes; gives the size of its journal.
fn prepare(store: &Store, output_bytes: usize) -> usize {
    let mut script = Script::begin(session_id(1), "/srv/project", "Find the fault.");
    for step in 0..STEPS {
        let command = format!("grep -n needle{step} src/lib.rs");
        script.shell_step(&command, &"n".repeat(output_bytes));
    }
    script.finish("It was the needle.");
    let whole = journal_of(session_id(1), &script.events);
    drop(store.create(session_id(1), &owner()).expect("it is empty"));
    let dir = store.session_dir(session_id(1));
    let head = whole.synced().expect("it is not empty");
    std::fs::write(dir.head(), head.render(session_id(1))).expect("the disk works");
    std::fs::write(dir.journal(), whole.bytes()).expect("the disk works");
    whole.bytes().len()
}

/// Measures once; gives the time in milliseconds.
fn run(home: &std::path::Path, bytes: usize) -> u64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .env(HOME, home)
        .output()
        .expect("this program starts");
    let told = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = told
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let [events, ms, peak_kb] = numbers[..] else {
        panic!("the measured process failed: {told}");
    };
    let (megabytes, peak) = (bytes >> 20, peak_kb >> 10);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "resume: {events} events, journal of {megabytes} MB: {ms} ms, peak {peak} MB"
    )
    .unwrap();
    assert!(peak_kb <= MOST_KB, "more than {MOST_KB} KB");
    ms
}

/// The measured process: opens, folds, says how long it took and the most memory it ever held.
fn measure(store: &Store) {
    let began = Instant::now();
    let owned = store.open(session_id(1), &owner()).expect("it is intact");
    let state: State = block_on(owned.journal.fold()).expect("it is intact");
    let ms = began.elapsed().as_millis();
    assert_eq!(state.misfits(), 0);
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let peak_kb = peak
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    let events = owned.journal.head().0;
    let mut out = std::io::stdout();
    writeln!(out, "{events} {ms} {peak_kb}").unwrap();
}
