//! How good the bounds on requests were, against what they really had.

use std::collections::BTreeMap;

use bowline_core::amounts::Amounts;
use bowline_journal::UsageRow;
use serde::Serialize;

use super::whole;

/// How the bounds of some calls stand to what was real. Ratios in thousandths: 1,000 is exact, less
/// is a bound that was too low.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accuracy {
    /// The model; `all` for every one.
    pub model: String,
    /// What the bounds rest on, as [`UsageRow::evidence`] names it; `all` for any.
    pub evidence: String,
    /// Calls whose real input is known.
    pub calls: u64,
    /// Of those, the ones with more input than their bound.
    pub below: u64,
    /// Bound to real input, in thousandths: the middle one.
    pub p50_permille: u64,
    /// Nine of ten are not above this.
    pub p90_permille: u64,
    /// Ninety-nine of a hundred are not above this.
    pub p99_permille: u64,
    /// The largest.
    pub max_permille: u64,
    /// The smallest.
    pub min_permille: u64,
    /// Tokens set aside for these calls, output included.
    #[serde(serialize_with = "whole")]
    pub reserved: Amounts,
    /// What they were charged.
    #[serde(serialize_with = "whole")]
    pub charged: Amounts,
}

/// Every model with every kind of evidence, then each model, then all; nothing without calls.
#[must_use]
pub fn accuracy(rows: &[UsageRow]) -> Vec<Accuracy> {
    const ALL: &str = "all";
    let mut sets: BTreeMap<(u8, &str, &str), Vec<&UsageRow>> = BTreeMap::new();
    let real = |row: &&UsageRow| row.is_reported && row.usage.input_tokens > 0;
    let whole = |row: &&UsageRow| row.outcome == "replied";
    for row in rows.iter().filter(whole).filter(real) {
        let (model, evidence) = (row.model.as_str(), row.evidence.as_str());
        for key in [(0, model, evidence), (1, model, ALL), (2, ALL, ALL)] {
            sets.entry(key).or_default().push(row);
        }
    }
    let sets = sets.into_iter();
    sets.map(|((_, model, evidence), rows)| Accuracy::of(model, evidence, &rows))
        .collect()
}

impl Accuracy {
    fn of(model: &str, evidence: &str, rows: &[&UsageRow]) -> Self {
        let mut ratios: Vec<u64> = rows.iter().map(|row| ratio(row)).collect();
        ratios.sort_unstable();
        let at = |percent: usize| {
            let rank = (ratios.len() * percent).div_ceil(100).max(1);
            ratios.get(rank - 1).copied().unwrap_or_default()
        };
        let below = rows
            .iter()
            .filter(|row| row.usage.input_tokens > row.reserved.input_tokens);
        let sum = |of: fn(&UsageRow) -> &Amounts| {
            let each = rows.iter().map(|row| of(row));
            each.fold(Amounts::ZERO, |sum, one| sum.plus(one))
        };
        Self {
            model: model.to_owned(),
            evidence: evidence.to_owned(),
            calls: count(rows.len()),
            below: count(below.count()),
            p50_permille: at(50),
            p90_permille: at(90),
            p99_permille: at(99),
            max_permille: at(100),
            min_permille: ratios.first().copied().unwrap_or_default(),
            reserved: sum(|row| &row.reserved),
            charged: sum(|row| &row.charged),
        }
    }
}

/// The bound to the real input of a call, in thousandths, rounded down.
fn ratio(row: &UsageRow) -> u64 {
    let bound = u128::from(row.reserved.input_tokens) * 1_000;
    let ratio = bound / u128::from(row.usage.input_tokens.max(1));
    u64::try_from(ratio).unwrap_or(u64::MAX)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
