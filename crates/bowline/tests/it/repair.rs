//! `sessions repair` over the binary: what is kept, what is told, what is never done twice.

use std::path::PathBuf;

use serde_json::json;

use crate::support::{Scratch, of_kind, snapshot};

fn journal(scratch: &Scratch, session: &str) -> PathBuf {
    let folder = scratch.home().join("sessions").join(session);
    folder.join("journal.jsonl")
}

/// Cuts the journal before the first record of a kind; gives how many records are left.
fn cut_before(scratch: &Scratch, session: &str, kind: &str) -> usize {
    let path = journal(scratch, session);
    let text = std::fs::read_to_string(&path).expect("a journal");
    let wanted = format!("\"kind\":\"{kind}\"");
    let kept: Vec<&str> = text
        .split_inclusive('\n')
        .take_while(|line| !line.contains(&wanted))
        .collect();
    std::fs::write(&path, kept.concat()).expect("cut");
    kept.len()
}

#[test]
fn a_damaged_session_is_shown_then_repaired_then_goes_on() {
    let scratch = Scratch::new();
    let steps = json!([{ "text": "one" }, { "text": "two" }]);
    scratch.play("full", &steps, &[]).expect(0, &[]);
    let session = scratch.sessions().remove(0);
    scratch
        .run(&["sessions", "repair", &session])
        .expect(0, &["nothing to repair"]);

    let path = journal(&scratch, &session);
    let text = std::fs::read_to_string(&path).expect("a journal");
    let damaged = text.replace("\"text\":\"one\"", "\"text\":\"won\"");
    assert_ne!(damaged, text);
    std::fs::write(&path, &damaged).expect("changed");
    scratch
        .run(&["exec", "--resume", &session, "again"])
        .expect(1, &["damaged", "sessions repair"]);

    let before = snapshot(&scratch.home());
    let shown = [
        "does not match",
        "ModelReplied (changed)",
        "TurnEnded",
        "lost:",
    ];
    scratch
        .run(&["sessions", "repair", &session, "--dry-run"])
        .expect(0, &shown)
        .expect(0, &["nothing was changed"]);
    // Nobody is at the terminal to say yes.
    scratch
        .run(&["sessions", "repair", &session])
        .expect(2, &["--yes"]);
    assert_eq!(snapshot(&scratch.home()), before);

    scratch
        .run(&["sessions", "repair", &session, "--yes"])
        .expect(0, &shown)
        .expect(0, &["is repaired", "journal.jsonl.damaged-1"]);
    let aside = path.with_file_name("journal.jsonl.damaged-1");
    assert_eq!(std::fs::read_to_string(aside).expect("kept"), damaged);
    scratch
        .run(&["log", "--kind", "JournalRepaired"])
        .expect(0, &["were kept", "lost"]);

    scratch
        .run(&["exec", "--resume", &session, "again"])
        .expect(0, &[]);
    let shown = scratch
        .run(&["sessions", "show", &session, "--json"])
        .json();
    assert_eq!(shown["damage"], json!(null));
    assert!(
        shown["history"].to_string().contains("were lost"),
        "{shown}"
    );
    scratch
        .run(&["sessions", "repair", &session])
        .expect(0, &["nothing to repair"]);
}

/// An approved command ran, and the record of its start is lost: it is not run again, and the model
/// is told.
#[test]
fn a_call_that_may_have_run_unrecorded_is_not_run_again() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": { "command": "echo x >> marks" } }] },
        { "text": "one" },
        { "text": "two" }
    ]);
    let parked = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    let session = parked["session_id"].as_str().expect("an id").to_owned();
    let question = parked["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch.run(&["approve", question]).expect(0, &[]);
    scratch
        .run(&["exec", "--resume", &session])
        .expect(0, &["one"]);
    let marks = || std::fs::read_to_string(scratch.work().join("marks")).expect("it ran");
    assert_eq!(marks(), "x\n");

    let kept = cut_before(&scratch, &session, "CallStarted");
    scratch
        .run(&["sessions", "repair", &session, "--yes"])
        .expect(0, &["nothing is there any more", "not run again by itself"]);
    scratch.run(&["exec", "--resume", &session]).expect(0, &[]);
    assert_eq!(marks(), "x\n", "it ran twice");
    let events = scratch.events();
    assert!(events.len() > kept);
    assert_eq!(of_kind(&events, "CallStarted").len(), 0);
    let rejected = of_kind(&events, "CallRejected");
    assert_eq!(rejected.len(), 1);
    assert!(
        rejected[0]
            .to_string()
            .contains("Whether it ran is unknown")
    );
    let last = &scratch.results()[0];
    assert!(
        last.contains("Look at what it would have changed"),
        "{last}"
    );
}

/// Every cut of a session at a border is repaired, and the session goes on.
#[test]
fn a_session_cut_anywhere_is_repaired_and_goes_on() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": { "command": "echo x >> marks" } }] },
        { "text": "one" }, { "text": "two" }, { "text": "three" }
    ]);
    scratch.play("full", &steps, &[]).expect(0, &[]);
    let session = scratch.sessions().remove(0);
    let kinds = [
        "TurnEnded",
        "CallFinished",
        "Decided",
        "ModelReplied",
        "AttemptReserved",
    ];
    for kind in kinds {
        cut_before(&scratch, &session, kind);
        scratch
            .run(&["sessions", "repair", &session, "--yes"])
            .expect(0, &["is repaired"]);
        let resumed = scratch.run(&["exec", "--resume", &session, "--mode", "read-only", "go on"]);
        assert!(!resumed.err.contains("damaged"), "{kind}: {}", resumed.err);
        scratch.run(&["events", &session]).expect(0, &[]);
    }
    let marks = std::fs::read_to_string(scratch.work().join("marks")).expect("it ran");
    assert_eq!(marks, "x\n");
}
