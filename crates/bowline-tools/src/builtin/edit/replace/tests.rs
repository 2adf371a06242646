//! Replacements, line ends and what is said when one does not fit.

use super::*;
use crate::masks::NoMasks;

fn apply(text: &str, edits: &[Replacement]) -> Result<String, String> {
    super::apply(&Shown::of(text, &NoMasks), edits, "f", &NoMasks)
}

fn edits(pairs: &[(&str, &str)]) -> Vec<Replacement> {
    let edit = |(old, new): &(&str, &str)| Replacement {
        old: (*old).into(),
        new: (*new).into(),
        all: None,
    };
    pairs.iter().map(edit).collect()
}

#[test]
fn replaces_exactly() {
    let check = |text: &str, pairs: &[(&str, &str)], expect: &str| {
        assert_eq!(
            apply(text, &edits(pairs)).as_deref(),
            Ok(expect),
            "{text:?} {pairs:?}"
        );
    };
    check("one two three", &[("two", "2")], "one 2 three");
    check("one two three", &[("three", "3"), ("one", "1")], "1 two 3");
    check("ab", &[("a", "b"), ("b", "a")], "ba");
    check("a\n\nb\n", &[("a\n\nb", "a\nb")], "a\nb\n");
    check("ä ö ü", &[("ö", "")], "ä  ü");
    check("\u{feff}a\nb\n", &[("a\n", "c\n")], "\u{feff}c\nb\n");
    check("f(x) $1 \\n", &[("$1 \\n", "$0")], "f(x) $0");
}

#[test]
fn keeps_line_ends() {
    let check = |text: &str, pairs: &[(&str, &str)], expect: &str| {
        assert_eq!(
            apply(text, &edits(pairs)).as_deref(),
            Ok(expect),
            "{text:?} {pairs:?}"
        );
    };
    check(
        "a\r\nb\r\nc\r\n",
        &[("a\nb\n", "x\ny\nz\n")],
        "x\r\ny\r\nz\r\nc\r\n",
    );
    check(
        "a\r\nb\r\nc\r\n",
        &[("a\r\nb", "x\r\ny")],
        "x\r\ny\r\nc\r\n",
    );
    check("a\r\nb\r\n", &[("b", "b\nc")], "a\r\nb\r\nc\r\n");
    check("a\r\nb\r\n", &[("\nb", "")], "a\r\n");
    check("a\r\nb\r\n", &[("a\n", "")], "b\r\n");
    // Mixed ends: each place keeps its own, a place without one takes the usual one.
    check(
        "a\nb\r\nc\r\nd\r\n",
        &[("a\nb", "a\nx\nb")],
        "a\nx\nb\r\nc\r\nd\r\n",
    );
    check(
        "a\nb\r\nc\r\nd\r\n",
        &[("d", "d\ne")],
        "a\nb\r\nc\r\nd\r\ne\r\n",
    );
    // In a file with LF ends a CRLF in `new` is meant as it stands.
    check("a\nb\n", &[("a\n", "a\r\n")], "a\r\nb\n");
}

#[test]
fn replaces_all_on_demand() {
    let all = Replacement {
        old: "a".into(),
        new: "bb".into(),
        all: Some(true),
    };
    assert_eq!(apply("a-a\r\na", &[all]).as_deref(), Ok("bb-bb\r\nbb"));
}

#[test]
fn says_what_does_not_fit() {
    let check = |text: &str, pairs: &[(&str, &str)], expect: &[&str]| {
        let error = apply(text, &edits(pairs)).unwrap_err();
        for part in expect {
            assert!(
                error.contains(part),
                "{text:?} {pairs:?}: {error} lacks {part}"
            );
        }
    };
    check("a", &[("", "x")], &["edits[0].old is empty"]);
    check(
        "a",
        &[("a", "b"), ("a", "a")],
        &["edits[1].old and .new are the same"],
    );
    check(
        "x\nx\n\nx",
        &[("x", "y")],
        &["3 matches (lines 1, 2, 4)", "\"all\": true"],
    );
    check("aXaXa", &[("aXa", "b")], &["2 matches"]);
    check(
        "one\ntwo\n",
        &[("one\ntwo", "1"), ("two", "2")],
        &["edits[0] and edits[1] overlap at line 2"],
    );
    check(
        "fn main() {\n    let total = 1;\n}\n",
        &[("let totals = 1;", "x")],
        &[
            "edits[0].old was not found",
            "nearest line is 2: `    let total = 1;`",
        ],
    );
    check(
        "  indented line\n",
        &[("\tindented line", "x")],
        &["nearest line is 1: `  indented line`"],
    );
    check(
        "a\nb\n",
        &[("     1\ta\n     2\tb", "x")],
        &["leave out the line numbers"],
    );
    check(
        "alpha\n",
        &[("completely different", "x")],
        &["nor anything like it"],
    );
    check("", &[("a", "b")], &["nor anything like it"]);
}
