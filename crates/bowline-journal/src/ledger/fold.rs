//! What the entries of the ledger fold to. Pure: no disk, no clock.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::amounts::Amounts;

use super::facts::{Carried, Entry, LedgerFact, Span, Uncertain};
use super::{ClaimKey, OpenClaim};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// The longest span that a limit on rates looks back over.
pub(super) const HOUR_MS: u64 = 3_600_000;
/// Totals of so many days are kept, the latest ones, beside those with open claims. A clock that is
/// set further back than that meets no cap of a day: it is refused.
const DAYS_KEPT: usize = 64;
/// Spans are kept for so long after their end: a clock may be set back, or read a little before
/// another process wrote.
const SPANS_KEPT_MS: u64 = 2 * HOUR_MS;
/// More spans than this are put together where a new file is begun: those of the last two minutes
/// last, and by single seconds.
const SPANS_KEPT: usize = 1_000;
const RECENT_MS: u64 = 120_000;
/// The widest spans that are put together: so much later than need be do they leave the hour.
const WIDEST_MS: u64 = 60_000;

/// What is known after some entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) projects: BTreeMap<String, Amounts>,
    pub(super) days: BTreeMap<u64, Amounts>,
    pub(super) dropped_day: Option<u64>,
    pub(super) open: BTreeMap<ClaimKey, OpenClaim>,
    pub(super) spans: Vec<Span>,
    pub(super) uncertain: Option<Uncertain>,
}

/// The day of a time, by UTC, counted from 1970.
pub(super) const fn day_of(at_ms: u64) -> u64 {
    at_ms / DAY_MS
}

impl Fold {
    /// Takes one more entry in. Total: what does not fit changes nothing.
    pub(super) fn apply(&mut self, entry: Entry) {
        let at_ms = entry.at_ms;
        match entry.fact {
            LedgerFact::Reserved(reserved) => {
                let claim = OpenClaim {
                    key: reserved.key,
                    session: reserved.session,
                    project: reserved.project,
                    at_ms,
                    amounts: reserved.amounts,
                    end_found_ms: None,
                };
                self.open.entry(claim.key).or_insert(claim);
            }
            LedgerFact::Settled(settled) => {
                if let Some(claim) = self.open.remove(&settled.key) {
                    self.settle(claim, &settled.amounts, at_ms);
                }
            }
            LedgerFact::OwnerLost(lost) => {
                if let Some(claim) = self.open.get_mut(&lost.key) {
                    let end_ms = at_ms.max(claim.at_ms);
                    claim.end_found_ms.get_or_insert(end_ms);
                }
            }
            LedgerFact::Carried(carried) => *self = Self::from(*carried),
        }
    }

    fn settle(&mut self, claim: OpenClaim, took: &Amounts, at_ms: u64) {
        let tokens = took.total_tokens();
        if tokens > 0 {
            self.spans.push(Span {
                from_ms: claim.at_ms,
                to_ms: claim.end_found_ms.unwrap_or(at_ms.max(claim.at_ms)),
                tokens,
            });
        }
        let day = self.days.entry(day_of(claim.at_ms)).or_default();
        *day = day.plus(took);
        let project = self.projects.entry(claim.project).or_default();
        *project = project.plus(took);
    }

    pub(super) fn is_open(&self, key: &ClaimKey) -> bool {
        self.open.contains_key(key)
    }

    /// What is settled for a project.
    pub(super) fn project_spent(&self, project: &str) -> Amounts {
        self.projects.get(project).copied().unwrap_or_default()
    }

    /// What is settled for a day.
    pub(super) fn day_spent(&self, day: u64) -> Amounts {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Whether the total of the day of `at_ms` was dropped.
    pub(super) fn has_dropped(&self, at_ms: u64) -> bool {
        self.dropped_day
            .is_some_and(|dropped| day_of(at_ms) <= dropped)
    }

    /// What is set aside and not settled, over the claims that `counts`.
    pub(super) fn set_aside(&self, counts: impl Fn(&OpenClaim) -> bool) -> Amounts {
        let claims = self.open.values().filter(|claim| counts(claim));
        claims.fold(Amounts::ZERO, |sum, claim| sum.plus(&claim.amounts))
    }

    /// All that a new file begins with, written at `at_ms`.
    pub(super) fn carry(&self, at_ms: u64) -> Carried {
        let (days, dropped_day) = self.latest_days();
        let needed = |span: &Span| span.to_ms.saturating_add(SPANS_KEPT_MS) > at_ms;
        let mut spans: Vec<Span> = self.spans.iter().copied().filter(needed).collect();
        let mut width_ms = 1_000;
        while spans.len() > SPANS_KEPT && width_ms <= WIDEST_MS {
            spans = put_together(spans, width_ms, at_ms.saturating_sub(RECENT_MS));
            width_ms *= 2;
        }
        if spans.len() > SPANS_KEPT {
            spans = put_together(spans, 1_000, u64::MAX);
        }
        Carried {
            projects: self.projects.clone(),
            days,
            dropped_day,
            open: self.open.values().cloned().collect(),
            spans,
            uncertain: self.uncertain.clone(),
        }
    }

    fn latest_days(&self) -> (BTreeMap<u64, Amounts>, Option<u64>) {
        let mut days = self.days.clone();
        let mut dropped_day = self.dropped_day;
        let open: BTreeSet<u64> = self
            .open
            .values()
            .map(|claim| day_of(claim.at_ms))
            .collect();
        let mut surplus = days.len().saturating_sub(DAYS_KEPT);
        days.retain(|day, _| {
            let keep = surplus == 0 || open.contains(day);
            if !keep {
                surplus -= 1;
                dropped_day = dropped_day.max(Some(*day));
            }
            keep
        });
        (days, dropped_day)
    }
}

/// Puts spans together that end within the same `width_ms` before `before_ms`: they count until the
/// last of them would.
fn put_together(spans: Vec<Span>, width_ms: u64, before_ms: u64) -> Vec<Span> {
    let (earlier, mut kept): (Vec<Span>, Vec<Span>) =
        spans.into_iter().partition(|span| span.to_ms < before_ms);
    let mut joint: BTreeMap<u64, Span> = BTreeMap::new();
    for span in earlier {
        let empty = Span { tokens: 0, ..span };
        let joint = joint.entry(span.to_ms / width_ms).or_insert(empty);
        joint.to_ms = joint.to_ms.max(span.to_ms);
        joint.from_ms = joint.from_ms.min(span.from_ms);
        joint.tokens = joint.tokens.saturating_add(span.tokens);
    }
    kept.splice(..0, joint.into_values());
    kept
}

impl From<Carried> for Fold {
    fn from(carried: Carried) -> Self {
        let open = carried.open.into_iter();
        Self {
            projects: carried.projects,
            days: carried.days,
            dropped_day: carried.dropped_day,
            open: open.map(|claim| (claim.key, claim)).collect(),
            spans: carried.spans,
            uncertain: carried.uncertain,
        }
    }
}
