//! How calls stand, one a line of `calls.txt`.

use super::*;

/// How a call stands, in the words of `calls.txt`.
pub(super) fn stands(text: &str) -> &'static str {
    match of(text).class {
        Class::ReadOnly {
            any_arguments: true,
        } => "any",
        Class::ReadOnly {
            any_arguments: false,
        } => "read",
        Class::Limited { .. } => "limit",
        Class::Other => "other",
        Class::Asks { .. } => "asks",
    }
}

/// The calls of `calls.txt` with how they stand.
pub(super) fn calls() -> Vec<(&'static str, String)> {
    let lines = include_str!("calls.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| line.split_once(" | ").expect("expectation | call"))
        .map(|(expect, call)| (expect, call.replace('⏎', "\n")))
        .collect()
}

#[test]
fn every_call_stands_as_expected() {
    let calls = calls();
    let wrong: Vec<String> = calls
        .iter()
        .filter(|(expect, call)| stands(call) != *expect)
        .map(|(expect, call)| format!("{expect} | {call}: {:?}", of(call)))
        .collect();
    let (bad, all) = (wrong.len(), calls.len());
    assert!(
        wrong.is_empty(),
        "{bad} of {all} differ:\n{}",
        wrong.join("\n")
    );
}
