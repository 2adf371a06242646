//! What an import makes different.

use super::{HEADER, merge};
use crate::catalog::table::Row;

fn row(line: &str) -> Row {
    Row::parse(line).unwrap()
}

#[test]
fn what_is_new_changed_the_same_and_kept_is_told_apart() {
    let before = "# remark\n\
                  p/kept 1 1 1 1 1 1 - 2026-01-01 l\n\
                  p/same 1 1 1 1 1 1 - 2026-01-01 l\n\
                  p/changed 1 1 1 1 1 1 - 2026-01-01 l\n";
    let read = [
        row("p/changed 1 1 2 1 1 1 - 2026-02-01 m"),
        row("p/new 1 1 1 1 1 1 - 2026-02-01 m"),
        row("p/same 1 1 1 1 1 1 - 2026-02-01 m"),
        row("q/built-in 1 1 1 1 1 1 - 2026-02-01 m"),
    ];
    let built_in = row("q/built-in 1 1 9 9 9 9 - 2026-01-01 l");
    let merged = merge(before, &read, |row| {
        (row.id == built_in.id).then(|| built_in.clone())
    });
    assert_eq!((merged.same, merged.kept), (1, 1));
    assert_eq!(merged.new, [read[1].clone()]);
    let changed: Vec<_> = merged
        .changed
        .iter()
        .map(|one| (one.old.to_string(), one.new.clone()))
        .collect();
    let old = "p/changed 1 1 1 1 1 1 - 2026-01-01 l".to_owned();
    assert_eq!(
        changed,
        [
            (old, read[0].clone()),
            (built_in.to_string(), read[3].clone())
        ]
    );
    let lines: Vec<_> = merged.text.strip_prefix(HEADER).unwrap().lines().collect();
    assert_eq!(
        lines,
        [
            "p/changed 1 1 2 1 1 1 - 2026-02-01 m",
            "p/kept 1 1 1 1 1 1 - 2026-01-01 l",
            "p/new 1 1 1 1 1 1 - 2026-02-01 m",
            "p/same 1 1 1 1 1 1 - 2026-02-01 m",
            "q/built-in 1 1 1 1 1 1 - 2026-02-01 m",
        ]
    );
    let again = merge(&merged.text, &read, |_| None);
    assert_eq!((again.same, again.kept, again.text), (4, 1, merged.text));
}
