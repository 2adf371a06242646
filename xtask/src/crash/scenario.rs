//! The scripted session: 30 calls of every kind that leaves a mark.

use serde_json::{Value, json};

/// How many marks the session leaves: each exactly once.
pub(super) const MARKS: usize = 16;

/// The scenario file's content.
pub(super) fn scenario() -> Value {
    let mut steps = vec![
        calls(vec![
            write("a.txt", "one\ntwo\n"),
            write("b.txt", "three\n"),
        ]),
        calls(vec![
            read("a.txt"),
            read("b.txt"),
            json!({ "tool": "list", "input": {} }),
        ]),
        calls(vec![
            edit("a.txt", "two", "zwei"),
            edit("b.txt", "three", "drei"),
        ]),
    ];
    let mut mark = 0;
    // Marks one by one, two by two and four by four.
    for width in [1, 1, 2, 4, 1, 2, 1, 4] {
        let group = (0..width)
            .map(|_| {
                mark += 1;
                shell(&format!(
                    "echo {mark} > mark-{mark}.tmp && cat mark-{mark}.tmp >> marks.txt"
                ))
            })
            .collect();
        steps.push(calls(group));
    }
    steps.push(calls(vec![
        json!({ "tool": "grep", "input": { "pattern": "zwei" } }),
        json!({ "tool": "glob", "input": { "pattern": "*.txt" } }),
        json!({ "tool": "todo", "input": { "items": [{ "text": "finish", "status": "in_progress" }] } }),
    ]));
    steps.push(calls(vec![
        edit("a.txt", "one", "eins"),
        write("c/d.txt", "deep\n"),
    ]));
    steps.push(calls(vec![
        shell("cat a.txt b.txt c/d.txt"),
        read("c/d.txt"),
    ]));
    steps.push(json!({ "text": "all done" }));
    json!({ "version": 1, "name": "crash", "steps": steps })
}

fn calls(calls: Vec<Value>) -> Value {
    json!({ "calls": calls })
}

fn shell(command: &str) -> Value {
    json!({ "tool": "shell", "input": { "command": command } })
}

fn read(path: &str) -> Value {
    json!({ "tool": "read", "input": { "path": path } })
}

fn write(path: &str, content: &str) -> Value {
    json!({ "tool": "write", "input": { "path": path, "content": content } })
}

fn edit(path: &str, old: &str, new: &str) -> Value {
    json!({ "tool": "edit", "input": { "path": path, "edits": [{ "old": old, "new": new }] } })
}
