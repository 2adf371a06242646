//! `inbox`, `settle`, `signal`, `pause`: all that waits, and how its wait ends.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind, snapshot};

fn wait_for(input: Value) -> Value {
    json!({ "tool": "wait_for", "input": input })
}

/// Plays one step of calls in `mode` to its rest; gives the session's id.
fn rests(scratch: &Scratch, mode: &str, calls: &[Value], code: i32) -> String {
    let steps = json!([{ "calls": calls }, { "text": "done" }]);
    let result = scratch.play(mode, &steps, &[]).expect(code, &[]).json();
    result["session_id"].as_str().expect("an id").to_owned()
}

/// The inbox, by kind.
fn of(scratch: &Scratch, kind: &str) -> Vec<Value> {
    let listed = scratch.run(&["inbox", "--json"]).expect(0, &[]).json();
    let entries = listed.as_array().expect("an array").iter();
    entries.filter(|one| one["kind"] == kind).cloned().collect()
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().expect(name)
}

/// A command that ends its own keeper leaves a call in doubt.
const ENDS_ITS_KEEPER: &str = "echo begun; kill -9 $PPID; while :; do :; done";

#[test]
fn an_empty_inbox_is_an_empty_list_and_makes_no_folder() {
    let scratch = Scratch::new();
    assert_eq!(scratch.run(&["inbox", "--json"]).json(), json!([]));
    scratch.run(&["inbox"]).expect(0, &["nothing waits"]);
    assert!(!scratch.home().exists());
    rests(
        &scratch,
        "full",
        &[wait_for(json!({ "name": "x", "pause_ms": 1 }))],
        0,
    );
    assert_eq!(scratch.run(&["inbox", "--json"]).json(), json!([]));
}

/// A decision, a question and a party in one session, a doubt in another; gives the id of the first.
fn much_waits(scratch: &Scratch) -> String {
    let hostile = "\u{1b}[31mred\u{1b}[0m";
    let session = rests(
        scratch,
        "ask",
        &[
            json!({ "tool": "shell", "input": { "command": format!("echo {hostile}") } }),
            json!({ "tool": "ask_user", "input": { "question": "Which one?", "choices": ["a", "b"] } }),
            wait_for(json!({ "name": "the review", "instructions": "look at the plan" })),
        ],
        3,
    );
    rests(
        scratch,
        "full",
        &[json!({ "tool": "shell", "input": { "command": ENDS_ITS_KEEPER } })],
        0,
    );
    session
}

#[test]
fn all_that_waits_is_listed_with_what_ends_its_wait_and_looking_writes_nothing() {
    let scratch = Scratch::new();
    let session = much_waits(&scratch);
    let before = snapshot(&scratch.home());
    let plain = scratch.run(&["inbox"]);
    plain.expect(
        0,
        &[
            "decision",
            "question",
            "party",
            "doubt",
            "echo",
            "Which one?",
            "2. b",
            "look at the plan",
            "bowline approve",
            "bowline answer",
            "bowline settle",
            "signal",
            "'the review'",
            "lapses in 29 days",
        ],
    );
    assert!(!plain.out.contains('\u{1b}'), "{}", plain.out);
    let narrow = scratch.command(&["inbox"]).env("COLUMNS", "40").output();
    assert!(narrow.expect("it starts").status.success());
    let decision = &of(&scratch, "decision")[0];
    assert_eq!(text(decision, "session_id"), session);
    assert_eq!(text(decision, "tool"), "shell");
    assert!(text(decision, "why").contains("not shown as it is"));
    assert_eq!(decision["how"].as_array().map(Vec::len), Some(2));
    assert!(decision["ends_ms"].as_u64() > decision["since_ms"].as_u64());
    let question = &of(&scratch, "question")[0];
    assert_eq!(question["question"]["choices"][1]["label"], "b");
    let party = &of(&scratch, "party")[0];
    assert_eq!(text(party, "name"), "the review");
    assert_eq!(text(party, "instructions"), "look at the plan");
    let doubt = &of(&scratch, "doubt")[0];
    assert!(text(doubt, "what").contains("kill -9"));
    assert_eq!(snapshot(&scratch.home()), before);
}

#[test]
fn sessions_and_why_say_what_waits_too() {
    let scratch = Scratch::new();
    let session = much_waits(&scratch);
    let doubt = &of(&scratch, "doubt")[0];
    let shown = scratch
        .run(&["sessions", "show", &session, "--json"])
        .json();
    assert_eq!(shown["workflow"]["state"], "awaiting_decision");
    assert_eq!(shown["parties"][0]["name"], "the review");
    scratch
        .run(&["sessions", "show", &session])
        .expect(0, &["the review", "look at the plan"]);
    let why = scratch.run(&["why", &session]);
    why.expect(
        0,
        &[
            "It waits for the signal `the review`",
            "bowline signal",
            "bowline approve",
        ],
    );
    scratch
        .run(&["why", text(doubt, "session_id")])
        .expect(0, &["bowline settle", "--did-not"]);
    scratch
        .run(&["sessions", "list"])
        .expect(0, &["[3 waiting]", "[1 in doubt]"]);
}

