//! `sessions prune` over the binary: a preview by default, and never what anybody waits for.

use serde_json::{Value, json};

use crate::support::{Scratch, snapshot};

fn ids(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().expect("rows").iter();
    let mut ids: Vec<String> = rows
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect();
    ids.sort();
    ids
}

/// Runs a session to its rest and gives its id.
fn session(scratch: &Scratch, mode: &str, steps: &Value, code: i32) -> String {
    let ran = scratch.play(mode, steps, &[]);
    let id = &ran.expect(code, &[]).json()["session_id"];
    id.as_str().expect("an id").to_owned()
}

#[test]
fn what_is_over_a_limit_is_shown_and_goes_only_after_a_yes() {
    let scratch = Scratch::new();
    let done = json!([{ "text": "done" }]);
    let mut ended = vec![
        session(&scratch, "full", &done, 0),
        session(&scratch, "full", &done, 0),
    ];
    ended.sort();
    let write = json!([
        { "calls": [{ "tool": "write", "input": { "path": "new.txt", "content": "hi\n" } }] },
        { "text": "written" }
    ]);
    let waits = session(&scratch, "ask", &write, 3);
    let serve = "mkfifo go; cat go";
    let background = json!([
        { "calls": [{ "tool": "shell", "input": { "command": serve, "background": true } }] },
        { "text": "started" }
    ]);
    let works = session(&scratch, "full", &background, 0);

    let before = snapshot(&scratch.home());
    scratch
        .run(&["sessions", "prune"])
        .expect(0, &["no limit is set", "all sessions take"]);
    let args = ["sessions", "prune", "--older-than", "0s"];
    scratch
        .run(&args)
        .expect(
            0,
            &["would remove 2", "unchanged since", "it waits", "add --yes"],
        )
        .expect(0, &["kept although over a limit", "runs in the background"]);
    let plan = scratch
        .run(&["sessions", "prune", "--over", "1KB", "--json"])
        .json();
    assert_eq!(ids(&plan["going"]), ended);
    assert_eq!(plan["removed"], false);
    let mut stay = vec![waits.clone(), works.clone()];
    stay.sort();
    assert_eq!(ids(&plan["staying"]), stay);
    scratch
        .run(&["sessions", "prune", "--over", "lots"])
        .expect(2, &["no size"]);
    scratch
        .run(&["sessions", "prune", "--older-than", "old"])
        .expect(2, &["no time"]);
    assert_eq!(
        snapshot(&scratch.home()),
        before,
        "a preview writes nothing"
    );

    let done = scratch
        .run(&["sessions", "prune", "--older-than", "0s", "--yes", "--json"])
        .json();
    assert_eq!(ids(&done["going"]), ended);
    assert_eq!(done["removed"], true);
    let mut left = scratch.sessions();
    left.sort();
    assert_eq!(left, stay);
    scratch
        .run(&["log", "--kind", "SessionPruned"])
        .expect(0, &["unchanged since"]);

    what_stayed_goes_when_it_is_over(&scratch, &waits, &stay);
}

/// What waited still waits, and can be answered; what runs still runs.
fn what_stayed_goes_when_it_is_over(scratch: &Scratch, waits: &str, stay: &[String]) {
    let shown = scratch.run(&["sessions", "show", waits, "--json"]).json();
    let question = shown["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch.run(&["approve", question]).expect(0, &[]);
    scratch
        .run(&["sessions", "prune", "--older-than", "0s"])
        .expect(0, &["a command waits in its mailbox"]);
    scratch
        .run(&["exec", "--resume", waits])
        .expect(0, &["created new.txt"]);
    std::fs::write(scratch.work().join("go"), "end\n").expect("it reads");
    while scratch.run(&["jobs", "list", "--json"]).json() != json!([]) {
        std::thread::yield_now();
    }
    let done = scratch
        .run(&["sessions", "prune", "--older-than", "0s", "--yes", "--json"])
        .json();
    assert_eq!(ids(&done["going"]), stay, "{done}");
    assert!(scratch.sessions().is_empty());
}

#[test]
fn limits_of_the_configuration_are_shown_by_doctor_and_held_by_prune() {
    let scratch = Scratch::new();
    let print = |letter: &str| {
        let command = format!("head -c 1500000 /dev/zero | tr '\\0' {letter}");
        json!({ "calls": [{ "tool": "shell", "input": { "command": command } }] })
    };
    let steps = json!([print("x"), print("y"), { "text": "done" }]);
    let id = session(&scratch, "full", &steps, 0);
    scratch
        .run(&["doctor"])
        .expect(0, &["retention", "no limit is set"]);
    scratch.config("[retention]\nblobs_max_mb = 1\nspool_max_mb = 1\n");
    scratch
        .run(&["doctor"])
        .expect(0, &["limits are set", "sessions prune"]);
    let plan = scratch
        .run(&["sessions", "prune", "--yes", "--json"])
        .json();
    let parts: Vec<&str> = plan["going"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["part"].as_str())
        .collect();
    assert!(parts.contains(&"blobs"), "{plan}");
    assert!(!parts.contains(&"session"), "{plan}");
    // The session itself is whole, and goes on.
    scratch.run(&["events", &id]).expect(0, &["TurnEnded"]);
    let plan = scratch.run(&["sessions", "prune", "--json"]).json();
    assert_eq!(plan["going"], json!([]), "{plan}");
}
