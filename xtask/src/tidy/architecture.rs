//! What ARCHITECTURE.md names must exist: the functions of its stage table, the tests of its invariants table.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::CHORES;
use crate::finding::Findings;
use crate::rust_text::{defines, without_comments_and_literals};
use crate::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";
const STAGE_HEADER: [&str; 3] = ["Stage", "File", "Function"];
const INVARIANT_HEADER: [&str; 4] = ["#", "Invariant", "Kept by", "Test"];
/// How many invariants the table numbers: `I1` to this one.
const INVARIANTS: usize = 18;
/// How the test cell of an invariant begins that a later change will keep.
const LATER: &str = "arrives with";
const ITEMS: [&str; 8] = [
    "fn",
    "struct",
    "enum",
    "trait",
    "type",
    "const",
    "mod",
    "macro_rules",
];

/// One row of a table, with its line in the page.
struct Row<'a> {
    line: usize,
    cells: Vec<&'a str>,
}

pub(super) fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    let Some(page) = tree.text(PAGE) else {
        findings.fault(
            PAGE,
            "the page is missing",
            "write it: bird's eye, stages, invariants",
        );
        return findings;
    };
    let sources: HashMap<&str, String> = tree
        .rust()
        .map(|(path, text)| (path, without_comments_and_literals(text)))
        .collect();
    match rows(page, &STAGE_HEADER) {
        Some(stages) if !stages.is_empty() => {
            for row in &stages {
                judge_stage(row, tree, &sources, &mut findings);
            }
        }
        _ => findings.fault(
            PAGE,
            format!(
                "there is no table `| {} |` with rows",
                STAGE_HEADER.join(" | ")
            ),
            "list for each stage of \"a prompt arrives\" the file and the function",
        ),
    }
    match rows(page, &INVARIANT_HEADER) {
        Some(invariants) => judge_invariants(&invariants, tree, &sources, &mut findings),
        None => findings.fault(
            PAGE,
            format!("there is no table `| {} |`", INVARIANT_HEADER.join(" | ")),
            "list the invariants, each with the test that keeps it",
        ),
    }
    findings
}

fn judge_stage(row: &Row, tree: &Tree, sources: &HashMap<&str, String>, findings: &mut Findings) {
    let place = format!("{PAGE}:{}", row.line);
    let [_, file, function] = row.cells[..] else {
        findings.fault(
            place,
            "the row has not three cells",
            "stage, file, function",
        );
        return;
    };
    let files = quoted(file);
    if files.is_empty() {
        findings.fault(
            &place,
            "the row names no file",
            "put the path between backticks",
        );
    }
    for path in files.iter().filter(|path| !tree.has(path)) {
        findings.fault(
            &place,
            format!("there is no file `{path}`"),
            "name the file that does it now",
        );
    }
    let names = quoted(function);
    if names.is_empty() {
        findings.fault(
            &place,
            "the row names no function",
            "put its name between backticks",
        );
    }
    for name in names {
        let item = last_segment(name);
        let is_there = files
            .iter()
            .filter_map(|path| sources.get(path))
            .any(|code| defines(code, &ITEMS, item));
        if !is_there {
            findings.fault(
                &place,
                format!("`{name}` is not in {}", file.trim()),
                "name the function that does it now, or its new file",
            );
        }
    }
}

fn judge_invariants(
    invariants: &[Row],
    tree: &Tree,
    sources: &HashMap<&str, String>,
    findings: &mut Findings,
) {
    let numbers: Vec<&str> = invariants
        .iter()
        .filter_map(|row| row.cells.first().copied())
        .collect();
    for number in (1..=INVARIANTS).map(|number| format!("I{number}")) {
        let count = numbers.iter().filter(|found| **found == number).count();
        if count != 1 {
            findings.fault(
                PAGE,
                format!("{number} stands in the invariants table {count} times"),
                "give every invariant one row",
            );
        }
    }
    let mut later = Vec::new();
    for row in invariants {
        let place = format!("{PAGE}:{}", row.line);
        let [number, _, _, test] = row.cells[..] else {
            findings.fault(
                place,
                "the row has not four cells",
                INVARIANT_HEADER.join(", "),
            );
            continue;
        };
        if test.starts_with(LATER) {
            later.push(number);
            continue;
        }
        let names = quoted(test);
        if names.is_empty() {
            findings.fault(
                &place,
                format!("{number} names no test"),
                format!("put the test's name or file between backticks, or write `{LATER} ..`"),
            );
        }
        for name in names
            .into_iter()
            .filter(|name| !is_test(name, tree, sources))
        {
            findings.fault(
                &place,
                format!("{number}: there is no test or file `{name}`"),
                "name the test that keeps it now",
            );
        }
    }
    if !later.is_empty() {
        findings.notice(format!(
            "{} of {INVARIANTS} invariants have no test yet (\"{LATER}\"): {}",
            later.len(),
            later.join(", ")
        ));
    }
}

/// Whether `name` is a function of some source, a file or folder, or a chore (`cargo xtask NAME`).
fn is_test(name: &str, tree: &Tree, sources: &HashMap<&str, String>) -> bool {
    if let Some(chore) = name.strip_prefix("cargo xtask ") {
        return chore
            .split(' ')
            .next()
            .is_some_and(|chore| CHORES.contains(&chore));
    }
    if name.contains('/') {
        return tree.has(name);
    }
    sources
        .values()
        .any(|code| defines(code, &["fn"], last_segment(name)))
}

/// The rows under the table header with these cells; none if there is no such header.
fn rows<'a>(page: &'a str, header: &[&str]) -> Option<Vec<Row<'a>>> {
    let mut lines = page.lines().enumerate();
    lines.find(|(_, line)| cells(line) == header)?;
    let table = lines
        .skip(1)
        .take_while(|(_, line)| line.trim_start().starts_with('|'));
    Some(
        table
            .map(|(at, line)| Row {
                line: at + 1,
                cells: cells(line),
            })
            .collect(),
    )
}

/// The cells of a table line. A `|` inside backticks does not part cells.
fn cells(line: &str) -> Vec<&str> {
    let Some(inner) = line
        .trim()
        .strip_prefix('|')
        .and_then(|rest| rest.strip_suffix('|'))
    else {
        return Vec::new();
    };
    let mut in_code = false;
    inner
        .split(|character: char| {
            in_code ^= character == '`';
            character == '|' && !in_code
        })
        .map(str::trim)
        .collect()
}

/// Everything between backticks in a cell.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).map(str::trim).collect()
}

/// `drive` of `Session::drive()`.
fn last_segment(name: &str) -> &str {
    name.trim_end_matches("()")
        .rsplit("::")
        .next()
        .unwrap_or(name)
}
