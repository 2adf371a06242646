//! Planted use of a stranger is found to the token; without any there is no finding.

use std::collections::BTreeMap;

use bowline_core::Usage;
use bowline_core::amounts::Amounts;
use bowline_journal::UsageRow;
use proptest::prelude::*;

use super::super::export::{self, Billed, Export, Form};
use super::super::tests::{DAY, row};
use super::{Options, Reconciliation, Tokens, reconcile};

const HOUR: u64 = 3_600_000;

fn billed(from_ms: u64, span_ms: u64, model: &str, tokens: (u64, u64)) -> Billed {
    Billed {
        place: "line".to_owned(),
        from_ms,
        to_ms: from_ms + span_ms,
        model: Some(model.to_owned()),
        input_tokens: tokens.0,
        output_tokens: tokens.1,
        ..Billed::default()
    }
}

fn export(lines: Vec<Billed>, days: u64) -> Export {
    Export {
        form: Form::OpenaiTable,
        lines,
        covers_ms: (DAY, DAY + days * 24 * HOUR),
        has_more: false,
    }
}

fn compare(export: &Export, rows: &[UsageRow]) -> Reconciliation {
    reconcile(export, rows, &Options::default())
}

/// The findings as model, tokens in and out, and a part of the reason.
#[track_caller]
fn check(found: &Reconciliation, foreign: &[(&str, u64, u64, &str)]) {
    let all = found.foreign.iter().map(|finding| {
        let tokens = finding.tokens;
        let model = finding.models.join("+");
        (
            model,
            tokens.input_tokens,
            tokens.output_tokens,
            finding.why.as_str(),
        )
    });
    let all: Vec<_> = all.collect();
    assert_eq!(all.len(), foreign.len(), "{found:#?}");
    for (one, expect) in all.iter().zip(foreign) {
        assert_eq!(
            (one.0.as_str(), one.1, one.2),
            (expect.0, expect.1, expect.2)
        );
        assert!(one.3.contains(expect.3), "{one:?}");
    }
}

fn ours() -> Vec<UsageRow> {
    vec![
        row(1, DAY + HOUR, "openai/gpt-5", (100, 10)),
        row(2, DAY + 5 * HOUR, "openai/gpt-5", (200, 20)),
        row(3, DAY + 30 * HOUR, "openai/gpt-5-mini", (50, 5)),
        row(4, DAY + 30 * HOUR, "anthropic/claude-opus-5", (7, 7)),
    ]
}

#[test]
fn a_clean_export_has_no_findings() {
    let lines = vec![
        billed(DAY, 24 * HOUR, "gpt-5-2025-08-07", (300, 30)),
        billed(DAY + 24 * HOUR, 24 * HOUR, "gpt-5-mini", (50, 5)),
    ];
    let found = compare(&export(lines, 2), &ours());
    check(&found, &[]);
    assert!(found.unlisted.is_empty(), "{found:#?}");
    assert_eq!((found.calls, found.lines), (3, 2), "of this provider only");
}

#[test]
fn every_kind_of_foreign_use_is_found() {
    let lines = vec![
        billed(DAY, 24 * HOUR, "gpt-5", (300 + 41, 30)),
        billed(DAY, 24 * HOUR, "gpt-4o", (9, 8)),
        billed(DAY + 24 * HOUR, 24 * HOUR, "gpt-5-mini", (50, 5)),
        billed(DAY + 48 * HOUR, 24 * HOUR, "gpt-5", (1, 0)),
    ];
    let found = compare(&export(lines, 3), &ours());
    check(
        &found,
        &[
            ("gpt-4o", 9, 8, "no call of ours used this model"),
            ("gpt-5", 41, 0, "more than our calls"),
            ("gpt-5", 1, 0, "then"),
        ],
    );
    assert!(found.unlisted.is_empty());
}

#[test]
fn what_the_provider_does_not_list_is_told_and_is_not_foreign() {
    let lines = vec![billed(DAY, 24 * HOUR, "gpt-5", (300, 30))];
    let found = compare(&export(lines, 2), &ours());
    check(&found, &[]);
    let [unlisted] = found.unlisted.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(unlisted.models, ["openai/gpt-5-mini"]);
    assert_eq!(unlisted.tokens.total(), 55);
}

