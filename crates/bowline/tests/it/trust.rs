//! Trust in a folder's own files: shown, given, bound to the very bytes, taken back.

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind, snapshot};
use crate::terminal::Typing;

const LOOSE: &str = "mode = \"edit\"\nmax_steps = 2000\n[permissions]\nallow = [\"write(x)\"]\ndeny = \
                     [\"write(y)\"]\n";

fn write_x() -> Value {
    json!([
        { "calls": [{ "tool": "write", "input": { "path": "x", "content": "" } }] }, { "text": "ok" }
    ])
}

fn project(scratch: &Scratch) {
    scratch.file(".bowline/config.toml", LOOSE);
}

fn hash(scratch: &Scratch) -> String {
    let shown = scratch.run(&["trust", "--json"]);
    let shown = shown.expect(0, &[]).json();
    shown["content"].as_str().expect("a hash").to_owned()
}

fn trust(scratch: &Scratch) -> String {
    let hash = hash(scratch);
    scratch
        .run(&["trust", "--yes", &hash])
        .expect(0, &["trusted:"]);
    hash
}

/// Runs the turn that writes `x` and says whether it was allowed to.
fn writes(scratch: &Scratch, more: &[&str]) -> bool {
    let _absent = std::fs::remove_file(scratch.work().join("x"));
    let model = scratch.scenario(&write_x());
    let mut args = vec!["exec", "--model", &model, "--on-ask", "refuse", "go"];
    args.extend(more);
    let ran = scratch.run(&args);
    assert_ne!(ran.code, 2, "{}", ran.err);
    scratch.work().join("x").exists()
}

#[test]
fn what_would_count_is_shown_with_file_and_line_and_nothing_is_written() {
    let scratch = Scratch::new();
    project(&scratch);
    scratch.file(
        ".bowline/rules.toml",
        "[[rule]]\nallow = \"read(/srv/**)\"\n",
    );
    scratch.file(".mcp.json", "{}");
    scratch.file(".bowline/hooks/\u{1b}[31mred\u{202e}", "");
    let before = snapshot(&scratch.path(""));
    let shown = scratch.run(&["trust", "--show"]);
    shown.expect(
        0,
        &[
            "untrusted (4 items wait",
            ".bowline/rules.toml:2  permissions.allow = read(/srv/**)",
            ".bowline/config.toml:1  mode = edit",
            ".bowline/config.toml:2  max_steps = 2000",
            ".bowline/config.toml:4  permissions.allow = write(x)",
            "because it is stricter:\n  .bowline/config.toml:5  permissions.deny = write(y)",
            "Present, not used by Bowline:\n  .mcp.json  servers that other agents start",
            "\\u{1b}[31mred\\u{202e}",
        ],
    );
    assert!(!shown.out.contains(['\u{1b}', '\u{202e}']), "{}", shown.out);
    let json = scratch.run(&["trust", "--json"]).json();
    assert_eq!(json["trusted"], false);
    assert_eq!(json["waiting"], 4);
    assert_eq!(json["items"][0]["line"], 1);
    assert!(
        shown
            .out
            .contains(json["content"].as_str().expect("a hash"))
    );
    scratch.run(&["trust", "--list"]).expect(0, &["no folder"]);
    // Without a terminal there is no yes.
    let asked = scratch.run(&["trust"]);
    asked.expect(2, &["--yes", json["content"].as_str().expect("a hash")]);
    let wrong = "0".repeat(64);
    scratch
        .run(&["trust", "--yes", &wrong])
        .expect(2, &["not those"]);
    assert_eq!(snapshot(&scratch.path("")), before);
}

