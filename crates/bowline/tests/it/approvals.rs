//! Several approvals that wait at once, answered from other processes: each protected effect happens
//! once or never.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind, ran};

fn shell(command: &str) -> Value {
    json!({ "tool": "shell", "input": { "command": command } })
}

fn write(path: &str) -> Value {
    json!({ "tool": "write", "input": { "path": path, "content": "x\n" } })
}

/// Parks a session at these calls; gives its id and the ids of the questions, in order.
fn parked(scratch: &Scratch, calls: &[Value], more: &[&str]) -> (String, Vec<String>) {
    let steps = json!([{ "calls": calls }, { "text": "done" }]);
    let ran = scratch.play("ask", &steps, more);
    let result = ran.expect(3, &[]).json();
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    let waiting = result["waiting"].as_array().expect("a list").iter();
    let questions = waiting.map(|item| id(&item["decision_id"])).collect();
    (id(&result["session_id"]), questions)
}

fn marks(scratch: &Scratch) -> String {
    std::fs::read_to_string(scratch.work().join("marks")).unwrap_or_default()
}

/// How often each kind of event is there.
fn counts(scratch: &Scratch, kinds: &[&str]) -> Vec<usize> {
    let events = scratch.events();
    let count = |kind: &&str| of_kind(&events, kind).len();
    kinds.iter().map(count).collect()
}

#[test]
fn three_wait_two_are_approved_one_is_denied_each_effect_happens_once_or_never() {
    let scratch = Scratch::new();
    let calls = ["one", "two", "three"].map(|word| shell(&format!("echo {word} >> marks")));
    let (session, ids) = parked(&scratch, &calls, &[]);
    assert_eq!(ids.len(), 3);
    assert_eq!(marks(&scratch), "");
    let listed = scratch.run(&["inbox", "--json"]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    // The state folder goes on elsewhere, as after a reboot of another kind.
    std::fs::rename(scratch.home(), scratch.path("moved")).expect("it moves");
    let moved = |args: &[&str]| -> Ran {
        let mut command = scratch.command(args);
        command.env("BOWLINE_HOME", scratch.path("moved"));
        ran(&command.output().expect("it starts"))
    };
    moved(&["approve", &ids[0], &ids[2], "--note", "mind the others"])
        .expect(0, &["allowed: echo one", "allowed: echo three"]);
    moved(&["deny", &ids[1], "--note", "not that one"]).expect(0, &["denied: echo two"]);
    let listed = moved(&["inbox", "--json"]).json();
    let mut letters: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["letter"].as_str())
        .collect();
    letters.sort_unstable();
    assert_eq!(letters, ["allow", "allow", "deny"], "{listed:#}");
    moved(&["resume", &session]).expect(0, &["done"]);
    std::fs::rename(scratch.path("moved"), scratch.home()).expect("it moves back");
    // Shell calls run side by side.
    let marks = marks(&scratch);
    let mut marks: Vec<&str> = marks.lines().collect();
    marks.sort_unstable();
    assert_eq!(marks, ["one", "three"]);
    let kinds = ["CallStarted", "DecisionAnswered", "TurnEnded"];
    assert_eq!(counts(&scratch, &kinds), [2, 3, 1]);
    let told = scratch.results();
    assert!(
        told[1].contains("A person said no: not that one"),
        "{told:?}"
    );
    let notes: Vec<Value> = of_kind(&scratch.events(), "NoticeAdded")
        .iter()
        .filter_map(|event| event["data"]["text"]["text"].as_str())
        .filter(|text| text.contains("mind the others"))
        .map(|text| json!(text))
        .collect();
    assert_eq!(notes.len(), 2, "the model reads what the person says");
    assert_eq!(scratch.run(&["inbox", "--json"]).json(), json!([]));
}

