//! `bowline doctor`: what is there, what is wrong, how to mend it.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Scratch, ran, snapshot};

const KEY: &str = "key-for-the-doctor-0123456789";

/// The check of one name.
fn check<'a>(all: &'a Value, name: &str) -> &'a Value {
    let checks = all["checks"].as_array().expect("a list");
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no check `{name}` in {all}"))
}

#[test]
fn a_machine_that_is_well_has_no_problem_and_nothing_is_left_behind() {
    let scratch = Scratch::new();
    scratch.config("local_ports = []\n");
    let before = snapshot(&scratch.path(""));
    let all = scratch.run(&["doctor", "--json"]).expect(0, &[]).json();
    assert_eq!(all["problems"], 0, "{all}");
    for name in [
        "program",
        "state folder",
        "configuration",
        "sessions",
        "keeper",
        "sandbox",
        "shell",
        "git",
        "terminal",
        "model",
    ] {
        let check = check(&all, name);
        let well = check["level"] == "ok";
        assert!(well || check["fix"].is_string(), "a fix for {check}");
    }
    scratch.run(&["doctor"]).expect(0, &["not there yet"]);
    assert_eq!(snapshot(&scratch.path("")), before);
    assert!(!scratch.home().exists());
}

#[test]
fn what_is_wrong_is_a_problem_with_its_fix() {
    let scratch = Scratch::new();
    scratch.config("moed = \"ask\"\n");
    scratch
        .run(&["doctor"])
        .expect(1, &["problem", "config.toml:1", "Did you mean `mode`?"]);

    let scratch = Scratch::new();
    scratch.config("local_ports = []\n");
    std::fs::write(scratch.home(), "a file").expect("written");
    scratch
        .run(&["doctor"])
        .expect(1, &["problem", "state folder", "BOWLINE_HOME"]);

    let scratch = Scratch::new();
    scratch.config("local_ports = []\nmodel = \"openai-chat/m\"\n");
    scratch
        .run(&["doctor"])
        .expect(1, &["there is no key", "-> set OPENAI_API_KEY"]);
}

#[test]
fn a_damaged_session_and_an_open_folder_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    scratch.config("local_ports = []\n");
    let steps = json!([{ "calls": [{ "tool": "list", "input": {} }] }, { "text": "ok" }]);
    scratch.play("full", &steps, &[]).expect(0, &[]);
    let all = scratch.run(&["doctor", "--json"]).expect(0, &[]).json();
    assert!(
        check(&all, "sessions")["found"]
            .as_str()
            .expect("text")
            .starts_with("1 there")
    );
    // A slow disk is warned about: that it was tried is what counts here.
    let state = check(&all, "state folder")["found"].as_str().expect("text");
    assert!(
        state.contains("4 KiB synced in") || state.contains("syncing 4 KiB takes"),
        "{state}"
    );

    let journal = scratch
        .home()
        .join("sessions")
        .join(&scratch.sessions()[0])
        .join("journal.jsonl");
    let mut bytes = std::fs::read(&journal).expect("a journal");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).expect("written");
    std::fs::set_permissions(scratch.home(), PermissionsExt::from_mode(0o755)).expect("opened");
    let all = scratch.run(&["doctor", "--json"]).expect(1, &[]).json();
    assert_eq!(check(&all, "sessions")["level"], "problem", "{all}");
    let folder = check(&all, "state folder");
    assert_eq!(folder["level"], "warning", "{folder}");
    assert!(
        folder["fix"]
            .as_str()
            .expect("a fix")
            .starts_with("chmod 700")
    );
}

#[test]
fn online_asks_for_one_word_and_never_shows_the_key() {
    let scratch = Scratch::new();
    let steps = json!({ "version": 1, "steps": [{ "text": "ok", "usage": { "input_tokens": 21, "output_tokens": 2 } }] });
    let options = Options {
        api_key: Some(KEY.to_owned()),
        ..Options::default()
    };
    let server = ScriptedServer::start(Scenario::from_value(steps).expect("valid"), options);
    scratch.config(&format!(
        "model = \"work/m-1\"\n[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{}\"\nkey_env = \"WORK_KEY\"\n",
        server.base_url()
    ));
    let doctor = |args: &[&str], key: &str| {
        let mut command = scratch.command(args);
        command.env("WORK_KEY", key);
        let ran = ran(&command.output().expect("it starts"));
        assert!(
            !ran.out.contains(key) && !ran.err.contains(key),
            "{}",
            ran.out
        );
        ran
    };
    doctor(&["doctor"], KEY).expect(0, &["work/m-1", "key from WORK_KEY"]);
    assert!(
        server.requests().is_empty(),
        "nothing is asked without --online"
    );
    doctor(&["doctor", "--online"], KEY).expect(0, &["answered in", "21 tokens in, 2 out"]);
    assert_eq!(server.requests().len(), 1);
    doctor(&["doctor", "--online"], "a-wrong-key-9876543210").expect(1, &["401", "check WORK_KEY"]);
    assert!(!scratch.home().exists());
}
