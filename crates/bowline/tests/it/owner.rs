//! A session that another process owns: told, watched, taken over; an overtaken owner does nothing.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::running::{Running, held, release};
use crate::support::{Ran, Scratch, of_kind, ran};

/// A run whose shell call has started and waits to be released.
fn holding(scratch: &Scratch, then: &Value) -> Running {
    let mut running = Running::start(scratch, &json!([held(), then]));
    // Its output is there, so it runs, and the FIFO is there.
    running.until_type("call_output");
    running
}

/// Starts the binary and leaves it to itself.
fn beside(scratch: &Scratch, args: &[&str]) -> Child {
    let mut command = scratch.command(args);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

fn end(child: Child) -> Ran {
    ran(&child.wait_with_output().expect("it ends"))
}

#[test]
fn who_finds_a_session_owned_is_told_by_whom_and_what_can_be_done() {
    let scratch = Scratch::new();
    let mut running = holding(&scratch, &json!({ "text": "done" }));
    let session = running.session.clone();
    let short = &session[session.len() - 8..];
    let pid = format!("process {} (bowline exec) since 20", running.child.id());
    let watch = format!("bowline watch {short}");
    let send = format!("bowline send {short}");
    let take_over = format!("bowline take-over {short}");
    for how in [&["--resume", session.as_str()][..], &["--continue"]] {
        let args: Vec<&str> = ["exec"].iter().chain(how).copied().collect();
        let told = scratch.run(&args);
        told.expect(2, &[&pid, &watch, &send, &take_over]);
    }
    // What the lock file says is foreign: nothing of it that is not plain is repeated.
    let lock = scratch.home().join("sessions").join(&session).join("lock");
    for text in [
        "{\"pid\":1,\"since_ms\":1,\"app_version\":\"1\",\"command\":\"\\u001b[31mexec\"}",
        "\u{1b}]0;title\u{7}",
        &"x".repeat(100_000),
    ] {
        std::fs::write(&lock, text).expect("it is written");
        let told = scratch.run(&["exec", "--resume", &session]);
        told.expect(2, &["is owned by another process. Watch"]);
        assert!(!told.err.contains('\u{1b}'), "{}", told.err);
    }
    release(&scratch);
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_watcher_sees_what_is_durable_until_the_turn_ends() {
    let scratch = Scratch::new();
    let mut running = holding(&scratch, &json!({ "text": "all is well" }));
    let session = running.session.clone();
    let mut lines = beside(&scratch, &["watch", &session, "--output", "stream-json"]);
    let text = beside(&scratch, &["watch", &session]);
    let mut out = BufReader::new(lines.stdout.take().expect("a pipe"));
    let mut seen: Vec<Value> = Vec::new();
    let is_started = |line: &Value| line["event"]["kind"] == "CallStarted";
    while !seen.last().is_some_and(is_started) {
        let mut line = String::new();
        assert!(out.read_line(&mut line).expect("a line") > 0, "{seen:?}");
        seen.push(serde_json::from_str(&line).expect("JSON"));
    }
    release(&scratch);
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    seen.extend(
        rest.lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")),
    );
    assert_eq!(lines.wait().expect("it ends").code(), Some(0));
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));

    assert_eq!(seen[0]["type"], "session");
    assert_eq!(seen[0]["session_id"], session.as_str());
    let last = seen.last().expect("a line");
    assert_eq!(
        (&last["type"], &last["result"]),
        (&json!("result"), &json!("all is well"))
    );
    let kinds: Vec<&Value> = seen.iter().map(|line| &line["event"]["kind"]).collect();
    let recorded = scratch.events();
    let recorded: Vec<&Value> = recorded.iter().map(|line| &line["event"]["kind"]).collect();
    let from = recorded.iter().position(|kind| *kind == "TurnStarted");
    assert_eq!(kinds[1..kinds.len() - 1], recorded[from.expect("a turn")..]);
    end(text).expect(0, &["all is well", "mkfifo go", "done"]);

    scratch
        .run(&["watch", &session])
        .expect(2, &["nobody drives"]);
}

#[test]
fn a_watcher_is_told_when_the_owner_is_gone() {
    let scratch = Scratch::new();
    let mut running = holding(&scratch, &json!({ "text": "done" }));
    let mut watching = beside(&scratch, &["watch", &running.session]);
    let mut first = String::new();
    let mut err = BufReader::new(watching.stderr.take().expect("a pipe"));
    err.read_line(&mut first).expect("a line");
    running.child.kill().expect("it runs");
    running.child.wait().expect("it ends");
    let mut rest = String::new();
    err.read_to_string(&mut rest).expect("the rest");
    assert_eq!(watching.wait().expect("it ends").code(), Some(1));
    assert!(
        rest.contains("gone in the middle of a turn"),
        "{first}{rest}"
    );
    release(&scratch);
}

