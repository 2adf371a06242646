//! I16: a secret that comes in by any door is masked before it is stored, sent or shown.

mod canaries;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::json;

use crate::support::{Scratch, ran, snapshot};

// Invented; assembled here so that no scanner takes this file for a leak.
fn canary() -> String {
    format!("gh{}_{}", "p", "Zx81QmWnEbVcRtYuIoPlKjHgFdSa04761593")
}

const KEY: &str = "key-of-this-process-0123456789";

#[test]
fn canaries_never_reach_the_state_folder_or_the_wire() {
    let scratch = Scratch::new();
    let canary = canary();
    scratch.file("config.txt", format!("token = {canary}\n"));
    scratch.file("AGENTS.md", format!("Use {canary} for the API.\n"));
    let steps = json!({ "version": 1, "steps": [
        { "calls": [
            { "tool": "read", "input": { "path": "config.txt" } },
            { "tool": "grep", "input": { "pattern": "token" } },
            { "tool": "shell", "input": { "command": "cat config.txt; cat config.txt >&2; printf %s \"$CANARY\"" } },
            { "tool": "shell", "input": { "command": format!("for i in $(seq 4000); do cat config.txt; done; exit 1") } }
        ] },
        { "calls": [{ "tool": "read", "input": { "path": "config.txt" } }] },
        { "text": "ok" }
    ] });
    let options = Options {
        api_key: Some(KEY.to_owned()),
        ..Options::default()
    };
    let server = ScriptedServer::start(Scenario::from_value(steps).expect("valid"), options);
    let base_url = server.base_url();
    let prompt = format!("My token is {canary}, keep it safe.");
    let output = scratch
        .command(&[
            "exec",
            "--model",
            "openai-chat/x",
            "--base-url",
            &base_url,
            "--mode",
            "full",
            &prompt,
        ])
        .env("OPENAI_API_KEY", KEY)
        .env("CANARY", &canary)
        .output()
        .expect("it starts");
    let ran = ran(&output);
    ran.expect(0, &[]);

    let mut found = Vec::new();
    for (path, content) in snapshot(&scratch.home()) {
        let text = String::from_utf8_lossy(&content);
        if text.contains(&canary) || text.contains(KEY) {
            found.push(path);
        }
    }
    assert_eq!(found, Vec::<std::path::PathBuf>::new());
    for request in server.requests() {
        let body = request.body.to_string();
        assert!(!body.contains(&canary) && !body.contains(KEY));
    }
    assert!(
        !ran.out.contains(&canary) && !ran.err.contains(&canary),
        "{}",
        ran.err
    );
    // Positive control: the masks are there, so the texts did come in.
    let results = scratch.results();
    assert!(
        results.iter().take(4).all(|text| text.contains("[secret:")),
        "{results:?}"
    );
    assert!(
        server.requests()[0]
            .body
            .to_string()
            .contains("keep it safe")
    );
}

#[test]
fn a_mask_is_never_written_over_real_content() {
    let scratch = Scratch::new();
    let path = scratch.file("config.txt", format!("token = {}\n", canary()));
    let before = std::fs::read(&path).expect("it");
    let steps = json!([
        { "calls": [{ "tool": "read", "input": { "path": "config.txt" } }] },
        { "calls": [{ "tool": "write", "input": { "path": "config.txt", "content": "token = [secret:github-token]\nx = 1\n" } }] },
        { "text": "ok" }
    ]);
    scratch.play("full", &steps, &[]).expect(0, &[]);
    assert!(
        scratch.results()[1].contains("Not run"),
        "{:?}",
        scratch.results()
    );
    assert_eq!(std::fs::read(&path).expect("it"), before);
}