#[test]
fn an_approval_is_spent_once() {
    let scratch = Scratch::new();
    let call = shell("echo one >> marks");
    let steps = json!([{ "calls": [call] }, { "calls": [call] }, { "text": "done" }]);
    let first = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    let id = |result: &Value| {
        let id = result["waiting"][0]["decision_id"].as_str();
        id.expect("an id").to_owned()
    };
    let session = first["session_id"].as_str().expect("an id").to_owned();
    let first = id(&first);
    scratch.run(&["approve", &first]).expect(0, &[]);
    scratch
        .run(&["approve", &first])
        .expect(2, &["was allowed before", "the first answer counts"]);
    scratch
        .run(&["deny", &first])
        .expect(2, &["was allowed before", "the first answer counts"]);
    let resume = ["exec", "--resume", &session, "--output", "json"];
    let second = scratch.run(&resume).expect(3, &[]).json();
    assert_eq!(marks(&scratch), "one\n", "the second call asks for itself");
    for again in ["approve", "deny"] {
        scratch
            .run(&[again, &first])
            .expect(2, &["was allowed already, by the command line at"]);
    }
    scratch.run(&resume).expect(3, &[]);
    assert_eq!(marks(&scratch), "one\n");
    scratch.run(&["deny", &id(&second)]).expect(0, &[]);
    scratch.run(&resume).expect(0, &[]);
    assert_eq!(marks(&scratch), "one\n");
}

