//! `bowline models`: what is known of models, and taking in the tables that others keep.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::support::{Ran, Scratch, ran, snapshot};

/// A real sample of one of the two tables.
fn sample(name: &str) -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/models");
    format!("{fixtures}/{name}")
}

fn table(scratch: &Scratch) -> std::path::PathBuf {
    scratch.path("config/bowline/models.txt")
}

fn from_stdin(scratch: &Scratch, bytes: &[u8]) -> Ran {
    let mut command = scratch.command(&["models", "import", "-"]);
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(bytes).expect("it reads");
    drop(stdin);
    ran(&child.wait_with_output().expect("it ends"))
}

#[test]
fn the_list_names_every_model_and_writes_nothing() {
    let scratch = Scratch::new();
    scratch.config("[[models]]\nid = \"work/qwen3\"\ncontext_tokens = 32000\n");
    let before = snapshot(&scratch.path(""));
    let all = scratch.run(&["models", "list", "--json"]).json();
    let all = all.as_array().expect("a list");
    assert!(all.len() > 20);
    let find = |id: &str| all.iter().find(|one| one["id"] == id).expect(id);
    let sonnet = find("anthropic/claude-sonnet-5");
    assert_eq!(sonnet["price"]["input_micro_usd_per_mtok"], 2_000_000);
    assert_eq!(sonnet["from"], "built-in");
    assert_eq!(find("work/qwen3")["price"], json!(null));
    assert_eq!(find("work/qwen3")["context_tokens"], 32_000);
    let one = scratch
        .run(&["models", "list", "--provider", "openai-chat", "--json"])
        .json();
    assert!(
        one.as_array()
            .expect("a list")
            .iter()
            .any(|one| one["id"] == "openai-chat/gpt-5")
    );
    let none = scratch.run(&["models", "list", "--provider", "nobody", "--json"]);
    assert_eq!(none.json(), json!([]));
    let text = scratch.run(&["models", "list"]);
    text.expect(0, &["work/qwen3", "unknown", "openai/gpt-5"]);
    for line in text.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(snapshot(&scratch.path("")), before);
    assert!(!scratch.home().exists());
}

#[test]
fn one_model_is_shown_with_who_says_so() {
    let scratch = Scratch::new();
    scratch.config(
        "[[models]]\nid = \"openai/gpt-5\"\noutput_usd_per_mtok = 12.50\n\n[[models]]\nid = \"work/x\"\ncontext_tokens = 9\n",
    );
    let show = |id: &str| scratch.run(&["models", "show", id]);
    show("gpt-5").expect(
        0,
        &[
            "openai/gpt-5",
            "$12.50",
            "$0.125",
            "config.toml:1, else built-in table of",
        ],
    );
    show("anthropic/claude-sonnet-4-5-20250929")
        .expect(0, &["$3.00", "anthropic/claude-sonnet-4-5 since"]);
    show("gpt-6-astra").expect(0, &["more than 272,000 input tokens", "$75.00"]);
    show("work/x").expect(
        0,
        &[
            "9 tokens",
            "unknown",
            "id = \"work/x\"",
            "models import FILE",
        ],
    );
    show("work/nobody").expect(
        2,
        &["[[models]]\nid = \"work/nobody\"", "models import FILE"],
    );
    show("claude-sonnet").expect(2, &["no model is called", "anthropic/claude-sonnet-5"]);
    show("").expect(2, &["bowline models list"]);
    let shown = scratch
        .run(&["models", "show", "openai/gpt-5-2025-08-07", "--json"])
        .json();
    assert_eq!(shown["price"]["output_micro_usd_per_mtok"], 12_500_000);
    scratch.config("base_url = \"http://127.0.0.1:1/v1\"\n");
    show("openai/gpt-5").expect(
        2,
        &["`base_url` is http://127.0.0.1:1/v1", "is in no table"],
    );
}

