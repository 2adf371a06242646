//! Path records run for real: folders, links, pipes, second names made on disk, each call made by
//! `tools call`, each race run against a swapper. Nothing may come in or go out that the record
//! does not allow. A naive tool in the same folders is caught.
//!
//! `BOWLINE_RACE_ROUNDS=10000` makes that many swaps a race; without it there is a small sample.

mod actor;
mod ground;
mod race;
mod within;

use std::collections::BTreeMap;

use serde_json::Value;

use actor::{Actor, Answer};
use ground::{Ground, text};
use race::run_race;
use within::Within;

const PUBLIC: &str = include_str!("../../../../fixtures/corpora/path-cases.jsonl");
const OWN: &str = include_str!("../../../../fixtures/corpora/own-paths.jsonl");

/// Operations that have no file tool and go through a shell.
const BY_SHELL: [&str; 3] = ["delete", "rename", "create-symlink"];

/// What a record came to: the decision in the corpora's words, and each way out that was found.
struct Outcome {
    got: &'static str,
    escapes: Vec<String>,
}

fn records() -> Vec<Value> {
    let lines = PUBLIC.lines().chain(OWN.lines());
    lines
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect()
}

fn is_race(record: &Value) -> bool {
    record["race"].is_object()
}

fn by_shell(record: &Value) -> bool {
    BY_SHELL.contains(&text(&record["op"]))
}

/// Whether a record lets its call be done.
fn may_be_done(record: &Value) -> bool {
    let also = record["also_ok"].as_array().into_iter().flatten();
    record["expected"] == "allow" || also.into_iter().any(|one| one == "allow")
}

/// How many swaps there are in a race; see the head of this file.
fn swaps_wanted() -> u64 {
    let asked = std::env::var("BOWLINE_RACE_ROUNDS").ok();
    asked.map_or(60, |count| count.parse().expect("a count"))
}

/// Runs a record that is no race.
fn run(record: &Value, actor: Actor<'_>) -> Outcome {
    let ground = Ground::new(record);
    let before = (ground.outside(), ground.inside());
    let answer = actor.act(&ground, record);
    let after = (ground.outside(), ground.inside());
    let mut escapes = Vec::new();
    let mut escape = |is: bool, what: &str| {
        if is {
            escapes.push(format!("{what}: {answer:?}"));
        }
    };
    escape(answer.hung, "hung");
    escape(before.0 != after.0, "something outside changed");
    let changed = before.1 != after.1;
    // A shell command that was refused its effect by a sandbox was run, and did nothing.
    let done = answer.done && (changed || !by_shell(record));
    escape(!done && changed, "not done, and left an effect");
    escape(done && !may_be_done(record), "done though not allowed");
    for (path, mark) in &ground.marks {
        let foreign = !path.starts_with(ground.workspace());
        let told = answer.told.contains(mark.as_str());
        escape(told && (foreign || !may_be_done(record)), "told a content");
    }
    let got = match (done, answer.asked) {
        (true, _) => "allow",
        (false, true) => "ask",
        (false, false) => "deny",
    };
    if got == "allow" && record["expected"] == "allow" {
        is_really_done(&ground, record, &answer);
    }
    Outcome { got, escapes }
}

/// A call that says it is done has done it.
fn is_really_done(ground: &Ground, record: &Value, answer: &Answer) {
    let path = actor::target(ground, record);
    let content = std::fs::read_to_string(&path).unwrap_or_default();
    match text(&record["op"]) {
        "read" => {
            let mark = content.lines().next().unwrap_or_default();
            assert!(answer.told.contains(mark), "{record}: {answer:?}");
        }
        "write" | "edit" => assert_eq!(content, actor::WRITTEN, "{record}: {answer:?}"),
        _ => {}
    }
}

/// What came of many records, a line a family.
#[derive(Default)]
struct Table(BTreeMap<String, [usize; 4]>);

impl Table {
    fn add(&mut self, record: &Value, outcome: &Outcome) {
        let row = self
            .0
            .entry(text(&record["family"]).to_owned())
            .or_default();
        let also = record["also_ok"].as_array().into_iter().flatten();
        let other = also.into_iter().any(|one| one == outcome.got);
        row[0] += 1;
        row[1] += usize::from(record["expected"] == outcome.got || other);
        row[2] += usize::from(record["expected"] == "allow" && outcome.got != "allow" && !other);
        row[3] += usize::from(!outcome.escapes.is_empty());
    }

