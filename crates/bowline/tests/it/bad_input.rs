//! Bad input gets a clear error or a refused call, and the journal verifies afterwards.

use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// Plays one call and gives its result as the model reads it; the journal must verify.
#[track_caller]
fn result_of(scratch: &Scratch, mode: &str, tool: &str, input: &Value) -> String {
    let steps = json!([{ "calls": [{ "tool": tool, "input": input }] }, { "text": "ok" }]);
    scratch.play(mode, &steps, &[]).expect(0, &[]);
    scratch.events();
    scratch.results().remove(0)
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

#[test]
fn a_broken_configuration_names_file_line_and_what_to_do() {
    let table: [(&str, &[&str]); 6] = [
        (
            "mode = \"ask\"\nmoed = \"full\"\n",
            &["config.toml:2", "unknown key `moed`", "`mode`"],
        ),
        (
            "mode = \"fast\"\n",
            &[
                "config.toml:1",
                "`fast`",
                "read-only, ask, edit, auto, full",
            ],
        ),
        (
            "\n\nmax_steps = \"ten\"\n",
            &["config.toml:3", "whole number"],
        ),
        (
            "max_steps = 0\n",
            &["config.toml:1", "out of range", "1 to"],
        ),
        ("mode = \n", &["config.toml:1", "not valid TOML"]),
        (
            "[permissions]\nallow = [\"read(\"]\n",
            &["config.toml", "read("],
        ),
    ];
    for (text, parts) in table {
        let scratch = Scratch::new();
        scratch.config(text);
        let model = scratch.scenario(&json!([{ "text": "x" }]));
        scratch
            .run(&["exec", "--model", &model, "go"])
            .expect(2, parts);
        scratch.run(&["config", "show"]).expect(2, parts);
        assert!(!scratch.home().exists(), "nothing was begun with {text:?}");
    }
}

#[test]
fn a_projects_own_configuration_cannot_loosen() {
    let scratch = Scratch::new();
    scratch.file(
        ".bowline/config.toml",
        "mode = \"full\"\nmodel = \"openai-chat/evil\"\nbase_url = \"http://127.0.0.1:1\"\n\
         [permissions]\nallow = [\"write(**)\"]\n",
    );
    let steps = json!([
        { "calls": [{ "tool": "write", "input": { "path": "x", "content": "" } }] }, { "text": "ok" }
    ]);
    let model = scratch.scenario(&steps);
    scratch
        .run(&["exec", "--model", &model, "go"])
        .expect(3, &["asks"]);
    assert!(!scratch.work().join("x").exists());
    scratch
        .run(&["config", "show"])
        .expect(0, &["not used", "can only tighten"]);
}

#[test]
fn a_state_folder_that_cannot_serve_says_which_and_why() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([{ "text": "x" }]));
    let args = ["exec", "--model", &model, "go"];
    std::fs::write(scratch.home(), "a file").expect("written");
    scratch.run(&args).expect(1, &["home", "state folder"]);
    scratch
        .run(&["sessions", "list"])
        .expect(1, &["home", "state folder"]);
    std::fs::remove_file(scratch.home()).expect("removed");

    scratch.run(&args).expect(0, &[]);
    std::fs::write(scratch.home().join("version"), "2\n").expect("written");
    scratch.run(&args).expect(1, &["version", "newer"]);
    scratch
        .run(&["sessions", "list"])
        .expect(1, &["version", "newer"]);
}

#[test]
fn a_folder_to_work_in_must_be_one() {
    let scratch = Scratch::new();
    scratch.file("file", "");
    let model = scratch.scenario(&json!([{ "text": "x" }]));
    for (folder, why) in [("file", "not a folder"), ("missing", "No such file")] {
        scratch
            .run(&["exec", "--model", &model, "--cd", folder, "go"])
            .expect(2, &[folder, why, "--cd"]);
    }
    assert!(!scratch.home().exists());
}

