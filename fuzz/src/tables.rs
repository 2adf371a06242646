//! Tables of models that others keep, the one that was imported before, and what providers export
//! of their use.

use bowline_core::amounts::Amounts;
use bowline_core::{ModelRef, Seq, Usage};
use bowline_journal::UsageRow;
use bowline_model::catalog::decimal::{USD_PER_MTOK, USD_PER_TOKEN, price};
use bowline_model::catalog::import::{merge, read};
use bowline_model::catalog::table::{Row, find, rows};
use bowline_runtime::usage::export;
use bowline_runtime::usage::reconcile::{Options, reconcile};

/// A table of either form is read or refused; what is read can be written down and found again.
pub(crate) fn prices(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        std::hint::black_box((price(text, USD_PER_MTOK).ok(), price(text, USD_PER_TOKEN).ok()));
        // The same bytes as a table that was damaged on disk.
        for row in rows(text) {
            assert_eq!(Row::parse(&row.to_string()), Some(row));
        }
        std::hint::black_box(find(text, "p", "m-20250929"));
    }
    let Ok(found) = read(data, "2026-11-26", None) else {
        return;
    };
    let merged = merge("", &found.rows, |_| None);
    assert_eq!(merged.new.len(), found.rows.len());
    assert!(rows(&merged.text).eq(found.rows.iter().cloned()));
    for row in &found.rows {
        let id: &ModelRef = &row.id;
        assert_eq!(find(&merged.text, id.provider(), id.model()).as_ref(), Some(row));
    }
    let again = merge(&merged.text, &found.rows, |_| None);
    assert_eq!((again.same, again.text), (found.rows.len(), merged.text));
}

/// An export is read or refused in one line; no more of it is foreign than it lists, and nothing
/// is without a call to hold it against.
pub(crate) fn usage(data: &[u8]) {
    let export = match export::read(data) {
        Ok(export) => export,
        Err(why) => {
            assert!(!why.is_empty() && !why.contains('\n'), "{why}");
            return;
        }
    };
    let all: Vec<UsageRow> = (0..4).map(row).collect();
    for rows in [&[], all.as_slice()] {
        let found = reconcile(&export, rows, &Options::default());
        let foreign = found.foreign.iter();
        let sum = foreign.fold(0_u64, |sum, one| sum.saturating_add(one.tokens.total()));
        assert!(sum <= found.theirs.total());
        if rows.is_empty() {
            assert!(found.unlisted.is_empty());
            let is_all = found.theirs.total() == u64::MAX || sum == found.theirs.total();
            assert!(is_all, "{found:?}");
        }
    }
}

/// A call close to an edge of the days of the seeds.
fn row(number: u64) -> UsageRow {
    let usage = Usage {
        input_tokens: 100 * number,
        output_tokens: 10,
        ..Usage::default()
    };
    let charged = Amounts::tokens(&usage);
    UsageRow {
        session: "01900000-0000-7000-8000-00000000002a".parse().expect("an id"),
        seq: Seq(number),
        at_ms: 1_795_564_800_000 + number * 28_700_000,
        attempt: number.to_string(),
        step: 1,
        try_number: 1,
        model: "openai/gpt-5".to_owned(),
        project: "/srv".to_owned(),
        is_priced: true,
        evidence: "whole".to_owned(),
        reserved_tokens: charged.total_tokens(),
        reserved: charged,
        request_bytes: None,
        outcome: "replied".to_owned(),
        request_id: (number == 1).then(|| "req_1".to_owned()),
        is_reported: number != 2,
        usage: if number == 2 { Usage::default() } else { usage },
        charged,
    }
}
