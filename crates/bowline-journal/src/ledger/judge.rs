//! Whether a claim fits what is known. Pure: no disk, no clock.

use bowline_core::amounts::{Amounts, Cap, CapScope, grouped};

use super::fold::{Fold, HOUR_MS, day_of};
use super::{Claim, Grant};

/// How long to wait before trying again when a claim that is under way must end first, in
/// milliseconds: when it will is not known.
pub const WAIT_POLL_MS: u64 = 250;

/// A span that a limit on rates looks back over: it ends now and its beginning is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateSpan {
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
}

/// A limit on the rate that does not allow a claim now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateWait {
    /// When to try again, in milliseconds since 1970: when enough of what has ended counts no
    /// longer, if nothing else happens; or after [`WAIT_POLL_MS`], if a claim that is under way
    /// must end first.
    pub until_ms: u64,
    /// Over what the limit looks back.
    pub span: RateSpan,
    /// The limit in tokens.
    pub limit: u64,
    /// What counts against it.
    pub taken: u64,
    /// What the claim needs.
    pub need: u64,
}

/// A limit on the rate that is smaller than a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeverFits {
    /// Over what the limit looks back.
    pub span: RateSpan,
    /// The limit in tokens.
    pub limit: u64,
    /// What the claim needs.
    pub need: u64,
}

/// What a claim is judged to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It fits.
    Fits,
    /// It is set aside already.
    Held,
    /// Its key is set aside for something else.
    Taken,
    /// It does not fit.
    Refused(Grant),
}

impl RateSpan {
    const ALL: [Self; 2] = [Self::Minute, Self::Hour];

    /// How long it is in milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => HOUR_MS,
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    const fn limit(self, claim: &Claim) -> Option<u64> {
        match self {
            Self::Minute => claim.rates.tokens_per_minute,
            Self::Hour => claim.rates.tokens_per_hour,
        }
    }
}

/// Judges a claim: caps first, the narrowest first, then limits on rates.
pub(super) fn judge(fold: &Fold, claim: &Claim) -> Judged {
    if let Some(open) = fold.open.get(&claim.key) {
        let is_same = open.session == claim.session
            && open.project == claim.project
            && open.amounts == claim.amounts;
        return if is_same { Judged::Held } else { Judged::Taken };
    }
    let project = || {
        let spent = fold.project_spent(&claim.project);
        let set_aside = fold.set_aside(|open| open.project == claim.project);
        cap(
            CapScope::Project,
            &claim.project_cap,
            &spent,
            &set_aside,
            claim,
        )
    };
    let day = || {
        let day = day_of(claim.at_ms);
        let set_aside = fold.set_aside(|open| day_of(open.at_ms) == day);
        cap(
            CapScope::Day,
            &claim.day_cap,
            &fold.day_spent(day),
            &set_aside,
            claim,
        )
    };
    let refused = project().or_else(day).or_else(|| rates(fold, claim));
    refused.map_or(Judged::Fits, Judged::Refused)
}

fn cap(
    scope: CapScope,
    cap: &Cap,
    spent: &Amounts,
    set_aside: &Amounts,
    claim: &Claim,
) -> Option<Grant> {
    let excess = cap.excess(&spent.plus(set_aside), &claim.amounts)?;
    Some(Grant::Exceeds {
        scope,
        excess,
        set_aside: *set_aside,
    })
}

fn rates(fold: &Fold, claim: &Claim) -> Option<Grant> {
    let need = claim.amounts.total_tokens();
    if need == 0 {
        return None;
    }
    let limits = RateSpan::ALL
        .into_iter()
        .filter_map(|span| Some((span, span.limit(claim)?)));
    let mut wait: Option<RateWait> = None;
    for (span, limit) in limits {
        if need > limit {
            return Some(Grant::NeverFits(NeverFits { span, limit, need }));
        }
        let longer = rate(fold, claim, span, limit)
            .filter(|found| wait.is_none_or(|wait| found.until_ms > wait.until_ms));
        wait = longer.or(wait);
    }
    wait.map(Grant::Wait)
}

/// Judges one limit on the rate.
///
/// What counts is whatever has not ended before the span began, also what began after `at_ms`:
/// others may have read the clock later and still been first. It is the most that any span from
/// `at_ms` on can hold, so no later one is passed either. Only what begins more than a span later is
/// left out: the clock was set back over it.
fn rate(fold: &Fold, claim: &Claim, span: RateSpan, limit: u64) -> Option<RateWait> {
    let (at_ms, need) = (claim.at_ms, claim.amounts.total_tokens());
    let counts = |from_ms: u64, to_ms: u64| {
        to_ms.saturating_add(span.ms()) > at_ms && from_ms <= at_ms.saturating_add(span.ms())
    };
    let mut running = 0_u64;
    let mut ended: Vec<(u64, u64)> = Vec::new();
    for open in fold.open.values() {
        let tokens = open.amounts.total_tokens();
        match open.end_found_ms {
            None => running = running.saturating_add(tokens),
            Some(to_ms) if counts(open.at_ms, to_ms) => ended.push((to_ms, tokens)),
            Some(_) => {}
        }
    }
    let spans = fold.spans.iter();
    let spans = spans.filter(|ended| counts(ended.from_ms, ended.to_ms));
    ended.extend(spans.map(|ended| (ended.to_ms, ended.tokens)));
    let taken = ended
        .iter()
        .fold(running, |sum, (_, tokens)| sum.saturating_add(*tokens));
    // `need` is at most `limit`.
    let room = limit - need;
    if taken <= room {
        return None;
    }
    let until_ms = if running > room {
        at_ms.saturating_add(WAIT_POLL_MS)
    } else {
        ended.sort_unstable();
        // What stays, from the last that ends back to the first that does not fit any more.
        let mut stays = running;
        let leaves = ended.iter().rev().find(|(_, tokens)| {
            stays = stays.saturating_add(*tokens);
            stays > room
        });
        leaves.map_or(at_ms, |(to_ms, _)| to_ms.saturating_add(span.ms()))
    };
    Some(RateWait {
        until_ms,
        span,
        limit,
        taken,
        need,
    })
}

impl std::fmt::Display for RateWait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of {} tokens a {} used, {} needed",
            grouped(self.taken),
            grouped(self.limit),
            self.span.name(),
            grouped(self.need)
        )
    }
}

impl std::fmt::Display for NeverFits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} tokens are needed at once, at most {} are allowed a {}",
            grouped(self.need),
            grouped(self.limit),
            self.span.name()
        )
    }
}

#[cfg(test)]
mod tests;
