//! Commands in the background over the whole binary: they outlive the call, the run, a kill.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// A command that says `ready`, then repeats what is written to the FIFO `go`, then stays.
const SERVE: &str = "mkfifo go; echo ready; cat go; exec sleep 1000";

fn start() -> Value {
    json!({ "calls": [{ "tool": "shell", "input": { "command": SERVE, "background": true } }] })
}

fn job(action: Value) -> Value {
    json!({ "calls": [{ "tool": "shell_job", "input": action }] })
}

/// The handle of the only job that runs.
#[track_caller]
fn running(scratch: &Scratch) -> String {
    let listed = scratch
        .run(&["jobs", "list", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    listed[0]["id"].as_str().expect("a handle").to_owned()
}

/// Stops a job and waits until it runs no more.
fn stop(scratch: &Scratch, handle: &str) {
    scratch
        .run(&["jobs", "stop", handle])
        .expect(0, &["stopping"]);
    while scratch.run(&["jobs", "list", "--json"]).json() != json!([]) {
        std::thread::yield_now();
    }
}

/// A run whose output is read line by line.
fn streaming(scratch: &Scratch, args: &[&str]) -> (Child, impl Iterator<Item = Value> + use<>) {
    let mut child = scratch
        .command(&["exec", "--output", "stream-json"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let read =
        |line: std::io::Result<String>| serde_json::from_str(&line.expect("a line")).expect("JSON");
    (child, out.lines().map(read))
}

#[test]
fn a_command_in_the_background_outlives_the_run_and_a_later_run_reads_on() {
    let scratch = Scratch::new();
    let steps = json!([
        start(),
        { "text": "serving", "expect": { "last_result_contains": ["ready", "runs in the background as bg:"] } },
        job(json!({ "action": "poll", "wait_ms": 30_000 })),
        { "text": "read", "expect": { "last_result_contains": ["hello"], "last_result_lacks": ["ready"] } },
        job(json!({ "action": "stop" })),
        { "text": "over", "expect": { "last_result_contains": ["ended: stopped after"] } }
    ]);
    let model = scratch.scenario(&steps);
    let first = scratch.run(&["exec", "--model", &model, "--mode", "full", "go"]);
    let handle = running(&scratch);
    first.expect(0, &["serving", &format!("bowline jobs stop {handle}")]);
    let session = scratch.sessions().remove(0);
    scratch
        .run(&["sessions", "delete", &session, "--yes"])
        .expect(2, &["still runs"]);

    std::fs::write(scratch.work().join("go"), "hello\n").expect("it is read");
    let second = scratch.run(&["exec", "--continue", "--output", "json", "and?"]);
    let result = second.expect(0, &[]).json();
    assert_eq!(result["result"], "read");
    assert_eq!(result["running"][0]["job"], handle.as_str());

    let third = scratch.run(&["exec", "--continue", "--output", "json", "enough"]);
    let result = third.expect(0, &[]).json();
    assert_eq!(
        (&result["result"], result.get("running")),
        (&json!("over"), None)
    );
    assert_eq!(scratch.run(&["jobs", "list", "--json"]).json(), json!([]));
    let left = std::fs::read_dir(scratch.home().join("sessions").join(&session).join("spool"));
    assert_eq!(left.map_or(0, Iterator::count), 0, "its records are gone");
}

/// Kills a run after the command has spoken; says whether the call that started it was not over
/// by then.
fn killed_while_a_job_starts(scratch: &Scratch) -> bool {
    let steps = json!([
        start(),
        job(json!({ "action": "poll", "wait_ms": 30_000 })),
        { "text": "read", "expect": { "last_result_contains": ["hello"] } }
    ]);
    let model = scratch.scenario(&steps);
    let args = ["--model", &model, "--mode", "full", "go"];
    let (mut child, mut lines) = streaming(scratch, &args);
    assert!(lines.any(|line| line["type"] == "call_output"));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let in_time = of_kind(&scratch.events(), "CallFinished").is_empty();
    if !in_time {
        let handle = running(scratch);
        stop(scratch, &handle);
    }
    in_time
}

#[test]
fn killed_while_a_job_starts_a_later_run_finds_it_and_reads_on() {
    let scratch = (0..5)
        .map(|_| Scratch::new())
        .find(killed_while_a_job_starts)
        .expect("one of five kills comes in time");
    let session = scratch.sessions().remove(0);
    let (mut child, mut lines) = streaming(&scratch, &["--resume", &session]);
    assert!(lines.any(|line| line["event"]["kind"] == "CallFinished"));
    std::fs::write(scratch.work().join("go"), "hello\n").expect("it is read");
    let last = lines.last().expect("a result");
    assert_eq!(last["result"], "read", "{last}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let events = scratch.events();
    assert_eq!(
        of_kind(&events, "CallStarted").len(),
        2,
        "started once, read once"
    );
    assert_eq!(of_kind(&events, "CallInDoubt").len(), 0);
    let found = of_kind(&events, "CallFinished")[0];
    assert_eq!(found["data"]["found"], true);
    assert_eq!(
        found["data"]["outcome"]["effect"]["jobs"][0]["change"],
        "started"
    );
    let handle = running(&scratch);
    stop(&scratch, &handle);
}

#[test]
fn what_a_job_is_told_is_judged_as_its_command_and_reading_is_free() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": { "command": "tee told", "background": true } }] },
        job(json!({ "action": "poll" })),
        job(json!({ "action": "write", "input": "rm -r x\n" })),
        { "text": "told", "expect": { "last_result_contains": ["rm -r x"] } }
    ]);
    let parked = scratch
        .play("ask", &steps, &[])
        .expect(3, &["tee told"])
        .json();
    let session = parked["session_id"].as_str().expect("an id");
    let approve = |result: &Value| {
        let question = result["waiting"][0]["decision_id"].as_str().expect("an id");
        scratch.run(&["approve", question]).expect(0, &["allowed"]);
        scratch.run(&["exec", "--resume", session, "--output", "json"])
    };
    // Reading asks nobody; writing shows what would be written, and to what.
    let second = approve(&parked).expect(3, &[]).json();
    let essence = second["waiting"][0]["essence"].as_str().expect("a line");
    assert!(
        essence.starts_with("write `rm -r x\\n` to bg:"),
        "{essence}"
    );
    assert!(essence.ends_with(" (tee told)"), "{essence}");
    let third = approve(&second);
    assert_eq!(third.expect(0, &[]).json()["result"], "told");
    let handle = running(&scratch);
    stop(&scratch, &handle);
    scratch
        .run(&["jobs", "stop", &handle])
        .expect(2, &["nothing runs under"]);
}
