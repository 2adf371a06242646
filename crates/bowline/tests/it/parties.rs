//! A session that waits for somebody outside: killed, signalled twice at once, it goes on once.

use std::process::{Child, Stdio};

use serde_json::json;

use crate::running::{Running, stream};
use crate::support::{Scratch, of_kind};

/// Rounds here; more by `BOWLINE_PARTY_ROUNDS`.
fn rounds() -> usize {
    let asked = std::env::var("BOWLINE_PARTY_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(2)
}

fn scenario(scratch: &Scratch) -> String {
    scratch.scenario(&json!([
        { "calls": [{ "tool": "wait_for", "input": { "name": "review" } }] },
        { "text": "went on" }
    ]))
}

/// Signals twice from two processes that begin together.
fn signal_twice(scratch: &Scratch, session: &str) {
    let begin = |payload: &str| -> Child {
        let args = ["signal", session, "review", "--payload", payload];
        let mut command = scratch.command(&args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    };
    let both = ["\"one\"", "\"two\""].map(begin);
    for mut child in both {
        assert!(child.wait().expect("it ends").success());
    }
}

#[track_caller]
fn went_on_once(scratch: &Scratch) {
    let events = scratch.events();
    for (kind, count) in [
        ("SignalReceived", 1),
        ("WaitEnded", 1),
        ("ModelReplied", 2),
        ("TurnEnded", 1),
    ] {
        assert_eq!(of_kind(&events, kind).len(), count, "{kind}");
    }
    let told = scratch.results();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("The signal `review` came"), "{told:?}");
}

/// A run that stays while it waits.
fn staying(scratch: &Scratch) -> Running {
    let model = scenario(scratch);
    let mut running = Running::begin(scratch, &stream(&model, "ask", &["--wait"]));
    running.until_type("waiting");
    running
}

#[test]
fn killed_while_it_waits_and_signalled_twice_it_goes_on_once() {
    for _ in 0..rounds() {
        let scratch = Scratch::new();
        let mut running = staying(&scratch);
        running.child.kill().expect("it is killed");
        running.child.wait().expect("it ends");
        let session = running.session.clone();
        let listed = scratch.run(&["inbox", "--json"]).json();
        assert_eq!(listed[0]["kind"], "party", "{listed:#}");
        signal_twice(&scratch, &session);
        scratch.run(&["resume", &session]).expect(0, &["went on"]);
        went_on_once(&scratch);
        scratch
            .run(&["resume", &session])
            .expect(2, &["nothing outstanding"]);
        went_on_once(&scratch);
    }
}

#[test]
fn signalled_twice_while_a_run_stays_it_goes_on_once() {
    for _ in 0..rounds() {
        let scratch = Scratch::new();
        let mut running = staying(&scratch);
        signal_twice(&scratch, &running.session);
        let lines = running.rest();
        assert!(running.child.wait().expect("it ends").success());
        assert!(
            lines
                .iter()
                .any(|line| line.to_string().contains("went on")),
            "{lines:?}"
        );
        went_on_once(&scratch);
    }
}

/// Parked, with nobody there at all.
#[test]
fn signalled_twice_while_nobody_drives_it_it_goes_on_once() {
    for _ in 0..rounds() {
        let scratch = Scratch::new();
        let model = scenario(&scratch);
        let args = [
            "exec", "--model", &model, "--mode", "ask", "--output", "json", "go",
        ];
        let result = scratch.run(&args).expect(3, &[]).json();
        let session = result["session_id"].as_str().expect("an id");
        signal_twice(&scratch, session);
        scratch.run(&["resume", session]).expect(0, &["went on"]);
        went_on_once(&scratch);
    }
}