#[test]
fn a_session_is_taken_over_and_its_command_goes_on() {
    let then =
        json!({ "text": "went on", "expect": { "last_result_contains": ["ready", "released"] } });
    for (stopped, at_once) in [(false, false), (true, true)] {
        let scratch = Scratch::new();
        let mut running = holding(&scratch, &then);
        let session = running.session.clone();
        let pid = format!("process {} (bowline exec)", running.child.id());
        if stopped {
            running.signal("-STOP");
        }
        let next = if at_once {
            Some(beside(
                &scratch,
                &["exec", "--resume", &session, "--take-over"],
            ))
        } else {
            let taken = scratch.run(&["take-over", &session]);
            taken.expect(0, &[&pid, "hang up and did", "epoch 2 has begun"]);
            None
        };
        let status = running.child.wait().expect("it ends");
        assert_eq!(status.signal(), Some(1), "it hung up");
        release(&scratch);
        let next = next.unwrap_or_else(|| beside(&scratch, &["exec", "--resume", &session]));
        let ran = end(next);
        ran.expect(0, &["went on"]);
        assert!(!ran.err.contains("ended without a word"), "{}", ran.err);

        let events = scratch.events();
        assert_eq!(of_kind(&events, "CallStarted").len(), 1);
        assert_eq!(of_kind(&events, "CallFinished")[0]["data"]["found"], true);
        let log = scratch
            .run(&["log", "--kind", "OwnerEnded", "--json"])
            .lines();
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0]["event"]["data"]["pid"], running.child.id());
        scratch
            .run(&["take-over", &session])
            .expect(2, &["nobody owns"]);
    }
}

#[test]
fn an_agent_takes_no_session_over() {
    let scratch = Scratch::new();
    let mut running = holding(&scratch, &json!({ "text": "done" }));
    let exe = env!("CARGO_BIN_EXE_bowline");
    let home = scratch.home();
    let session = &running.session;
    for args in [
        format!("take-over {session}"),
        format!("exec --resume {session} --take-over"),
    ] {
        let command = format!("BOWLINE_HOME={} {exe} {args}", home.display());
        let input = json!({ "command": command }).to_string();
        let args = [
            "tools", "call", "shell", "--mode", "full", "--input", &input,
        ];
        scratch
            .run(&args)
            .expect(1, &["inside a shell command of an agent"]);
    }
    release(&scratch);
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
}

/// The lock file is removed and made anew while its owner lives: another process can take the
/// session then, and the first one appends nothing and does nothing more.
#[test]
fn an_owner_whose_lock_file_was_replaced_appends_nothing_and_does_nothing() {
    let scratch = Scratch::new();
    let write = json!({ "calls": [{ "tool": "shell", "input": { "command": "echo x >> mark" } }] });
    let steps = json!([held(), write, { "text": "went on" }]);
    let mut running = Running::start(&scratch, &steps);
    running.until_type("call_output");
    let session = running.session.clone();
    let lock = scratch.home().join("sessions").join(&session).join("lock");
    std::fs::remove_file(&lock).expect("it is there");
    let args = ["exec", "--resume", &session, "--output", "stream-json"];
    let mut next = beside(&scratch, &args);
    let mut out = BufReader::new(next.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("\"OwnerChanged\"") {
        line.clear();
        assert!(out.read_line(&mut line).expect("a line") > 0, "ended early");
    }
    release(&scratch);
    let last = running.until_type("result");
    assert_eq!(last["stop_reason"], "storage_failed");
    let why = last["result"].as_str().expect("a text");
    assert!(
        why.contains("its lock file was removed or replaced"),
        "{why}"
    );
    assert_eq!(running.child.wait().expect("it ends").code(), Some(1));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert_eq!(next.wait().expect("it ends").code(), Some(0));

    let events = scratch.events();
    let finished = of_kind(&events, "CallFinished");
    assert_eq!(finished.len(), 2);
    let mark = std::fs::read_to_string(scratch.work().join("mark"));
    assert_eq!(mark.expect("written"), "x\n", "once");
    let epochs: Vec<u64> = events
        .iter()
        .filter_map(|line| line["epoch"].as_u64())
        .collect();
    assert!(epochs.is_sorted(), "{epochs:?}");
}
