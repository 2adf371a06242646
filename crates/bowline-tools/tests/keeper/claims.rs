//! Who comes first to an attempt, and what its folder proves afterwards.

use std::fs;

use bowline_tools::keeper::record::{Record, read_claim};
use bowline_tools::keeper::{Claim, Fate, Settled, recover};

use crate::support::{Case, Place, block_on, finished};

pub(crate) const CASES: &[Case] = &[
    ("a_revoked_attempt_never_runs", a_revoked_attempt_never_runs),
    ("exactly_one_wins_the_claim", exactly_one_wins_the_claim),
    ("a_second_keeper_leaves_the_first_alone", a_second_keeper),
    ("whole_records_are_believed", whole_records_are_believed),
    ("everything_else_is_in_doubt", everything_else_is_in_doubt),
    (
        "a_folder_that_cannot_be_is_in_doubt",
        a_folder_that_cannot_be_is_in_doubt,
    ),
];

pub(crate) fn a_revoked_attempt_never_runs() {
    let place = Place::new();
    let settled = recover::settle(&place.attempt(), "harness restarted");
    let Settled::DidNot { why } = settled else {
        panic!("{settled:?}")
    };
    assert!(why.contains("harness restarted"), "{why}");
    let Fate::NeverStarted { why } = place.fate(&place.order("touch ran")) else {
        panic!("it was started")
    };
    assert!(why.contains("revoked"), "{why}");
    assert!(!place.path("ran").exists());
    assert!(matches!(
        recover::settle(&place.attempt(), "again"),
        Settled::DidNot { .. }
    ));
}

