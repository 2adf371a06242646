//! `cargo xtask duplicates`: runs of lines that stand twice in the Rust sources.
//!
//! Lines are compared without indentation; blank lines, comments, attributes, imports and lone punctuation do
//! not count. Finds copies, not paraphrases: a run is a place to look, and only a long one fails the check.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use anyhow::Result;

use crate::finding::Findings;
use crate::repo::Repo;
use crate::tree::Tree;

/// Significant lines from which on a run is worth a look.
const NOTICED: usize = 12;
/// Significant lines from which on a run fails the check.
const TOO_LONG: usize = 30;
/// Runs shown at most; the longest come first.
const SHOWN: usize = 10;

/// The lines of one file that count, each with its number.
struct Source<'a> {
    path: &'a str,
    lines: Vec<(usize, &'a str)>,
}

/// A place in the sources: index of the file, index of the significant line.
type Place = (usize, usize);

struct Run {
    first: Place,
    second: Place,
    length: usize,
}

/// Looks for copies in every Rust source.
///
/// # Errors
/// When git cannot list the files.
pub(crate) fn step(repo: &Repo) -> Result<Findings> {
    Ok(judge(&repo.tree()?))
}

fn judge(tree: &Tree) -> Findings {
    let sources: Vec<Source> = tree
        .rust()
        .map(|(path, text)| significant(path, text))
        .collect();
    let mut runs = runs(&sources);
    runs.sort_by_key(|run| std::cmp::Reverse(run.length));
    let mut findings = Findings::default();
    for run in runs.iter().filter(|run| run.length >= TOO_LONG) {
        findings.fault(
            named(&sources, run.first),
            format!(
                "{} significant lines stand again at {}",
                run.length,
                named(&sources, run.second)
            ),
            "make one piece of code serve both places",
        );
    }
    let worth_a_look = runs.iter().filter(|run| run.length < TOO_LONG);
    let count = worth_a_look.clone().count();
    for run in worth_a_look.take(SHOWN) {
        findings.notice(format!(
            "{} equal lines: {} and {}",
            run.length,
            named(&sources, run.first),
            named(&sources, run.second)
        ));
    }
    if count > SHOWN {
        findings.notice(format!("and {} shorter runs", count - SHOWN));
    }
    findings
}

fn named(sources: &[Source], (file, line): Place) -> String {
    format!("{}:{}", sources[file].path, sources[file].lines[line].0)
}

fn significant<'a>(path: &'a str, text: &'a str) -> Source<'a> {
    let numbered = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    let lines = numbered.filter(|(_, line)| {
        let ignored = ["//", "#[", "use ", "pub use ", "pub(crate) use "];
        line.chars().any(char::is_alphanumeric)
            && !ignored.iter().any(|start| line.starts_with(start))
    });
    Source {
        path,
        lines: lines.collect(),
    }
}

/// Every run of at least `NOTICED` lines, each pair of places once, at its full length.
fn runs(sources: &[Source]) -> Vec<Run> {
    let mut windows: HashMap<Vec<&str>, Vec<Place>> = HashMap::new();
    for (file, source) in sources.iter().enumerate() {
        for (start, window) in source.lines.windows(NOTICED).enumerate() {
            let key = window.iter().map(|(_, line)| *line).collect();
            windows.entry(key).or_default().push((file, start));
        }
    }
    let mut found = Vec::new();
    for places in windows.values() {
        for (at, &first) in places.iter().enumerate() {
            for &second in &places[at + 1..] {
                if !continues_a_run(sources, first, second) {
                    let length = run_length(sources, first, second);
                    if length >= NOTICED {
                        found.push(Run {
                            first,
                            second,
                            length,
                        });
                    }
                }
            }
        }
    }
    found.sort_by_key(|run| (run.first, run.second));
    found
}

/// Whether the lines before both places are equal too, so that the run began earlier.
fn continues_a_run(sources: &[Source], first: Place, second: Place) -> bool {
    first.1 > 0 && second.1 > 0 && {
        let before = |(file, line): Place| sources[file].lines[line - 1].1;
        before(first) == before(second)
    }
}

/// How many lines are equal from both places on; in one file at most until the copy begins.
fn run_length(sources: &[Source], first: Place, second: Place) -> usize {
    let of = |(file, line): Place| sources[file].lines[line..].iter().map(|(_, text)| text);
    let most = if first.0 == second.0 {
        second.1 - first.1
    } else {
        usize::MAX
    };
    of(first)
        .zip(of(second))
        .take_while(|(left, right)| left == right)
        .count()
        .min(most)
}
