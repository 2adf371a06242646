//! Small pages; every rule has one that it catches.

use super::judge;
use crate::tree::Tree;

fn check(files: &[(&str, &str)], expect: &[&str]) {
    assert_eq!(judge(&Tree::of(files)).lines(), expect, "{files:?}");
}

/// A page with one stage row and all invariants, of which the first has the given test cell.
fn page(stage: &str, first_test: &str) -> String {
    let mut page = format!(
        "# Title\n\n| Stage | File | Function |\n|---|---|---|\n{stage}\n\n| # | Invariant | Kept by | Test |\n|---|---|---|---|\n"
    );
    for number in 1..=18 {
        let test = if number == 1 { first_test } else { "`works`" };
        page.push_str(&format!("| I{number} | holds | types | {test} |\n"));
    }
    page
}

fn check_page(stage: &str, first_test: &str, expect: &[&str]) {
    let page = page(stage, first_test);
    let files = [
        ("ARCHITECTURE.md", page.as_str()),
        (
            "a/src/lib.rs",
            "pub struct Loop; impl Loop { pub fn drive() {} }",
        ),
        ("a/tests/it/main.rs", "#[test]\nfn works() {}"),
    ];
    check(&files, expect);
}

#[test]
fn stages_name_functions_that_exist() {
    check_page(
        "| asks | `a/src/lib.rs` | `Loop::drive`, `Loop` |",
        "`works`",
        &[],
    );
    check_page(
        "| asks | `a/src/lib.rs` | `steer` |",
        "`works`",
        &["ARCHITECTURE.md:5: `steer` is not in `a/src/lib.rs`"],
    );
    check_page(
        "| asks | `a/src/gone.rs` | `drive` |",
        "`works`",
        &[
            "ARCHITECTURE.md:5: there is no file `a/src/gone.rs`",
            "ARCHITECTURE.md:5: `drive` is not in `a/src/gone.rs`",
        ],
    );
    check_page(
        "| asks | somewhere | |",
        "`works`",
        &[
            "ARCHITECTURE.md:5: the row names no file",
            "ARCHITECTURE.md:5: the row names no function",
        ],
    );
    check_page(
        "",
        "`works`",
        &["ARCHITECTURE.md: there is no table `| Stage | File | Function |` with rows"],
    );
}

#[test]
fn invariants_name_tests_that_exist() {
    let stage = "| asks | `a/src/lib.rs` | `drive` |";
    check_page(stage, "`works`, `a/tests/it`, `cargo xtask crash`", &[]);
    check_page(stage, "arrives with the ledger", &[]);
    check_page(
        stage,
        "`work`",
        &["ARCHITECTURE.md:9: I1: there is no test or file `work`"],
    );
    check_page(
        stage,
        "`a/tests/at`",
        &["ARCHITECTURE.md:9: I1: there is no test or file `a/tests/at`"],
    );
    check_page(
        stage,
        "`cargo xtask smash`",
        &["ARCHITECTURE.md:9: I1: there is no test or file `cargo xtask smash`"],
    );
    check_page(stage, "", &["ARCHITECTURE.md:9: I1 names no test"]);
}

#[test]
fn every_invariant_has_one_row() {
    let page = page("| asks | `a.rs` | `drive` |", "`works`").replace("| I7 |", "| I8 |");
    let files = [
        ("ARCHITECTURE.md", page.as_str()),
        ("a.rs", "fn drive() {} fn works() {}"),
    ];
    check(
        &files,
        &[
            "ARCHITECTURE.md: I7 stands in the invariants table 0 times",
            "ARCHITECTURE.md: I8 stands in the invariants table 2 times",
        ],
    );
}

#[test]
fn later_invariants_are_counted() {
    let page = page("| asks | `a.rs` | `drive` |", "arrives with the ledger");
    let tree = Tree::of(&[
        ("ARCHITECTURE.md", &page),
        ("a.rs", "fn drive() {} fn works() {}"),
    ]);
    assert_eq!(
        judge(&tree).notices,
        ["1 of 18 invariants have no test yet (\"arrives with\"): I1"]
    );
}