#[test]
fn real_samples_of_both_tables_are_taken_in() {
    let scratch = Scratch::new();
    let import = |name: &str, more: &[&str]| {
        let file = sample(name);
        let mut args = vec!["models", "import", &file];
        args.extend(more);
        scratch.run(&args)
    };
    let dry = import("litellm.json", &["--dry-run"]);
    dry.expect(
        0,
        &[
            "28 models with a price, in the form of litellm",
            "nothing is written",
        ],
    );
    assert!(!table(&scratch).exists());
    let first = import("litellm.json", &[]);
    first.expect(
        0,
        &[
            "new (",
            "deepseek/deepseek-chat  input ",
            "changed (",
            "  openai/gpt-5  context 400000 -> 272000\n",
            "left out, it does not answer in text (",
            "openai/text-embedding-3-small",
            "written to ",
        ],
    );
    let mode = std::fs::metadata(table(&scratch))
        .expect("the table")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = import("litellm.json", &[]);
    again.expect(0, &["the same (28)"]);
    assert!(
        !again.out.contains("new (") && !again.out.contains("changed ("),
        "{}",
        again.out
    );
    let other = import("models.dev.json", &["--provider", "anthropic"]);
    other.expect(
        0,
        &[
            "6 models with a price, in the form of models.dev",
            "kept from before (",
        ],
    );
    let shown = scratch.run(&["models", "show", "deepseek/deepseek-chat"]);
    shown.expect(2, &["is not known"]);
    scratch.config(
        "[[providers]]\nname = \"deepseek\"\napi = \"openai-chat\"\nbase_url = \"https://d.example.com/v1\"\n",
    );
    let shown = scratch.run(&["models", "show", "deepseek/deepseek-chat"]);
    shown.expect(0, &["models.txt: deepseek/deepseek-chat by litellm of 20"]);
    let list = scratch.run(&["models", "list", "--json"]).json();
    let imported = |one: &&serde_json::Value| one["from"] == "imported";
    assert!(
        list.as_array()
            .expect("a list")
            .iter()
            .filter(imported)
            .count()
            >= 28
    );
    let names = std::fs::read_dir(scratch.path("config/bowline")).expect("the folder");
    assert_eq!(names.count(), 2, "nothing else is left there");
}

#[test]
fn what_is_no_table_is_refused_in_one_line_and_changes_nothing() {
    let scratch = Scratch::new();
    let before = snapshot(&scratch.path("config"));
    for (bytes, part) in [
        (&b"\xff\x00"[..], "not UTF-8"),
        (b"", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"{\"a\": 1}", "neither form"),
    ] {
        let refused = from_stdin(&scratch, bytes);
        refused.expect(2, &["standard input: ", part]);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
    }
    scratch
        .run(&["models", "import", "missing.json"])
        .expect(2, &["missing.json cannot be read"]);
    scratch
        .run(&["models", "import", "."])
        .expect(2, &["not a regular file"]);
    let file = sample("litellm.json");
    scratch
        .run(&["models", "import", &file, "--provider", "nobody"])
        .expect(2, &["holds no model of `nobody`"]);
    let hostile = b"{\"p\": {\"models\": {\"\\u001b[2Jx\": {\"cost\": 7}, \"a\\nb\": 1, \"ok\": {\"cost\": {\"input\": 1, \"output\": 1}}}}}";
    let read = from_stdin(&scratch, hostile);
    read.expect(0, &["left out, cannot be read (2)", "p/ok"]);
    assert!(!read.out.contains('\x1b'), "{:?}", read.out);
    std::fs::remove_file(table(&scratch)).expect("the table");
    assert_eq!(snapshot(&scratch.path("config")), before);
}

#[test]
fn a_table_beyond_measure_is_refused_before_it_is_written() {
    let scratch = Scratch::new();
    let head = "p/m 1 1 1 1 1 1 - 2026-01-01 ";
    let long = format!("{head}{}\n", "x".repeat((16 << 20) - head.len() - 1));
    std::fs::write(table(&scratch), &long).expect("a table as large as may be");
    let file = sample("litellm.json");
    scratch
        .run(&["models", "import", &file])
        .expect(2, &["larger than 16 MiB"]);
    let kept = std::fs::read_to_string(table(&scratch)).expect("the table");
    assert!(kept == long, "it is as it was");
    std::fs::remove_file(table(&scratch)).expect("the table");
    let mut padded = std::fs::read(&file).expect("the sample");
    padded.resize((64 << 20) + 1, b' ');
    let file = scratch.file("large.json", padded).display().to_string();
    scratch
        .run(&["models", "import", &file])
        .expect(2, &["larger than 64 MiB"]);
    let broken = scratch.file("broken.json", r#"{"p": {"models": {"m": 7}}}"#);
    let broken = broken.display().to_string();
    scratch
        .run(&["models", "import", &broken])
        .expect(1, &["p/m: it is no object", "no model with a price"]);
}

#[test]
fn an_agent_does_not_say_what_its_work_costs() {
    let scratch = Scratch::new();
    let file = sample("litellm.json");
    let env = format!(
        "BOWLINE_HOME={} XDG_CONFIG_HOME={}",
        scratch.home().display(),
        scratch.path("config").display()
    );
    let command = format!(
        "{env} {} models import {file}",
        env!("CARGO_BIN_EXE_bowline")
    );
    let input = json!({ "command": command }).to_string();
    let inside = scratch.run(&[
        "tools", "call", "shell", "--mode", "full", "--input", &input,
    ]);
    inside.expect(1, &["inside a shell command of an agent"]);
    assert!(!table(&scratch).exists());
    // The same from outside works.
    scratch
        .run(&["models", "import", &file])
        .expect(0, &["written to"]);
    assert!(table(&scratch).exists());
}
