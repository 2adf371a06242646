//! Sums are exact, whatever they are taken over.

use bowline_core::SessionId;
use bowline_core::amounts::Amounts;
use bowline_core::{Seq, Usage};
use bowline_journal::{CallRow, UsageRow};
use proptest::prelude::*;

use super::accuracy::accuracy;
use super::{ANSWER, By, End, NO_REPLY, Report, Sums, day, point};

/// 2026-11-25 00:00 by UTC.
pub(super) const DAY: u64 = 1_795_564_800_000;

/// A call that replied, with what it used.
pub(super) fn row(number: u64, at_ms: u64, model: &str, used: (u64, u64)) -> UsageRow {
    let (input_tokens, output_tokens) = used;
    let charged = Amounts {
        input_tokens,
        output_tokens,
        cost_micro_usd: input_tokens + 5 * output_tokens,
        ..Amounts::ZERO
    };
    UsageRow {
        session: SessionId::from_uuid(uuid::Uuid::from_u128(u128::from(number % 3))),
        seq: Seq(number),
        at_ms,
        attempt: format!("attempt {number}"),
        step: u32::try_from(number).unwrap(),
        try_number: 1,
        model: model.to_owned(),
        project: "/srv/project".to_owned(),
        is_priced: true,
        evidence: "whole".to_owned(),
        reserved_tokens: charged.total_tokens() * 2,
        reserved: charged.plus(&charged),
        request_bytes: Some(input_tokens * 3),
        outcome: "replied".to_owned(),
        request_id: None,
        is_reported: true,
        usage: Usage {
            input_tokens,
            output_tokens,
            ..Usage::default()
        },
        charged,
    }
}

fn call(row: &UsageRow, place: u32, tool: &str, result_bytes: u64) -> CallRow {
    CallRow {
        session: row.session,
        attempt: row.attempt.clone(),
        place,
        tool: tool.to_owned(),
        result_bytes,
    }
}

fn of<'a>(report: &'a Report, key: &str) -> &'a Sums {
    let found = report.groups.iter().find(|group| group.key == key);
    &found.unwrap_or_else(|| panic!("{key}: {report:?}")).sums
}

#[test]
fn what_a_step_took_is_split_over_its_calls() {
    let mut rows = vec![
        row(1, DAY, "a/b", (100, 1)),
        row(2, DAY, "a/b", (10, 0)),
        row(3, DAY, "a/b", (7, 0)),
    ];
    // A try that failed belongs to the step whose reply came later.
    let mut failed = row(9, DAY, "a/b", (8, 0));
    failed.session = rows[0].session;
    failed.step = rows[0].step;
    failed.outcome = "failed".to_owned();
    failed.is_reported = false;
    rows.push(failed);
    let mut lost = row(10, DAY, "a/b", (3, 0));
    lost.outcome = "failed".to_owned();
    rows.push(lost);
    let calls = [
        call(&rows[0], 0, "shell", 50),
        call(&rows[0], 1, "read", 20),
        call(&rows[0], 2, "shell", 5),
        call(&rows[1], 0, "read", 1),
    ];
    let report = Report::of(&rows, &calls, By::Tool);
    let shell = of(&report, "shell");
    assert_eq!(shell.charged.input_tokens, 34 + 33 + 4 + 2);
    assert_eq!(shell.charged.output_tokens, 1);
    assert_eq!((shell.calls, shell.failed, shell.unreported), (2, 1, 1));
    assert_eq!((shell.tool_calls, shell.result_bytes), (2, 55));
    let read = of(&report, "read");
    assert_eq!(read.charged.input_tokens, 33 + 10 + 2);
    assert_eq!((read.calls, read.tool_calls, read.result_bytes), (3, 2, 21));
    assert_eq!(of(&report, ANSWER).charged.input_tokens, 7);
    assert_eq!(of(&report, NO_REPLY).charged.input_tokens, 3);
    assert_eq!(report.total.charged.input_tokens, 128);
    assert_eq!((report.total.calls, report.total.failed), (5, 2));
    assert_eq!(report.groups[0].key, "shell", "the dearest first");
}

#[test]
fn what_is_open_is_apart() {
    let mut open = row(1, DAY, "a/b", (100, 10));
    open.outcome = "open".to_owned();
    open.charged = Amounts::ZERO;
    let report = Report::of(&[open, row(2, DAY, "a/b", (5, 5))], &[], By::Model);
    let sums = of(&report, "a/b");
    assert_eq!((sums.calls, sums.open), (1, 1));
    assert_eq!(sums.charged.total_tokens(), 10);
    assert_eq!(sums.reserved.total_tokens(), 20);
    assert_eq!(sums.open_reserved.total_tokens(), 220);
}

