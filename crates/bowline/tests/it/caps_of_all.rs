//! Twenty processes at once under one cap of the day, one of the project and one limit on the rate:
//! what they use together never passes any, as the ledger has it at every step.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Ran, Scratch, ran};

const PROCESSES: usize = 20;
const CAP: u64 = 250_000;

/// Runs the same work in twenty processes at once, with this configuration.
fn twenty(config: &str) -> (Scratch, Vec<Ran>) {
    let scratch = Scratch::new();
    scratch.file("a.txt", "one\ntwo\n");
    scratch.config(config);
    let look = json!({ "calls": [{ "tool": "read", "input": { "path": "a.txt" } }],
        "usage": { "input_tokens": 1_500, "output_tokens": 3_000 } });
    let steps = json!([look, look, look, { "text": "done" }]);
    let model = scratch.scenario(&steps);
    let args = [
        "exec",
        "--model",
        &model,
        "--mode",
        "read-only",
        "--output",
        "json",
        "look",
    ];
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut command = scratch.command(&args);
            command.stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
            command.spawn().expect("it starts")
        })
        .collect();
    let ended = children
        .into_iter()
        .map(|child| ran(&child.wait_with_output().expect("it ends")))
        .collect();
    (scratch, ended)
}

/// What the runs used, as they say.
fn used(runs: &[Ran]) -> u64 {
    let tokens = |run: &Ran| {
        let usage = &run.json()["usage"];
        let count = |name: &str| usage[name].as_u64().expect("a count");
        count("input_tokens") + count("output_tokens")
    };
    runs.iter().map(tokens).sum()
}

/// The most that the ledger ever held as spent or set aside.
fn most_taken(scratch: &Scratch) -> u64 {
    let path = scratch.home().join("ledger.jsonl");
    let text = std::fs::read_to_string(path).expect("a ledger");
    let tokens = |amounts: &Value| {
        let count = |name: &str| amounts[name].as_u64().unwrap_or(0);
        count("input_tokens") + count("output_tokens")
    };
    let mut claims: BTreeMap<String, u64> = BTreeMap::new();
    let sums = text.lines().map(|line| {
        let record: Value = serde_json::from_str(line).expect("JSON");
        let data = &record["body"]["data"];
        assert_ne!(
            record["body"]["kind"], "Carried",
            "all of it is in one file"
        );
        claims.insert(data["key"].to_string(), tokens(&data["amounts"]));
        claims.values().sum()
    });
    sums.max().expect("records")
}

#[test]
fn twenty_processes_at_once_stay_under_one_cap() {
    for scope in ["day", "project"] {
        let (scratch, runs) = twenty(&format!("[budget.{scope}]\ntokens = {CAP}\n"));
        let (used, most) = (used(&runs), most_taken(&scratch));
        let stopped = runs.iter().filter(|run| run.code == 4).count();
        println!("{scope}: {used} used, {most} taken at most of {CAP}; {stopped} stopped");
        assert!(used <= CAP && most <= CAP);
        assert!(stopped > 0 && used > CAP / 2);
        for run in &runs {
            assert!([0, 4].contains(&run.code), "{}", run.err);
            let result = run.json()["result"].to_string();
            assert!(run.code == 0 || result.contains(scope), "{result}");
        }
    }
    // The positive control: without the cap the same work uses more.
    let (_scratch, runs) = twenty("");
    assert!(runs.iter().all(|run| run.code == 0));
    assert!(used(&runs) > CAP);
}
