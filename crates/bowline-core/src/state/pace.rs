//! How long a session rests between two model calls, and what follows for the provider's cache.

use crate::settings::CacheTtl;

/// A provider's cache forgets what was not used for so long.
const FIVE_MINUTES_MS: u64 = 5 * 60_000;
/// What it was asked to keep longer, after this.
const HOUR_MS: u64 = 60 * 60_000;
/// Pauses that are remembered.
const RECENT: usize = 4;
/// So many of them that an hour would have outlived make it pay.
const ENOUGH: usize = 2;

/// The pauses of a session, and how long the cache is to be kept in the light of them.
///
/// Being kept for an hour costs 2 instead of 1.25 for every new token, and saves 1.15 of all that
/// was there for each pause of more than 5 minutes and less than an hour. It pays, therefore, as
/// soon as one more such pause comes, and costs 0.75 of all that is there if none does. Two of the
/// last four pauses are taken as a sign that one will.
///
/// It changes only when a pause has outlived what was kept: then everything is written anew anyway,
/// and nothing that is still kept is lost. So it never changes between a reservation and its call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// When the last model call began, in milliseconds since 1970; `None` before the first, and
    /// when the pause after it was counted.
    last_ms: Option<u64>,
    pauses_ms: [u64; RECENT],
    next: usize,
    hour: bool,
}

impl Pace {
    /// Takes in that a model call begins.
    pub(crate) const fn asked(&mut self, at_ms: u64) {
        self.last_ms = Some(at_ms);
    }

    /// Takes in that something happened: the first that does after a pause tells how long it was.
    pub(crate) fn happened(&mut self, at_ms: u64) {
        let Some(last_ms) = self.last_ms else { return };
        let pause_ms = at_ms.saturating_sub(last_ms);
        if pause_ms <= FIVE_MINUTES_MS {
            return;
        }
        self.last_ms = None;
        self.pauses_ms[self.next] = pause_ms;
        self.next = (self.next + 1) % RECENT;
        let outlives = pause_ms > if self.hour { HOUR_MS } else { FIVE_MINUTES_MS };
        if outlives {
            let pauses = self.pauses_ms.iter();
            let short = pauses.filter(|pause| (1..=HOUR_MS).contains(*pause));
            self.hour = short.count() >= ENOUGH;
        }
    }

    /// How long the cache is to be kept.
    pub(crate) const fn ttl(&self) -> CacheTtl {
        if self.hour {
            CacheTtl::Hour
        } else {
            CacheTtl::FiveMinutes
        }
    }
}

#[cfg(test)]
mod tests;
