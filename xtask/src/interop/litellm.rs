//! `litellm[proxy]` from PyPI, with a master key, on `/v1/messages`; behind it our scripted server.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::play::{Server, Talk, free_port, start, talk};
use super::{Bench, Verdict};
use crate::repo::succeeds;
use crate::say;

const PACKAGE: &str = "litellm[proxy]";
const MASTER_KEY: &str = "sk-interop-master";

/// Installs it, and speaks Messages to it with a model of each dialect behind it.
///
/// # Errors
/// When it cannot be installed or does not start.
pub(super) fn run(bench: &Bench) -> Result<Vec<Verdict>> {
    let folder = bench.folder.clone();
    let venv = folder.join("venv");
    let mut make = Command::new("python3");
    if !venv.join("bin").join("pip").exists() && !succeeds(make.args(["-m", "venv"]).arg(&venv))? {
        bail!("python3 cannot make a virtual environment");
    }
    let mut install = Command::new(venv.join("bin").join("pip"));
    if !succeeds(install.args(["install", "--quiet", "--disable-pip-version-check", PACKAGE]))? {
        bail!("{PACKAGE} cannot be installed; pip says why above");
    }
    let shown = Command::new(venv.join("bin").join("pip"))
        .args(["show", "litellm"])
        .output()?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let version = shown
        .lines()
        .find_map(|line| line.strip_prefix("Version: "));
    say::line(format!("interop: {PACKAGE} {}", version.unwrap_or("?")));

    let scenario = folder.join("litellm-scenario.json");
    std::fs::write(&scenario, conversation().to_string())?;
    let mut verdicts = Vec::new();
    for (name, behind, suffix) in [
        (
            "litellm, Messages before Messages",
            "anthropic/scripted",
            "",
        ),
        (
            "litellm, Messages before Responses",
            "openai/scripted",
            "/v1",
        ),
    ] {
        // Before Messages this proxy hands on what it gets; otherwise it writes history anew.
        let upstream = upstream(bench, &scenario, suffix.is_empty())?;
        let proxy = proxy(
            &folder,
            &venv,
            behind,
            &format!("{}{suffix}", upstream.address),
        )?;
        let conversation = Talk {
            name,
            model: "anthropic/interop",
            base_url: proxy.address.clone(),
            key: MASTER_KEY,
            answer: "three turns",
        };
        verdicts.push(talk(bench, &conversation)?);
    }
    Ok(verdicts)
}

/// The scripted server with the conversation; strict, reasoning included, if history comes to it as it was sent.
fn upstream(bench: &Bench, scenario: &Path, as_it_came: bool) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(&bench.serve);
    command
        .arg(scenario)
        .args(["--port", &port.to_string()])
        .arg(if as_it_came {
            "--reasoning-back"
        } else {
            "--lenient"
        });
    start(command, port, &bench.folder.join("upstream.log"))
}

fn proxy(folder: &Path, venv: &Path, behind: &str, address: &str) -> Result<Server> {
    let port = free_port()?;
    // JSON is YAML.
    let config = json!({
        "model_list": [{ "model_name": "interop", "litellm_params": {
            "model": behind, "api_base": address, "api_key": "sk-upstream" } }],
        "general_settings": { "master_key": MASTER_KEY },
        "litellm_settings": { "telemetry": false, "drop_params": true },
    });
    let path: PathBuf = folder.join("litellm.yaml");
    std::fs::write(&path, config.to_string()).context("the configuration of litellm")?;
    let mut command = Command::new(venv.join("bin").join("litellm"));
    command
        .arg("--config")
        .arg(&path)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .env("LITELLM_TELEMETRY", "False")
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        .env("NO_PROXY", "127.0.0.1");
    start(command, port, &folder.join("litellm.log"))
}

/// Three turns with tools, the last with two calls at once, each with reasoning.
fn conversation() -> Value {
    let call = |tool: &str, input: Value| json!({ "tool": tool, "input": input });
    json!({ "version": 1, "steps": [
        { "reasoning": "I look first.", "calls": [call("list", json!({}))] },
        { "reasoning": "Then I read.",
          "calls": [call("read", json!({ "path": "a.txt" }))] },
        { "calls": [call("shell", json!({ "command": "echo grün" })),
            call("grep", json!({ "pattern": "two" }))],
          "expect": { "last_result_contains": ["one"] } },
        { "text": "That was three turns.", "expect": { "last_result_contains": ["grün"] } },
    ] })
}
