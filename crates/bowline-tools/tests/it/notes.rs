//! `todo` and `ask_user`: what touches only the session itself.

use bowline_core::call::TodoStatus;
use bowline_core::{Action, TodoItem};
use serde_json::json;

use crate::bench::Bench;

crate::cases![
    sets_the_whole_list,
    checks_entries,
    asks_a_person,
    checks_a_question
];

fn sets_the_whole_list() {
    let mut bench = Bench::new();
    let items = json!([
        {"text": "look", "status": "done"},
        {"text": "mend", "status": "in_progress"},
        {"text": "test", "status": "pending"},
    ]);
    let ready = bench.prepare("todo", json!({"items": items})).unwrap();
    assert!(matches!(&ready.plan.actions[..], [Action::Note]));
    assert_eq!(ready.plan.essence, "todo (1 of 3 items done)");
    let finish = ready.go();
    assert_eq!(finish.text, "[x] look\n[>] mend\n[ ] test\n");
    let todo = finish.effect.todo.unwrap();
    assert_eq!(
        todo[1],
        TodoItem {
            text: "mend".into(),
            status: TodoStatus::InProgress
        }
    );
    let finish = bench.call("todo", json!({"items": []})).unwrap();
    assert_eq!(finish.effect.todo, Some(Vec::new()));
    assert_eq!(finish.text, "The todo list is empty now.\n");
}

fn checks_entries() {
    let mut bench = Bench::new();
    let mut check = |items: serde_json::Value, expect: &str| {
        let text = bench.fails("todo", json!({"items": items}));
        assert!(text.contains(expect), "{text}");
    };
    check(
        json!([{"text": " ", "status": "done"}]),
        "\"items[0].text\" is empty",
    );
    check(
        json!([{"text": "a", "status": "todo"}]),
        r#"must be one of "pending", "in_progress", "done""#,
    );
    check(
        json!([{"text": "a".repeat(501), "status": "done"}]),
        "has 501 bytes",
    );
    check(
        json!([{"content": "a", "status": "done"}]),
        "missing \"items[0].text\"",
    );
    check(json!("a"), "\"items\" must be a list");
}

fn asks_a_person() {
    let bench = Bench::new();
    let input = json!({
        "question": "Which database?\nIt is for the tests.",
        "choices": ["sqlite", {"label": "postgres", "description": "needs a server"}],
        "multiple": true,
    });
    let ready = bench.prepare("ask_user", input).unwrap();
    assert_eq!(ready.plan.essence, "Which database?\\nIt is for the tests.");
    let [Action::AskPerson { question }] = &ready.plan.actions[..] else {
        panic!("{:?}", ready.plan.actions);
    };
    assert_eq!(question.choices[0].label, "sqlite");
    assert_eq!(
        question.choices[1].description.as_deref(),
        Some("needs a server")
    );
    assert!(question.multiple);
    // Even with a permit it does nothing: the engine never gives it one.
    assert!(ready.go().failed_before_effect);
}

fn checks_a_question() {
    let mut bench = Bench::new();
    let mut check = |input: serde_json::Value, expect: &str| {
        let text = bench.fails("ask_user", input);
        assert!(text.contains(expect), "{text}");
    };
    check(json!({"question": " "}), "\"question\" is empty");
    check(
        json!({"question": "a", "choices": ["one"]}),
        "\"choices\" needs at least 2 entry",
    );
    check(
        json!({"question": "a", "choices": ["one", 2]}),
        "\"choices[1]\" must be a text or an object",
    );
    check(
        json!({"question": "a", "choices": ["one", {"label": "one"}]}),
        "\"choices[1]\" repeats `one`",
    );
    check(
        json!({"question": "a", "choices": ["one", "b".repeat(201)]}),
        "\"choices[1]\" has 201 bytes",
    );
    check(
        json!({"question": "a".repeat(5000)}),
        "\"question\" has 5000 bytes",
    );
}
