//! Money by time: what was spent within the last hour, and what hours usually cost.

use std::collections::{BTreeMap, VecDeque};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// What was spent in a span, and by how many steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) cost_micro_usd: u64,
    /// Of that, by child sessions.
    pub(super) children_micro_usd: u64,
    pub(super) steps: u64,
}

impl Spent {
    fn add(&mut self, other: &Self) {
        self.cost_micro_usd = self.cost_micro_usd.saturating_add(other.cost_micro_usd);
        let children = other.children_micro_usd;
        self.children_micro_usd = self.children_micro_usd.saturating_add(children);
        self.steps = self.steps.saturating_add(other.steps);
    }
}

/// Money by recorded times. The last hour slides by minutes; hours that are over are those of the
/// clock, and only those in which something was spent count.
#[derive(Debug, Clone)]
pub(super) struct Hours {
    span_ms: u64,
    minutes: VecDeque<(u64, Spent)>,
    hours: BTreeMap<u64, Spent>,
}

impl Hours {
    pub(super) const fn new(span_ms: u64) -> Self {
        Self {
            span_ms,
            minutes: VecDeque::new(),
            hours: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, at_ms: u64, spent: &Spent) {
        let minute = at_ms / MINUTE_MS;
        match self.minutes.back_mut() {
            // A clock that was set back changes no order.
            Some((last, known)) if *last >= minute => known.add(spent),
            _ => self.minutes.push_back((minute, *spent)),
        }
        while self
            .minutes
            .front()
            .is_some_and(|(from, _)| minute.saturating_sub(*from) >= HOUR_MS / MINUTE_MS)
        {
            self.minutes.pop_front();
        }
        let hour = at_ms / HOUR_MS;
        self.hours.entry(hour).or_default().add(spent);
        let oldest = hour.saturating_sub(self.span_ms / HOUR_MS);
        while let Some(first) = self.hours.first_entry().filter(|it| *it.key() < oldest) {
            first.remove();
        }
    }

    /// What was spent within the last hour.
    pub(super) fn last_hour(&self) -> Spent {
        let mut all = Spent::default();
        self.minutes.iter().for_each(|(_, spent)| all.add(spent));
        all
    }

    /// Hours that were over at `at_ms` and in which something was spent, in order.
    pub(super) fn over(&self, at_ms: u64) -> impl Iterator<Item = (u64, &Spent)> {
        let hours = self.hours.range(..at_ms / HOUR_MS);
        hours.map(|(hour, spent)| (hour * HOUR_MS, spent))
    }
}
