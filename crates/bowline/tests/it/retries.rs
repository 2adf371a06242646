//! Failed attempts over HTTP, in each dialect: what is tried again, when, and what happens once.

use std::time::Duration;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// A model of each dialect, and where its server is.
type Dialect = (&'static str, fn(&ScriptedServer) -> String);

const DIALECTS: [Dialect; 3] = [
    ("anthropic/x", ScriptedServer::root_url),
    ("openai-chat/x", ScriptedServer::base_url),
    ("openai/x", ScriptedServer::base_url),
];

fn serve(steps: &Value) -> ScriptedServer {
    let scenario = Scenario::from_value(json!({ "version": 1, "steps": steps }));
    let options = Options {
        require_reasoning_back: true,
        ..Options::default()
    };
    ScriptedServer::start(scenario.expect("a valid scenario"), options)
}

/// Runs the steps in a dialect to the end of the turn, and gives the events.
#[track_caller]
fn run(scratch: &Scratch, server: &ScriptedServer, (model, base_url): Dialect) -> Vec<Value> {
    let base_url = base_url(server);
    let mut args = vec!["exec", "--model", model, "--base-url", &base_url];
    args.extend(["--mode", "full", "--output", "json", "go"]);
    scratch.run(&args).expect(0, &["\"result\":\"done\""]);
    assert!(
        server.violations().is_empty(),
        "{model}: {:?}",
        server.violations()
    );
    scratch.events()
}

/// The pauses after the attempts that failed, in milliseconds, and why each failed.
fn pauses(events: &[Value]) -> Vec<(u64, String)> {
    let failed = of_kind(events, "AttemptFailed").into_iter();
    let pause = |event: &Value| {
        let data = &event["data"];
        let kind = data["failure"]["kind"].as_str().expect("a kind");
        (
            data["retry_in_ms"].as_u64().expect("a retry"),
            kind.to_owned(),
        )
    };
    failed.map(pause).collect()
}

#[test]
fn a_provider_that_asks_for_patience_gets_it_to_the_second() {
    for dialect in DIALECTS {
        let scratch = Scratch::new();
        let server = serve(&json!([
            { "fault": { "kind": "status", "status": 429, "retry_after_s": 1 } },
            { "fault": { "kind": "status", "status": 503, "retry_after_s": 0 } },
            { "fault": { "kind": "status", "status": 529, "retry_after_s": 0 } },
            { "text": "done" }
        ]));
        let events = run(&scratch, &server, dialect);
        let expected = [
            (1_000, "rate_limited".to_owned()),
            (0, "unavailable".to_owned()),
            (0, "unavailable".to_owned()),
        ];
        assert_eq!(pauses(&events), expected, "{}", dialect.0);
        let arrived: Vec<Duration> = server.requests().iter().map(|one| one.at).collect();
        assert_eq!(arrived.len(), 4);
        assert!(
            arrived[1] - arrived[0] >= Duration::from_secs(1),
            "{arrived:?}"
        );
        // Each attempt has a reservation of its own.
        assert_eq!(of_kind(&events, "AttemptReserved").len(), 4);
    }
}

#[test]
fn a_reply_that_is_cut_after_a_whole_call_runs_nothing() {
    let call = json!({ "tool": "shell", "input": { "command": "echo x >> ran" } });
    for dialect in DIALECTS {
        let scratch = Scratch::new();
        let asked = json!({ "reasoning": "Once.", "text": "I run it.", "calls": [call, call] });
        let cut = |at: &str| {
            let mut step = asked.clone();
            step["fault"] = json!({ "kind": "cut", "at": at });
            step
        };
        let server = serve(&json!([
            cut("before_end"), cut("arguments"), asked,
            { "text": "done", "expect": { "last_result_contains": ["exit 0"] } }
        ]));
        let events = run(&scratch, &server, dialect);
        let ran = std::fs::read_to_string(scratch.work().join("ran")).expect("it ran");
        assert_eq!(ran, "x\nx\n", "{}: each call once", dialect.0);
        let why: Vec<String> = pauses(&events).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(why, ["cut", "cut"], "{}", dialect.0);
        assert_eq!(of_kind(&events, "CallStarted").len(), 2);
        assert_eq!(of_kind(&events, "ModelReplied").len(), 2);
    }
}

#[test]
fn an_overloaded_provider_is_asked_again() {
    for dialect in DIALECTS {
        let scratch = Scratch::new();
        let server = serve(&json!([
            { "fault": { "kind": "status", "status": 529, "retry_after_s": 0 } },
            { "text": "done" }
        ]));
        let events = run(&scratch, &server, dialect);
        let expected = [(0, "unavailable".to_owned())];
        assert_eq!(pauses(&events), expected, "{}", dialect.0);
    }
}