#[test]
fn a_call_at_midnight_is_looked_for_on_both_sides() {
    // Alike, one after the other, each counted a day later; and one of the day before.
    let rows = vec![
        row(1, DAY - 60_000, "openai/gpt-5", (10, 1)),
        row(2, DAY + 24 * HOUR - 60_000, "openai/gpt-5", (10, 1)),
        row(3, DAY + 48 * HOUR - 60_000, "openai/gpt-5", (10, 1)),
        row(4, DAY + 72 * HOUR - 60_000, "openai/gpt-5", (10, 1)),
        row(5, DAY + 30 * HOUR, "openai/gpt-5", (3, 3)),
    ];
    let lines = vec![
        billed(DAY, 24 * HOUR, "gpt-5", (10, 1)),
        billed(DAY + 24 * HOUR, 24 * HOUR, "gpt-5", (10 + 3, 1 + 3)),
        billed(DAY + 48 * HOUR, 24 * HOUR, "gpt-5", (10, 1)),
    ];
    let found = compare(&export(lines.clone(), 3), &rows);
    check(&found, &[]);
    assert!(found.unlisted.is_empty(), "{found:#?}");
    // Not any call can be moved: what is far from an edge stays.
    let mut rows = rows;
    rows[4].at_ms = DAY + 20 * HOUR;
    let found = compare(&export(lines, 3), &rows);
    assert_eq!(found.foreign.len(), 1, "{found:#?}");
    assert_eq!(found.unlisted.len(), 1);
}

#[test]
fn a_call_of_which_nothing_was_told_explains_up_to_its_worst_case() {
    let mut cut = row(1, DAY + HOUR, "openai/gpt-5", (100, 50));
    cut.outcome = "failed".to_owned();
    cut.is_reported = false;
    cut.usage = Usage::default();
    let mut open = row(2, DAY + HOUR, "openai/gpt-5", (0, 0));
    open.outcome = "open".to_owned();
    open.charged = Amounts::ZERO;
    open.reserved.input_tokens = 30;
    let rows = [cut, open];
    for (listed, foreign) in [((0, 0), 0), ((90, 7), 0), ((130, 50), 0), ((131, 50), 1)] {
        let lines = vec![billed(DAY, 24 * HOUR, "gpt-5", listed)];
        let found = compare(&export(lines, 1), &rows);
        let sum: u64 = found.foreign.iter().map(|one| one.tokens.total()).sum();
        assert_eq!(sum, foreign, "{found:#?}");
        assert!(found.unlisted.is_empty());
        assert_eq!(found.untold.total(), listed.0 + listed.1 - foreign);
    }
}

#[test]
fn requests_are_matched_by_their_ids() {
    let mut rows = ours();
    for (at, row) in rows.iter_mut().enumerate() {
        row.request_id = Some(format!("req_{at}"));
    }
    let text = "time,model,input_tokens,output_tokens,request_id\n\
        2026-11-25T01:00:00Z,gpt-5,100,10,req_0\n\
        2026-11-25T05:00:00Z,gpt-5,201,20,req_1\n\
        2026-11-25T06:00:00Z,gpt-5,7,3,req_x\n\
        2026-11-26T07:00:00Z,gpt-5,0,1,req_y\n";
    let export = export::read(text.as_bytes()).unwrap();
    let options = Options {
        providers: vec!["openai".to_owned()],
        ..Options::default()
    };
    let found = reconcile(&export, &rows, &options);
    check(
        &found,
        &[
            ("gpt-5", 1, 0, "more than the call of this request id"),
            ("gpt-5", 7, 3, "no call of ours has this request id"),
            ("gpt-5", 0, 1, "no call of ours has this request id"),
        ],
    );
    assert_eq!(found.foreign[1].request_id.as_deref(), Some("req_x"));
    let [unlisted] = found.unlisted.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(unlisted.request_id.as_deref(), Some("req_2"));
    // One that failed half-way has no id here, and explains one line within its worst case.
    let mut cut = row(6, DAY + 6 * HOUR, "openai/gpt-5", (7, 4));
    cut.outcome = "failed".to_owned();
    cut.is_reported = false;
    cut.usage = Usage::default();
    rows.push(cut);
    let found = reconcile(&export, &rows, &options);
    assert_eq!(found.foreign.len(), 2, "{found:#?}");
    assert_eq!(found.untold.total(), 10);
}

#[test]
fn money_that_differs_is_told_apart() {
    let mut lines = vec![billed(DAY, 24 * HOUR, "gpt-5", (300, 30))];
    lines[0].cost_micro_usd = Some(450 + 9_999);
    assert!(
        compare(&export(lines.clone(), 1), &ours())
            .cost_differences
            .is_empty()
    );
    lines[0].cost_micro_usd = Some(450 + 10_001);
    let found = compare(&export(lines, 1), &ours());
    check(&found, &[]);
    assert_eq!(found.cost_differences[0].ours_micro_usd, 450);
}

#[test]
fn a_tolerance_hides_no_more_than_it_says() {
    let lines = vec![billed(DAY, 24 * HOUR, "gpt-5", (303, 30))];
    let with = |tolerance_permille| {
        let options = Options {
            tolerance_permille,
            ..Options::default()
        };
        reconcile(&export(lines.clone(), 1), &ours(), &options)
    };
    assert_eq!((with(10).foreign.len(), with(10).tolerated), (0, 1));
    assert_eq!((with(8).foreign.len(), with(8).tolerated), (1, 0));
}

