//! Real input: the source of a published crate with a planted fault, mended over HTTP by a
//! scripted model on a server that refuses what the real API refuses.

use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

const SOUND: &str = "let cost = usize::from(a_elem != b_elem);";
const FAULTY: &str = "let cost = usize::from(a_elem == b_elem);";

/// The published source of `strsim`, a dependency of ours whose tests need no registry.
fn published_source() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let about = Command::new(&cargo)
        .arg("-vV")
        .output()
        .expect("cargo starts");
    let about = String::from_utf8_lossy(&about.stdout).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    // Packages of other platforms need not have been fetched.
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host.expect("a host")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let strsim = packages
        .iter()
        .find(|package| package["name"] == "strsim")
        .expect("strsim");
    let manifest = strsim["manifest_path"].as_str().expect("a path");
    Path::new(manifest).parent().expect("a folder").to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

fn plant(work: &Path) {
    copy(&published_source(), work);
    // The published manifest belongs to no workspace of ours.
    let lib = work.join("src/lib.rs");
    let text = std::fs::read_to_string(&lib).expect("the source");
    let (before, after) = text.split_once(SOUND).expect("the sound line");
    std::fs::write(lib, format!("{before}{FAULTY}{after}")).expect("the fault");
}

fn cargo_test(work: &Path) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Command::new(cargo)
        .args(["test", "--offline", "--quiet", "--lib"])
        .current_dir(work)
        .env("CARGO_TARGET_DIR", work.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo starts")
        .status
        .success()
}

fn scenario() -> Scenario {
    let test = json!({ "tool": "shell", "input": {
        "command": "CARGO_TARGET_DIR=target cargo test --offline --quiet --lib 2>&1 | tail -30; exit ${PIPESTATUS[0]}",
        "timeout_ms": 600_000
    } });
    let steps = json!({ "version": 1, "steps": [
        { "reasoning": "First see it fail.", "calls": [test] },
        { "text": "Levenshtein is off.", "calls": [
            { "tool": "grep", "input": { "pattern": "fn generic_levenshtein", "path": "src" } },
            { "tool": "grep", "input": { "pattern": "let cost", "path": "src", "context": 2 } }
          ], "expect": { "last_result_contains": ["levenshtein", "exit 101"] } },
        { "calls": [{ "tool": "read", "input": { "path": "src/lib.rs", "offset": 233, "limit": 30 } }],
          "expect": { "last_result_contains": ["a_elem == b_elem"] } },
        { "calls": [{ "tool": "edit", "input": { "path": "src/lib.rs", "edits": [{
            "old": "            let cost = usize::from(a_elem == b_elem);\n            let distance_a",
            "new": "            let cost = usize::from(a_elem != b_elem);\n            let distance_a"
          }] } }], "expect": { "last_result_contains": ["distance_b = i"] } },
        { "calls": [test] },
        { "text": "The comparison was the wrong way round; the tests pass.",
          "expect": { "last_result_contains": ["test result: ok", "exit 0"] } }
    ] });
    Scenario::from_value(steps).expect("a valid scenario")
}

/// Has the fault mended by `model` on the server of `base_url`, with reasoning required back.
fn mends(model: &str, base_url: fn(&ScriptedServer) -> String) {
    let scratch = Scratch::new();
    let work = scratch.work();
    plant(&work);
    assert!(
        !cargo_test(&work),
        "the planted fault is caught by the crate's own tests"
    );

    let options = Options {
        require_reasoning_back: true,
        ..Options::default()
    };
    let server = ScriptedServer::start(scenario(), options);
    let base_url = base_url(&server);
    let ran = scratch.run(&[
        "exec",
        "--model",
        model,
        "--base-url",
        &base_url,
        "--mode",
        "full",
        "--output",
        "json",
        "A test fails. Find out why and mend it.",
    ]);
    assert!(server.violations().is_empty(), "{:?}", server.violations());
    let result = ran.expect(0, &[]).json();
    assert_eq!(result["stop_reason"], "done");
    assert_eq!(server.requests().len(), 6);
    assert!(cargo_test(&work), "green after");

    let source = std::fs::read_to_string(work.join("src/lib.rs")).expect("the source");
    let published = std::fs::read_to_string(published_source().join("src/lib.rs")).expect("it");
    assert_eq!(source, published, "the edit restored the very source");
    let events = scratch.events();
    assert_eq!(of_kind(&events, "CallFinished").len(), 6);
    assert_eq!(of_kind(&events, "Decided").len(), 6);
}

#[test]
fn a_planted_fault_in_a_published_crate_is_mended_over_http() {
    mends("openai-chat/scripted", ScriptedServer::base_url);
}

#[test]
fn a_planted_fault_is_mended_over_responses() {
    mends("openai/scripted", ScriptedServer::base_url);
}

#[test]
fn a_planted_fault_is_mended_over_anthropic() {
    mends("anthropic/scripted", ScriptedServer::root_url);
}
