//! `todo`: the session's own notes.

use bowline_core::call::TodoStatus;
use bowline_core::{Action, TodoItem};
use serde_json::json;

use crate::bench::Bench;

crate::cases![sets_the_whole_list, checks_entries];

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
