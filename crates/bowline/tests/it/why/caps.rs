//! Caps, rules and questions.

use serde_json::json;

use super::{Expect, check};
use crate::support::Scratch;

fn shell(command: &str) -> serde_json::Value {
    json!({ "calls": [{ "tool": "shell", "input": { "command": command } }] })
}

#[test]
fn the_step_limit() {
    let scratch = Scratch::new();
    let steps = json!([shell("true"), shell("false"), { "text": "late" }]);
    scratch
        .play("full", &steps, &["--max-steps", "1"])
        .expect(1, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["A cap ended the turn", "--max-steps"],
        source: "BudgetStopped",
        last: "TurnEnded",
        outstanding: &[],
        next: &["--max-steps 2"],
    };
    check(&scratch, &expect);
}

#[test]
fn the_token_budget() {
    let scratch = Scratch::new();
    let mut call = shell("true {k}");
    call["repeat"] = json!(100);
    let steps = json!([call, { "text": "late" }]);
    scratch
        .play("full", &steps, &["--max-tokens", "12000"])
        .expect(4, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["A cap ended the turn", "of 12,000 tokens used"],
        source: "BudgetStopped",
        last: "TurnEnded",
        outstanding: &[],
        next: &["--max-tokens 24000"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_rule_that_denies() {
    let scratch = Scratch::new();
    scratch.config("[permissions]\ndeny = [\"tool(shell)\"]\n");
    scratch
        .play("full", &json!([shell("make"), { "text": "no" }]), &[])
        .expect(0, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["A call was refused: make", "tool(shell)", "config.toml:2"],
        source: "CallRefused",
        last: "TurnEnded",
        outstanding: &[],
        next: &["change the rule `tool(shell)`"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_mode_that_refuses() {
    let scratch = Scratch::new();
    let write = json!({ "calls": [{ "tool": "write", "input": { "path": "x", "content": "" } }] });
    scratch
        .play("read-only", &json!([write, { "text": "no" }]), &[])
        .expect(0, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["A call was refused", "read-only"],
        source: "CallRefused",
        last: "TurnEnded",
        outstanding: &[],
        next: &["--mode ask"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_person_who_denies() {
    let scratch = Scratch::new();
    let steps = json!([shell("make"), { "text": "no" }]);
    let parked = scratch.play("ask", &steps, &[]).expect(3, &[]).json();
    let question = parked["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch
        .run(&["deny", question, "--note", "not today"])
        .expect(0, &[]);
    let session = scratch.sessions().remove(0);
    scratch.run(&["exec", "--resume", &session]).expect(0, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &[
            "A call was refused: make",
            "denied by a person",
            "not today",
        ],
        source: "CallRefused",
        last: "TurnEnded",
        outstanding: &[],
        next: &["bowline exec --resume"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_parked_question() {
    let scratch = Scratch::new();
    scratch
        .play("ask", &json!([shell("make"), { "text": "ok" }]), &[])
        .expect(3, &[]);
    let expect = Expect {
        standing: "waiting",
        cause: &["waits for a person's answer", "make"],
        source: "Stopped",
        last: "Decided",
        outstanding: &["wait for an answer to"],
        next: &["bowline approve", "bowline deny", "bowline exec --resume"],
    };
    let page = check(&scratch, &expect);
    // A call's id leads to the same page, with its story.
    let events = scratch.events();
    let decided = crate::support::of_kind(&events, "Decided");
    let call = decided[0]["data"]["call"].as_str().expect("an id");
    let of_call = scratch.run(&["why", call, "--json"]).expect(0, &[]).json();
    assert_eq!(of_call["session"], page["session"]);
    let story = of_call["call"].to_string();
    assert!(
        story.contains("asked for") && story.contains("asks a person"),
        "{story}"
    );
}

#[test]
fn configuration_changed_between_runs() {
    let scratch = Scratch::new();
    let steps = json!([{ "text": "one" }, { "text": "two" }]);
    scratch.play("full", &steps, &[]).expect(0, &[]);
    scratch.config("max_steps = 7\n");
    scratch.run(&["exec", "--continue", "again"]).expect(0, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["Configuration files were changed", "config.toml"],
        source: "ConfigChanged",
        last: "TurnEnded",
        outstanding: &[],
        next: &["bowline exec --resume"],
    };
    check(&scratch, &expect);
}

#[test]
fn a_mode_changed_on_the_way() {
    let scratch = Scratch::new();
    let steps = json!([{ "text": "one" }, { "text": "two" }]);
    scratch.play("ask", &steps, &[]).expect(0, &[]);
    scratch
        .run(&["exec", "--continue", "--mode", "full", "again"])
        .expect(0, &[]);
    let expect = Expect {
        standing: "ended",
        cause: &["Other settings were put in force", "mode ask -> mode full"],
        source: "SettingsChanged",
        last: "TurnEnded",
        outstanding: &[],
        next: &["bowline exec --resume"],
    };
    check(&scratch, &expect);
}
