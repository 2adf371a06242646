//! Ctrl-C, or a supervisor's SIGTERM, once stops the turn with the journal intact; twice quits at once.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

fn interrupt(child: &Child) {
    send("-INT", child);
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(status.expect("kill starts").success());
}

#[expect(clippy::zombie_processes, reason = "every caller waits for the child")]
/// Starts a session whose shell call waits for ever, and gives it once the call has started.
fn hanging(scratch: &Scratch) -> (Child, BufReader<std::process::ChildStdout>) {
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "shell", "input": { "command": "echo started; trap '' INT; while :; do read -t 60 x <> /dev/zero; done" } }] },
        { "text": "never" }
    ]));
    let args = [
        "exec",
        "--model",
        &model,
        "--mode",
        "full",
        "--output",
        "stream-json",
        "go",
    ];
    let mut child = scratch
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).expect("a line") > 0, "ended early");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        // Its output is there, so it runs.
        if line["type"] == "call_output" {
            return (child, out);
        }
    }
}

#[test]
fn once_stops_the_turn_and_the_journal_is_whole() {
    for (signal, by) in [("-INT", "Ctrl-C"), ("-TERM", "SIGTERM")] {
        stops_the_turn(signal, by);
    }
}

fn stops_the_turn(signal: &str, by: &str) {
    let scratch = Scratch::new();
    let (mut child, mut out) = hanging(&scratch);
    send(signal, &child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let last: Value = serde_json::from_str(rest.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["stop_reason"], "cancelled");
    let events = scratch.events();
    let asked = of_kind(&events, "CancelRequested");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["data"]["by"], by);
    assert_eq!(
        of_kind(&events, "TurnEnded")[0]["data"]["stop"],
        "cancelled"
    );
    assert_eq!(
        of_kind(&events, "CallFinished").len(),
        1,
        "the call's end is recorded"
    );
}

#[test]
fn twice_quits_at_once_and_the_session_can_go_on() {
    let scratch = Scratch::new();
    let (mut child, _out) = hanging(&scratch);
    interrupt(&child);
    let mut err = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    err.read_line(&mut line).expect("a line");
    assert!(line.contains("again to quit"), "{line}");
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    scratch.events();
}
