//! `bowline log`: filters, JSON, following, damage, and nothing where there is nothing.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::Scratch;

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["event"]["kind"].as_str().expect("a kind"))
        .collect()
}

/// One run that ends well and one that is refused something.
fn two_runs(scratch: &Scratch) {
    scratch
        .play("full", &json!([{ "text": "one" }]), &[])
        .expect(0, &[]);
    let call = json!({ "calls": [{ "tool": "shell", "input": { "command": "make" } }] });
    scratch
        .play("read-only", &json!([call, { "text": "no" }]), &[])
        .expect(0, &[]);
}

#[test]
fn nothing_is_made_where_nothing_ran() {
    let scratch = Scratch::new();
    scratch.run(&["log"]).expect(0, &["no system events yet"]);
    assert_eq!(scratch.run(&["log", "--json"]).expect(0, &[]).out, "");
    scratch.run(&["why"]).expect(2, &["no sessions yet"]);
    assert!(!scratch.home().exists());
}

#[test]
fn every_filter_takes_its_own() {
    let scratch = Scratch::new();
    two_runs(&scratch);
    let all = scratch.run(&["log", "--json"]).expect(0, &[]).lines();
    assert_eq!(
        kinds(&all),
        ["Started", "Stopped", "Started", "CallRefused", "Stopped"]
    );
    let session = all[0]["event"]["session"].as_str().expect("an id");
    let tail = &session[session.len() - 8..];
    let table: [(&[&str], &[&str]); 7] = [
        (&["--level", "warning"], &["CallRefused"]),
        (&["--level", "error"], &[]),
        (&["--kind", "Stopped"], &["Stopped", "Stopped"]),
        (
            &["--kind", "Started", "--kind", "CallRefused"],
            &["Started", "Started", "CallRefused"],
        ),
        (&["--session", tail], &["Started", "Stopped"]),
        (
            &["--since", "1h", "--kind", "CallRefused"],
            &["CallRefused"],
        ),
        (&["--since", "2100-01-01"], &[]),
    ];
    for (filter, expected) in table {
        let mut args = vec!["log", "--json"];
        args.extend(filter);
        let lines = scratch.run(&args).expect(0, &[]).lines();
        assert_eq!(kinds(&lines), expected, "{filter:?}");
    }
    for (filter, parts) in [
        (["--level", "loud"], ["unknown level `loud`", "warning"]),
        (["--kind", "Moon"], ["no kind `Moon`", "ProviderFailed"]),
        (["--since", "soon"], ["--since", "2h"]),
        (["--session", "zz"], ["--session", "zz"]),
    ] {
        scratch
            .run(&["log", filter[0], filter[1]])
            .expect(2, &parts);
    }
    let text = scratch.run(&["log"]).expect(0, &[]).out.clone();
    assert_eq!(text.lines().count(), 5);
    assert!(!text.contains('\u{1b}'), "no colours in a pipe: {text}");
    let started = &all[0]["event"]["data"];
    assert_eq!(started["binary_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(started["command"], "exec");
}

#[test]
fn damage_is_said_with_an_exit_code_and_stops_no_run() {
    let scratch = Scratch::new();
    two_runs(&scratch);
    let path = scratch.home().join("installation.jsonl");
    let text = std::fs::read_to_string(&path).expect("the log");
    std::fs::write(&path, text.replacen("\"Stopped\"", "\"Stepped\"", 1)).expect("changed");
    let ran = scratch.run(&["log", "--json"]);
    ran.expect(1, &["damaged at record 2"]);
    assert_eq!(ran.lines().len(), 4);
    scratch
        .play("full", &json!([{ "text": "one" }]), &[])
        .expect(0, &[]);
    let lines = scratch.run(&["log", "--json"]).lines();
    assert!(kinds(&lines).contains(&"LogDamaged"), "{:?}", kinds(&lines));
    assert_eq!(kinds(&lines).last(), Some(&"Stopped"));
}

#[test]
fn a_followed_log_goes_on_until_its_reader_leaves() {
    let scratch = Scratch::new();
    two_runs(&scratch);
    let mut child = scratch
        .command(&["log", "--json", "--follow", "--kind", "Stopped"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    for _ in 0..2 {
        line.clear();
        assert!(out.read_line(&mut line).expect("a line") > 0);
    }
    scratch
        .play("full", &json!([{ "text": "one" }]), &[])
        .expect(0, &[]);
    line.clear();
    assert!(out.read_line(&mut line).expect("a line") > 0);
    let last: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(last["event"]["data"]["stop_reason"], "done");
    drop(out);
    assert!(child.wait().expect("it ends").success());
}