#[test]
fn trust_holds_for_the_bytes_that_were_shown_and_for_no_others() {
    type Change = (&'static str, fn(&Scratch));
    let changes: [Change; 4] = [
        ("config.toml", |s| {
            s.file(".bowline/config.toml", LOOSE.replace("2000", "2001"));
        }),
        (".bowline/more", |s| {
            s.file(".bowline/more", "");
        }),
        (".bowline/hooks/start", |s| {
            std::fs::remove_file(s.work().join(".bowline/hooks/start")).expect("it was there");
        }),
        (".bowline/hooks/stop", |s| {
            let hooks = s.work().join(".bowline/hooks");
            std::fs::rename(hooks.join("start"), hooks.join("stop")).expect("it is renamed");
        }),
    ];
    for (name, change) in changes {
        let scratch = Scratch::new();
        project(&scratch);
        scratch.file(".bowline/hooks/start", "#!/bin/sh\n");
        assert!(!writes(&scratch, &[]), "untrusted");
        trust(&scratch);
        assert!(writes(&scratch, &[]), "trusted");
        scratch
            .run(&["config", "show"])
            .expect(0, &["project       trusted (content ", "write(x)"]);
        change(&scratch);
        assert!(!writes(&scratch, &[]), "{name}");
        let model = scratch.scenario(&json!([{ "text": "hi" }]));
        scratch.run(&["exec", "--model", &model, "go"]).expect(
            0,
            &["project: no longer trusted:", name, "bowline trust --show"],
        );
        scratch
            .run(&["doctor"])
            .expect(0, &["project: no longer trusted"]);
        let list = scratch.run(&["trust", "--list", "--json"]).json();
        assert_eq!(list[0]["state"], "changed");
        trust(&scratch);
        assert!(writes(&scratch, &[]), "trusted anew");
        scratch
            .run(&["trust", "--revoke"])
            .expect(0, &["no longer"]);
        assert!(!writes(&scratch, &[]), "taken back");
        scratch
            .run(&["trust", "--revoke"])
            .expect(2, &["not trusted"]);
        let log = scratch.run(&["log"]).out;
        assert_eq!(log.matches("ProjectTrusted").count(), 2, "{log}");
        assert_eq!(log.matches("TrustRevoked").count(), 1, "{log}");
    }
}

#[test]
fn a_copy_in_another_folder_is_not_trusted() {
    let scratch = Scratch::new();
    project(&scratch);
    trust(&scratch);
    scratch.file("copy/.bowline/config.toml", LOOSE);
    let copy = scratch.work().join("copy").display().to_string();
    let shown = scratch.run(&["trust", "--json", &copy]).json();
    assert_eq!(shown["trusted"], false);
    let link = scratch.path("link");
    std::os::unix::fs::symlink(scratch.work(), &link).expect("a link");
    let shown = scratch.run(&["trust", "--json", &link.display().to_string()]);
    assert_eq!(
        shown.json()["trusted"],
        true,
        "the same folder by another name"
    );
}

#[test]
fn one_run_is_trusted_by_the_hash_alone() {
    let scratch = Scratch::new();
    project(&scratch);
    let hash = hash(&scratch);
    assert!(writes(&scratch, &["--trust-project", &hash]));
    assert!(!writes(&scratch, &[]), "the next one is not");
    let wrong = "0".repeat(64);
    let model = scratch.scenario(&write_x());
    scratch
        .run(&["exec", "--model", &model, "--trust-project", &wrong, "go"])
        .expect(2, &["are not those"]);
}

#[test]
fn decisions_and_settings_say_whether_the_project_was_trusted() {
    let scratch = Scratch::new();
    project(&scratch);
    let hash = hash(&scratch);
    writes(&scratch, &["--trust-project", &hash]);
    let events = scratch.events();
    let decided = &of_kind(&events, "Decided")[0]["data"]["decision"];
    assert_eq!(decided["trust"]["trusted"]["content"], hash.as_str());
    assert_eq!(decided["verdict"], "allow");
    let started = &of_kind(&events, "SessionStarted")[0]["data"];
    let configured = &started["settings"]["configured"];
    assert_eq!(configured["trust"]["trusted"]["content"], hash.as_str());
}

#[test]
fn a_session_keeps_what_it_began_with_until_the_content_changes() {
    let scratch = Scratch::new();
    project(&scratch);
    let hash = hash(&scratch);
    let turn =
        || json!({ "calls": [{ "tool": "write", "input": { "path": "x", "content": "" } }] });
    let model = scratch.scenario(&json!([
        turn(), { "text": "1" }, turn(), { "text": "2" }, turn(), { "text": "3" }
    ]));
    let goes_on = |expect: bool, more: &[&str]| {
        let _absent = std::fs::remove_file(scratch.work().join("x"));
        let mut args = vec!["exec", "--on-ask", "refuse"];
        args.extend(more);
        args.push("go");
        let ran = scratch.run(&args);
        assert_eq!(scratch.work().join("x").exists(), expect, "{}", ran.err);
        ran
    };
    goes_on(true, &["--model", &model, "--trust-project", &hash]);
    goes_on(true, &["--continue"]);
    scratch.file(".bowline/config.toml", LOOSE.replace("2000", "2001"));
    goes_on(false, &["--continue"]).expect(0, &["no longer those that were trusted"]);
    let session = scratch.sessions().remove(0);
    let shown = scratch.run(&["config", "show", "--session", &session]).out;
    assert!(!shown.contains("write(x)"), "{shown}");
    assert!(shown.contains("write(y)"), "{shown}");
    assert!(shown.contains("ask  (set, since event"), "{shown}");
}

#[test]
fn the_terminal_asks_and_takes_nothing_but_yes() {
    let scratch = Scratch::new();
    project(&scratch);
    for (answer, code, is_trusted) in [("", 1, false), ("y", 1, false), ("yes", 0, true)] {
        let mut typing = Typing::start(&scratch, &["trust"]);
        typing.until("unless you type yes");
        typing.type_line(answer);
        assert_eq!(typing.end().0, code, "{answer:?}");
        let shown = scratch.run(&["trust", "--json"]).json();
        assert_eq!(shown["trusted"], is_trusted, "{answer:?}");
    }
}

#[test]
fn no_agent_trusts_a_folder() {
    let scratch = Scratch::new();
    project(&scratch);
    let hash = hash(&scratch);
    let bowline = env!("CARGO_BIN_EXE_bowline");
    let home = scratch.home().display().to_string();
    let model = scratch.scenario(&json!([{ "text": "hi" }]));
    for command in [
        format!("trust --yes {hash}"),
        "trust".to_owned(),
        "trust --revoke".to_owned(),
        format!("exec --model {model} --trust-project {hash} go"),
    ] {
        let command = format!("env BOWLINE_HOME={home} {bowline} {command}");
        let input = json!({ "command": command }).to_string();
        let ran = scratch.run(&[
            "tools", "call", "shell", "--mode", "full", "--input", &input,
        ]);
        ran.expect(1, &["inside a shell command of an agent"]);
    }
    assert!(!scratch.home().join("trust").exists());
    // Looking is no answer.
    let command = format!("env BOWLINE_HOME={home} {bowline} trust --show");
    let input = json!({ "command": command }).to_string();
    let ran = scratch.run(&[
        "tools", "call", "shell", "--mode", "full", "--input", &input,
    ]);
    ran.expect(0, &["untrusted (3 items wait"]);
}

#[test]
fn what_cannot_be_read_for_sure_is_never_trusted_and_never_empty() {
    let scratch = Scratch::new();
    let fifo = |name: &str| {
        let made = std::process::Command::new("mkfifo")
            .arg(scratch.work().join(name))
            .status();
        assert!(made.expect("mkfifo").success());
    };
    project(&scratch);
    fifo(".bowline/pipe");
    scratch
        .run(&["trust", "--show"])
        .expect(0, &["cannot be trusted: .bowline/pipe is not a file"]);
    scratch
        .run(&["trust", "--yes", &"0".repeat(64)])
        .expect(2, &["nothing to trust", "pipe is not a file"]);
    std::fs::remove_file(scratch.work().join(".bowline/config.toml")).expect("it was there");
    fifo(".bowline/config.toml");
    scratch
        .run(&["trust", "--show"])
        .expect(2, &["is not a file"]);
    scratch
        .run(&["config", "show"])
        .expect(2, &["is not a file"]);
    std::fs::remove_dir_all(scratch.work().join(".bowline")).expect("it was there");
    std::fs::create_dir(scratch.path("elsewhere")).expect("a folder");
    std::os::unix::fs::symlink(scratch.path("elsewhere"), scratch.work().join(".bowline"))
        .expect("a link");
    scratch
        .run(&["trust", "--show"])
        .expect(2, &["not followed"]);
    scratch.run(&["doctor"]).expect(1, &["not followed"]);
}
