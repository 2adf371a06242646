//! `--output stream-json`: every line is as the published schema says, and no reader, however
//! slow, stuck or gone, changes what a run does.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind, ran};

/// The schema of a line, as this very binary publishes it.
fn schema(scratch: &Scratch) -> Validator {
    published(scratch, "stream.schema.json")
}

/// A schema that this very binary publishes.
pub(crate) fn published(scratch: &Scratch, name: &str) -> Validator {
    let out = scratch.path("docs");
    let folder = out.display().to_string();
    scratch.run(&["docs", "--out", &folder]).expect(0, &[]);
    let text = std::fs::read_to_string(out.join(name)).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a valid schema");
    jsonschema::validator_for(&schema).expect("a usable schema")
}

fn serve(steps: &Value) -> ScriptedServer {
    let scenario = Scenario::from_value(json!({ "version": 1, "steps": steps }));
    ScriptedServer::start(scenario.expect("a valid scenario"), Options::default())
}

/// Runs the steps over HTTP and gives the lines.
fn over_http(steps: &Value, more: &[&str]) -> Vec<Value> {
    let scratch = Scratch::new();
    scratch.file("a.txt", "one\ntwo\n");
    let server = serve(steps);
    let url = server.base_url();
    let mut args = vec!["exec", "--model", "openai-chat/x", "--base-url", &url];
    args.extend(["--output", "stream-json"]);
    args.extend(more);
    args.push("go");
    scratch.run(&args).lines()
}

/// Runs whose lines hold every kind of event that an undisturbed process writes.
fn runs() -> Vec<Vec<Value>> {
    let call = |tool: &str, input: Value| json!({ "tool": tool, "input": input });
    let work = json!([
        { "reasoning": "hm", "text": "Looking.", "calls": [
            call("read", json!({ "path": "a.txt" })),
            call("shell", json!({ "command": "echo x; exit 3" })),
            call("reed", json!({})),
            call("read", json!({ "path": "missing" })),
        ] },
        { "calls": [call("edit", json!({ "path": "a.txt", "edits": [{ "old": "two", "new": "zwei" }] })),
            call("write", json!({ "path": "new.txt", "content": "x" })),
            call("todo", json!({ "items": [{ "text": "a", "status": "pending" }] })) ] },
        { "fault": { "kind": "status", "status": 503, "retry_after_s": 0 } },
        { "text": "a rather long text", "fault": { "kind": "cut", "at": "text" } },
        { "text": "done" }
    ]);
    let one = json!([{ "text": "x", "calls": [call("shell", json!({ "command": "make" }))] }, { "text": "ok" }]);
    let length = json!([{ "text": "x", "stop": "length", "calls": [call("read", json!({ "path": "a.txt" }))] }, { "text": "ok" }]);
    let refused = json!([{ "text": "no", "stop": "content_filter" }]);
    let wrong = json!([{ "fault": { "kind": "status", "status": 400 } }]);
    let endless = json!([{ "calls": [call("list", json!({}))], "repeat": 9 }, { "text": "ok" }]);
    let mut runs = vec![
        over_http(&work, &["--mode", "full"]),
        over_http(&one, &[]),
        over_http(&one, &["--on-ask", "refuse"]),
        over_http(&one, &["--mode", "read-only"]),
        over_http(&length, &["--mode", "full"]),
        over_http(&refused, &[]),
        over_http(&wrong, &[]),
        over_http(&endless, &["--max-steps", "2"]),
        over_http(&endless, &["--max-tokens", "5000"]),
    ];
    runs.extend(answered());
    runs.extend(conversed());
    runs.push(waited());
    runs
}

/// Waits that end by themselves, and one that does not.
fn waited() -> Vec<Value> {
    let scratch = Scratch::new();
    let wait = |input: Value| json!({ "tool": "wait_for", "input": input });
    let model = scratch.scenario(&json!([
        { "calls": [wait(json!({ "name": "a pause", "pause_ms": 5 }))] },
        { "calls": [wait(json!({ "name": "it", "command": "false" })),
            wait(json!({ "name": "review", "instructions": "look", "timeout_ms": 900_000 }))] },
        { "text": "never" }
    ]));
    let args = [
        "exec",
        "--output",
        "stream-json",
        "--mode",
        "full",
        "--model",
        &model,
        "go",
    ];
    scratch.run(&args).lines()
}

