//! `usage --risk`: what was sent where, counted from the journal, and what it comes to.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::Scratch;

const FIGURES: &str = "date = \"2026-11-26\"\n\
    [[class]]\nname = \"secret\"\nglobs = [\"vault/**\"]\nwhole_bytes = 1000\n\
    cost_usd = [1000000, 4000000]\nsource = \"a test\"\n\
    [[destination]]\nname = \"unknown\"\nlikelihood_ppm = [10000, 100000]\nsource = \"a test\"\n";

/// A file of a class of its own is read once and goes along in two requests.
fn ran(host: &str) -> (Scratch, Value) {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("config/bowline/risk.toml"), FIGURES).expect("the file");
    scratch.file("vault/key", "k".repeat(99) + "\n");
    scratch.file("src/main.rs", "fn main() {}\n");
    let steps = json!({ "version": 1, "steps": [
        { "calls": [{ "tool": "read", "input": { "path": "vault/key" } }] },
        { "calls": [{ "tool": "read", "input": { "path": "src/main.rs" } }] },
        { "text": "done" },
    ] });
    let scenario = Scenario::from_value(steps).expect("a scenario");
    let server = ScriptedServer::start(scenario, Options::default());
    let url = format!("http://{host}:{}/v1", server.address().port());
    let args = ["exec", "--model", "openai-chat/m", "--base-url", &url, "go"];
    scratch.run(&args).expect(0, &["done"]);
    let found = scratch.run(&["usage", "--risk", "--json"]);
    found.expect(0, &[]);
    (scratch, found.json())
}

fn number(value: &Value, path: &str) -> i128 {
    let number = value.pointer(path).and_then(Value::as_i64);
    i128::from(number.unwrap_or_else(|| panic!("{path} in {value}")))
}

#[test]
fn counts_what_was_sent_once_and_each_time() {
    let (scratch, found) = ran("0.0.0.0");
    let line = &found["lines"][0];
    assert_eq!(line["place"], "0.0.0.0");
    assert_eq!(line["destination"], "unknown");
    assert_eq!(number(line, "/requests"), 3);
    let distinct = number(line, "/sent/secret/distinct_bytes");
    assert!(distinct >= 100, "{line}");
    assert_eq!(number(line, "/sent/secret/total_bytes"), 2 * distinct);
    let internal = number(line, "/sent/internal/distinct_bytes");
    assert_eq!(number(line, "/sent/internal/total_bytes"), internal);
    // min(E, W) x L x C / W for the one class; the built-in figures for the other.
    let of = |bytes: i128, whole: i128, ppm: i128, usd: i128| (bytes * ppm * usd, whole);
    let (low, whole) = of(distinct, 1_000, 10_000, 1_000_000);
    let (of_internal, all) = of(internal, 104_857_600, 10_000, 25_000);
    let expect = low / whole + of_internal / all;
    assert_eq!(number(line, "/loss_micro_usd/low"), expect);
    let text = scratch.run(&["usage", "--risk"]);
    text.expect(
        0,
        &["0.0.0.0 (unknown)", "secret:", "risk.toml", "price unknown"],
    );
}

#[test]
fn what_stays_here_adds_nothing() {
    let (_scratch, found) = ran("127.0.0.1");
    let line = &found["lines"][0];
    assert_eq!(line["place"], "local");
    assert_eq!(number(line, "/loss_micro_usd/high"), 0);
    let figures = &found["figures"]["destinations"];
    let all = figures.as_array().expect("a list");
    assert!(all.iter().all(|one| one["source"] != ""), "{figures}");
}
