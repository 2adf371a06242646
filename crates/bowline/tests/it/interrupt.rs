//! Ctrl-C, or a supervisor's SIGTERM, once stops the turn with the journal intact; twice quits at once.

use std::io::{BufRead as _, BufReader};

use serde_json::json;

use crate::running::Running;
use crate::support::{Scratch, of_kind};

/// Starts a session whose shell call waits for ever, and gives it once the call has started.
fn hanging(scratch: &Scratch) -> Running {
    let mut running = Running::start(
        scratch,
        &json!([
            { "calls": [{ "tool": "shell", "input": { "command": "echo started; trap '' INT; while :; do read -t 60 x <> /dev/zero; done" } }] },
            { "text": "never" }
        ]),
    );
    // Its output is there, so it runs.
    running.until_type("call_output");
    running
}

#[test]
fn once_stops_the_turn_and_the_journal_is_whole() {
    for (signal, by) in [("-INT", "Ctrl-C"), ("-TERM", "SIGTERM")] {
        stops_the_turn(signal, by);
    }
}

fn stops_the_turn(signal: &str, by: &str) {
    let scratch = Scratch::new();
    let mut running = hanging(&scratch);
    running.signal(signal);
    let rest = running.rest();
    assert_eq!(running.child.wait().expect("it ends").code(), Some(130));
    let last = rest.last().expect("a line");
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
    let mut running = hanging(&scratch);
    running.signal("-INT");
    let mut err = BufReader::new(running.child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    err.read_line(&mut line).expect("a line");
    assert!(line.contains("again to quit"), "{line}");
    running.signal("-INT");
    assert_eq!(running.child.wait().expect("it ends").code(), Some(130));
    scratch.events();
}
