//! Counts, diffs and their bounds.

use super::*;

#[test]
fn counts_and_shows_lines() {
    let check = |before: Option<&str>, after: &str, counts: (u32, u32), diff: &[&str]| {
        let found = change("/w/a", before.map(str::as_bytes), after.as_bytes());
        assert_eq!(
            (found.added_lines, found.removed_lines),
            counts,
            "{before:?} {after:?}"
        );
        for line in diff {
            assert!(
                found.diff.lines().any(|other| other == *line),
                "{line} in {}",
                found.diff
            );
        }
        assert_eq!(found.before, before.map(|text| Digest::of(text.as_bytes())));
        assert_eq!(found.after, Digest::of(after.as_bytes()));
    };
    check(None, "a\nb\n", (2, 0), &["@@ -0,0 +1,2 @@", "+a", "+b"]);
    check(
        Some("a\nb\nc\n"),
        "a\nx\nc\n",
        (1, 1),
        &[" a", "-b", "+x", " c"],
    );
    check(Some("a\n"), "", (0, 1), &["-a"]);
    check(Some("a"), "a\n", (1, 1), &["-a", "+a"]);
    check(Some("a\n"), "a\n", (0, 0), &[]);
}

#[test]
fn stays_bounded() {
    let many: String = (0..10_000).map(|n| format!("{n}\n")).collect();
    let found = change("/w/a", None, many.as_bytes());
    assert_eq!(found.added_lines, 10_000);
    assert_eq!(found.diff.lines().count(), LINES_MAX + 1);
    assert!(
        found.diff.ends_with("more lines of diff]\n"),
        "{}",
        found.diff
    );
    let long = "x".repeat(100_000);
    let found = change("/w/a", None, long.as_bytes());
    assert!(found.diff.len() < 1_000, "{}", found.diff.len());
}

#[test]
fn data_gives_no_diff() {
    let found = change("/w/a", Some(b"\xff\xfe\n\n"), b"text\n");
    assert_eq!((found.added_lines, found.removed_lines), (1, 2));
    assert_eq!(found.diff, "");
}