pub(crate) fn exactly_one_wins_the_claim() {
    let (mut ran, mut revoked) = (0, 0);
    for round in 0..200 {
        let place = Place::new();
        let kept = (round % 4 != 0).then(|| place.launch(&place.order(": >ran")));
        let settled = match round % 4 {
            1 => {
                place.started();
                recover::settle(&place.attempt(), "test")
            }
            _ => {
                // Meets the starting keeper at a different moment in each round.
                (0..round * 10_000).for_each(|n| {
                    std::hint::black_box(n);
                });
                recover::settle(&place.attempt(), "test")
            }
        };
        let kept = kept.unwrap_or_else(|| place.launch(&place.order(": >ran")));
        let fate = block_on(kept.wait(|_| {}));
        match (&fate, &settled, place.path("ran").exists()) {
            (Fate::Finished(_), Settled::Running(_) | Settled::Happened(_), true) => ran += 1,
            (Fate::NeverStarted { .. }, Settled::DidNot { .. }, false) => revoked += 1,
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert!(
        ran >= 50 && revoked >= 50,
        "{ran} ran, {revoked} were revoked"
    );
}

pub(crate) fn a_second_keeper() {
    let place = Place::new();
    let fifo = place.fifo("fifo");
    let first = place.launch(&place.order(&format!("read line <{}; exit 4", fifo.display())));
    place.started();
    let fate = place.fate(&place.order("touch ran"));
    let Fate::InDoubt { why, ended } = fate else {
        panic!("{fate:?}")
    };
    assert!(
        why.contains("another keeper") && ended.is_empty(),
        "{why} {ended:?}"
    );
    fs::write(fifo, "\n").unwrap();
    assert_eq!(finished(block_on(first.wait(|_| {}))).code, Some(4));
    assert!(!place.path("ran").exists());
}

/// Names the variant and its reason.
fn name(settled: &Settled) -> String {
    match settled {
        Settled::DidNot { why } => format!("did not: {why}"),
        Settled::Running(_) => "running".into(),
        Settled::Happened(exit) => format!("happened: {:?}", exit.code),
        Settled::InDoubt { why, .. } => format!("in doubt: {why}"),
    }
}

/// Settles a folder holding `files`, twice, and compares what it says with `expect`.
fn check(files: &[(&str, &str)], lock: Lock, expect: &str) {
    let place = Place::new();
    fs::create_dir_all(place.attempt()).unwrap();
    for (file, content) in files {
        fs::write(place.attempt().join(file), content).unwrap();
    }
    let _held = match lock {
        Lock::Absent => None,
        Lock::Free => Some(fs::File::create(place.attempt().join("lock")).unwrap()),
        Lock::Held => {
            let file = fs::File::create(place.attempt().join("lock")).unwrap();
            file.lock().unwrap();
            Some(file)
        }
    };
    for _ in 0..2 {
        let settled = recover::settle(&place.attempt(), "test");
        let found = name(&settled);
        assert!(found.contains(expect), "{files:?}, lock {lock:?}: {found}");
        if let Settled::InDoubt { output, .. } = settled {
            let written = files.iter().find(|(file, _)| *file == "out.head");
            let written = written.map_or("", |(_, content)| content);
            assert_eq!(output.head, written.as_bytes());
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Lock {
    Absent,
    Free,
    Held,
}

/// The records a real keeper and a real recovery leave: claim, exit, revoked claim.
fn real_records() -> (String, String, String) {
    let (kept, revoked) = (Place::new(), Place::new());
    kept.exit("echo some output; exit 5");
    recover::settle(&revoked.attempt(), "test");
    let read = |place: &Place, file: &str| fs::read_to_string(place.attempt().join(file)).unwrap();
    (
        read(&kept, "claim"),
        read(&kept, "exit.json"),
        read(&revoked, "claim"),
    )
}

fn newer(record: &str) -> String {
    record.replace("\"version\":1", "\"version\":2")
}

fn cut(record: &str) -> &str {
    &record[..record.len() / 2]
}

pub(crate) fn whole_records_are_believed() {
    use Lock::{Absent, Free, Held};
    let (claim, exit, revoked) = real_records();
    check(&[], Absent, "did not: revoked before it started: test");
    check(&[], Held, "did not: revoked before it started: test");
    check(
        &[("claim", &revoked)],
        Absent,
        "did not: revoked before it started: test",
    );
    check(
        &[("claim", &revoked)],
        Held,
        "did not: revoked before it started: test",
    );
    check(&[("claim", &claim)], Held, "running");
    check(&[("claim", "")], Held, "running");
    check(
        &[("claim", &claim), ("exit.json", &exit)],
        Free,
        "happened: Some(5)",
    );
    check(
        &[("claim", &claim), ("exit.json", &exit)],
        Held,
        "happened: Some(5)",
    );
}

pub(crate) fn everything_else_is_in_doubt() {
    use Lock::{Absent, Free};
    let (claim, exit, revoked) = real_records();
    check(
        &[("claim", &claim), ("out.head", "x")],
        Free,
        "in doubt: its keeper (process ",
    );
    check(
        &[("claim", &claim), ("out.head", "x")],
        Absent,
        "left no exit record",
    );
    check(
        &[("claim", &claim), ("exit.json.tmp", &exit)],
        Free,
        "left no exit record",
    );
    check(
        &[("claim", &claim), ("exit.json", cut(&exit))],
        Free,
        "does not parse",
    );
    check(&[("claim", &claim), ("exit.json", "")], Free, "is empty");
    check(
        &[("claim", &claim), ("exit.json", &newer(&exit))],
        Free,
        "exit.json has version 2",
    );
    check(&[("claim", "")], Free, "in doubt: ");
    check(
        &[("claim", cut(&claim)), ("out.head", "x")],
        Free,
        "does not parse",
    );
    check(&[("claim", &newer(&claim))], Free, "claim has version 2");
    check(
        &[("claim", &newer(&revoked))],
        Absent,
        "claim has version 2",
    );
    check(&[("claim", "\u{0}\u{1}garbage")], Free, "in doubt: ");
}

fn a_folder_that_cannot_be_is_in_doubt() {
    let place = Place::new();
    fs::write(place.path("spool"), "a file where a folder belongs").unwrap();
    let settled = recover::settle(&place.attempt(), "test");
    assert!(
        name(&settled).contains("could not be revoked"),
        "{settled:?}"
    );
    assert!(matches!(
        read_claim(&place.attempt()),
        Record::<Claim>::Unreadable(_)
    ));
}
