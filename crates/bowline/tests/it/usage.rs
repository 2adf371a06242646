//! What sessions used: sums, what is open, and a provider's export held against them.

use bowline_core::amounts::Amounts;
use bowline_core::{AttemptId, SessionId};
use bowline_journal::{Claim, ClaimKey, Grant, Store};
use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind, snapshot};

fn steps() -> Value {
    let usage = |input: u64, output: u64| json!({ "input_tokens": input, "output_tokens": output, "cached_input_tokens": 100 });
    json!([
        { "calls": [
            { "tool": "shell", "input": { "command": "seq 10" } },
            { "tool": "read", "input": { "path": "absent" } },
        ], "usage": usage(1_001, 50) },
        { "calls": [{ "tool": "shell", "input": { "command": "echo hi" } }],
          "usage": usage(1_200, 60) },
        { "text": "done", "usage": usage(1_300, 70) },
    ])
}

/// A session that was played against a server, as a provider's calls are.
fn played(scratch: &Scratch) {
    let scenario = Scenario::from_value(json!({ "version": 1, "steps": steps() }));
    let server = ScriptedServer::start(scenario.expect("a scenario"), Options::default());
    let url = server.base_url();
    let args = [
        "exec",
        "--model",
        "openai/gpt-5",
        "--base-url",
        &url,
        "--mode",
        "full",
        "go",
    ];
    let mut command = scratch.command(&args);
    let output = command.env("OPENAI_API_KEY", "sk-x").output();
    assert!(output.expect("it starts").status.success());
}

fn of<'a>(report: &'a Value, key: &str) -> &'a Value {
    let groups = report["groups"].as_array().expect("groups");
    let found = groups.iter().find(|group| group["key"] == key);
    found.unwrap_or_else(|| panic!("{key}: {report}"))
}

#[test]
fn sums_are_those_of_the_replies() {
    let scratch = Scratch::new();
    scratch.config(
        "[[models]]\nid = \"openai/gpt-5\"\ninput_usd_per_mtok = 1.25\n\
         cache_read_usd_per_mtok = 0.125\noutput_usd_per_mtok = 10\n",
    );
    played(&scratch);
    let by = |by: &str| scratch.run(&["usage", "--by", by, "--json"]).json();
    let models = by("model");
    let total = &models["total"];
    assert_eq!(total["calls"], 3);
    assert_eq!(total["charged"]["input_tokens"], 3_501);
    assert_eq!(total["charged"]["output_tokens"], 180);
    assert_eq!(total["reported"]["cached_input_tokens"], 300);
    assert_eq!(total["tool_calls"], 3);
    // Each call is rounded up to a millionth by itself.
    assert_eq!(total["charged"]["cost_micro_usd"], 1_639 + 1_988 + 2_213);
    assert_eq!(total["unpriced"], 0);
    let (reserved, charged) = (&total["reserved"], &total["charged"]);
    assert!(reserved["input_tokens"].as_u64() >= charged["input_tokens"].as_u64());
    assert_eq!(of(&models, "openai/gpt-5")["calls"], 3);
    assert_eq!(models["open"], json!([]));
    let tools = by("tool");
    assert_eq!(of(&tools, "shell")["charged"]["input_tokens"], 501 + 1_200);
    assert_eq!(of(&tools, "read")["charged"]["input_tokens"], 500);
    assert_eq!(of(&tools, "answer")["charged"]["input_tokens"], 1_300);
    assert_eq!(of(&tools, "shell")["tool_calls"], 2);
    let cost = |tool: &str| of(&tools, tool)["charged"]["cost_micro_usd"].clone();
    assert_eq!(cost("shell"), 820 + 1_988);
    assert_eq!((cost("read"), cost("answer")), (json!(819), json!(2_213)));
    let project = scratch.work().display().to_string();
    assert_eq!(of(&by("project"), &project)["calls"], 3);
    let sessions = scratch.sessions();
    assert_eq!(of(&by("session"), &sessions[0])["calls"], 3);

    // The index is derived: without it the journals say the same.
    std::fs::remove_file(scratch.home().join("index.db")).expect("an index");
    assert_eq!(by("model"), models);
    assert_eq!(by("tool"), tools);
    assert!(!scratch.home().join("index.db").exists());

    // Spans, one session, forms.
    let none = scratch.run(&["usage", "--until", "2020-01-01", "--json"]);
    assert_eq!(none.json()["total"]["calls"], 0);
    let one = scratch.run(&[
        "usage",
        "--session",
        &sessions[0],
        "--since",
        "1h",
        "--json",
    ]);
    assert_eq!(one.json()["total"], *total);
    let csv = scratch.run(&["usage", "--csv"]);
    csv.expect(0, &["day,calls,failed", ",3501,300,0,180,0,0.00584,"]);
    let text = scratch.run(&["usage", "--by", "tool"]);
    text.expect(0, &["shell", "total", "3,501"]);
    assert!(!text.out.contains('█') && !text.out.contains('\u{1b}'));
    scratch
        .run(&["usage", "--accuracy"])
        .expect(0, &["openai/gpt-5", "prefix", "whole"]);
    let accuracy = scratch.run(&["usage", "--accuracy", "--json"]).json();
    let all = accuracy.as_array().and_then(|all| all.last());
    assert_eq!(all.expect("all models")["below"], 0);
    scratch
        .run(&["usage", "--since", "yesterday"])
        .expect(2, &["--since: `yesterday` is no time"]);
}