#[test]
fn days_are_by_utc() {
    let rows = [
        row(1, DAY - 1, "a/b", (1, 0)),
        row(2, DAY, "a/b", (2, 0)),
        row(3, DAY + 86_399_999, "a/b", (4, 0)),
    ];
    let report = Report::of(&rows, &[], By::Day);
    let days: Vec<_> = report
        .groups
        .iter()
        .map(|group| (group.key.as_str(), group.sums.charged.input_tokens))
        .collect();
    assert_eq!(days, [("2026-11-24", 1), ("2026-11-25", 6)]);
    assert_eq!(day(DAY), "2026-11-25");
}

#[test]
fn ends_of_spans_are_read() {
    let now = DAY + 3_600_000;
    assert_eq!(point("2026-11-25", End::Since, now), Ok(DAY));
    assert_eq!(point("2026-11-25", End::Until, now), Ok(DAY + 86_400_000));
    assert_eq!(point("1h", End::Since, now), Ok(DAY));
    assert_eq!(
        point("2026-11-25T00:00:01Z", End::Until, now),
        Ok(DAY + 1_000)
    );
    assert!(
        point("yesterday", End::Since, now)
            .unwrap_err()
            .contains("7d")
    );
}

#[test]
fn bounds_are_held_against_what_was_real() {
    let mut rows: Vec<UsageRow> = (1..=10).map(|at| row(at, DAY, "a/b", (100, 0))).collect();
    for (at, row) in (0..).zip(&mut rows) {
        row.reserved.input_tokens = 100 + 10 * at;
    }
    rows[9].reserved.input_tokens = 99;
    rows[0].evidence = "counted".to_owned();
    // Neither says anything about bounds.
    rows.push(UsageRow {
        is_reported: false,
        ..row(11, DAY, "a/b", (100, 0))
    });
    rows.push(UsageRow {
        outcome: "failed".to_owned(),
        ..row(12, DAY, "a/b", (100, 0))
    });
    let found = accuracy(&rows);
    let keys: Vec<_> = found
        .iter()
        .map(|one| (one.model.as_str(), one.evidence.as_str(), one.calls))
        .collect();
    let expect = [
        ("a/b", "counted", 1),
        ("a/b", "whole", 9),
        ("a/b", "all", 10),
        ("all", "all", 10),
    ];
    assert_eq!(keys, expect);
    let all = &found[3];
    assert_eq!((all.below, all.min_permille), (1, 990));
    assert_eq!((all.p50_permille, all.p90_permille), (1_300, 1_700));
    assert_eq!((all.p99_permille, all.max_permille), (1_800, 1_800));
    assert!(accuracy(&[]).is_empty());
}

/// Calls of a few models over a few days, some of them failed or open, with their tools.
fn history() -> impl Strategy<Value = (Vec<UsageRow>, Vec<CallRow>)> {
    let one = (0..5_u64, 0..1_000_u64, 0..1_000_u64, 0..4_u8, 0..4_usize);
    prop::collection::vec(one, 0..30).prop_map(|ones| {
        let (mut rows, mut calls) = (Vec::new(), Vec::new());
        for (number, (day, input, output, how, tools)) in (1..).zip(ones) {
            let model = ["a/b", "a/c", "d/e"][usize::from(how) % 3];
            let mut row = row(number, DAY + day * 40_000_000, model, (input, output));
            row.step = u32::try_from(number / 2).unwrap();
            match how {
                0 => row.outcome = "failed".to_owned(),
                1 => {
                    row.outcome = "open".to_owned();
                    row.charged = Amounts::ZERO;
                    row.usage = Usage::default();
                }
                _ => {
                    let tools = ["shell", "read", "shell", "edit"].iter().take(tools);
                    calls.extend(
                        (0..)
                            .zip(tools)
                            .map(|(at, tool)| call(&row, at, tool, input)),
                    );
                }
            }
            rows.push(row);
        }
        (rows, calls)
    })
}

proptest! {
    #[test]
    fn groups_come_to_the_total((rows, calls) in history()) {
        for by in [By::Session, By::Day, By::Model, By::Tool, By::Project] {
            let report = Report::of(&rows, &calls, by);
            let total = &report.total;
            let sum = |of: fn(&Sums) -> Amounts| {
                let each = report.groups.iter().map(|group| of(&group.sums));
                each.fold(Amounts::ZERO, |sum, one| sum.plus(&one))
            };
            prop_assert_eq!(sum(|sums| sums.charged), total.charged);
            prop_assert_eq!(sum(|sums| sums.reserved), total.reserved);
            prop_assert_eq!(sum(|sums| sums.open_reserved), total.open_reserved);
            let tools: u64 = report.groups.iter().map(|group| group.sums.tool_calls).sum();
            prop_assert_eq!(tools, total.tool_calls);
            let bytes: u64 = report.groups.iter().map(|group| group.sums.result_bytes).sum();
            prop_assert_eq!(bytes, total.result_bytes);
        }
    }
}
