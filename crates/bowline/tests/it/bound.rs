//! An approval holds for the very bytes that it was given for: of the command, and of the files of
//! the workspace that the command executes.

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// A script that leaves a line each time it runs.
const SCRIPT: &str = "echo one >> ran\n";

/// A session that waits to be allowed `command`, and the id of the question.
fn parked(scratch: &Scratch, command: &str) -> String {
    scratch.file("run.sh", SCRIPT);
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": { "command": command } }] },
        { "text": "done" }
    ]);
    let waiting = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    question(&waiting)
}

fn question(waiting: &Value) -> String {
    let id = waiting["waiting"][0]["decision_id"].as_str();
    id.expect("something waits").to_owned()
}

fn resume(scratch: &Scratch) -> crate::support::Ran {
    let session = scratch.sessions().remove(0);
    scratch.run(&["exec", "--resume", &session, "--output", "json"])
}

fn ran(scratch: &Scratch) -> String {
    std::fs::read_to_string(scratch.work().join("ran")).unwrap_or_default()
}

#[test]
fn unchanged_it_runs_once() {
    let scratch = Scratch::new();
    let question = parked(&scratch, "bash run.sh");
    scratch.run(&["approve", &question]).expect(0, &["allowed"]);
    resume(&scratch).expect(0, &["done"]);
    assert_eq!(ran(&scratch), "one\n");
    let events = scratch.events();
    assert_eq!(of_kind(&events, "CallStarted").len(), 1);
    let executes = &of_kind(&events, "Decided")[0]["data"]["decision"]["executes"];
    let script = executes.as_array().and_then(|all| {
        let is_script = |one: &&Value| {
            one["path"]
                .as_str()
                .is_some_and(|it| it.ends_with("/run.sh"))
        };
        all.iter().find(is_script)
    });
    let content = script.and_then(|one| one["content"].as_str());
    assert_eq!(content.map(str::len), Some(64), "{executes}");
}

#[test]
fn one_changed_byte_of_a_script_voids_it() {
    for command in [
        "bash run.sh",
        "cd . && ./run.sh",
        "bash -c 'sh run.sh'",
        "make",
    ] {
        let scratch = Scratch::new();
        let makefile = |recipe: &str| scratch.file("Makefile", format!("all:\n\t@{recipe}"));
        makefile(SCRIPT);
        let first = parked(&scratch, command);
        scratch.run(&["approve", &first]).expect(0, &["allowed"]);
        let changed = SCRIPT.replace("one", "two");
        scratch.file("run.sh", &changed);
        makefile(&changed);
        let again = resume(&scratch)
            .expect(3, &["changed since this call was allowed"])
            .json();
        assert_eq!(ran(&scratch), "", "{command}");
        let second = question(&again);
        assert_ne!(first, second, "{command}: it is another question");
        let events = scratch.events();
        assert_eq!(of_kind(&events, "CallStarted").len(), 0, "{command}");
        assert_eq!(of_kind(&events, "Decided").len(), 2, "{command}");
        // The old answer is spent; the new question can be answered.
        scratch.run(&["deny", &second]).expect(0, &[]);
        resume(&scratch).expect(0, &["done"]);
        assert_eq!(ran(&scratch), "", "{command}");
    }
}

#[test]
fn asked_again_and_allowed_it_runs_what_was_shown_then() {
    let scratch = Scratch::new();
    let first = parked(&scratch, "bash run.sh");
    scratch.run(&["approve", &first]).expect(0, &["allowed"]);
    scratch.file("run.sh", SCRIPT.replace("one", "two"));
    let again = resume(&scratch).expect(3, &["run.sh changed"]).json();
    scratch
        .run(&["approve", &question(&again)])
        .expect(0, &["allowed"]);
    resume(&scratch).expect(0, &["done"]);
    assert_eq!(ran(&scratch), "two\n");
}

/// The control: a file that the command reads and does not execute may change.
#[test]
fn a_file_that_is_only_read_voids_nothing() {
    let scratch = Scratch::new();
    scratch.file("data", "old\n");
    let question = parked(&scratch, "cat data >> ran");
    scratch.run(&["approve", &question]).expect(0, &["allowed"]);
    scratch.file("data", "new\n");
    resume(&scratch).expect(0, &["done"]);
    assert_eq!(ran(&scratch), "new\n");
}
