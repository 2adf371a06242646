//! `ask_user`: a question parks the turn, an answer from another process is its result.

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

fn asking() -> Value {
    json!([
        { "calls": [{ "tool": "ask_user", "input": {
            "question": "Which database?",
            "choices": ["sqlite", { "label": "postgres", "description": "needs a server" }]
        } }] },
        { "text": "noted" }
    ])
}

/// Parks a session at the question; gives the ids of session and question.
fn parked(scratch: &Scratch, mode: &str) -> (String, String) {
    let result = scratch
        .play(mode, &asking(), &[])
        .expect(3, &["Which database?"])
        .json();
    let waiting = &result["waiting"][0];
    assert_eq!(waiting["question"]["text"], "Which database?");
    assert_eq!(waiting["question"]["choices"][1]["label"], "postgres");
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    (id(&result["session_id"]), id(&waiting["decision_id"]))
}

#[test]
fn a_question_parks_in_every_mode_and_its_answer_is_the_result() {
    for (mode, how, expect) in [
        ("read-only", ["--choice", "2"], "postgres"),
        ("full", ["--", "neither, use a file"], "neither, use a file"),
    ] {
        let scratch = Scratch::new();
        let (session, question) = parked(&scratch, mode);
        scratch
            .run(&["exec", "--resume", &session])
            .expect(3, &["2. postgres (needs a server)", "bowline answer ID"]);
        let mut args = vec!["answer", &question];
        args.extend(how);
        scratch.run(&args).expect(0, &["answered: Which database?"]);
        scratch
            .run(&["exec", "--resume", &session])
            .expect(0, &["noted"]);
        assert_eq!(scratch.results(), [expect]);
        let events = scratch.events();
        assert_eq!(of_kind(&events, "QuestionAnswered").len(), 1);
        assert_eq!(of_kind(&events, "CallStarted").len(), 0, "it never runs");
    }
}

#[test]
fn a_question_is_not_approved_and_no_verdict_is_given_in_words() {
    let scratch = Scratch::new();
    let (session, question) = parked(&scratch, "ask");
    scratch
        .run(&["approve", &question])
        .expect(2, &["bowline answer"]);
    scratch
        .run(&["answer", &question, "--choice", "3"])
        .expect(2, &["they are 1 to 2"]);
    scratch
        .run(&["answer", &question, "--choice", "1", "--choice", "2"])
        .expect(2, &["one choice only"]);
    scratch
        .run(&["answer", &question, " "])
        .expect(2, &["is empty"]);
    scratch
        .run(&["deny", &question, "--note", "ask me later"])
        .expect(0, &["declined"]);
    scratch.run(&["exec", "--resume", &session]).expect(0, &[]);
    let told = scratch.results().remove(0);
    assert!(told.contains("declined to answer: ask me later"), "{told}");

    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "write", "input": { "path": "a", "content": "b" } }] },
        { "text": "done" }
    ]);
    let result = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    assert_eq!(result["waiting"][0].get("question"), None);
    let decision = result["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch
        .run(&["answer", decision, "yes"])
        .expect(2, &["bowline approve"]);
}

#[test]
fn where_nobody_is_there_the_model_is_told_so() {
    let scratch = Scratch::new();
    scratch
        .play("full", &asking(), &["--on-ask", "refuse"])
        .expect(0, &["noted"]);
    let told = scratch.results().remove(0);
    assert!(told.contains("Nobody is there to answer"), "{told}");
    assert!(told.contains("decide it yourself"), "{told}");
}

#[test]
fn the_agent_neither_answers_nor_sends_for_a_person() {
    let scratch = Scratch::new();
    let (session, question) = parked(&scratch, "ask");
    let exe = env!("CARGO_BIN_EXE_bowline");
    let home = scratch.home();
    for command in [
        format!("answer {question} sqlite"),
        format!("send {session} hello"),
    ] {
        let command = format!("BOWLINE_HOME={} {exe} {command}", home.display());
        let input = json!({ "command": command }).to_string();
        let ran = scratch.run(&[
            "tools", "call", "shell", "--mode", "full", "--input", &input,
        ]);
        ran.expect(1, &["cannot answer its own"]);
    }
}
