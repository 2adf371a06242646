//! Sessions across processes: going on, waiting, answering, exporting, deleting.

use serde_json::json;

use crate::support::{Scratch, of_kind};

fn waiting_write() -> serde_json::Value {
    json!([
        { "calls": [{ "tool": "write", "input": { "path": "new.txt", "content": "hi\n" } }] },
        { "text": "written" }
    ])
}

#[test]
fn a_call_that_needs_a_person_parks_and_runs_once_after_an_approval_from_another_process() {
    let scratch = Scratch::new();
    let parked = scratch.play("ask", &waiting_write(), &[]);
    let result = parked.expect(3, &["new.txt"]).json();
    assert_eq!(result["stop_reason"], "waiting");
    let question = result["waiting"][0]["decision_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let session = result["session_id"].as_str().expect("an id").to_owned();
    assert!(!scratch.work().join("new.txt").exists());

    // Nothing changes by asking again.
    scratch
        .run(&["exec", "--resume", &session])
        .expect(3, &["bowline approve"]);
    assert!(!scratch.work().join("new.txt").exists());

    scratch.run(&["approve", &question]).expect(0, &["allowed"]);
    scratch
        .run(&["exec", "--resume", &session])
        .expect(0, &["written"]);
    assert_eq!(
        std::fs::read_to_string(scratch.work().join("new.txt")).expect("written"),
        "hi\n"
    );
    let events = scratch.events();
    assert_eq!(of_kind(&events, "CallStarted").len(), 1);
    scratch
        .run(&["approve", &question])
        .expect(2, &["nothing waits"]);
}

#[test]
fn a_denied_call_is_not_run_and_the_model_reads_the_note() {
    let scratch = Scratch::new();
    let result = scratch
        .play("ask", &waiting_write(), &[])
        .expect(3, &[])
        .json();
    let question = result["waiting"][0]["decision_id"].as_str().expect("an id");
    let session = result["session_id"].as_str().expect("an id");
    scratch
        .run(&["deny", question, "--note", "use another name"])
        .expect(0, &["denied"]);
    scratch.run(&["exec", "--resume", session]).expect(0, &[]);
    assert!(!scratch.work().join("new.txt").exists());
    assert!(
        scratch.results()[0].contains("use another name"),
        "{:?}",
        scratch.results()
    );
}

#[test]
fn a_looser_mode_on_resume_asks_the_open_question_anew() {
    let scratch = Scratch::new();
    let result = scratch
        .play("ask", &waiting_write(), &[])
        .expect(3, &[])
        .json();
    let session = result["session_id"].as_str().expect("an id");
    scratch
        .run(&["exec", "--resume", session, "--mode", "edit"])
        .expect(0, &[]);
    assert!(scratch.work().join("new.txt").exists());
}

#[test]
fn on_ask_refuse_tells_the_model_and_goes_on() {
    let scratch = Scratch::new();
    let ran = scratch.play("ask", &waiting_write(), &["--on-ask", "refuse"]);
    let result = ran.expect(0, &[]).json();
    assert_eq!(result["refused_calls"], 1);
    assert!(!scratch.work().join("new.txt").exists());
    assert!(
        scratch.results()[0].starts_with("Not run"),
        "{:?}",
        scratch.results()
    );
}

#[test]
fn continue_goes_on_with_the_newest_session_of_this_folder() {
    let scratch = Scratch::new();
    let steps = json!([{ "text": "first" }, { "text": "second", "expect": { "prompt_contains": ["and then"] } }]);
    let first = scratch.play("full", &steps, &[]).expect(0, &[]).json();
    let ran = scratch.run(&["exec", "--continue", "--output", "json", "and then"]);
    let second = ran.expect(0, &[]).json();
    assert_eq!(first["session_id"], second["session_id"]);
    assert_eq!(second["result"], "second");
    scratch
        .run(&["exec", "--continue"])
        .expect(2, &["nothing outstanding"]);
}

#[test]
fn export_is_one_object_and_delete_needs_a_yes() {
    let scratch = Scratch::new();
    scratch
        .play("full", &json!([{ "text": "hello" }]), &[])
        .expect(0, &[]);
    let session = scratch.sessions().remove(0);
    let tail = &session[session.len() - 8..];
    let exported = scratch
        .run(&["sessions", "export", tail])
        .expect(0, &[])
        .json();
    assert_eq!(exported["id"], session.as_str());
    assert_eq!(
        exported["events"].as_array().expect("events").len(),
        scratch.events().len()
    );
    scratch
        .run(&["sessions", "delete", tail])
        .expect(2, &["--yes"]);
    scratch
        .run(&["sessions", "delete", tail, "--yes"])
        .expect(0, &["deleted"]);
    assert_eq!(
        scratch.run(&["sessions", "list", "--json"]).json(),
        json!([])
    );
    scratch.run(&["events", tail]).expect(2, &["no session"]);
}

#[test]
fn the_index_can_be_deleted_and_built_anew() {
    let scratch = Scratch::new();
    for text in ["one", "two"] {
        scratch
            .play("full", &json!([{ "text": text }]), &[])
            .expect(0, &[]);
    }
    let before = scratch.run(&["sessions", "list", "--json"]).json();
    assert_eq!(before.as_array().expect("a list").len(), 2);
    std::fs::remove_file(scratch.home().join("index.db")).expect("there was an index");
    assert_eq!(
        scratch.run(&["sessions", "list", "--json"]).json(),
        before,
        "without an index"
    );
    scratch
        .run(&["sessions", "reindex"])
        .expect(0, &["2 sessions"]);
    assert!(scratch.home().join("index.db").exists());
    assert_eq!(
        scratch.run(&["sessions", "list", "--json"]).json(),
        before,
        "with a new one"
    );
}

#[test]
fn the_agent_cannot_answer_its_own_question() {
    let scratch = Scratch::new();
    let result = scratch
        .play("ask", &waiting_write(), &[])
        .expect(3, &[])
        .json();
    let question = result["waiting"][0]["decision_id"].as_str().expect("an id");
    let exe = env!("CARGO_BIN_EXE_bowline");
    let home = scratch.home();
    let command = format!("BOWLINE_HOME={} {exe} approve {question}", home.display());
    let input = json!({ "command": command }).to_string();
    let ran = scratch.run(&[
        "tools", "call", "shell", "--mode", "full", "--input", &input,
    ]);
    ran.expect(1, &["cannot answer its own"]);
}
