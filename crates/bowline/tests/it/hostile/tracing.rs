//! Every command of the binary in the hostile folder: what it starts, and what it prints.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Ground, looking_around};

/// Plants whose control must fire wherever this is run: git, sh and bash are everywhere.
pub(super) const MUST_FIRE: &[&str] = &[
    "core.fsmonitor",
    "hook-pre-commit",
    "alias.evil",
    "filter.evil.clean",
    "diff.external",
    "credential.helper",
    "core.hooksPath",
    "include.path",
    "planted-bare-repository",
    "bashrc",
    "path-git",
    "path-bash",
    "mcp.json",
    "claude-settings-hooks",
    "agents-md",
    "key_command",
    "bowline-endpoint",
    "bowline-allow-rule",
    "bowline-mode-edit",
    "bowline-max_tokens",
];

/// How a command is run where its bare name says too little. `{session}` is one that there is.
const ARGUMENTS: &[(&str, &str)] = &[
    ("sessions show", "{session}"),
    ("sessions export", "{session}"),
    ("sessions delete", "{session}"),
    ("sessions repair", "{session} --dry-run"),
    ("events", "{session} --json"),
    ("why", "{session}"),
    ("watch", "{session}"),
    ("tools show", "shell"),
    ("tools call", "list --input {}"),
    ("commands show", "exec"),
    ("models show", "openai/gpt-5"),
    ("trust", "--show"),
    ("completions", "bash"),
    ("resume", "{session}"),
    ("take-over", "{session}"),
    ("pause", "{session}"),
    ("send", "{session} words"),
    ("signal", "{session} name"),
];

/// Commands that are run by their own tests: they work in a folder of their own.
const ELSEWHERE: [&str; 1] = ["demo"];

/// Runs every command that the registry knows, a new one too, and a turn that looks around. Gives how
/// many there were.
pub(super) fn every_command(ground: &Ground, folder: &Path) -> usize {
    let model = ground.scratch.scenario(&looking_around());
    let turn = [
        "exec",
        "--model",
        &model,
        "--on-ask",
        "refuse",
        "look around",
    ];
    ground
        .bowline(folder, &turn)
        .expect(0, &["project: untrusted", "bowline trust --show"]);
    let session = ground.scratch.sessions().remove(0);
    // Nobody names a model: the folder's own endpoint and ports are not asked.
    ground
        .bowline(folder, &["exec", "go"])
        .expect(2, &["no model is set"]);
    let all = ground
        .bowline(folder, &["commands", "list", "--json"])
        .json();
    let names = all.as_array().expect("a list").iter();
    let names: Vec<&str> = names
        .map(|one| one["name"].as_str().expect("a name"))
        .collect();
    let mut count = 2;
    for name in names {
        if ELSEWHERE.contains(&name) || name == "exec" {
            continue;
        }
        let more = ARGUMENTS.iter().find(|(known, _)| *known == name);
        let line = match more {
            Some((_, more)) => format!("{name} {}", more.replace("{session}", &session)),
            None => name.to_owned(),
        };
        let args: Vec<&str> = line.split(' ').collect();
        let shown = ground.bowline(folder, &args);
        let said = format!("{}{}", shown.out, shown.err);
        if !said.trim_start().starts_with(['{', '[', '.']) {
            assert!(!said.contains('\u{1b}'), "{line}: {said:?}");
        }
        assert!(!said.contains("panicked"), "{line}: {said}");
        count += 1;
    }
    traced(ground, folder, &turn);
    traced(ground, folder, &["doctor"]);
    traced(ground, folder, &["trust", "--show"]);
    count + 3
}

/// No program of the folder is started, by whatever way, where strace is there to see it.
fn traced(ground: &Ground, folder: &Path, args: &[&str]) {
    let trace = ground.scratch.path("trace.txt");
    let path = std::env::var("PATH").unwrap_or_default();
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=execve,execveat", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_bowline"))
        .args(args)
        .current_dir(folder)
        .env("BOWLINE_HOME", ground.scratch.home())
        .env("XDG_CONFIG_HOME", ground.scratch.path("config"))
        .env("HOME", ground.scratch.path("user"))
        .env("PATH", format!(".:bin::{path}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if status.is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI must have strace");
        return;
    }
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let own = folder.display().to_string();
    let fire = ground.scratch.path("fire").display().to_string();
    let started: Vec<&str> = text
        .lines()
        .filter(|line| {
            let what = line.split('"').nth(1).unwrap_or_default();
            !what.starts_with('/') && line.contains("exec") && line.contains('"')
                || what.starts_with(&own)
                || what.starts_with(&fire)
        })
        .collect();
    assert!(started.is_empty(), "{args:?}: {started:#?}");
}
