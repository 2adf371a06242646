//! `bowline context` and `bowline transcript`: what the model is sent, block by block and byte for
//! byte, and what broke the prefix.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::stream_json::published;
use crate::support::{Scratch, of_kind};

type Dialect = (&'static str, fn(&ScriptedServer) -> String);

const DIALECTS: [Dialect; 3] = [
    ("anthropic/claude-sonnet-4-5", ScriptedServer::root_url),
    ("openai/m-1", ScriptedServer::base_url),
    ("openai-chat/m-1", ScriptedServer::base_url),
];

fn serve() -> ScriptedServer {
    serve_with(Options::default())
}

fn serve_with(options: Options) -> ScriptedServer {
    let call = |tool: &str, input: Value| json!({ "tool": tool, "input": input });
    let steps = json!([
        { "reasoning": "hm", "text": "I look.\u{1b}[2J", "calls": [
            call("read", json!({ "path": "a.txt" })),
            call("shell", json!({ "command": "echo red; seq 40" })) ] },
        { "calls": [call("read", json!({ "path": "missing" }))] },
        { "text": "Done." },
        { "text": "Done again." },
        { "text": "And again." },
    ]);
    let scenario = Scenario::from_value(json!({ "version": 1, "steps": steps }));
    ScriptedServer::start(scenario.expect("a scenario"), options)
}

fn exec(scratch: &Scratch, server: &ScriptedServer, dialect: Dialect, more: &[&str]) {
    let url = dialect.1(server);
    let mut args = vec!["exec", "--model", dialect.0, "--base-url", &url];
    args.extend(more);
    scratch.run(&args).expect(0, &[]);
}

fn begin(scratch: &Scratch, server: &ScriptedServer, dialect: Dialect) -> String {
    scratch.file("a.txt", "one\ntwo\n");
    scratch.file("AGENTS.md", "Be careful.\n");
    exec(scratch, server, dialect, &["--mode", "full", "look at it"]);
    scratch.sessions()[0].clone()
}

fn plan(scratch: &Scratch, id: &str, more: &[&str]) -> Value {
    let mut args = vec!["context", id, "--json"];
    args.extend(more);
    scratch.run(&args).expect(0, &[]).json()
}

fn breaks(scratch: &Scratch, id: &str) -> Vec<(String, String, String)> {
    let plan = plan(scratch, id, &[]);
    let breaks = plan["breaks"].as_array().expect("breaks").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let breaks = breaks.iter();
    breaks
        .map(|it| (text(&it["block"]), text(&it["field"]), text(&it["cause"])))
        .collect()
}

#[test]
fn what_was_sent_is_printed_byte_for_byte() {
    for dialect in DIALECTS {
        let scratch = Scratch::new();
        let server = serve();
        let id = begin(&scratch, &server, dialect);
        exec(&scratch, &server, dialect, &["--continue", "again"]);
        let requests = server.requests();
        assert_eq!(requests.len(), 4, "{}", dialect.0);
        for (at, request) in requests.iter().enumerate() {
            let step = (at + 1).to_string();
            let printed = scratch.run(&["transcript", &id, "--as-sent", &step]);
            let sent = String::from_utf8_lossy(&request.raw);
            assert_eq!(
                printed.expect(0, &[]).out,
                format!("{sent}\n"),
                "{}",
                dialect.0
            );
        }
        let none = scratch.run(&["transcript", &id, "--as-sent", "9"]);
        none.expect(2, &["no request of step 9", "steps 1 to 4"]);
    }
}

#[test]
fn a_plan_says_of_each_block_what_it_is() {
    let scratch = Scratch::new();
    let server = serve();
    let id = begin(&scratch, &server, DIALECTS[0]);
    let valid = published(&scratch, "context.schema.json");
    let next = plan(&scratch, &id, &[]);
    let third = plan(&scratch, &id, &["--step", "3"]);
    for plan in [&next, &third] {
        let errors: Vec<String> = valid.iter_errors(plan).map(|it| it.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{plan}");
    }
    let mut wrong = next.clone();
    wrong["blocks"][0]["cached"] = json!("maybe");
    assert!(!valid.is_valid(&wrong), "the schema looks at blocks");
    assert_eq!((&next["step"], &next["asked"]), (&json!(4), &json!(false)));
    assert_eq!((&third["step"], &third["asked"]), (&json!(3), &json!(true)));
    assert_eq!(third["tokens_by"], "reported");

    let blocks = next["blocks"].as_array().expect("blocks");
    let kinds: Vec<&str> = blocks.iter().filter_map(|it| it["kind"].as_str()).collect();
    let of = |kind: &str| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!((of("system"), of("prompt"), of("instructions")), (1, 1, 1));
    assert_eq!((of("exchange"), of("result")), (3, 3), "{kinds:?}");
    let result = blocks
        .iter()
        .find(|it| it["kind"] == "result")
        .expect("one");
    assert_eq!(result["name"], "read");
    assert_eq!(result["origin"], "tool read");
    assert_eq!(result["cap_bytes"], 32 << 10);
    // What was sent is where it was; the last reply was not sent yet.
    let cached: Vec<&Value> = blocks.iter().map(|it| &it["cached"]).collect();
    assert!(
        cached[..cached.len() - 1].iter().all(|it| **it != "new"),
        "{cached:?}"
    );
    assert_eq!(cached[cached.len() - 1], "new");
    assert!(!next["breakpoints"].as_array().expect("places").is_empty());
    // The bytes that it names are the bytes of the request.
    let sum: u64 = blocks.iter().filter_map(|it| it["bytes"].as_u64()).sum();
    assert_eq!(next["bytes"], sum);
    for columns in [80, 200] {
        let text = scratch.run(&["context", &id]);
        text.expect(
            0,
            &["step 4, next", "instructions", "file AGENTS.md", "Held by"],
        );
        assert!(!text.out.contains('\u{1b}'), "{columns}: {}", text.out);
    }
}

#[test]
fn what_changes_beside_the_prefix_breaks_nothing_and_what_breaks_it_has_a_cause() {
    let scratch = Scratch::new();
    let server = serve();
    let id = begin(&scratch, &server, DIALECTS[2]);
    exec(
        &scratch,
        &server,
        DIALECTS[2],
        &["--continue", "--mode", "edit", "more"],
    );
    assert_eq!(breaks(&scratch, &id), []);
    exec(
        &scratch,
        &server,
        DIALECTS[2],
        &["--continue", "--reasoning", "high", "more"],
    );
    let broken = |block: &str, field: &str, cause: &str| {
        (block.to_owned(), field.to_owned(), cause.to_owned())
    };
    let first = broken("settings", "reasoning", "settings");
    assert_eq!(breaks(&scratch, &id), [first]);
    let events = scratch.events();
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|it| it["event"]["kind"].as_str())
        .collect();
    let at = kinds
        .iter()
        .position(|kind| *kind == "PrefixBroken")
        .expect("it broke");
    assert_eq!(
        kinds[at + 1],
        "AttemptReserved",
        "one batch with what breaks it"
    );
    let text = scratch.run(&["context", &id]);
    text.expect(0, &["Prefix breaks", "another setting is in force"]);
}

#[test]
fn another_system_text_is_taken_on_only_when_asked() {
    let scratch = Scratch::new();
    // A strict one refuses a conversation that begins otherwise than before.
    let server = serve_with(Options {
        strict: false,
        ..Options::default()
    });
    let id = begin(&scratch, &server, DIALECTS[2]);
    scratch.config("system_append = \"Answer in verse.\"\n");
    exec(&scratch, &server, DIALECTS[2], &["--continue", "more"]);
    assert_eq!(breaks(&scratch, &id), []);
    let url = server.base_url();
    let told = scratch.run(&[
        "exec",
        "--continue",
        "--reconfigure",
        "--model",
        "openai-chat/m-1",
        "--base-url",
        &url,
        "more",
    ]);
    told.expect(0, &["no longer what it began with: system (line"]);
    let system = ("system".to_owned(), "text".to_owned(), "pool".to_owned());
    assert_eq!(breaks(&scratch, &id), [system]);
    let events = scratch.events();
    let changed = of_kind(&events, "PromptChanged");
    assert_eq!(changed.len(), 1);
    let last = server.requests().pop().expect("a request");
    assert!(String::from_utf8_lossy(&last.raw).contains("Answer in verse."));
}

#[test]
fn a_transcript_is_the_whole_conversation_and_moves_no_cursor() {
    let scratch = Scratch::new();
    let server = serve();
    let id = begin(&scratch, &server, DIALECTS[2]);
    let text = scratch.run(&["transcript", &id]);
    let parts = [
        "you: look at it",
        "file AGENTS.md: Be careful.",
        "step 1 (after 2 bytes of reasoning): I look.[2J",
        "▸ read",
        "✓ red",
        "more lines",
        "✗",
        "step 3: Done.",
        "turn ended: done",
    ];
    text.expect(0, &parts);
    let places = parts.map(|part| text.out.find(part).expect(part));
    assert!(places[2] < places[3] && places[3] < places[7], "in order");
    assert!(!text.out.contains('\u{1b}'), "{}", text.out);
    let entries = scratch
        .run(&["transcript", &id, "--json"])
        .expect(0, &[])
        .json();
    let entries = entries.as_array().expect("an array").clone();
    let replies = entries.iter().filter(|it| it["type"] == "reply");
    let results: Vec<Value> = replies
        .flat_map(|it| it["calls"].as_array().cloned().unwrap_or_default())
        .collect();
    assert_eq!(results.len(), 3);
    assert!(
        results[1]["result"]["text"]
            .as_str()
            .expect("text")
            .contains("\n40"),
        "whole"
    );
}
