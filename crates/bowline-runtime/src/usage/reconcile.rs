//! Holds what a provider says against what the journals say: use that was not ours shows here.
//!
//! Where lines carry request ids, call by call; else by day (or hour) and model family. A call that
//! stands close to the edge of a day may be counted by the provider in the next one, so such calls
//! are looked for on both sides. A call of which the provider did not say what it used (a stream that
//! was cut) took something between nothing and all that was set aside: a difference within that is no
//! finding, and is told apart.

mod edges;
mod names;
#[cfg(test)]
mod tests;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use bowline_journal::UsageRow;
use serde::Serialize;

use super::export::{Billed, Export, Form};
use edges::Place;
use names::Names;

/// A call may be counted so much later than it was set aside, in milliseconds: calls take time.
pub const LATER_MS: u64 = 15 * 60_000;
/// Or so much earlier: clocks differ.
pub const EARLIER_MS: u64 = 2 * 60_000;
const HOUR_MS: u64 = 3_600_000;
/// Money that differs by less than this, in millionths of a dollar, is rounding.
const ROUNDING_MICRO_USD: u64 = 10_000;

/// What to compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Only calls of these providers (or named endpoints); those of the export's form if empty.
    pub providers: Vec<String>,
    /// Differences up to so many thousandths of what the provider lists are no findings.
    pub tolerance_permille: u64,
}

/// Tokens read and written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tokens {
    /// Read.
    pub input_tokens: u64,
    /// Written.
    pub output_tokens: u64,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// When its span begins, in milliseconds since 1970.
    pub from_ms: u64,
    /// When it ends.
    pub to_ms: u64,
    /// The models it is about, as they are named where it was found; empty for all models.
    pub models: Vec<String>,
    /// The request, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The keys that the provider names for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// What the provider lists.
    pub theirs: Tokens,
    /// What the journals have, at the most.
    pub ours: Tokens,
    /// The difference.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// Why it is one, for people.
    pub why: String,
}

impl Finding {
    fn order(&self) -> (u64, &[String]) {
        (self.from_ms, &self.models)
    }
}

/// Money that differs though the tokens agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CostDifference {
    /// When its span begins, in milliseconds since 1970.
    pub from_ms: u64,
    /// The models it is about.
    pub models: Vec<String>,
    /// What the provider asks, in millionths of a dollar.
    pub theirs_micro_usd: u64,
    /// What was charged here.
    pub ours_micro_usd: u64,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// The form of the export.
    pub form: Form,
    /// When what it covers begins, in milliseconds since 1970.
    pub from_ms: u64,
    /// When that ends.
    pub to_ms: u64,
    /// Lines with use in it.
    pub lines: u64,
    /// Calls of ours that it was held against.
    pub calls: u64,
    /// All that it lists.
    pub theirs: Tokens,
    /// All that the providers told us of these calls.
    pub ours: Tokens,
    /// Use that is not ours.
    pub foreign: Vec<Finding>,
    /// Use of ours that the provider does not list.
    pub unlisted: Vec<Finding>,
    /// Use that is explained only by calls of ours of which nothing was told: so much foreign use
    /// could hide there.
    pub untold: Tokens,
    /// Differences within the tolerance.
    pub tolerated: u64,
    /// Money that differs though the tokens agree.
    pub cost_differences: Vec<CostDifference>,
    /// Whether the file says that there is more than it holds.
    pub has_more: bool,
}

/// A call of ours.
struct Call<'a> {
    row: &'a UsageRow,
    family: String,
    /// What it surely used, and what it used at most.
    low: Tokens,
    high: Tokens,
}

/// Holds an export against our calls. `rows` are those from [`LATER_MS`] before it to
/// [`EARLIER_MS`] after it, or more.
#[must_use]
pub fn reconcile(export: &Export, rows: &[UsageRow], options: &Options) -> Reconciliation {
    let (from_ms, to_ms) = export.covers_ms;
    let about_all = export.lines.iter().any(|line| line.model.is_none());
    let names = Names::of(rows, about_all);
    let wanted = |row: &&UsageRow| names::is_of(row, export.form, &options.providers);
    let close = |row: &&UsageRow| {
        row.at_ms.saturating_add(LATER_MS) >= from_ms && row.at_ms < to_ms + EARLIER_MS
    };
    let ours = rows.iter().filter(wanted).filter(close);
    let calls: Vec<Call<'_>> = ours.map(|row| Call::of(row, &names)).collect();
    let mut found = Reconciliation {
        form: export.form,
        from_ms,
        to_ms,
        lines: count(export.lines.len()),
        calls: count(calls.len()),
        theirs: sum(export.lines.iter().map(Tokens::billed)),
        ours: sum(calls.iter().map(|call| call.low)),
        foreign: Vec::new(),
        unlisted: Vec::new(),
        untold: Tokens::default(),
        tolerated: 0,
        cost_differences: Vec::new(),
        has_more: export.has_more,
    };
    let is_one = |line: &&Billed| line.request_id.is_some();
    let (single, others): (Vec<&Billed>, Vec<&Billed>) = export.lines.iter().partition(is_one);
    let mut places: Vec<Place> = Vec::new();
    let rest = if single.is_empty() {
        (0..calls.len()).collect()
    } else {
        by_request(&single, &calls, &names, others.is_empty(), &mut places)
    };
    if single.is_empty() || !others.is_empty() {
        let rest: Vec<&Call<'_>> = rest.into_iter().map(|at| &calls[at]).collect();
        places.extend(edges::by_span(&others, &rest, &names, export.covers_ms));
    }
    let used: BTreeSet<&str> = calls.iter().map(|call| call.family.as_str()).collect();
    for place in places {
        found.take(place, &used, options.tolerance_permille);
    }
    for findings in [&mut found.foreign, &mut found.unlisted] {
        findings.sort_by(|one, other| one.order().cmp(&other.order()));
    }
    found
}