#[test]
fn days_of_another_time_zone_are_held_against_the_same_days() {
    let rows = [
        row(1, DAY + HOUR, "openai/gpt-5", (100, 10)),
        row(2, DAY + 6 * HOUR, "openai/gpt-5", (200, 20)),
    ];
    let lines = vec![
        billed(DAY - 19 * HOUR, 24 * HOUR, "gpt-5", (100, 10)),
        billed(DAY + 5 * HOUR, 24 * HOUR, "gpt-5", (200, 20)),
    ];
    let mut export = export(lines, 1);
    export.covers_ms = (DAY - 19 * HOUR, DAY + 29 * HOUR);
    let found = compare(&export, &rows);
    check(&found, &[]);
    assert!(found.unlisted.is_empty(), "{found:#?}");
}

/// Our calls, and how much later the provider counts each.
fn calls() -> impl Strategy<Value = Vec<(UsageRow, u64)>> {
    let one = (
        0..72 * 60_u64,
        0..3_usize,
        1..2_000_u64,
        1..400_u64,
        0..600_u64,
    );
    // Some stand close to midnight.
    let late = (0..3_u64, 0..3_usize, 1..2_000_u64, 1..400_u64, 0..600_u64)
        .prop_map(|(day, model, i, o, later)| (day * 1_440 + 1_435, model, i, o, later));
    prop::collection::vec(prop_oneof![4 => one, 1 => late], 0..40).prop_map(|ones| {
        let made = (1..)
            .zip(ones)
            .map(|(number, (minute, model, i, o, later))| {
                let model = ["openai/gpt-5", "openai/gpt-5-mini", "openai/o9"][model];
                let at_ms = DAY + 24 * HOUR + minute * 60_000;
                (row(number, at_ms, model, (i, o)), later * 1_000)
            });
        made.collect()
    })
}

/// Use of a stranger: a day, a model of ours or another one, tokens.
fn planted() -> impl Strategy<Value = Vec<(u64, usize, u64, u64)>> {
    prop::collection::vec((0..5_u64, 0..4_usize, 1..5_000_u64, 0..5_000_u64), 0..4)
}

/// The table that a provider would give of these calls and of a stranger's use.
fn listed(calls: &[(UsageRow, u64)], planted: &[(u64, usize, u64, u64)]) -> Export {
    let mut cells: BTreeMap<(u64, &str), (u64, u64)> = BTreeMap::new();
    let dated = |model: &str| match model {
        "openai/gpt-5" => "gpt-5-2025-08-07",
        "openai/gpt-5-mini" => "gpt-5-mini-20250807",
        _ => "o9",
    };
    for (row, later_ms) in calls {
        let day = (row.at_ms + later_ms - DAY) / (24 * HOUR);
        let cell = cells.entry((day, dated(&row.model))).or_default();
        cell.0 += row.usage.input_tokens;
        cell.1 += row.usage.output_tokens;
    }
    let models = [
        "gpt-5-2025-08-07",
        "gpt-5-mini-20250807",
        "o9",
        "never-used",
    ];
    for (day, model, input, output) in planted {
        let cell = cells.entry((*day, models[*model])).or_default();
        cell.0 += input;
        cell.1 += output;
    }
    let lines = cells
        .into_iter()
        .map(|((day, model), tokens)| billed(DAY + day * 24 * HOUR, 24 * HOUR, model, tokens));
    export(lines.collect(), 5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Acceptance: what is planted is found to the token, and nothing else is.
    #[test]
    fn planted_use_is_found_to_the_token(calls in calls(), planted in planted()) {
        let rows: Vec<UsageRow> = calls.iter().map(|(row, _)| row.clone()).collect();
        let clean = compare(&listed(&calls, &[]), &rows);
        prop_assert!(clean.foreign.is_empty() && clean.unlisted.is_empty(), "{:#?}", clean);
        let found = compare(&listed(&calls, &planted), &rows);
        let sum = |take: fn(&Tokens) -> u64| -> u64 {
            found.foreign.iter().map(|one| take(&one.tokens)).sum()
        };
        let expect: (u64, u64) = planted
            .iter()
            .fold((0, 0), |sum, one| (sum.0 + one.2, sum.1 + one.3));
        prop_assert_eq!(sum(|it| it.input_tokens), expect.0, "{:#?}", found);
        prop_assert_eq!(sum(|it| it.output_tokens), expect.1, "{:#?}", found);
        prop_assert!(found.unlisted.is_empty(), "{:#?}", found);
    }

    /// No finding without foreign use, also where nothing is known of some calls.
    #[test]
    fn calls_without_a_word_make_no_finding(mut calls in calls(), silent in 1..5_usize) {
        let export = listed(&calls, &[]);
        for (row, _) in calls.iter_mut().step_by(silent) {
            row.is_reported = false;
            row.usage = Usage::default();
            row.charged = row.reserved;
        }
        let rows: Vec<UsageRow> = calls.into_iter().map(|(row, _)| row).collect();
        let found = compare(&export, &rows);
        prop_assert!(found.foreign.is_empty(), "{:#?}", found);
    }
}
