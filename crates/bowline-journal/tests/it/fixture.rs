//! Every journal version ever released still folds (I12).

use std::path::PathBuf;

use bowline_core::{State, StopReason, apply};
use bowline_journal::record::{Head, Tail, verify};

use crate::sample::{Script, finished, journal_of, session_id};

/// Set it to write the fixture anew, which is right only before its version is released.
const WRITE: &str = "JOURNAL_TEST_WRITE_FIXTURE";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/journals/v1")
}

/// What the fixture holds: two turns, two owners, a question that waits.
fn script() -> Script {
    let mut script = finished(session_id(42), "/srv/project", 3);
    script.own(bowline_core::Epoch(2));
    script.ask(
        "prompt-2",
        "Und jetzt? Ein zweites Mal, mit \u{1f41a} und \"Zeichen\".",
    );
    script.push(bowline_core::Fact::TurnStarted(
        bowline_core::event::TurnStarted {
            turn: bowline_core::TurnId(2),
        },
    ));
    script.waiting_step("rm -rf build");
    script
}

#[test]
fn version_1_still_verifies_and_folds() {
    let journal = journal_of(session_id(42), &script().events);
    let (journal_file, head_file) = (folder().join("basic.jsonl"), folder().join("basic.head"));
    if std::env::var_os(WRITE).is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&journal_file, journal.bytes()).unwrap();
        let head = journal.synced().unwrap().render(session_id(42));
        std::fs::write(&head_file, head).unwrap();
    }
    let bytes = std::fs::read(&journal_file).unwrap();
    let head = Head::parse(session_id(42), &std::fs::read(&head_file).unwrap()).unwrap();
    let verified = verify(session_id(42), &bytes, Some(head));
    assert_eq!(verified.tail, Tail::Clean);
    let events = verified
        .records
        .iter()
        .map(|record| record.event().unwrap());
    let state = events.fold(State::new(), |state, event| apply(state, &event));
    assert_eq!(state.misfits(), 0);
    assert_eq!(state.session(), Some(session_id(42)));
    assert_eq!(state.cwd(), "/srv/project");
    assert_eq!(state.steps(), 5);
    assert_eq!(state.ledger().calls_run, 3);
    assert_eq!(state.epoch(), bowline_core::Epoch(2));
    assert_eq!(state.waiting().count(), 1);
    assert_eq!(state.history().len(), 6);
    assert_ne!(
        state.last_stop().map(|(stop, _)| stop),
        Some(StopReason::Cancelled)
    );
}

/// Today's writer still writes version 1, byte for byte.
#[test]
fn the_writer_writes_version_1() {
    let journal = journal_of(session_id(42), &script().events);
    let bytes = std::fs::read(folder().join("basic.jsonl")).unwrap();
    let today = String::from_utf8(journal.bytes().to_vec()).unwrap();
    let then = String::from_utf8(bytes).unwrap();
    for (at, (today, then)) in today.lines().zip(then.lines()).enumerate() {
        assert_eq!(today, then, "line {}", at + 1);
    }
    assert_eq!(today.len(), then.len());
}