#[test]
fn a_damaged_session_is_named_and_counted_as_far_as_it_is_intact() {
    let scratch = Scratch::new();
    played(&scratch);
    let session = scratch.sessions().remove(0);
    let journal = scratch
        .home()
        .join("sessions")
        .join(&session)
        .join("journal.jsonl");
    let mut bytes = std::fs::read(&journal).expect("a journal");
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    std::fs::write(&journal, bytes).expect("a journal");
    // Of a journal as long as the index knows it the index speaks.
    std::fs::remove_file(scratch.home().join("index.db")).expect("an index");
    let ran = scratch.run(&["usage", "--json"]);
    ran.expect(0, &["is damaged, only what is intact is counted"]);
    assert_eq!(ran.json()["damaged"], json!([session]));
    assert_eq!(ran.json()["total"]["calls"], 3);
}

/// Sets something aside for the only session, as a process would that is killed then.
fn left_open(scratch: &Scratch) -> AttemptId {
    let session: SessionId = scratch.sessions()[0].parse().expect("an id");
    let attempt = AttemptId::from_uuid(session.uuid());
    let claim = Claim {
        key: ClaimKey::Attempt(attempt),
        session,
        project: "/srv/project".to_owned(),
        at_ms: 1_795_564_800_000,
        amounts: Amounts {
            input_tokens: 5_000,
            output_tokens: 4_096,
            cost_micro_usd: 900,
            steps: 1,
            ..Amounts::ZERO
        },
        project_cap: Default::default(),
        day_cap: Default::default(),
        rates: Default::default(),
    };
    let ledger = Store::at(scratch.home()).ledger();
    assert_eq!(ledger.reserve(&claim).expect("a ledger"), Grant::Reserved);
    attempt
}

#[test]
fn what_is_open_is_shown_apart_and_settled_by_a_person() {
    let scratch = Scratch::new();
    played(&scratch);
    scratch
        .run(&["usage", "--open"])
        .expect(0, &["nothing is set aside"]);
    let attempt = left_open(&scratch).to_string();
    let text = scratch.run(&["usage"]);
    text.expect(
        0,
        &["1 call not settled: 9,096 tokens and $0.0009 are set aside"],
    );
    let open = scratch.run(&["usage", "--open", "--json"]).json();
    assert_eq!(open[0]["id"], attempt.as_str());
    assert_eq!(
        (&open[0]["owned"], &open[0]["in_ledger"]),
        (&json!(false), &json!(true))
    );
    scratch.run(&["usage", "--open"]).expect(
        0,
        &[&attempt[28..], "left", "/srv/project", "5,000 input tokens"],
    );

    let settle = |more: &[&str]| {
        let args = [&["usage", "settle"], more].concat();
        scratch.run(&args)
    };
    settle(&["ffffffff", "--nothing"]).expect(2, &["nothing is set aside under"]);
    settle(&[&attempt]).expect(2, &["--nothing"]);
    settle(&[&attempt, "--tokens-in", "1"]).expect(2, &["--tokens-out"]);
    settle(&[
        &attempt,
        "--tokens-in",
        "1",
        "--tokens-out",
        "2",
        "--usd",
        "x",
    ])
    .expect(2, &["`x` is no amount"]);
    settle(&[
        &attempt[24..],
        "--tokens-in",
        "1200",
        "--tokens-out",
        "30",
        "--usd",
        "0.0004",
    ])
    .expect(0, &["settled", "1,200 tokens in", "$0.0004"]);
    settle(&[&attempt, "--nothing"]).expect(2, &["nothing is set aside under"]);
    let ledger = Store::at(scratch.home()).ledger().view().expect("a ledger");
    let total = ledger.project("/srv/project");
    assert_eq!(total.spent.input_tokens, 1_200);
    assert_eq!(total.spent.cost_micro_usd, 400);
    assert_eq!(total.set_aside, Amounts::ZERO);
    scratch
        .run(&["usage", "rebuild"])
        .expect(0, &["1 sessions counted"]);
}

