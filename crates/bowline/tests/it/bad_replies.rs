//! What a server may do to a run, over the binary, in every dialect: a clear outcome, its exit
//! code, nothing half done, a journal that verifies.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind, ran};

const DIALECTS: [&str; 3] = ["openai-chat", "openai", "anthropic"];

fn serve(steps: &Value) -> ScriptedServer {
    let scenario = Scenario::from_value(json!({ "version": 1, "steps": steps }));
    ScriptedServer::start(scenario.expect("a valid scenario"), Options::default())
}

/// The command that speaks `dialect` to the server.
fn exec(scratch: &Scratch, dialect: &str, server: &ScriptedServer) -> std::process::Command {
    let mut url = server.base_url();
    if dialect == "anthropic" {
        url = url.trim_end_matches("/v1").to_owned();
    }
    let model = format!("{dialect}/m-1");
    let mut args = vec!["exec", "--model", &model, "--base-url", &url];
    args.extend(["--mode", "full", "--output", "json", "go"]);
    scratch.command(&args)
}

/// Plays the steps in each dialect; the journal must verify, and `check` says what must hold.
fn each(steps: &Value, check: impl Fn(&Ran, &Scratch, &[Value])) {
    for dialect in DIALECTS {
        let scratch = Scratch::new();
        let server = serve(steps);
        let output = exec(&scratch, dialect, &server).output();
        let ran = ran(&output.expect("the binary starts"));
        let events = scratch.events();
        check(&ran, &scratch, &events);
    }
}

fn write() -> Value {
    json!({ "tool": "write", "input": { "path": "made", "content": "x" } })
}

#[test]
fn an_unknown_model_and_a_context_too_long_end_the_turn_at_once() {
    let table = [
        (
            404,
            "model_not_found",
            "the model m-1 does not exist",
            "m-1",
        ),
        (
            400,
            "context_length_exceeded",
            "prompt is too long",
            "prompt is too long",
        ),
        (413, "request_too_large", "too large", "too large"),
    ];
    for (status, code, message, part) in table {
        let body = json!({ "error": { "message": message, "code": code, "type": "invalid_request_error" } });
        let fault = json!({ "kind": "status", "status": status, "body": body.to_string() });
        each(
            &json!([{ "fault": fault }, { "text": "late" }]),
            |ran, _, events| {
                let result = ran.expect(1, &[part]).json();
                assert_eq!(result["stop_reason"], "provider_failed");
                assert_eq!(of_kind(events, "AttemptFailed").len(), 1, "not tried again");
                assert_eq!(of_kind(events, "TurnEnded").len(), 1);
            },
        );
    }
}

#[test]
fn content_that_is_refused_ends_the_turn_and_runs_nothing() {
    let steps = json!([{ "text": "I must not.", "calls": [write()], "stop": "content_filter" }, { "text": "late" }]);
    each(&steps, |ran, scratch, events| {
        let result = ran.expect(5, &[]).json();
        assert_eq!(result["stop_reason"], "refused");
        assert!(of_kind(events, "CallStarted").is_empty());
        assert!(!scratch.work().join("made").exists());
    });
}

#[test]
fn a_stop_for_length_in_the_middle_of_a_call_runs_nothing_of_it() {
    let steps =
        json!([{ "text": "Now:", "calls": [write()], "stop": "length" }, { "text": "shorter" }]);
    each(&steps, |ran, scratch, events| {
        assert!(ran.code == 0 || ran.code == 1, "{} {}", ran.code, ran.err);
        assert!(of_kind(events, "CallStarted").is_empty(), "{events:?}");
        assert!(!scratch.work().join("made").exists());
        assert_eq!(of_kind(events, "TurnEnded").len(), 1);
    });
}

#[test]
fn a_call_cut_in_its_arguments_is_asked_for_again_and_runs_once() {
    let steps = json!([
        { "calls": [write()], "fault": { "kind": "cut", "at": "arguments" } },
        { "calls": [write()], "fault": { "kind": "cut", "at": "before_end" } },
        { "calls": [write()] },
        { "text": "done" }
    ]);
    each(&steps, |ran, _, events| {
        ran.expect(0, &[]);
        assert_eq!(of_kind(events, "CallStarted").len(), 1);
        assert_eq!(of_kind(events, "AttemptFailed").len(), 2);
    });
}

#[test]
fn a_disk_that_is_full_in_mid_stream_stops_the_run_and_keeps_what_was_durable() {
    let scratch = Scratch::new();
    let server = serve(&json!([
        { "calls": [{ "tool": "list", "input": {} }] },
        { "text": "word ".repeat(100_000), "calls": [write()] },
        { "text": "late" }
    ]));
    let url = server.base_url();
    // A limit on the size of files is a full disk that needs no rights: 200 blocks of 1 KiB.
    let line = format!(
        "trap '' XFSZ; ulimit -f 200; exec {} exec --model openai-chat/x --base-url {url} \
         --mode full --output json go",
        env!("CARGO_BIN_EXE_bowline")
    );
    let command = scratch.command(&[]);
    let mut shell = std::process::Command::new("bash");
    shell
        .args(["-c", &line])
        .current_dir(scratch.work())
        .stdin(std::process::Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let ran = ran(&shell.output().expect("bash"));
    let result = ran.expect(1, &[]).json();
    assert_eq!(result["stop_reason"], "storage_failed", "{}", ran.out);
    assert_eq!(
        server.requests().len(),
        2,
        "nothing was begun after the fault"
    );
    assert!(!scratch.work().join("made").exists());
    let events = scratch.events();
    assert_eq!(of_kind(&events, "ModelReplied").len(), 1);
    assert_eq!(of_kind(&events, "CallFinished").len(), 1);
}
