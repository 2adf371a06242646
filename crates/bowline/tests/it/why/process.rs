//! Processes that break, are killed, or are stopped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{args, server};
use super::{Expect, check};
use crate::support::{Scratch, of_kind, ran};

/// Starts the binary and gives it once a line of its stream satisfies `seen`.
#[expect(clippy::zombie_processes, reason = "every caller waits for the child")]
fn started(mut command: Command, seen: impl Fn(&Value) -> bool) -> Child {
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = spawned.expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).expect("a line") > 0, "ended early");
        if seen(&serde_json::from_str(&line).expect("JSON")) {
            child.stdout = Some(out.into_inner());
            return child;
        }
    }
}

/// Ends a process with SIGKILL and waits until it is gone.
fn kill(mut child: Child) {
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
}

fn in_shell(scratch: &Scratch, command: &str) -> Command {
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "shell", "input": { "command": command } }] }, { "text": "late" }
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
    scratch.command(&args)
}

/// The next run says that the one before was killed, once; the log keeps that.
#[track_caller]
fn next_run_tells(scratch: &Scratch, how: &str) {
    let other = Scratch::new();
    let model = other.scenario(&json!([{ "text": "fine" }]));
    let run = || scratch.run(&["exec", "--model", &model, "--mode", "full", "go"]);
    run().expect(0, &[how, "bowline why"]);
    let again = run();
    assert!(!again.err.contains("an earlier run"), "{}", again.err);
    let log = scratch.run(&["log", "--json", "--kind", "EndFound"]);
    assert_eq!(log.expect(0, &[]).lines().len(), 1);
}

#[test]
fn a_part_that_breaks() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([{ "text": "late" }]));
    let mut command = scratch.command(&["exec", "--model", &model, "go"]);
    command.env("BOWLINE_PANIC_AT", "loop.told");
    let ran = ran(&command.output().expect("it starts"));
    ran.expect(
        1,
        &[
            "told to break at loop.told",
            "journal is intact",
            "bowline why",
        ],
    );
    let expect = Expect {
        standing: "crashed",
        cause: &[
            "A part of Bowline broke",
            "told to break at loop.told",
            "panic_point.rs",
        ],
        source: "Crashed",
        last: "AttemptReserved",
        outstanding: &["make the interrupted model call again"],
        next: &["bowline exec --resume", "--kind Crashed"],
    };
    let page = check(&scratch, &expect);
    let crash = page["system"].to_string();
    assert!(crash.contains("show_committed"), "frames are kept: {crash}");
}

#[test]
fn a_tool_that_breaks_leaves_its_call_in_doubt_and_the_rest_goes_on() {
    let scratch = Scratch::new();
    let mut command = in_shell(&scratch, "true");
    command.env("BOWLINE_PANIC_AT", "act.begin");
    ran(&command.output().expect("it starts")).expect(0, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["A part of Bowline broke", "The rest went on"],
        source: "Crashed",
        last: "TurnEnded",
        outstanding: &["in doubt: true"],
        next: &["call in doubt"],
    };
    check(&scratch, &expect);
}

#[test]
fn killed_inside_a_shell_command() {
    let scratch = Scratch::new();
    let command = in_shell(&scratch, "echo started; exec sleep 5");
    kill(started(command, |line| line["type"] == "call_output"));
    let expect = Expect {
        standing: "killed",
        cause: &["ended without a word", "killed, or power lost"],
        source: "Started",
        last: "CallStarted",
        outstanding: &["find out what became of echo started; exec sleep 5"],
        next: &["go on where it was", "bowline exec --resume"],
    };
    let page = check(&scratch, &expect);
    let doing = page["doing"].to_string();
    assert!(
        doing.contains("A call was running: echo started"),
        "{doing}"
    );
}

