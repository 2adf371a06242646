//! The same as tables of comma-separated values. Money is in dollars, exact to the millionth.

use bowline_core::amounts::{Measure, dollars};
use bowline_runtime::usage::accuracy::Accuracy;
use bowline_runtime::usage::csv::{cell, row};
use bowline_runtime::usage::{Group, Report};

use super::open::Open;

const SUMS: [&str; 19] = [
    "calls",
    "failed",
    "unreported",
    "unpriced",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
    "reserved_input_tokens",
    "reserved_output_tokens",
    "reserved_usd",
    "open_calls",
    "open_input_tokens",
    "open_output_tokens",
    "open_usd",
    "tool_calls",
    "result_bytes",
];

/// Sums, a row for each key. There is no total: a sheet that sums a column up would count it twice.
pub fn sums(report: &Report) -> String {
    let head = std::iter::once(report.by.name()).chain(SUMS);
    let head: Vec<String> = head.map(str::to_owned).collect();
    let rows = report.groups.iter().map(|group| row(&of_group(group)));
    row(&head) + &rows.collect::<String>()
}

fn of_group(group: &Group) -> Vec<String> {
    let sums = &group.sums;
    let (charged, reserved, open) = (&sums.charged, &sums.reserved, &sums.open_reserved);
    let reported = &sums.reported;
    let number = |number: u64| number.to_string();
    vec![
        cell(&group.key),
        number(sums.calls),
        number(sums.failed),
        number(sums.unreported),
        number(sums.unpriced),
        number(charged.input_tokens),
        number(reported.cached_input_tokens),
        number(reported.cache_write_tokens),
        number(charged.output_tokens),
        number(reported.reasoning_tokens),
        usd(charged.cost_micro_usd),
        number(reserved.input_tokens),
        number(reserved.output_tokens),
        usd(reserved.cost_micro_usd),
        number(sums.open),
        number(open.input_tokens),
        number(open.output_tokens),
        usd(open.cost_micro_usd),
        number(sums.tool_calls),
        number(sums.result_bytes),
    ]
}

/// How good bounds were, a row for each model and kind of evidence.
pub fn accuracy(found: &[Accuracy]) -> String {
    let head = [
        "model",
        "evidence",
        "calls",
        "below",
        "p50",
        "p90",
        "p99",
        "max",
        "reserved_tokens",
        "charged_tokens",
    ];
    let head: Vec<String> = head.map(str::to_owned).to_vec();
    let rows = found.iter().map(|one| {
        row(&[
            cell(&one.model),
            cell(&one.evidence),
            one.calls.to_string(),
            one.below.to_string(),
            ratio(one.p50_permille),
            ratio(one.p90_permille),
            ratio(one.p99_permille),
            ratio(one.max_permille),
            one.reserved.total_tokens().to_string(),
            one.charged.total_tokens().to_string(),
        ])
    });
    row(&head) + &rows.collect::<String>()
}

/// What is open, a row each.
pub fn open(all: &[Open]) -> String {
    let head = [
        "id",
        "kind",
        "session",
        "project",
        "at_ms",
        "input_tokens",
        "output_tokens",
        "usd",
        "owned",
    ];
    let head: Vec<String> = head.map(str::to_owned).to_vec();
    let rows = all.iter().map(|open| {
        row(&[
            cell(&open.id),
            open.kind.to_owned(),
            open.session.to_string(),
            cell(&open.project),
            open.at_ms.to_string(),
            open.amounts.input_tokens.to_string(),
            open.amounts.output_tokens.to_string(),
            usd(open.amounts.cost_micro_usd),
            open.is_owned.to_string(),
        ])
    });
    row(&head) + &rows.collect::<String>()
}

fn usd(micro_usd: u64) -> String {
    Measure::Cost.value(micro_usd)
}

/// Thousandths as a number with three places.
pub fn ratio(permille: u64) -> String {
    format!("{}.{:03}", permille / 1_000, permille % 1_000)
}

/// Money in a column: exact below a cent, then to hundredths of a cent, from ten dollars on to
/// cents; rounded up, so that it is never less than what was spent.
pub fn money(micro_usd: u64) -> String {
    let unit = match micro_usd {
        0..10_000 => 1,
        10_000..10_000_000 => 100,
        _ => 10_000,
    };
    dollars(micro_usd.div_ceil(unit).saturating_mul(unit))
}