/// Holds single calls against each other by their request ids. Gives the calls that are left.
fn by_request(
    lines: &[&Billed],
    calls: &[Call<'_>],
    names: &Names,
    is_all: bool,
    places: &mut Vec<Place>,
) -> Vec<usize> {
    let mut billed: BTreeMap<&str, Vec<&Billed>> = BTreeMap::new();
    for line in lines {
        let id = line.request_id.as_deref().unwrap_or_default();
        billed.entry(id).or_default().push(line);
    }
    let mut left: BTreeSet<usize> = (0..calls.len()).collect();
    let known = calls.iter().enumerate().filter_map(|(at, call)| {
        let id = call.row.request_id.as_deref()?;
        Some((id, at))
    });
    let known: BTreeMap<&str, usize> = known.collect();
    let mut strangers = Vec::new();
    for (id, lines) in &billed {
        let mut place = Place::single(id, lines, names);
        match known.get(id) {
            Some(at) => {
                left.remove(at);
                place.add(&calls[*at]);
                places.push(place);
            }
            None => strangers.push(place),
        }
    }
    for mut place in strangers {
        // A call that failed half-way is known here without its id; it explains one line.
        let fits = |at: &&usize| {
            let call = &calls[**at];
            call.row.request_id.is_none()
                && call.low != call.high
                && call.family == place.family
                && call.high.holds(&place.theirs)
                && call.row.at_ms.abs_diff(place.from_ms) <= LATER_MS
        };
        let nearest = left
            .iter()
            .filter(fits)
            .min_by_key(|at| calls[**at].row.at_ms.abs_diff(place.from_ms));
        if let Some(at) = nearest.copied() {
            left.remove(&at);
            place.add(&calls[at]);
        }
        places.push(place);
    }
    if is_all {
        let from_ms = lines.iter().map(|line| line.from_ms).min().unwrap_or(0);
        let to_ms = lines.iter().map(|line| line.to_ms).max().unwrap_or(0);
        for at in &left {
            let call = &calls[*at];
            if (from_ms..=to_ms).contains(&call.row.at_ms) {
                places.push(Place::unseen(call));
            }
        }
    }
    left.into_iter().collect()
}

impl<'a> Call<'a> {
    fn of(row: &'a UsageRow, names: &Names) -> Self {
        let low = Tokens {
            input_tokens: row.usage.input_tokens,
            output_tokens: row.usage.output_tokens,
        };
        let most = if row.is_open() {
            &row.reserved
        } else {
            &row.charged
        };
        let high = Tokens {
            input_tokens: most.input_tokens.max(low.input_tokens),
            output_tokens: most.output_tokens.max(low.output_tokens),
        };
        Self {
            row,
            family: names.ours(&row.model),
            low,
            high,
        }
    }
}

impl Reconciliation {
    fn take(&mut self, place: Place, used: &BTreeSet<&str>, tolerance_permille: u64) {
        let Place {
            theirs, low, high, ..
        } = place;
        let foreign = theirs.minus(&high);
        let unlisted = low.minus(&theirs);
        self.untold = self.untold.plus(&theirs.least(&high).minus(&low));
        let tolerated = |tokens: &Tokens, of: &Tokens| {
            let limit = u128::from(of.total()) * u128::from(tolerance_permille) / 1_000;
            u128::from(tokens.total()) <= limit
        };
        let is_foreign = foreign.total() > 0 && !tolerated(&foreign, &theirs);
        let is_unlisted = unlisted.total() > 0 && !tolerated(&unlisted, &low);
        let differs = foreign.total() > 0 || unlisted.total() > 0;
        if !differs {
            self.cost_differences.extend(place.cost_difference());
        } else if !is_foreign && !is_unlisted {
            self.tolerated += 1;
        }
        if is_foreign {
            let why = place.why(used.contains(place.family.as_str()));
            self.foreign.push(place.finding(foreign, why));
        }
        if is_unlisted {
            let why = "the provider lists less than it told of these calls";
            self.unlisted.push(place.finding(unlisted, why));
        }
    }
}

impl Tokens {
    const fn billed(line: &Billed) -> Self {
        Self {
            input_tokens: line.input_tokens,
            output_tokens: line.output_tokens,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    fn each(&self, other: &Self, join: fn(u64, u64) -> u64) -> Self {
        Self {
            input_tokens: join(self.input_tokens, other.input_tokens),
            output_tokens: join(self.output_tokens, other.output_tokens),
        }
    }

    fn plus(&self, other: &Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    fn minus(&self, other: &Self) -> Self {
        self.each(other, u64::saturating_sub)
    }

    fn least(&self, other: &Self) -> Self {
        self.each(other, u64::min)
    }

    const fn holds(&self, other: &Self) -> bool {
        other.input_tokens <= self.input_tokens && other.output_tokens <= self.output_tokens
    }
}

fn sum(tokens: impl Iterator<Item = Tokens>) -> Tokens {
    tokens.fold(Tokens::default(), |sum, one| sum.plus(&one))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
