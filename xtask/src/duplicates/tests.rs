//! Copies of known length in small trees.

use super::{NOTICED, TOO_LONG, judge};
use crate::tree::Tree;

/// `count` different significant lines.
fn block(name: &str, count: usize) -> String {
    (0..count)
        .map(|at| format!("    let {name}_{at} = {at};\n"))
        .collect()
}

fn check(first: &str, second: &str, faults: &[&str], notices: usize) {
    let findings = judge(&Tree::of(&[("a.rs", first), ("b.rs", second)]));
    assert_eq!(findings.lines(), faults);
    assert_eq!(findings.notices.len(), notices, "{:?}", findings.notices);
}

#[test]
fn a_long_copy_fails_and_is_told_once_at_its_start() {
    let copy = block("x", TOO_LONG);
    let first = format!("//! a\nfn a() {{\n{copy}}}\n");
    let second = format!("//! b\n\nfn b() {{\n// other\n{copy}}}\n");
    check(
        &first,
        &second,
        &["a.rs:3: 30 significant lines stand again at b.rs:5"],
        0,
    );
}

#[test]
fn a_short_copy_is_noticed_and_a_shorter_one_is_not() {
    check(&block("x", NOTICED), &block("x", NOTICED), &[], 1);
    check(&block("x", NOTICED - 1), &block("x", NOTICED - 1), &[], 0);
    check(&block("x", TOO_LONG), &block("y", TOO_LONG), &[], 0);
}

#[test]
fn comments_imports_and_braces_do_not_make_a_copy() {
    let filler = "// same\nuse std::fmt;\n}\n#[test]\n".repeat(TOO_LONG);
    check(&filler, &filler, &[], 0);
}

#[test]
fn a_copy_in_the_same_file_is_found_without_overlap() {
    let twice = format!("{0}{0}", block("x", TOO_LONG));
    check(
        &twice,
        "",
        &["a.rs:1: 30 significant lines stand again at a.rs:31"],
        0,
    );
}