#[test]
fn a_doubt_is_settled_once_and_the_model_reads_it() {
    for (flag, words) in [
        ("--happened", "it did happen"),
        ("--did-not", "it did not happen"),
    ] {
        let scratch = Scratch::new();
        let call = json!({ "tool": "shell", "input": { "command": ENDS_ITS_KEEPER } });
        let session = rests(&scratch, "full", &[call], 0);
        let doubt = of(&scratch, "doubt").remove(0);
        let id = text(&doubt, "id");
        scratch.run(&["settle", id]).expect(2, &["--happened"]);
        scratch
            .run(&["settle", id, flag, "--note", "seen by eye"])
            .expect(0, &["settled: ", "bowline resume"]);
        assert_eq!(text(&of(&scratch, "doubt")[0], "letter"), "settle");
        scratch
            .run(&["settle", &id[id.len() - 8..], "--happened"])
            .expect(2, &["was settled before", "the first word counts"]);
        scratch
            .run(&["exec", "--resume", &session, "go on"])
            .expect(0, &[]);
        let events = scratch.events();
        assert_eq!(of_kind(&events, "CallSettled").len(), 1);
        let shown = scratch.run(&["sessions", "show", &session, "--json"]);
        shown.expect(0, &[words, "says the command line", "seen by eye"]);
        assert_eq!(of(&scratch, "doubt").len(), 0);
        scratch
            .run(&["settle", id, "--did-not"])
            .expect(2, &["was settled already, by the command line"]);
    }
}

#[test]
fn a_signal_brings_its_payload_and_only_json() {
    let scratch = Scratch::new();
    let calls = [wait_for(json!({ "name": "build" }))];
    let session = rests(&scratch, "ask", &calls, 3);
    for (payload, wrong) in [("{green", "is no JSON value"), ("done", "needs its quotes")] {
        scratch
            .run(&["signal", &session, "build", "--payload", payload])
            .expect(2, &[wrong]);
    }
    let long = format!("\"{}\"", "x".repeat(40 << 10));
    scratch
        .run(&["signal", &session, "build", "--payload", &long])
        .expect(2, &["32768 are allowed"]);
    scratch.run(&["signal", &session, "another"]).expect(
        0,
        &[
            "kept: another",
            "The session waits for other things",
            "build",
        ],
    );
    // Invented; assembled here so that no scanner takes this file for a leak.
    let secret = format!("gh{}_{}", "p", "Zx81QmWnEbVcRtYuIoPlKjHgFdSa04761593");
    let payload = json!({ "green": true, "key": secret }).to_string();
    scratch
        .run(&["signal", &session, "build", "--payload", &payload])
        .expect(0, &["signalled: build"]);
    let party = &of(&scratch, "party")[0];
    assert_eq!(text(party, "letter"), "signal");
    assert_eq!(
        of(&scratch, "letters")[0]["letters"],
        json!(["signal", "signal"])
    );
    scratch.run(&["resume", &session]).expect(0, &["done"]);
    let told = scratch.results().remove(0);
    assert!(told.contains("came, through the command line"), "{told}");
    assert!(told.contains("{\"green\":true"), "{told}");
    assert!(!told.contains(&secret), "{told}");
}

#[test]
fn a_signal_is_kept_for_the_wait_to_come() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [wait_for(json!({ "name": "first" }))] },
        { "calls": [wait_for(json!({ "name": "second" }))] },
        { "text": "done" }
    ]);
    let result = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    let session = text(&result, "session_id");
    scratch
        .run(&["signal", session, "second"])
        .expect(0, &["kept: second"]);
    scratch
        .run(&["signal", session, "first"])
        .expect(0, &["signalled: first"]);
    scratch.run(&["resume", session]).expect(0, &["done"]);
}

#[test]
fn a_paused_session_rests_until_it_is_let_go_on() {
    let scratch = Scratch::new();
    let calls = [wait_for(json!({ "name": "build" }))];
    let session = rests(&scratch, "ask", &calls, 3);
    scratch
        .run(&["pause", &session])
        .expect(0, &["on hold as soon as somebody does", "bowline resume"]);
    scratch
        .run(&["pause", &session])
        .expect(2, &["was asked to pause before"]);
    scratch.run(&["signal", &session, "build"]).expect(0, &[]);
    scratch
        .run(&["exec", "--resume", &session])
        .expect(3, &["on hold"]);
    let hold = &of(&scratch, "hold")[0];
    assert_eq!(text(hold, "id"), session);
    scratch
        .run(&["pause", &session])
        .expect(2, &["is on hold already, by the command line"]);
    scratch.run(&["sessions", "list"]).expect(0, &["paused"]);
    let why = scratch.run(&["why", &session, "--json"]).json();
    assert_eq!(why["standing"], "paused");
    scratch
        .run(&["sessions", "show", &session])
        .expect(0, &["on hold, by the command line"]);
    scratch.run(&["resume", &session]).expect(0, &["done"]);
    assert_eq!(of(&scratch, "hold").len(), 0);
}

#[test]
fn a_session_that_was_killed_is_listed_as_unfinished() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "shell", "input": { "command": "kill -9 $(cat harness)" } }] },
        { "text": "done" }
    ]));
    let args = ["exec", "--model", &model, "--mode", "full", "go"];
    let mut command = scratch.command(&args);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // The call waits for its harness to be named: its number is known only once it runs.
    let fifo = scratch.work().join("harness");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo starts").success());
    let mut child = command.spawn().expect("it starts");
    std::fs::write(&fifo, child.id().to_string()).expect("the call reads it");
    assert!(!child.wait().expect("it ends").success());
    let entry = of(&scratch, "unfinished").remove(0);
    assert_eq!(entry["owned"], false);
    assert!(text(&entry, "what").contains("nobody drives it"));
    let session = text(&entry, "id");
    scratch.run(&["resume", session]).expect(0, &["done"]);
    assert_eq!(of(&scratch, "unfinished").len(), 0);
}
