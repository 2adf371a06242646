//! What people and scripts see: texts, streams, exit codes.

use serde_json::json;

use crate::support::Scratch;

/// Replaces what differs from run to run.
fn stable(scratch: &Scratch, text: &str) -> String {
    let mut text = text.replace(&scratch.path("").display().to_string(), "$SCRATCH/");
    for session in scratch.sessions() {
        text = text.replace(&session[session.len() - 8..], "SESSION");
    }
    let mut out = String::new();
    for line in text.lines() {
        let mut words: Vec<&str> = line.split(" · ").collect();
        for word in &mut words {
            if word.ends_with(" s") && word.trim_end_matches(" s").parse::<f64>().is_ok() {
                *word = "TIME";
            }
        }
        out.push_str(words.join(" · ").trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn text_mode_shows_what_happens_on_standard_error_and_the_answer_on_standard_output() {
    let scratch = Scratch::new();
    scratch.file("a.txt", "one\ntwo\n");
    let model = scratch.scenario(&json!([
        { "text": "Looking.", "calls": [{ "tool": "read", "input": { "path": "a.txt" } }] },
        { "calls": [{ "tool": "edit", "input": { "path": "a.txt", "edits": [{ "old": "two", "new": "zwei" }] } }] },
        { "calls": [{ "tool": "shell", "input": { "command": "cat a.txt; exit 3" } }, { "tool": "reed", "input": {} }] },
        { "text": "All done." }
    ]));
    let ran = scratch.run(&["exec", "--model", &model, "--mode", "full", "go"]);
    ran.expect(0, &[]);
    assert_eq!(ran.out, "All done.\n");
    insta::assert_snapshot!(
        "text_mode",
        stable(&scratch, &ran.err).replace(&model, "MODEL")
    );
}

#[test]
fn a_parked_turn_names_what_waits_and_how_to_go_on() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "shell", "input": { "command": "make" } }] }, { "text": "made" }
    ]));
    let ran = scratch.run(&["exec", "--model", &model, "go"]);
    ran.expect(3, &["make", "bowline approve", "bowline exec --resume"]);
    assert_eq!(ran.out, "");
}

#[test]
fn stream_json_is_one_object_a_line_from_session_to_result() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "text": "Looking.", "calls": [{ "tool": "list", "input": {} }] }, { "text": "done" }
    ]));
    let ran = scratch.run(&["exec", "--model", &model, "--output", "stream-json", "go"]);
    let lines = ran.expect(0, &[]).lines();
    assert_eq!(lines[0]["type"], "session");
    assert_eq!(lines.last().expect("a line")["type"], "result");
    let seqs: Vec<u64> = lines
        .iter()
        .filter(|line| line["type"] == "event")
        .map(|line| line["seq"].as_u64().expect("a number"))
        .collect();
    let in_order: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, in_order, "every event, once, in order");
}

#[test]
fn foreign_escapes_never_reach_the_terminal() {
    let scratch = Scratch::new();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[31mred\u{202e}";
    scratch.file("evil.txt", evil);
    let model = scratch.scenario(&json!([
        { "text": evil, "calls": [
            { "tool": "shell", "input": { "command": "cat evil.txt; printf '\\033[2J'" } },
            { "tool": evil, "input": {} }
        ] },
        { "text": evil }
    ]));
    let ran = scratch.run(&["exec", "--model", &model, "--mode", "full", "go"]);
    ran.expect(0, &["red"]);
    let session = scratch.sessions().remove(0);
    let shown = scratch.run(&["sessions", "show", &session]);
    let events = scratch.run(&["events", &session]);
    for text in [&ran.out, &ran.err, &shown.out, &events.out] {
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text:?}"
        );
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn the_first_prompt_is_small() {
    let scratch = Scratch::new();
    scratch
        .play("full", &json!([{ "text": "hello" }]), &[])
        .expect(0, &[]);
    let events = scratch.events();
    let prompt = &events[1]["event"]["data"]["prompt"];
    let tokens = prompt.to_string().len() / 4;
    assert!(tokens < 2_500, "{tokens} tokens");
}