#[test]
fn an_agent_settles_nothing() {
    let scratch = Scratch::new();
    played(&scratch);
    let attempt = left_open(&scratch);
    let bowline = env!("CARGO_BIN_EXE_bowline");
    let command = format!(
        "env -i HOME=/ BOWLINE_HOME={} {bowline} usage settle {attempt} --nothing 2>&1",
        scratch.home().display()
    );
    let input = json!({ "command": command }).to_string();
    let ran = scratch.run(&[
        "tools", "call", "shell", "--mode", "full", "--input", &input,
    ]);
    ran.expect(1, &["runs inside a shell command of an agent"]);
    let ledger = Store::at(scratch.home()).ledger().view().expect("a ledger");
    assert_eq!(ledger.open().count(), 1, "{}", ran.out);
}

fn reconcile(scratch: &Scratch, file: &str, more: &[&str]) -> Ran {
    scratch.run(&[&["usage", "reconcile", file], more].concat())
}

#[test]
fn planted_foreign_use_is_found_in_the_providers_export() {
    let scratch = Scratch::new();
    played(&scratch);
    let day = scratch.run(&["usage", "--json"]).json()["groups"][0]["key"].clone();
    let day = day.as_str().expect("a day");
    let export = |rows: &str| {
        let head = "usage_date_utc,model,input_tokens,output_tokens,api_key\n";
        let file = scratch.file("export.csv", format!("{head}{rows}"));
        file.display().to_string()
    };
    let clean = format!("{day},gpt-5-2025-08-07,3501,180,mine\n");
    let reconcile = |file: &str, more: &[&str]| reconcile(&scratch, file, more);
    let before = snapshot(&scratch.home());
    let file = export(&clean);
    reconcile(&file, &[]).expect(
        0,
        &["all use is ours", "3,501 tokens in, 180 out, in 3 calls"],
    );

    let foreign = |rows: &str| {
        let ran = reconcile(&export(rows), &["--json"]);
        ran.expect(1, &[]);
        let found = ran.json()["foreign"].as_array().expect("findings").clone();
        let tokens = |one: &Value| {
            let number = |name: &str| one[name].as_u64().expect("a number");
            (number("input_tokens"), number("output_tokens"))
        };
        found.iter().map(tokens).collect::<Vec<_>>()
    };
    let more = clean.replace("3501", "3543");
    assert_eq!(foreign(&more), [(42, 0)], "tokens in a day of ours");
    let model = format!("{clean}{day},gpt-4o,7,8,other\n");
    assert_eq!(foreign(&model), [(7, 8)], "a model never used");
    let other_day = format!("{clean}2026-01-02,gpt-5,9,1,mine\n");
    assert_eq!(foreign(&other_day), [(9, 1)], "a day without calls");
    let told = reconcile(&export(&model), &[]);
    told.expect(
        1,
        &[
            "1 use is not ours",
            "7 tokens in, 8 out",
            "with key other",
            "Revoke",
        ],
    );
    reconcile(&export(&more), &["--tolerance", "2%"]).expect(0, &["within the tolerance"]);
    let file = export(&clean);
    reconcile(&file, &["--provider", "elsewhere"]).expect(1, &["3,501 tokens in"]);

    for (bytes, part) in [(&b"\xff\xfe"[..], "no usage export"), (b"", "empty")] {
        scratch.file("bad", bytes);
        reconcile("bad", &[]).expect(2, &[part]);
    }
    reconcile("absent", &[]).expect(2, &["cannot read absent"]);
    reconcile(&file, &["--tolerance", "x"]).expect(2, &["no percentage"]);
    assert_eq!(snapshot(&scratch.home()), before, "nothing is written");
}

#[test]
fn a_request_of_a_stranger_is_found_by_its_id() {
    let scratch = Scratch::new();
    played(&scratch);
    let session = scratch.sessions().remove(0);
    let events = scratch.run(&["events", &session, "--json"]).lines();
    let replies = of_kind(&events, "ModelReplied");
    let mut calls = String::from("time,model,input_tokens,output_tokens,request_id\n");
    for reply in replies {
        let data = &reply["data"];
        let at = reply["at_ms"].as_u64().expect("a time");
        let id = data["request_id"].as_str().expect("an id");
        let usage = &data["usage"];
        let (input, output) = (&usage["input_tokens"], &usage["output_tokens"]);
        calls += &format!("{at},gpt-5,{input},{output},{id}\n");
    }
    let file = scratch.file("calls.csv", &calls);
    let file = file.display().to_string();
    reconcile(&scratch, &file, &[]).expect(0, &["all use is ours"]);
    scratch.file("calls.csv", calls + "1795564800,gpt-5,11,12,req_stranger\n");
    reconcile(&scratch, &file, &[]).expect(1, &["req_stranger", "11 tokens in, 12 out"]);
}
