//! Tables are read as they were written, and nothing in a cell is run.

use proptest::prelude::*;

use super::{cell, read, row};

#[track_caller]
fn check(text: &str, expect: &[&[&str]]) {
    let read = read(text).unwrap();
    let cells: Vec<Vec<&str>> = read
        .iter()
        .map(|record| record.cells.iter().map(String::as_str).collect())
        .collect();
    assert_eq!(cells, expect, "{text:?}");
}

#[test]
fn cells_are_read() {
    check("", &[]);
    check("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]);
    check("a,b\r\n1,2", &[&["a", "b"], &["1", "2"]]);
    check("\u{feff}a\tb\n1\t2,5\n", &[&["a", "b"], &["1", "2,5"]]);
    check("a;b\n\n\n1;2\n", &[&["a", "b"], &["1", "2"]]);
    check(
        "a,b\n\"x, \"\"y\"\"\nz\",2\n",
        &[&["a", "b"], &["x, \"y\"\nz", "2"]],
    );
    check("a,b\n,\n1,\n", &[&["a", "b"], &["1", ""]]);
}

#[test]
fn a_line_is_named() {
    assert_eq!(
        read("a\n\"b\nc").unwrap_err(),
        "line 2: a quote is never closed"
    );
    let read = read("a\n\"x\ny\"\nz\n").unwrap();
    let lines: Vec<usize> = read.iter().map(|record| record.line).collect();
    assert_eq!(lines, [1, 2, 4]);
    assert!(
        super::read(&",".repeat(300))
            .unwrap_err()
            .contains("columns")
    );
}

#[test]
fn no_cell_is_a_formula() {
    for text in ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"] {
        let written = cell(text);
        let first = written.trim_start_matches('"').chars().next();
        assert_eq!(first, Some('\''), "{written}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        cells in prop::collection::vec("[a-z\",;\n\r\t =é]{0,12}", 1..6)
    ) {
        let safe = |text: &String| match text.starts_with(['=', '\t', '\r']) {
            true => format!("'{text}"),
            false => text.clone(),
        };
        let expect: Vec<String> = cells.iter().map(safe).collect();
        prop_assume!(expect.iter().any(|cell| !cell.trim().is_empty()));
        let written: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        let head = vec!["h".to_owned(); 40];
        let text = row(&head) + &row(&written);
        let again = read(&text).unwrap();
        prop_assert_eq!(&again[1].cells, &expect);
    }
}