#[test]
fn no_model_no_task_and_unknown_providers_say_what_to_give() {
    let scratch = Scratch::new();
    // Whoever runs this may have a model server of their own.
    scratch.config("local_ports = []\n");
    scratch
        .run(&["exec", "go"])
        .expect(2, &["no model", "--model", "bowline demo"]);
    scratch
        .run(&["exec", "--model", "nope/x", "go"])
        .expect(2, &["unknown provider `nope`"]);
    scratch
        .run(&["exec", "--model", "gpt-5", "go"])
        .expect(2, &["provider/model"]);
    scratch
        .run(&["exec", "--model", "openai-chat/x", "go"])
        .expect(2, &["OPENAI_API_KEY"]);
    scratch
        .run(&["exec", "--model", "scripted/none.json", "go"])
        .expect(2, &["none.json", "path"]);
    let model = scratch.scenario(&json!([{ "text": "x" }]));
    scratch
        .run(&["exec", "--model", &model])
        .expect(2, &["no task"]);
    scratch
        .run(&["exec", "--model", &model, "--max-usd", "1", "go"])
        .expect(2, &["--max-tokens"]);
    scratch
        .run(&["exec", "--model", &model, "--resume", "ffff", "go"])
        .expect(2, &["no session"]);
    scratch
        .run(&["exec", "--model", &model, "--continue", "go"])
        .expect(2, &["no session"]);
    assert!(!scratch.home().exists());
}

#[test]
fn closed_standard_input_and_a_prompt_from_it() {
    let scratch = Scratch::new();
    let model = scratch
        .scenario(&json!([{ "text": "heard", "expect": { "prompt_contains": ["from stdin"] } }]));
    // A shell closes the descriptor itself: `-` then has nothing to read.
    let line = format!(
        "{} exec --model {model} - <&-",
        env!("CARGO_BIN_EXE_bowline")
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(scratch.work())
        .env("BOWLINE_HOME", scratch.home())
        .env("XDG_CONFIG_HOME", scratch.path("config"));
    crate::support::ran(&command.output().expect("sh")).expect(2, &["no task"]);

    let line = format!(
        "echo from stdin | {} exec --model {model} -",
        env!("CARGO_BIN_EXE_bowline")
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(scratch.work())
        .env("BOWLINE_HOME", scratch.home())
        .env("XDG_CONFIG_HOME", scratch.path("config"));
    crate::support::ran(&command.output().expect("sh")).expect(0, &["heard"]);
}

#[test]
fn files_that_cannot_be_read_as_text_are_described() {
    let scratch = Scratch::new();
    scratch.file("binary", [0_u8, 159, 146, 150, 0, 1, 2, 3].repeat(100));
    let text = result_of(&scratch, "full", "read", &json!({ "path": "binary" }));
    holds(&text, &["binary"]);

    let scratch = Scratch::new();
    let path = scratch.file("huge", "first line\n");
    std::fs::File::options()
        .write(true)
        .open(path)
        .expect("open")
        .set_len(2 << 30)
        .expect("grown");
    let text = result_of(
        &scratch,
        "full",
        "read",
        &json!({ "path": "huge", "limit": 1 }),
    );
    assert!(text.len() < 64 << 10, "{} bytes", text.len());

    let scratch = Scratch::new();
    scratch.file("latin1", b"caf\xe9\n");
    let text = result_of(&scratch, "full", "read", &json!({ "path": "latin1" }));
    holds(&text, &["caf", "UTF-8"]);

    let scratch = Scratch::new();
    scratch.file("long", "x".repeat(10 << 20));
    let text = result_of(&scratch, "full", "read", &json!({ "path": "long" }));
    assert!(text.len() < 64 << 10, "{} bytes", text.len());

    let scratch = Scratch::new();
    let text = result_of(&scratch, "full", "read", &json!({ "path": "." }));
    holds(&text, &["folder", "list"]);
}

#[test]
fn a_link_out_of_the_workspace_asks_as_what_it_points_to() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("outside.txt"), "secret plan").expect("written");
    symlink(scratch.path("outside.txt"), scratch.work().join("link.txt")).expect("a link");
    let steps = json!([{ "calls": [{ "tool": "read", "input": { "path": "link.txt" } }] }, { "text": "ok" }]);
    scratch.play("edit", &steps, &[]).expect(3, &["outside"]);
    scratch.events();
    assert!(
        !scratch
            .run(&["events", &scratch.sessions()[0]])
            .out
            .contains("secret plan")
    );
}

#[test]
fn a_fifo_is_never_opened_and_never_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let scratch = Scratch::new();
    let fifo = scratch.work().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .expect("mkfifo")
            .success()
    );
    for (tool, input) in [
        ("read", json!({ "path": "pipe" })),
        ("write", json!({ "path": "pipe", "content": "x" })),
        (
            "edit",
            json!({ "path": "pipe", "edits": [{ "old": "a", "new": "b" }] }),
        ),
    ] {
        let ran = scratch.run(&[
            "tools",
            "call",
            tool,
            "--mode",
            "full",
            "--input",
            &input.to_string(),
        ]);
        assert!(
            ran.code == 1 || ran.code == 5,
            "{tool}: {} {}",
            ran.code,
            ran.err
        );
        holds(&ran.err, &["pipe"]);
        let kind = std::fs::symlink_metadata(&fifo)
            .expect("still there")
            .file_type();
        assert!(kind.is_fifo(), "{tool} replaced it");
    }
}