#[test]
fn the_same_request_asks_no_more_in_the_session_and_one_changed_byte_does() {
    let scratch = Scratch::new();
    let (same, other) = (shell("echo a >> marks"), shell("echo b >> marks"));
    let steps = json!([
        { "calls": [same] }, { "calls": [same] }, { "calls": [other] }, { "text": "done" }
    ]);
    let result = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    let session = result["session_id"].as_str().expect("an id").to_owned();
    let id = result["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch
        .run(&["approve", id, "--scope", "session"])
        .expect(0, &[]);
    scratch
        .run(&["resume", &session])
        .expect(3, &["echo b >> marks"]);
    assert_eq!(marks(&scratch), "a\na\n");
}

#[test]
fn two_processes_that_approve_at_once_have_one_effect() {
    let scratch = Scratch::new();
    let (session, ids) = parked(&scratch, &[shell("echo one >> marks")], &[]);
    let at_once = |words: [&str; 2]| -> Vec<Child> {
        let begin = |word: &str| {
            let mut command = scratch.command(&[word, &ids[0]]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("it starts")
        };
        words.map(begin).into()
    };
    let codes: Vec<Option<i32>> = at_once(["approve", "approve"])
        .into_iter()
        .map(|mut child| child.wait().expect("it ends").code())
        .collect();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    scratch.run(&["resume", &session]).expect(0, &[]);
    assert_eq!(marks(&scratch), "one\n");
    let kinds = ["DecisionAnswered", "CallStarted"];
    assert_eq!(counts(&scratch, &kinds), [1, 1]);
}

#[test]
fn for_always_is_an_exact_rule_for_each_part_that_asks() {
    let scratch = Scratch::new();
    scratch.config("# mine\n[permissions]\ndeny = [\"write(never)\"]\n");
    let calls = [
        write("notes.txt"),
        shell("factor \"$unknown\""),
        shell("factor 12 | head -1 && factor 15"),
    ];
    let (_, ids) = parked(&scratch, &calls, &[]);
    scratch
        .run(&["approve", &ids[1], "--scope", "always"])
        .expect(2, &["cannot be spelled out in a rule", "--scope session"]);
    let path = scratch.work().canonicalize().expect("it is there");
    let rule = format!("write({})", path.join("notes.txt").display());
    scratch
        .run(&["approve", &ids[0], "--scope", "always"])
        .expect(
            0,
            &[
                "allowed",
                &format!("rule: allow {rule}"),
                "it would have allowed no other recorded call",
                &format!("rule added: {rule}"),
                "rules.toml:2",
            ],
        );
    let config = std::fs::read_to_string(scratch.path("config/bowline/config.toml"));
    assert_eq!(
        config.expect("it is there"),
        "# mine\n[permissions]\ndeny = [\"write(never)\"]\n"
    );
    let rules = std::fs::read_to_string(scratch.path("config/bowline/rules.toml"));
    let example = rule.replace('(', " ").replace(')', "");
    assert_eq!(
        rules.expect("it is there"),
        format!(
            "[[rule]]\nallow = \"{rule}\"\nreason = \"allowed for always when it was asked\"\n\
             allows = [\"{example}\"]\n"
        )
    );
    scratch
        .run(&["approve", &ids[2], "--scope", "always"])
        .expect(0, &["rule added: factor 12", "rule added: factor 15"]);
    // Another session does not ask, and asks about any other file and command.
    let other = json!([
        { "calls": [write("notes.txt"), shell("factor 15"), write("other.txt")] },
        { "text": "x" }
    ]);
    let result = scratch.play("ask", &other, &[]).expect(3, &[]).json();
    let waiting = result["waiting"].as_array().expect("a list");
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert!(
        waiting[0]["essence"]
            .as_str()
            .expect("a line")
            .contains("other.txt")
    );
}

/// What a rule says beside the one that would be added is told before anything is written.
#[test]
fn for_always_is_refused_where_another_rule_would_still_ask() {
    let scratch = Scratch::new();
    let text = "[permissions]\nask = [\"write(notes.txt)\"]\n";
    scratch.config(text);
    let (_, ids) = parked(&scratch, &[write("notes.txt")], &[]);
    scratch
        .run(&["approve", &ids[0], "--scope", "always"])
        .expect(2, &["wants a person's answer", "config.toml:2"]);
    let config = std::fs::read_to_string(scratch.path("config/bowline/config.toml"));
    assert_eq!(config.expect("it is there"), text);
    scratch.run(&["approve", &ids[0]]).expect(0, &["allowed"]);
}

/// Runs a command again and again until it ends with another code, in bounded time.
fn until_other(scratch: &Scratch, args: &[&str], code: i32) -> Ran {
    let began = Instant::now();
    loop {
        let ran = scratch.run(args);
        if ran.code != code {
            return ran;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{}", ran.err);
    }
}

#[test]
fn a_question_that_nobody_answers_in_time_lapses_and_the_model_is_told() {
    let scratch = Scratch::new();
    scratch.config("ask_expires = \"7d\"\n");
    let calls = [shell("echo one >> marks")];
    let (session, ids) = parked(&scratch, &calls, &["--ask-expires", "1s"]);
    let resume = ["exec", "--resume", &session];
    until_other(&scratch, &resume, 3).expect(0, &["done"]);
    assert_eq!(marks(&scratch), "");
    let told = scratch.results();
    assert!(told[0].contains("Nobody answered in time."), "{told:?}");
    assert_eq!(counts(&scratch, &["DecisionLapsed", "CallStarted"]), [1, 0]);
    scratch
        .run(&["approve", &ids[0]])
        .expect(2, &["lapsed at", "nobody answered in time"]);
}

#[test]
fn an_answer_counts_by_when_it_was_given() {
    // On a busy machine the first answer itself may come too late: then with more time.
    let given = ["2s", "20s"].into_iter().find_map(|span| {
        let scratch = Scratch::new();
        let calls = [shell("echo one >> marks"), shell("echo two >> marks")];
        let (session, ids) = parked(&scratch, &calls, &["--ask-expires", span]);
        let in_time = scratch.run(&["approve", &ids[0]]).code == 0;
        in_time.then_some((scratch, session, ids))
    });
    let (scratch, session, ids) = given.expect("an answer in time");
    // Both lapse before anybody takes the letter.
    let began = Instant::now();
    loop {
        let listed = scratch.run(&["inbox", "--json"]).json();
        let entries = listed.as_array().expect("a list").iter();
        if entries.filter(|entry| entry["lapsed"] == true).count() == 2 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{listed:#}");
    }
    scratch
        .run(&["approve", &ids[1]])
        .expect(2, &["nobody answered in time"]);
    scratch.run(&["resume", &session]).expect(0, &["done"]);
    assert_eq!(marks(&scratch), "one\n");
    let told = scratch.results();
    assert!(told[1].contains("Nobody answered in time."), "{told:?}");
}

#[test]
fn what_superseded_a_question_is_named() {
    let scratch = Scratch::new();
    let (session, ids) = parked(&scratch, &[shell("echo one >> marks")], &[]);
    scratch
        .run(&[
            "exec",
            "--resume",
            &session,
            "--supersede",
            "something else",
        ])
        .expect(0, &[]);
    scratch
        .run(&["approve", &ids[0]])
        .expect(2, &["denied already, by a new prompt"]);
    assert_eq!(marks(&scratch), "");
}
