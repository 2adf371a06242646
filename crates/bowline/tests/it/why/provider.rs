//! Failures of the model's side.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use super::{Expect, check};
use crate::support::{Ran, Scratch, ran};

pub(crate) fn server(steps: &Value) -> ScriptedServer {
    server_with(steps, Options::default())
}

fn server_with(steps: &Value, options: Options) -> ScriptedServer {
    let scenario = Scenario::from_value(json!({ "version": 1, "steps": steps }));
    ScriptedServer::start(scenario.expect("a valid scenario"), options)
}

pub(crate) fn args<'a>(base_url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["exec", "--model", "openai-chat/x", "--base-url", base_url];
    args.extend(more);
    args.push("do it");
    args
}

fn ask(scratch: &Scratch, server: &ScriptedServer, more: &[&str]) -> Ran {
    let base_url = server.base_url();
    let mut command = scratch.command(&args(&base_url, more));
    command.env("OPENAI_API_KEY", "a-key-of-no-use");
    ran(&command.output().expect("it starts"))
}

/// A failed model call ends the turn; the page says so in these words.
#[track_caller]
fn failed(scratch: &Scratch, cause: &[&str], next: &[&str]) -> Value {
    let expect = Expect {
        standing: "ended",
        cause,
        source: "ProviderFailed",
        last: "TurnEnded",
        outstanding: &[],
        next,
    };
    check(scratch, &expect)
}

#[test]
fn a_wrong_key() {
    let scratch = Scratch::new();
    let options = Options {
        api_key: Some("right-key-123456".to_owned()),
        ..Options::default()
    };
    let server = server_with(&json!([{ "text": "x" }]), options);
    ask(&scratch, &server, &[]).expect(1, &["401"]);
    failed(
        &scratch,
        &["the key was refused", "401", "OPENAI_API_KEY"],
        &["set the right key", "bowline exec --resume"],
    );
}

#[test]
fn an_unknown_model() {
    let scratch = Scratch::new();
    let server = server(&json!([{ "fault": { "kind": "status", "status": 404 } }]));
    ask(&scratch, &server, &[]).expect(1, &["404"]);
    failed(
        &scratch,
        &["no such model", "404"],
        &["--model PROVIDER/MODEL"],
    );
}

#[test]
fn a_refused_connection() {
    let scratch = Scratch::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    drop(listener);
    scratch.run(&args(&base_url, &[])).expect(1, &[]);
    let cause = ["no connection", base_url.as_str(), "tried"];
    failed(&scratch, &cause, &["start the server", "--base-url URL"]);
}

#[test]
fn a_stream_that_is_cut_until_the_tries_are_used_up() {
    let scratch = Scratch::new();
    let server = server(&json!([
        { "text": "half of it", "fault": { "kind": "cut", "at": "text" }, "repeat": 20 },
        { "text": "late" }
    ]));
    ask(&scratch, &server, &[]).expect(1, &[]);
    failed(&scratch, &["cut", "tried"], &["bowline exec --resume"]);
}

#[test]
fn a_retry_after_beyond_the_cap() {
    let scratch = Scratch::new();
    let fault = json!({ "kind": "status", "status": 429, "retry_after_s": 86_400 });
    let server = server(&json!([{ "fault": fault }, { "text": "late" }]));
    ask(&scratch, &server, &[]).expect(1, &["429"]);
    failed(&scratch, &["too many requests", "429"], &["wait as long"]);
}

#[test]
fn html_instead_of_a_reply() {
    let scratch = Scratch::new();
    let fault = json!({ "kind": "garbage", "text": "<html><body>Welcome</body></html>" });
    let server = server(&json!([{ "fault": fault }, { "text": "late" }]));
    ask(&scratch, &server, &[]).expect(1, &[]);
    failed(
        &scratch,
        &["not this dialect"],
        &["speaks this provider's dialect"],
    );
}

#[test]
fn a_context_that_is_too_long() {
    let scratch = Scratch::new();
    let error = json!({ "error": { "message": "maximum context length is 8192 tokens",
        "type": "invalid_request_error", "code": "context_length_exceeded" } });
    let fault = json!({ "kind": "status", "status": 400, "body": error.to_string() });
    let server = server(&json!([{ "fault": fault }, { "text": "late" }]));
    ask(&scratch, &server, &[]).expect(1, &["maximum context length"]);
    failed(
        &scratch,
        &["longer than the model takes", "maximum context length"],
        &["begin a new session"],
    );
}

#[test]
fn refused_content() {
    let scratch = Scratch::new();
    let server = server(&json!([{ "text": "I", "stop": "content_filter" }]));
    ask(&scratch, &server, &[]).expect(5, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["The provider refused"],
        source: "ReplyStopped",
        last: "TurnEnded",
        outstanding: &[],
        next: &["in another way", "bowline exec --resume"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_stop_for_length_inside_a_call() {
    let scratch = Scratch::new();
    let call = json!({ "tool": "write", "input": { "path": "x", "content": "abc" } });
    let server = server(&json!([{ "calls": [call], "stop": "length" }, { "text": "late" }]));
    ask(&scratch, &server, &["--mode", "full"]).expect(1, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["reply was cut", "output limit"],
        source: "ReplyStopped",
        last: "TurnEnded",
        outstanding: &[],
        next: &["bowline exec --resume"],
    };
    check(&scratch, &expect);
    assert!(!scratch.work().join("x").exists());
}

#[test]
fn a_shell_call_that_ran_out_of_time_and_then_a_cut_stream() {
    let scratch = Scratch::new();
    scratch.config("[shell]\ntimeout_ms = 300\n");
    let server = server(&json!([
        { "calls": [{ "tool": "shell", "input": { "command": "exec sleep 30" } }] },
        { "text": "half of it", "fault": { "kind": "cut", "at": "text" }, "repeat": 20 },
        { "text": "late" }
    ]));
    ask(&scratch, &server, &["--mode", "full"]).expect(1, &[]);
    let page = failed(&scratch, &["cut", "tried"], &["bowline exec --resume"]);
    let doing = page["doing"].to_string();
    assert!(
        doing.contains("A call reported an error: exec sleep 30"),
        "{doing}"
    );
}
