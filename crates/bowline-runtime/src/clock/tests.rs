//! Times that people type.

use super::since;

#[test]
fn since_takes_spans_dates_and_times() {
    let now_ms = 1_800_000_000_000;
    let table = [
        ("90s", Some(now_ms - 90_000)),
        ("30m", Some(now_ms - 1_800_000)),
        ("2h", Some(now_ms - 7_200_000)),
        ("7d", Some(now_ms - 604_800_000)),
        ("99999999999999999d", Some(0)),
        ("2026-11-25T18:00:00Z", Some(1_795_629_600_000)),
        ("2026-11-25T19:00:00+01:00", Some(1_795_629_600_000)),
        ("yesterday", None),
        ("h", None),
        ("-2h", None),
        ("", None),
        ("2026-13-01", None),
        ("2026-11-25T18:00:00", None),
    ];
    for (text, expected) in table {
        assert_eq!(since(text, now_ms).ok(), expected, "{text}");
    }
    let midnight = since("2026-11-25", now_ms).expect("a date");
    let utc_midnight = 1_795_564_800_000_u64;
    assert!(
        midnight.abs_diff(utc_midnight) <= 14 * 3_600_000,
        "{midnight}"
    );
    assert!(since("soon", now_ms).unwrap_err().contains("2h"));
}
