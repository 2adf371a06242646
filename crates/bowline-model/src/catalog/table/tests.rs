//! Lines of a table, and which of them is a model's.

use std::time::{Duration, Instant};

use super::{Row, find, names, rows};

#[track_caller]
fn row(line: &str) -> Row {
    Row::parse(line).unwrap_or_else(|| panic!("{line} is no row"))
}

#[test]
fn a_row_is_read_and_written_the_same() {
    for (line, written) in [
        (
            "a/b 200000 64000 3 15 0.3 3.75 - 2026-01-02 lm",
            "a/b 200000 64000 3 15 0.3 3.75 - 2026-01-02 lm",
        ),
        (
            "a/b/c  -  -  0.05  0.4  -  -  272000:0.1/0.6/-/0.2  2026-01-02  lm",
            "a/b/c - - 0.05 0.4 0.05 0.05 272000:0.1/0.6/0.1/0.2 2026-01-02 lm",
        ),
        (
            "a/b 8000 - - - - - - 2026-01-02 lm",
            "a/b 8000 - - - - - - 2026-01-02 lm",
        ),
    ] {
        let read = row(line);
        assert_eq!(read.to_string(), written);
        assert_eq!(row(&read.to_string()), read);
    }
}

#[test]
fn a_line_that_says_something_else_is_no_row() {
    for line in [
        "",
        "# a/b 1 1 1 1 1 1 - 2026-01-02 lm",
        "ab 1 1 1 1 1 1 - 2026-01-02 lm",
        "a/b 1 1 1 1 1 1 - 2026-01-02",
        "a/b 1 1 1 1 1 1 - 2026-01-02 lm more",
        "a/b x 1 1 1 1 1 - 2026-01-02 lm",
        "a/b 1 1 -1 1 1 1 - 2026-01-02 lm",
        "a/b 1 1 - 1 1 1 - 2026-01-02 lm",
        "a/b 1 1 1 - 1 1 - 2026-01-02 lm",
        "a/b 1 1 1 1 1 1 9 2026-01-02 lm",
        "a/b 1 1 1 1 1 1 9:1/2/3 2026-01-02 lm",
        "a/b 1 1 1 1 1 1 9:1/2/3/4/5 2026-01-02 lm",
    ] {
        assert_eq!(Row::parse(line), None, "{line}");
    }
}

#[test]
fn a_name_with_a_date_is_looked_up_without_it_and_nothing_looser() {
    let table = "p/m 1 1 1 1 1 1 - 2026-01-02 l\n\
                 p/m-pro 2 1 1 1 1 1 - 2026-01-02 l\n\
                 p/m-2024-05-13 3 1 1 1 1 1 - 2026-01-02 l\n\
                 p/m-20240513 4 1 1 1 1 1 - 2026-01-02 l\n";
    assert_eq!(rows(table).count(), 4);
    for (model, context) in [
        ("m", Some(1)),
        ("m-pro", Some(2)),
        ("m-2024-05-13", Some(3)),
        ("m-20240513", Some(4)),
        ("m-20250929", Some(1)),
        ("m-2025-08-07", Some(1)),
        ("m-pro-20251006", Some(2)),
        ("m-mini", None),
        ("m-0613", None),
        ("m-2025", None),
        ("m-20251332", None),
        ("m-2025-13-01", None),
        ("m-20250929-v1", None),
        ("m-é0250929", None),
        ("m-2025092", None),
        ("-20250929", None),
        ("", None),
        ("m ", None),
    ] {
        let found = find(table, "p", model).and_then(|row| row.context_tokens);
        assert_eq!(found, context, "{model}");
    }
    assert_eq!(find(table, "q", "m"), None);
    let of = |model| names(model).collect::<Vec<_>>();
    assert_eq!(of("m-20250929"), ["m-20250929", "m"]);
    assert_eq!(of("-20250929"), ["-20250929"]);
}

/// The bound is for a build that is not optimised, on a busy machine; reading every row takes more.
#[test]
fn a_large_table_is_searched_not_read() {
    let line =
        |n| format!("p/model-{n} 1000000 128000 2 10 0.2 2.5 272000:4/15/0.4/5 2026-01-02 l\n");
    let table: String = (0..4_000).map(line).collect();
    let fastest = (0..20).map(|_| {
        let start = Instant::now();
        assert!(find(&table, "p", "model-3999").is_some());
        start.elapsed()
    });
    let fastest = fastest.min().unwrap();
    assert!(fastest < Duration::from_millis(4), "{fastest:?}");
}
