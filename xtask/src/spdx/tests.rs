//! Expressions as the registry holds them, and broken ones.

use super::Expression;

fn check(text: &str, accepted: &[&str], expect: bool) {
    let expression = Expression::parse(text).unwrap();
    let found = expression.is_satisfied(&|name| accepted.contains(&name));
    assert_eq!(found, expect, "{text} under {accepted:?}");
}

#[test]
fn a_choice_needs_one_side_and_a_conjunction_both() {
    check("MIT", &["MIT"], true);
    check("GPL-3.0-only", &["MIT"], false);
    check("MIT OR GPL-3.0-only", &["MIT"], true);
    check("MIT AND GPL-3.0-only", &["MIT"], false);
    check("(MIT OR Apache-2.0) AND Unicode-3.0", &["MIT"], false);
    check(
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        &["MIT", "Unicode-3.0"],
        true,
    );
}

#[test]
fn conjunction_binds_tighter_than_choice() {
    check("MIT OR Apache-2.0 AND GPL-3.0-only", &["MIT"], true);
    check("(MIT OR Apache-2.0) AND GPL-3.0-only", &["MIT"], false);
}

#[test]
fn the_old_slash_is_a_choice() {
    check("MIT/Apache-2.0", &["Apache-2.0"], true);
    check("Apache-2.0 / MIT", &["MIT"], true);
    check("GPL-2.0/LGPL-3.0", &["MIT"], false);
}

#[test]
fn an_exception_is_part_of_the_name() {
    check("Apache-2.0 WITH LLVM-exception", &["Apache-2.0"], false);
    check(
        "Apache-2.0 WITH LLVM-exception",
        &["Apache-2.0 WITH LLVM-exception"],
        true,
    );
    check(
        "GPL-2.0-only WITH Classpath-exception-2.0",
        &["GPL-2.0-only"],
        false,
    );
}

#[test]
fn names_match_whole() {
    check("MIT-0", &["MIT"], false);
    check("Apache-2.0+", &["Apache-2.0"], false);
}

#[test]
fn broken_expressions_are_refused() {
    for text in [
        "",
        "MIT OR",
        "AND MIT",
        "(MIT",
        "MIT)",
        "MIT Apache-2.0",
        "MIT WITH",
        "WITH x",
        "()",
    ] {
        assert!(Expression::parse(text).is_err(), "{text:?} was accepted");
    }
}
