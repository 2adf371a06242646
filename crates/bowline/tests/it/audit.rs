//! Decisions as objects: found, shown, taken again, proven.

mod proofs;
mod sarif;

use serde_json::{Value, json};

use crate::support::{Ran, Scratch};

/// So many calls in CI; `BOWLINE_AUDIT_CALLS=1000` for the figure in the documents.
const CALLS: usize = 100;

/// A session that reads, writes and is refused, and one question that a person answered.
fn worked() -> Scratch {
    let scratch = Scratch::new();
    scratch.config("[permissions]\ndeny = [\"write(docs/**)\"]\n");
    scratch.file("a.txt", "one\n");
    let steps = json!([
        { "calls": [
            { "tool": "read", "input": { "path": "a.txt" } },
            { "tool": "write", "input": { "path": "src/new.txt", "content": "hi\n" } },
            { "tool": "write", "input": { "path": "docs/new.txt", "content": "hi\n" } },
            { "tool": "shell", "input": { "command": "make all" } }
        ] },
        { "text": "done" }
    ]);
    let parked = scratch.play("edit", &steps, &[]).expect(3, &[]).json();
    let question = parked["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch
        .run(&["deny", question, "--note", "not now"])
        .expect(0, &[]);
    let session = parked["session_id"].as_str().expect("an id");
    scratch.run(&["exec", "--resume", session]).expect(0, &[]);
    scratch
}

fn rows(scratch: &Scratch, args: &[&str]) -> Vec<Value> {
    let mut all = vec!["audit", "query", "--json"];
    all.extend(args);
    let found = scratch.run(&all).expect(0, &[]).json();
    found.as_array().expect("a list").clone()
}

/// The tool and the verdict of each row.
fn short(rows: &[Value]) -> Vec<String> {
    let text = |row: &Value, key: &str| row[key].as_str().expect(key).to_owned();
    rows.iter()
        .map(|row| {
            format!(
                "{} {} {}",
                text(row, "what"),
                text(row, "tool"),
                text(row, "verdict")
            )
        })
        .collect()
}

#[test]
fn decisions_and_answers_are_found_by_any_part() {
    let scratch = worked();
    let session = scratch.sessions().remove(0);
    let all = short(&rows(&scratch, &[]));
    let expect = [
        "decision read allow",
        "decision write allow",
        "decision write deny",
        "decision shell ask",
        "answer shell deny",
    ];
    assert_eq!(all, expect);
    let cases: [(&[&str], &[&str]); 15] = [
        (&["--tool", "read"], &expect[..1]),
        (&["--tool", "rea"], &[]),
        (
            &["--verdict", "deny"],
            &["decision write deny", "answer shell deny"],
        ),
        (&["--rule", "write(docs"], &expect[2..3]),
        (&["--tier", "user-skill"], &[]),
        (&["--tier", "built-in"], &expect),
        (&["--path", "src"], &expect[1..2]),
        (&["--path", "a.txt"], &expect[..1]),
        (&["--path", "."], &expect[..3]),
        (&["--person", "command line"], &expect[4..]),
        (&["--person", "policy"], &expect[..4]),
        (&["--host", "example.com"], &[]),
        (&["--session", &session], &expect),
        (&["--since", "1h", "--limit", "2"], &expect[3..]),
        (&["--until", "2001-01-01"], &[]),
    ];
    for (args, expect) in cases {
        assert_eq!(short(&rows(&scratch, args)), expect, "{args:?}");
    }
    std::fs::remove_file(scratch.home().join("index.db")).expect("an index");
    assert_eq!(
        short(&rows(&scratch, &[])),
        expect,
        "from the journals alone"
    );
    let row = &rows(&scratch, &["--rule", "docs"])[0];
    assert_eq!(row["layer"], "user");
    assert!(
        row["file"]
            .as_str()
            .expect("a file")
            .ends_with("config.toml")
    );
    assert_eq!(row["line"], 2);
}

#[test]
fn rows_fit_80_columns_and_say_what_was_left_out() {
    let scratch = worked();
    let found = scratch.run(&["audit", "query", "--limit", "3"]);
    found.expect(
        0,
        &["only the newest 3 are shown", "make all", "ask", "person"],
    );
    assert_eq!(found.out.lines().count(), 4);
    let csv = scratch.run(&["audit", "query", "--csv"]);
    csv.expect(0, &["at_ms,session,seq"]);
    assert_eq!(csv.out.lines().count(), 6);
    scratch
        .run(&["audit", "query", "--tool", "nothing"])
        .expect(0, &["nothing was decided that fits"]);
    scratch
        .run(&["audit", "query", "--since", "soon"])
        .expect(2, &["--since", "no time"]);
}

#[test]
fn one_decision_is_shown_whole_with_what_it_led_to() {
    let scratch = worked();
    let asked = &rows(&scratch, &["--verdict", "ask"])[0];
    let id = asked["decision"].as_str().expect("an id");
    let shown = scratch.run(&["audit", "show", &id[id.len() - 8..]]);
    let parts = [
        "ASKED",
        "make all",
        "part by part",
        "denied by the command line: not now",
        "mode",
        "policy",
    ];
    shown.expect(0, &parts);
    let object = scratch
        .run(&["audit", "show", id, "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(object["decision"]["verdict"], "ask");
    assert_eq!(object["tool"], "shell");
    assert!(object["policy"]["rules"].is_array(), "{object}");
    assert_eq!(object["led_to"][0]["event"], "DecisionAnswered");
    scratch
        .run(&["audit", "show", "ffffffffffff"])
        .expect(2, &["no decision", "bowline audit query"]);
    scratch
        .run(&["audit", "explain", id])
        .expect(0, &["decided again the same", "ask"]);
}

/// Calls of many tools, harmless to run, some of them refused in every mode.
fn calls(count: usize) -> Vec<Value> {
    let call = |at: usize| match at % 14 {
        0 => json!({ "tool": "read", "input": { "path": "a.txt" } }),
        1 => json!({ "tool": "shell", "input": { "command": format!("echo {at} && ls -la") } }),
        2 => {
            json!({ "tool": "write", "input": { "path": format!("src/{at}.txt"), "content": "x" } })
        }
        3 => json!({ "tool": "read", "input": { "path": "/etc/shadow" } }),
        4 => json!({ "tool": "shell", "input": { "command": "cat a.txt | wc -l > out.txt" } }),
        5 => json!({ "tool": "grep", "input": { "pattern": "one" } }),
        6 => {
            json!({ "tool": "write", "input": { "path": format!("docs/{at}.txt"), "content": "x" } })
        }
        7 => {
            json!({ "tool": "shell", "input": { "command": "cat .env; git -c a=b status 2>/dev/null" } })
        }
        8 => json!({ "tool": "glob", "input": { "pattern": "src/*.txt" } }),
        9 => json!({ "tool": "write", "input": { "path": "/nowhere/at/all", "content": "x" } }),
        10 => {
            json!({ "tool": "shell", "input": { "command": "for f in src/*; do echo \"$f\"; done" } })
        }
        11 => json!({ "tool": "read", "input": { "path": "missing.txt" } }),
        12 => {
            json!({ "tool": "shell", "input": { "command": "if true; then (cd src && pwd); fi" } })
        }
        _ => {
            json!({ "tool": "shell", "input": { "command": "FOO=1 printf '%s' \"$(date +%Y)\"" } })
        }
    };
    (0..count).map(call).collect()
}

/// Acceptance 5: every decision of a long session is decided again the same.
#[test]
fn every_decision_of_a_session_in_many_modes_is_decided_again_the_same() {
    let asked = std::env::var("BOWLINE_AUDIT_CALLS").ok();
    let count = asked.map_or(CALLS, |count| count.parse().expect("a number"));
    let modes = ["ask", "edit", "auto", "full", "read-only"];
    let each = count.div_ceil(modes.len());
    let scratch = Scratch::within(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")));
    scratch.config(
        "[permissions]\nallow = [\"read(/etc/os-release)\"]\nask = [\"write(src/1*.txt)\"]\n\
         deny = [\"write(docs/**)\"]\n",
    );
    scratch.file("a.txt", "one\n");
    scratch.file("src/first.txt", "two\n");
    let mut steps = Vec::new();
    for (number, mode) in modes.iter().enumerate() {
        for some in calls(each).chunks(10) {
            steps.push(json!({ "calls": some }));
        }
        steps.push(json!({ "text": format!("{number}: {mode} is done") }));
    }
    let model = scratch.scenario(&Value::Array(steps));
    let mut session: Option<String> = None;
    for mode in modes {
        let mut args = vec![
            "exec",
            "--mode",
            mode,
            "--on-ask",
            "refuse",
            "--output",
            "json",
            "--max-steps",
            "999",
        ];
        match &session {
            None => args.extend(["--model", &model]),
            Some(id) => args.extend(["--resume", id]),
        }
        args.push("go on");
        let ran: Ran = scratch.run(&args);
        let result = ran.expect(0, &[&format!("{mode} is done")]).json();
        session = Some(result["session_id"].as_str().expect("an id").to_owned());
    }
    let session = session.expect("a session");
    let args = ["audit", "explain", "--all", "--session", &session, "--json"];
    let found = scratch.run(&args).expect(0, &[]).json();
    println!(
        "{} decisions: {} the same, {} not recorded, {} different",
        found["decisions"],
        found["same"],
        found["not_recorded"],
        found["different"].as_array().map_or(0, Vec::len)
    );
    assert_eq!(found["decisions"], each * modes.len(), "{found}");
    assert_eq!(found["same"], found["decisions"], "{found}");
    let verdicts = rows(&scratch, &[]);
    for verdict in ["allow", "deny"] {
        let count = verdicts
            .iter()
            .filter(|row| row["verdict"] == verdict)
            .count();
        assert!(count > each, "{verdict}: {count}");
    }
}