/// A question that is answered; a job that is left running, then stopped.
fn conversed() -> Vec<Vec<Value>> {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "ask_user", "input": { "question": "Which?", "multiple": true,
            "choices": ["a", { "label": "b", "description": "the other" }] } }] },
        { "calls": [{ "tool": "shell", "input": { "command": "cat", "background": true } }] },
        { "text": "left running" },
        { "calls": [{ "tool": "shell_job", "input": { "action": "stop" } }] },
        { "text": "stopped" }
    ]);
    let model = scratch.scenario(&steps);
    let run = |more: &[&str]| {
        let mut args = vec!["exec", "--output", "stream-json"];
        args.extend(more);
        scratch.run(&args).lines()
    };
    let first = run(&["--model", &model, "--mode", "full", "go"]);
    let id = first.last().expect("a result")["waiting"][0]["decision_id"].clone();
    let answer = ["answer", id.as_str().expect("an id"), "--choice", "2"];
    scratch.run(&answer).expect(0, &[]);
    let second = run(&["--continue"]);
    let running = &second.last().expect("a result")["running"];
    assert_eq!(running[0]["command"], "cat");
    vec![first, second, run(&["--continue", "enough"])]
}

/// A session that waits, is answered, goes on with another mode and another model.
fn answered() -> Vec<Vec<Value>> {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": { "command": "touch x" } }] }, { "text": "ok" }
    ]);
    let model = scratch.scenario(&steps);
    let stream = ["--output", "stream-json"];
    let mut args = vec!["exec", "--model", &model];
    args.extend(stream);
    args.push("go");
    let first = scratch.run(&args).lines();
    let id = first.last().expect("a result")["waiting"][0]["decision_id"].clone();
    scratch
        .run(&["approve", id.as_str().expect("an id")])
        .expect(0, &[]);
    let mut args = vec!["exec", "--continue"];
    args.extend(stream);
    let second = scratch.run(&args).lines();
    let mut args = vec!["exec", "--continue", "--model", "openai-chat/other"];
    args.extend(["--base-url", "http://127.0.0.1:1/v1", "--max-steps", "1"]);
    args.extend(stream);
    args.push("more");
    vec![first, second, scratch.run(&args).lines()]
}

#[test]
fn every_line_of_every_kind_of_run_is_as_the_schema_says() {
    let scratch = Scratch::new();
    let schema = schema(&scratch);
    let lines: Vec<Value> = runs().into_iter().flatten().collect();
    for line in &lines {
        if let Err(error) = schema.validate(line) {
            panic!("{error} at {}\n{line:#}", error.instance_path());
        }
    }
    let seen = |kind: &str| lines.iter().any(|line| line["type"] == kind);
    for kind in [
        "session",
        "event",
        "text_delta",
        "reasoning_delta",
        "attempt_discarded",
        "result",
    ] {
        assert!(seen(kind), "no {kind}");
    }
    for kind in [
        "SessionStarted",
        "OwnerChanged",
        "SettingsChanged",
        "PromptAccepted",
        "TurnStarted",
        "AttemptReserved",
        "AttemptFailed",
        "ModelReplied",
        "CallRejected",
        "Decided",
        "DecisionAnswered",
        "QuestionAnswered",
        "CallParked",
        "WaitEnded",
        "CallStarted",
        "CallFinished",
        "TurnEnded",
    ] {
        assert!(!of_kind(&lines, kind).is_empty(), "no {kind}");
    }
}

/// The control: whatever is added to, taken from or changed in a line is noticed.
#[test]
fn lines_that_are_not_as_the_schema_says_are_refused() {
    let scratch = Scratch::new();
    let schema = schema(&scratch);
    let mut changes = 0;
    for line in answered().into_iter().flatten() {
        for place in objects(&line, "") {
            let mut more = line.clone();
            more.pointer_mut(&place).expect("it")["unheard_of"] = json!(1);
            let tried = schema.is_valid(&more);
            assert!(
                !tried || is_open(&place),
                "`{place}` may be anything: {line}"
            );
            changes += 1;
        }
        let names: Vec<String> = line
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        for name in names {
            let mut less = line.clone();
            less.as_object_mut().expect("an object").remove(&name);
            assert!(!schema.is_valid(&less), "without {name}: {less}");
            let mut other = line.clone();
            other[&name] = json!([[]]);
            assert!(!schema.is_valid(&other), "with another {name}: {other}");
            changes += 2;
        }
    }
    assert!(changes > 300, "{changes}");
}

