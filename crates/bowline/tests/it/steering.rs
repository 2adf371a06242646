//! Words that come in while a turn runs are read after the results of the running calls.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use crate::running::{Running, held, release};
use crate::support::{Scratch, ran};

#[test]
fn what_is_sent_during_a_call_stands_after_its_result() {
    let scratch = Scratch::new();
    let steps = json!([
        held(),
        { "text": "heard", "expect": { "prompt_contains": ["use tabs"],
            "last_result_contains": ["released"] } }
    ]);
    let mut running = Running::start(&scratch, &steps);
    running.until_type("call_output");
    let session = running.session.clone();
    let send = ["send", &session, "use tabs", "--key", "one"];
    scratch.run(&send).expect(0, &["queued", "has the session"]);
    running.until(|line| line["event"]["kind"] == "PromptAccepted");
    // The same message again has no further effect.
    scratch.run(&send).expect(0, &["sent before"]);
    release(&scratch);
    assert_eq!(running.end(), 0);
    let shown = scratch
        .run(&["sessions", "show", &session, "--json"])
        .json();
    let kinds: Vec<&str> = shown["history"]
        .as_array()
        .expect("a history")
        .iter()
        .map(|item| item["type"].as_str().expect("a type"))
        .collect();
    assert_eq!(kinds, ["input", "exchange", "input", "exchange"]);
    assert_eq!(shown["history"][2]["input"]["text"], "use tabs");
}

#[test]
fn what_is_sent_to_a_resting_session_waits_for_the_next_run() {
    let scratch = Scratch::new();
    let steps = json!([{ "text": "first" },
        { "text": "second", "expect": { "prompt_contains": ["and [secret:"] } }]);
    let first = scratch.play("full", &steps, &[]).expect(0, &[]).json();
    let session = first["session_id"].as_str().expect("an id");
    let mut command = scratch.command(&["send", session, "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A made-up key of the shape that a recogniser knows.
    let key = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    write!(stdin, "and {key}").expect("it is read");
    drop(stdin);
    let sent = ran(&child.wait_with_output().expect("it ends"));
    sent.expect(0, &["queued", "bowline resume"]);
    let second = scratch.run(&["exec", "--resume", session, "--output", "json"]);
    assert_eq!(second.expect(0, &[]).json()["result"], "second");
    scratch
        .run(&["send", session, "  "])
        .expect(2, &["nothing to send"]);
    scratch
        .run(&["send", "00000000", "x"])
        .expect(2, &["no session"]);
}