    #[expect(clippy::print_stdout, reason = "the figures are the report")]
    fn print(&self, what: &str) {
        println!("{what}: family, records, as labelled, false prompts, escapes");
        for (family, [records, right, prompts, escapes]) in &self.0 {
            println!("  {family:12} {records:4} {right:4} {prompts:4} {escapes:4}");
        }
    }
}

/// Runs records side by side and gives what each came to, in order.
fn side_by_side<T: Send>(records: &[Value], each: impl Fn(&Value) -> T + Sync) -> Vec<T> {
    let half = records.len().div_ceil(2);
    std::thread::scope(|scope| {
        let parts = records.chunks(half.max(1));
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().map(&each).collect::<Vec<T>>()))
            .collect();
        let joined = parts.into_iter().map(|it| it.join().expect("no panic"));
        joined.flatten().collect()
    })
}

/// Runs `records` and prints a table of them; none may escape, and all must be `right`.
fn check(title: &str, records: &[Value], actor: Actor, right: impl Fn(&Value, &Outcome) -> bool) {
    let (mut table, mut failed) = (Table::default(), Vec::new());
    let outcomes = side_by_side(records, |record| run(record, actor));
    for (record, outcome) in records.iter().zip(outcomes) {
        table.add(record, &outcome);
        if !right(record, &outcome) || !outcome.escapes.is_empty() {
            failed.push(format!(
                "{}: {} got {}; {:?}",
                record["id"], record["path"], outcome.got, outcome.escapes
            ));
        }
    }
    table.print(title);
    let count = failed.len();
    assert!(failed.is_empty(), "{count}:\n{}", failed.join("\n"));
}

#[test]
fn no_path_record_escapes() {
    let records: Vec<Value> = records().into_iter().filter(|it| !is_race(it)).collect();
    assert!(records.len() >= 120, "{}", records.len());
    check("tools call", &records, Actor::Bowline, |record, outcome| {
        let mut also = record["also_ok"].as_array().into_iter().flatten();
        record["expected"] == outcome.got || also.any(|one| one == outcome.got)
    });
}

#[test]
fn no_record_escapes_through_a_confined_shell() {
    // The labels of stricter modes do not hold for this one.
    let holds = |it: &Value| by_shell(it) && actor::mode(it) == "edit";
    let records: Vec<Value> = records().into_iter().filter(holds).collect();
    let title = "tools call shell --mode auto";
    check(title, &records, Actor::Confined, |_, _| true);
}

#[test]
fn a_naive_tool_is_caught() {
    let by_file = |record: &Value| {
        !by_shell(record)
            && !is_race(record)
            && record["family"] != "special"
            && !may_be_done(record)
    };
    let records: Vec<Value> = records().into_iter().filter(by_file).collect();
    let caught = side_by_side(&records, |record| run(record, Actor::Naive));
    let caught = caught.iter().filter(|it| !it.escapes.is_empty()).count();
    println!(
        "a naive tool escapes in {caught} of {} records",
        records.len()
    );
    assert!(caught >= 100, "{caught} of {}", records.len());
}

#[test]
fn no_race_is_won() {
    let races: Vec<Value> = records().into_iter().filter(is_race).collect();
    let failed = side_by_side(&races, |record| {
        let ground = Ground::quick(record);
        let within = Within::new(&ground);
        let mut raced = run_race(record, &ground, Actor::Within(&within), 40, swaps_wanted());
        let (calls, done, swaps) = (raced.calls, raced.done, raced.swaps);
        println!(
            "{}: {calls} calls, {done} done, {swaps} swaps",
            record["id"]
        );
        let ground = Ground::new(record);
        raced
            .escapes
            .extend(run_race(record, &ground, Actor::Bowline, 2, 0).escapes);
        (!raced.escapes.is_empty()).then(|| format!("{}: {:?}", record["id"], raced.escapes))
    });
    let failed: Vec<String> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_naive_tool_loses_races() {
    let races: Vec<Value> = records().into_iter().filter(is_race).collect();
    let lost = side_by_side(&races, |record| {
        // Opening a pipe would wait for ever.
        let has_fifo = record["race"]["steps"].to_string().contains("fifo");
        let ground = Ground::quick(record);
        !has_fifo
            && !run_race(record, &ground, Actor::Naive, 300, 0)
                .escapes
                .is_empty()
    });
    let lost = lost.into_iter().filter(|lost| *lost).count();
    println!("a naive tool loses {lost} of {} races", races.len());
    assert!(lost >= 10, "{lost} of {}", races.len());
}