#[test]
fn calls_that_make_no_sense_come_back_as_precise_errors() {
    let table: [(Value, &[&str]); 6] = [
        (
            json!({ "tool": "reed", "input": {} }),
            &["no tool `reed`", "`read`"],
        ),
        (
            json!({ "tool": "read", "raw_arguments": "{\"path\": " }),
            &["not valid JSON", "line 1"],
        ),
        (
            json!({ "tool": "read", "raw_arguments": "[1]" }),
            &["one JSON object", "an array"],
        ),
        (
            json!({ "tool": "read", "input": {} }),
            &["missing \"path\""],
        ),
        (
            json!({ "tool": "read", "input": { "file_path": "a" } }),
            &["\"file_path\"", "\"path\""],
        ),
        (
            json!({ "tool": "read", "input": { "path": "a", "limit": "ten" } }),
            &["\"limit\"", "whole"],
        ),
    ];
    for (call, parts) in table {
        let scratch = Scratch::new();
        scratch
            .play("full", &json!([{ "calls": [call] }, { "text": "ok" }]), &[])
            .expect(0, &[]);
        holds(&scratch.results()[0], parts);
        holds(&scratch.results()[0], &["Not run"]);
        assert!(of_kind(&scratch.events(), "CallStarted").is_empty());
    }
}

#[test]
fn of_two_calls_with_one_id_the_second_is_not_run() {
    let scratch = Scratch::new();
    let call = |name: &str| json!({ "tool": "write", "id": "same", "input": { "path": name, "content": "" } });
    let steps = json!([{ "calls": [call("one"), call("two")] }, { "text": "ok" }]);
    scratch.play("full", &steps, &[]).expect(0, &[]);
    assert!(scratch.work().join("one").exists());
    assert!(!scratch.work().join("two").exists());
    holds(&scratch.results()[1], &["same id", "Not run"]);
    scratch.events();
}

#[test]
fn a_reply_with_neither_text_nor_call_ends_the_turn_with_a_reason() {
    let scratch = Scratch::new();
    let empty = json!({ "fault": { "kind": "raw", "frames": [
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n"
    ] }, "repeat": 8 });
    let scenario = bowline_model::scenario::Scenario::from_value(
        json!({ "version": 1, "steps": [empty, { "text": "late" }] }),
    );
    let server = bowline_testkit::ScriptedServer::start(
        scenario.expect("a valid scenario"),
        bowline_testkit::Options::default(),
    );
    let ran = scratch.run(&[
        "exec",
        "--model",
        "openai-chat/x",
        "--base-url",
        &server.base_url(),
        "--output",
        "json",
        "go",
    ]);
    let result = ran.expect(1, &["neither text nor"]).json();
    assert_eq!(result["stop_reason"], "provider_failed");
    scratch.events();
}

#[test]
fn a_wrong_key_names_the_variable_and_never_the_key() {
    let scratch = Scratch::new();
    let scenario = bowline_model::scenario::Scenario::from_value(
        json!({ "version": 1, "steps": [{ "text": "x" }] }),
    );
    let options = bowline_testkit::Options {
        api_key: Some("right-key-123456".to_owned()),
        ..bowline_testkit::Options::default()
    };
    let server =
        bowline_testkit::ScriptedServer::start(scenario.expect("a valid scenario"), options);
    let base_url = server.base_url();
    let mut command = scratch.command(&[
        "exec",
        "--model",
        "openai-chat/x",
        "--base-url",
        &base_url,
        "go",
    ]);
    command.env("OPENAI_API_KEY", "wrong-key-abcdef");
    let ran = crate::support::ran(&command.output().expect("it starts"));
    ran.expect(1, &["OPENAI_API_KEY", "401"]);
    assert!(!ran.err.contains("wrong-key"), "{}", ran.err);
    let state = crate::support::snapshot(&scratch.home());
    for (path, content) in state {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains("wrong-key"), "{}", path.display());
    }
}

#[test]
fn a_server_that_is_not_there_says_where_it_was_looked_for() {
    let scratch = Scratch::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    drop(listener);
    let ran = scratch.run(&[
        "exec",
        "--model",
        "openai-chat/x",
        "--base-url",
        &base_url,
        "go",
    ]);
    ran.expect(1, &[&base_url, "provider failed"]);
    scratch.events();
}
