//! Waiting as a state: `wait_for`, `exec --wait`, `--supersede`, `resume`.

use serde_json::{Value, json};

use crate::running::{Running, stream};
use crate::support::{Scratch, of_kind};

fn wait_for(input: Value) -> Value {
    json!({ "tool": "wait_for", "input": input })
}

fn shell(command: &str) -> Value {
    json!({ "tool": "shell", "input": { "command": command } })
}

#[test]
fn a_pause_a_file_and_a_command_end_by_themselves_while_the_run_stays() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "calls": [wait_for(json!({ "name": "a pause", "pause_ms": 20 }))] },
        { "calls": [
            wait_for(json!({ "name": "the build", "every_ms": 1000,
                "command": "test -e there || { echo again > there; echo not yet; exit 7; }" })),
            wait_for(json!({ "name": "its file", "file": "there" }))
        ] },
        { "calls": [wait_for(json!({ "name": "past", "at": "2020-01-01T00:00:00Z" }))] },
        { "calls": [wait_for(json!({ "name": "nobody", "timeout_ms": 20 }))] },
        { "text": "done" }
    ]));
    let ran = scratch.run(&stream(&model, "full", &["--wait"]));
    ran.expect(0, &[]);
    let told = scratch.results();
    let starts = [
        "The time waited for has come.",
        "[exit 0 in ",
        "The file is there: there.",
        "The time waited for has come.",
        "Gave up waiting for the signal `nobody` after 20 ms",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(start), "{told}");
    }
    let events = scratch.events();
    // The command was run twice, under one decision and two permits.
    assert_eq!(of_kind(&events, "CallStarted").len(), 2);
    let parked = of_kind(&events, "CallParked");
    let last = parked
        .iter()
        .find_map(|event| event["data"]["last"].as_str());
    assert_eq!(last.map(|last| &last[..7]), Some("exit 7 "));
    let waiting: Vec<Value> = ran
        .lines()
        .into_iter()
        .filter(|line| line["type"] == "waiting")
        .collect();
    assert!(!waiting.is_empty());
}

#[test]
fn a_polled_command_asks_like_any_other() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [wait_for(json!({ "name": "x", "command": "touch ran" }))] }, { "text": "ok" }
    ]);
    let ran = scratch.play("ask", &steps, &[]);
    ran.expect(3, &[]);
    assert_eq!(ran.json()["waiting"][0]["tool"], "wait_for");
    assert!(!scratch.work().join("ran").exists());
    let id = ran.json()["waiting"][0]["decision_id"].clone();
    scratch
        .run(&["approve", id.as_str().expect("an id")])
        .expect(0, &[]);
    scratch.run(&["exec", "--continue"]).expect(0, &["ok"]);
    assert!(scratch.work().join("ran").exists());
}

#[test]
fn a_run_that_stays_goes_on_by_itself_once_somebody_answers() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "calls": [shell("echo x >> marks")] }, { "text": "done" }
    ]));
    let mut run = Running::begin(&scratch, &stream(&model, "ask", &["--wait"]));
    let line = run.until_type("waiting");
    let id = line["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch.run(&["approve", id]).expect(0, &["takes it"]);
    let result = run.until_type("result");
    assert_eq!(result["stop_reason"], "done");
    assert_eq!(run.end(), 0);
    let marks = std::fs::read_to_string(scratch.work().join("marks")).expect("it ran");
    assert_eq!(marks, "x\n");
}

#[test]
fn to_interrupt_a_run_that_only_waits_parks_it() {
    for signal in ["-TERM", "-INT"] {
        let scratch = Scratch::new();
        let model = scratch.scenario(&json!([
            { "calls": [wait_for(json!({ "name": "the review" }))] }, { "text": "done" }
        ]));
        let mut run = Running::begin(&scratch, &stream(&model, "full", &["--wait"]));
        let line = run.until_type("waiting");
        assert_eq!(line["parties"][0]["name"], "the review");
        run.signal(signal);
        let result = run.until_type("result");
        assert_eq!(result["stop_reason"], "waiting");
        assert_eq!(result["parties"][0]["name"], "the review");
        assert_eq!(run.end(), 3);
        let events = scratch.events();
        assert!(of_kind(&events, "TurnEnded").is_empty());
    }
}

#[test]
fn a_run_that_looks_again_and_again_is_parked_like_one_that_waits() {
    let scratch = Scratch::new();
    let wait = json!({ "name": "the build", "every_ms": 1000,
        "command": "echo x >> looks; exit 1" });
    let model = scratch.scenario(&json!([{ "calls": [wait_for(wait)] }, { "text": "never" }]));
    let mut run = Running::begin(&scratch, &stream(&model, "full", &["--wait"]));
    run.until_type("waiting");
    // It has looked once more since it was said to wait.
    while std::fs::read_to_string(scratch.work().join("looks"))
        .unwrap_or_default()
        .len()
        < 4
    {
        run.until_type("event");
    }
    run.signal("-TERM");
    assert_eq!(run.until_type("result")["stop_reason"], "waiting");
    assert_eq!(run.end(), 3);
}

#[test]
fn resume_all_ready_runs_what_can_go_on_and_nothing_else() {
    let scratch = Scratch::new();
    let nothing = scratch.run(&["resume", "--all-ready"]);
    nothing.expect(0, &["nothing can go on"]);
    let steps = json!([
        { "calls": [wait_for(json!({ "name": "the file", "file": "there" }))] },
        { "text": "it came" }
    ]);
    scratch.play("full", &steps, &[]).expect(3, &["the file"]);
    let before = scratch.events().len();
    scratch
        .run(&["resume", "--all-ready"])
        .expect(0, &["nothing can go on"]);
    assert_eq!(scratch.events().len(), before, "it was not even opened");
    scratch.file("there", "");
    let ran = scratch.run(&["resume", "--all-ready", "--output", "json"]);
    ran.expect(0, &[]);
    assert_eq!(ran.json()["result"], "it came");
}

#[test]
fn a_new_prompt_stays_queued_unless_it_supersedes() {
    let steps = json!([
        { "calls": [shell("touch ran"), wait_for(json!({ "name": "review" }))] },
        { "text": "saw it" }, { "text": "saw the other" }
    ]);
    let scratch = Scratch::new();
    scratch.play("ask", &steps, &[]).expect(3, &[]);
    let queued = scratch.run(&["exec", "--continue", "--output", "json", "other"]);
    queued.expect(3, &[]);
    assert_eq!(queued.json()["waiting"].as_array().map(Vec::len), Some(1));

    let scratch = Scratch::new();
    scratch.play("ask", &steps, &[]).expect(3, &[]);
    let ran = scratch.run(&["exec", "--continue", "--supersede", "other"]);
    ran.expect(0, &["saw it"]);
    assert!(!scratch.work().join("ran").exists());
    let told = scratch.results();
    assert!(
        told[0].contains("a person gave you something else to do"),
        "{told:#?}"
    );
    assert_eq!(
        told[1],
        "Stopped waiting for the signal `review`: a person gave you something else to do."
    );
}
