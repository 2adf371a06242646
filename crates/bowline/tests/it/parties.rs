//! A session that waits for somebody outside: killed, signalled twice at once, it goes on once.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

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

/// A run that stays while it waits; gives its session once it does.
#[expect(clippy::zombie_processes, reason = "every caller waits for the child")]
fn staying(scratch: &Scratch) -> (Child, BufReader<std::process::ChildStdout>, String) {
    let model = scenario(scratch);
    let args = [
        "exec",
        "--model",
        &model,
        "--mode",
        "ask",
        "--wait",
        "--output",
        "stream-json",
        "go",
    ];
    let mut child = scratch
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut session = String::new();
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).expect("a line") > 0, "ended early");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        if line["type"] == "session" {
            session = line["session_id"].as_str().expect("an id").to_owned();
        }
        if line["type"] == "waiting" {
            return (child, out, session);
        }
    }
}

#[test]
fn killed_while_it_waits_and_signalled_twice_it_goes_on_once() {
    for _ in 0..rounds() {
        let scratch = Scratch::new();
        let (mut child, _out, session) = staying(&scratch);
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
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
        let (mut child, out, session) = staying(&scratch);
        signal_twice(&scratch, &session);
        let lines: Vec<String> = out.lines().map_while(Result::ok).collect();
        assert!(child.wait().expect("it ends").success());
        assert!(
            lines.iter().any(|line| line.contains("went on")),
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
