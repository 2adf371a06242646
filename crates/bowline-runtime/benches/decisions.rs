//! How long it takes to decide about a shell command: each command of the corpus, many times.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

use std::time::{Duration, Instant};

use bowline_runtime::trial::Trial;

const SHELL: &str = include_str!("../../../fixtures/corpora/shell-permission.jsonl");
const DAY: &str = include_str!("../../../fixtures/corpora/day.jsonl");

/// How often each call is judged.
const ROUNDS: usize = 50;

fn main() {
    let start = Instant::now();
    let first = trials(SHELL);
    divan::black_box(first[0].judge());
    println!(
        "the first decision, tables and corpus read: {:?}",
        start.elapsed()
    );
    percentiles("shell corpus", &first);
    percentiles("days", &trials(DAY));
    divan::main();
}

fn trials(records: &str) -> Vec<Trial> {
    let lines = records.lines();
    lines
        .map(|line| Trial::parse(line).expect("a record"))
        .collect()
}

/// Prints what share of single decisions took how long at most.
fn percentiles(name: &str, trials: &[Trial]) {
    let mut all: Vec<Duration> = Vec::with_capacity(trials.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for trial in trials {
            let start = Instant::now();
            divan::black_box(trial.judge());
            all.push(start.elapsed());
        }
    }
    all.sort_unstable();
    let at = |share: usize| all[(all.len() - 1) * share / 1000];
    println!(
        "{name}: {} decisions, p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
        all.len(),
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

#[divan::bench]
fn the_whole_shell_corpus(bencher: divan::Bencher<'_, '_>) {
    let trials = trials(SHELL);
    bencher.bench(|| trials.iter().map(Trial::judge).count());
}
