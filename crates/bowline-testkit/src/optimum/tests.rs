//! Cases that were computed by hand.

use serde_json::{Value, json};

use super::*;

const MINUTE: u64 = 60_000;

#[test]
fn the_cheapest_way_to_pay_for_a_token() {
    let check = |minutes: &[u64], expect: u64| {
        let at_ms: Vec<u64> = minutes.iter().map(|minute| minute * MINUTE).collect();
        assert_eq!(least_price(&at_ms, false), expect, "{minutes:?}");
    };
    check(&[], 0);
    // Once: plainly. Twice: 125 + 10, rather than 100 + 100.
    check(&[0], 100);
    check(&[0, 1], 135);
    check(&[0, 5], 135);
    // Too late for 5 minutes: 100 + 100, rather than 200 + 10.
    check(&[0, 6], 200);
    // From the third time on an hour pays: 200 + 2 x 10, rather than 300.
    check(&[0, 6, 12], 220);
    check(&[0, 61], 200);
    check(&[0, 61, 62], 100 + 125 + 10);
    // Reading renews: ten times within 4 minutes of each other.
    check(&[0, 4, 8, 12, 16, 20, 24, 28, 32, 36], 125 + 9 * 10);
    let everything = |minutes: &[u64], expect: u64| {
        let at_ms: Vec<u64> = minutes.iter().map(|minute| minute * MINUTE).collect();
        assert_eq!(least_price(&at_ms, true), expect, "{minutes:?}");
    };
    everything(&[0, 1, 2], 120);
    everything(&[0, 6, 7], 210);
}

fn line(minute: u64, texts: &[&str], usage: [u64; 4]) -> String {
    let content: Vec<Value> = texts
        .iter()
        .map(|text| json!({"type": "text", "text": text}))
        .collect();
    let [input, read, written, hour] = usage;
    json!({
        "path": "/v1/messages",
        "at_ms": minute * MINUTE,
        "body": {"model": "m", "messages": [{"role": "user", "content": content}]},
        "usage": {"input_tokens": input, "read_tokens": read, "written_tokens": written,
            "written_hour_tokens": hour},
    })
    .to_string()
}

#[test]
fn a_log_is_summed_up() {
    // 2,000 tokens, then 1,000 more, then 500 more; the second request reads all it can.
    let log = [
        line(0, &["a"], [2_000, 0, 2_000, 0]),
        line(1, &["a", "b"], [3_000, 2_000, 1_000, 0]),
        line(2, &["a", "b", "c"], [3_500, 0, 0, 0]),
    ];
    let report = Report::of_log(&log.join("\n")).expect("a log");
    let expect = Report {
        requests: 3,
        input_tokens: 8_500,
        repeatable_tokens: 5_000,
        covered_tokens: 2_000,
        paid: 2_000 * 125 + (2_000 * 10 + 1_000 * 125) + 3_500 * 100,
        // The first: 125 + 2 x 10. The second: 125 + 10. The third: 100.
        least: 2_000 * 145 + 1_000 * 135 + 500 * 100,
        breaks: Vec::new(),
    };
    assert_eq!(report, expect);
    assert_eq!(report.covered_permille(), 400);
}

#[test]
fn what_changes_breaks_the_prefix_and_says_where() {
    let log = [
        line(0, &["aaaa", "bbbb"], [2_000, 0, 0, 0]),
        line(1, &["aaaa", "cccc", "d"], [2_500, 0, 0, 0]),
        line(70, &["aaaa", "cccc", "d"], [2_500, 0, 0, 0]),
    ];
    let report = Report::of_log(&log.join("\n")).expect("a log");
    assert_eq!(report.breaks, [(1, "messages[0].user[1]".to_owned())]);
    // The first half; after more than an hour nothing.
    assert_eq!(report.repeatable_tokens, 1_000);
    assert_eq!(
        report.least,
        1_000 * (135 + 100) + 1_000 * 100 + 1_500 * 200
    );
}

#[test]
fn marks_are_no_part_of_what_is_compared() {
    let marked = line(0, &["a"], [2_000, 0, 2_000, 0]).replace(
        r#""text":"a""#,
        r#""text":"a","cache_control":{"type":"ephemeral"}"#,
    );
    let log = [marked, line(1, &["a", "b"], [2_100, 2_000, 0, 0])];
    let report = Report::of_log(&log.join("\n")).expect("a log");
    assert_eq!(report.covered_permille(), 1_000);
    assert!(report.breaks.is_empty());
    assert!(Report::of_log("{").is_err());
}
