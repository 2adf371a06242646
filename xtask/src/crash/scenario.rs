//! The scripted session that is killed: everything that leaves a mark, and waits for a person.

use serde_json::{Value, json};

/// How many marks the session leaves in `marks.txt`: each exactly once.
pub(super) const MARKS: usize = 7;
/// The mark that the command in the background writes when it is told to.
pub(super) const TOLD_MARK: usize = 5;

/// The files that the session leaves: what each holds in the end, and the tool that had the last word.
pub(super) const FILES: [(&str, &str, &str); 2] = [
    ("a.txt", "one\nzwei\n", "edit"),
    ("c/d.txt", "deep\n", "write"),
];

/// Whom the session waits for.
pub(super) const PARTY: &str = "the review";

/// The user's configuration: what asks a person, and a window so small that the conversation is made
/// shorter on the way.
pub(super) const CONFIG: &str = "[permissions]\nask = [\"tool(edit)\"]\n\
                                 [context]\nwindow = 4000\nsummary = \"outline\"\n";

/// The scenario file's content. `pace_ms` is how long a reply takes.
///
/// Parallel commands end one after the other, far enough apart that every run sees them so.
pub(super) fn scenario(pace_ms: u64) -> Value {
    let mut steps = vec![
        calls("Files first.", vec![write("a.txt", "one\ntwo\n")]),
        json!({ "fault": { "kind": "status", "status": 503, "retry_after_s": 0 } }),
        calls("", vec![mark(1, "")]),
        calls(
            "",
            vec![
                mark(2, ""),
                mark(3, "sleep 0.12; "),
                mark(4, "sleep 0.24; "),
            ],
        ),
        calls(
            "",
            vec![
                json!({ "tool": "shell", "input": { "background": true, "command":
                "echo up; read -r -t 20 line && echo \"$line\" >> marks.txt" } }),
            ],
        ),
        calls(
            "",
            vec![
                json!({ "tool": "shell_job", "input": { "action": "write", "input": format!("{TOLD_MARK}\n") } }),
            ],
        ),
        calls(
            "",
            vec![
                json!({ "tool": "edit", "input": { "path": "a.txt", "edits": [{ "old": "two", "new": "zwei" }] } }),
                json!({ "tool": "wait_for", "input": { "name": PARTY } }),
            ],
        ),
        calls("", vec![mark(6, "seq 1 30000; ")]),
        json!({ "fault": { "kind": "cut", "at": "start" } }),
        calls("", vec![write("c/d.txt", "deep\n")]),
        calls("", vec![mark(7, "cat a.txt c/d.txt; ")]),
        json!({ "text": "all done" }),
    ];
    for step in &mut steps {
        step["delay_ms"] = json!(pace_ms);
    }
    json!({ "version": 1, "name": "crash", "steps": steps })
}

fn calls(reasoning: &str, calls: Vec<Value>) -> Value {
    if reasoning.is_empty() {
        return json!({ "calls": calls });
    }
    json!({ "reasoning": reasoning, "calls": calls })
}

/// A command that leaves a mark after whatever comes before.
fn mark(number: usize, before: &str) -> Value {
    json!({ "tool": "shell", "input": { "command": format!("{before}echo {number} >> marks.txt") } })
}

fn write(path: &str, content: &str) -> Value {
    json!({ "tool": "write", "input": { "path": path, "content": content } })
}

/// The mark that a call's arguments ask for.
pub(super) fn mark_of(tool: &str, arguments: &str) -> Option<usize> {
    match tool {
        "shell_job" => Some(TOLD_MARK),
        "shell" => (1..=MARKS).find(|mark| arguments.contains(&format!("echo {mark} >>"))),
        _ => None,
    }
}

/// Whether a call's command outlives it.
pub(super) fn is_background(arguments: &str) -> bool {
    arguments.contains("\"background\":true")
}
