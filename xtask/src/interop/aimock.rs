//! `@copilotkit/aimock` from npm: one server for all three dialects, driven by fixtures.

use std::process::Command;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::play::{Talk, free_port, start, talk};
use super::{Bench, Verdict};
use crate::repo::succeeds;
use crate::say;

const PACKAGE: &str = "@copilotkit/aimock";

/// Installs it, starts it, and speaks each dialect to it.
///
/// # Errors
/// When it cannot be installed or does not start.
pub(super) fn run(bench: &Bench) -> Result<Vec<Verdict>> {
    let folder = bench.folder.join("aimock");
    std::fs::create_dir_all(&folder)?;
    let mut install = Command::new("npm");
    install
        .args([
            "install",
            "--prefix",
            ".",
            "--no-audit",
            "--no-fund",
            "--silent",
            PACKAGE,
        ])
        .current_dir(&folder);
    if !succeeds(&mut install)? {
        bail!("{PACKAGE} cannot be installed; npm says why above");
    }
    let package = folder.join("node_modules").join(PACKAGE);
    let manifest = std::fs::read_to_string(package.join("package.json"))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    say::line(format!("interop: {PACKAGE} {}", manifest["version"]));

    let port = free_port()?;
    let fixtures = folder.join("fixtures.json");
    std::fs::write(&fixtures, conversation().to_string())?;
    let config = json!({ "host": "127.0.0.1", "port": port, "strict": true,
        "llm": { "fixtures": fixtures, "chunkSize": 7 } });
    std::fs::write(folder.join("aimock.json"), config.to_string())?;
    let mut command = Command::new("node");
    command
        .arg(package.join("dist").join("aimock-cli.js"))
        .args(["--config", "aimock.json"])
        .current_dir(&folder);
    let server = start(command, port, &folder.join("log"))?;

    let dialects = [
        ("aimock, Chat Completions", "openai-chat/gpt-4o", "/v1"),
        ("aimock, Responses", "openai/gpt-5", "/v1"),
        ("aimock, Messages", "anthropic/claude-sonnet-4-5", ""),
    ];
    let mut verdicts = Vec::new();
    for (name, model, suffix) in dialects {
        let verdict = talk(
            bench,
            &Talk {
                name,
                model,
                base_url: format!("{}{suffix}", server.address),
                key: "mock-key",
                answer: "three turns",
            },
        )?;
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// Three turns with tools, the last with two calls at once, each with reasoning.
fn conversation() -> Value {
    let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let turn = |index: u32, response: Value| json!({ "match": { "userMessage": "count the turns", "turnIndex": index }, "response": response });
    json!({ "fixtures": [
        turn(0, json!({ "reasoning": "I look first.",
            "toolCalls": [call("list", json!({}))] })),
        // Words beside a call would count as a turn of their own in the Responses dialect.
        turn(1, json!({ "reasoning": "Then I read.",
            "toolCalls": [call("read", json!({ "path": "a.txt" }))] })),
        turn(2, json!({ "toolCalls": [
            call("shell", json!({ "command": "echo grün" })),
            call("grep", json!({ "pattern": "two" })),
        ] })),
        turn(3, json!({ "content": "That was three turns." })),
    ] })
}