#[test]
fn killed_while_the_model_answers() {
    let scratch = Scratch::new();
    let server = server(&json!([{ "fault": { "kind": "hang" } }, { "text": "late" }]));
    let base_url = server.base_url();
    let spawned = scratch
        .command(&args(&base_url, &[]))
        .stderr(Stdio::null())
        .spawn();
    let child = spawned.expect("it starts");
    assert!(server.wait_for_requests(1, Duration::from_secs(60)));
    kill(child);
    let expect = Expect {
        standing: "killed",
        cause: &["ended without a word"],
        source: "Started",
        last: "AttemptReserved",
        outstanding: &["make the interrupted model call again"],
        next: &["bowline exec --resume"],
    };
    let page = check(&scratch, &expect);
    let doing = page["doing"].to_string();
    assert!(doing.contains("A model call was under way"), "{doing}");
}

#[test]
fn killed_in_a_pause_and_told_by_the_next_run() {
    let scratch = Scratch::new();
    let fault = json!({ "kind": "status", "status": 429, "retry_after_s": 500 });
    let server = server(&json!([{ "fault": fault }, { "text": "late" }]));
    let base_url = server.base_url();
    let command = scratch.command(&args(&base_url, &["--output", "stream-json"]));
    kill(started(command, |line| line["type"] == "attempt_discarded"));
    next_run_tells(&scratch, "ended without a word: killed or power lost");
    let killed = scratch
        .run(&["log", "--json", "--kind", "EndFound"])
        .lines();
    let session = killed[0]["event"]["data"]["ended_session"]
        .as_str()
        .expect("an id");
    let page = scratch
        .run(&["why", session, "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(page["standing"], "killed");
    let cause = page["cause"].to_string();
    for part in ["EndFound", "Started", "lock", "It paused until", "429"] {
        assert!(cause.contains(part), "`{part}` is missing: {cause}");
    }
    let outstanding = page["outstanding"].to_string();
    assert!(
        outstanding.contains("ask the model (try 2)"),
        "{outstanding}"
    );
}

#[test]
fn idle_between_tries() {
    let scratch = Scratch::new();
    let fault = json!({ "kind": "status", "status": 429, "retry_after_s": 500 });
    let server = server(&json!([{ "fault": fault }, { "text": "late" }]));
    let base_url = server.base_url();
    let command = scratch.command(&args(&base_url, &["--output", "stream-json"]));
    kill(started(command, |line| line["type"] == "attempt_discarded"));
    let expect = Expect {
        standing: "killed",
        cause: &["ended without a word"],
        source: "Started",
        last: "AttemptFailed",
        outstanding: &["ask the model (try 2)"],
        next: &["bowline exec --resume"],
    };
    check(&scratch, &expect);
}

#[test]
fn stopped_by_a_person() {
    let scratch = Scratch::new();
    let command = in_shell(&scratch, "echo started; exec sleep 30");
    let mut child = started(command, |line| line["type"] == "call_output");
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill starts").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let expect = Expect {
        standing: "ended",
        cause: &["The turn was stopped", "Ctrl-C"],
        source: "Stopped",
        last: "TurnEnded",
        outstanding: &[],
        next: &["bowline exec --resume"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_keeper_that_is_killed_leaves_its_call_in_doubt() {
    let scratch = Scratch::new();
    let output = in_shell(&scratch, "echo begun; kill -9 $PPID; sleep 5").output();
    ran(&output.expect("it starts")).expect(0, &[]);
    assert_eq!(of_kind(&scratch.events(), "CallInDoubt").len(), 1);
    let expect = Expect {
        standing: "ended",
        cause: &["The outcome of a call is unknown", "kill -9"],
        source: "CallLeftInDoubt",
        last: "TurnEnded",
        outstanding: &["in doubt: echo begun"],
        next: &["look at what the call in doubt may have done"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_session_at_work_is_not_called_dead() {
    let scratch = Scratch::new();
    let command = in_shell(
        &scratch,
        "echo started; until [ -e go ]; do sleep 0.05; done",
    );
    let mut child = started(command, |line| line["type"] == "call_output");
    let session = scratch.sessions().remove(0);
    let page = scratch
        .run(&["why", &session, "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(page["standing"], "running", "{page:#}");
    assert!(page["next"].to_string().contains("--follow"), "{page:#}");
    scratch.file("go", "");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
    let page = scratch.run(&["why", "--json"]).expect(0, &[]).json();
    assert_eq!(page["standing"], "ended", "{page:#}");
}