/// The places of all objects in a value, as JSON pointers.
fn objects(value: &Value, place: &str) -> Vec<String> {
    let mut places = Vec::new();
    match value {
        Value::Object(fields) => {
            places.push(place.to_owned());
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places.extend(objects(field, &format!("{place}/{name}")));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places.extend(objects(item, &format!("{place}/{index}")));
            }
        }
        _ => {}
    }
    places
}

/// Places that a tool, a provider or a later action fills.
fn is_open(place: &str) -> bool {
    ["/input_schema", "/extra", "/action", "/action/path"]
        .iter()
        .any(|end| place.ends_with(end))
        || place.contains("/input_schema/")
}

/// Three steps whose lines fill any pipe many times over.
fn loud() -> ScriptedServer {
    let words = "word ".repeat(60_000);
    let call = json!([{ "tool": "list", "input": {} }]);
    serve(&json!([
        { "text": words, "calls": call }, { "text": words, "calls": call }, { "text": words }
    ]))
}

fn start(scratch: &Scratch, server: &ScriptedServer, out: Stdio) -> Child {
    let url = server.base_url();
    let args = [
        "exec",
        "--model",
        "openai-chat/x",
        "--base-url",
        &url,
        "--output",
        "stream-json",
        "go",
    ];
    let mut command = scratch.command(&args);
    command.stdout(out).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// The events of the only session, once its turn has ended; its process may still run.
fn ended(scratch: &Scratch) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let events = scratch.events();
        if !of_kind(&events, "TurnEnded").is_empty() {
            return events;
        }
        assert!(Instant::now() < deadline, "the turn does not end");
    }
}

#[test]
fn a_reader_that_stops_reading_holds_nothing_up_and_loses_no_fact() {
    let scratch = Scratch::new();
    let server = loud();
    let mut child = start(&scratch, &server, Stdio::piped());
    let mut out = child.stdout.take().expect("a pipe");
    // A slow reader, which then reads nothing at all until the turn is over.
    let mut text = vec![0; 40];
    for byte in &mut text {
        out.read_exact(std::slice::from_mut(byte)).expect("a byte");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(
        server.wait_for_answers(3, Duration::from_secs(60)),
        "the loop waits"
    );
    let events = ended(&scratch);
    assert!(
        child.try_wait().expect("its state").is_none(),
        "the result is still to be read"
    );

    out.read_to_end(&mut text).expect("the rest");
    let output = child.wait_with_output().expect("it ends");
    let ran = Ran {
        out: String::from_utf8(text).expect("UTF-8"),
        ..ran(&output)
    };
    assert_eq!(ran.err, "");
    let lines = ran.expect(0, &[]).lines();
    let of_type = |kind: &str| {
        lines
            .iter()
            .filter(|line| line["type"] == kind)
            .cloned()
            .collect()
    };
    let facts: Vec<Value> = of_type("event");
    let told: Vec<Value> = facts.iter().map(|line| line["event"].clone()).collect();
    let kept: Vec<Value> = events.iter().map(|line| line["event"].clone()).collect();
    assert_eq!(told, kept, "every fact, once, in order");
    assert_eq!(lines.last().expect("a line")["type"], "result");
    let schema = schema(&scratch);
    assert!(lines.iter().all(|line| schema.is_valid(line)));
}

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let scratch = Scratch::new();
    let server = loud();
    let mut child = start(&scratch, &server, Stdio::piped());
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    drop(out);
    let ran = ran(&child.wait_with_output().expect("it ends"));
    ran.expect(0, &["went away", "went on to its end"]);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert_eq!(server.requests().len(), 3);
    let events = scratch.events();
    assert_eq!(of_kind(&events, "TurnEnded")[0]["data"]["stop"], "done");
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error_and_the_turn_is_kept() {
    for form in ["text", "json", "stream-json"] {
        let scratch = Scratch::new();
        let model = scratch.scenario(&json!([
            { "calls": [{ "tool": "list", "input": {} }] }, { "text": "the answer" }
        ]));
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut command = scratch.command(&["exec", "--model", &model, "--output", form, "go"]);
        command.stdout(full.expect("/dev/full"));
        let ran = ran(&command.output().expect("the binary starts"));
        ran.expect(1, &["standard output cannot be written", "sessions list"]);
        let events = scratch.events();
        assert_eq!(
            of_kind(&events, "TurnEnded")[0]["data"]["stop"],
            "done",
            "{form}"
        );
    }
}
