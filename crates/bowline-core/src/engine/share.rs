//! Shares: what a parent sets aside for its child sessions, and what a child asks of its parent.
//!
//! A child has no more than its next act needs: before a model call, or before calls that it is to
//! run, it asks for exactly what its share lacks, and takes it in when that is durable in the
//! journal of its parent. What it did not spend is free again when its share is settled.

use super::reserve::NewAsk;
use crate::State;
use crate::amounts::{Amounts, Cap, CapScope, Excess, Measure};
use crate::event::{Fact, ShareGranted, ShareRaised, ShareSettled};
use crate::id::{CallId, SessionId};
use crate::state::{CallPhase, CallState, Share, Turn};

/// What a child lacks. Time is none of it: a child's time passes beside its parent's own, which is
/// counted where it passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShareNeed {
    /// With less than this it cannot go on.
    pub least: Amounts,
    /// What it would have if it were alone.
    pub wish: Amounts,
}

/// Why nothing was set aside for a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotShareable {
    /// A cap would be passed.
    #[error("{}", excess.sentence(*scope))]
    Cap {
        /// Over what it reaches.
        scope: CapScope,
        /// By how much.
        excess: Excess,
    },
    /// The call that the child works for is not under way, or its turn is to stop.
    #[error("the call that it works for is over")]
    NotRunning,
}

/// Bytes of its result that room is kept for, for each call that is not answered.
const RESULT_BYTES: u64 = 4_096;
/// In how many parts the way from the least to the wish is divided.
const PARTS: u64 = 1_024;

impl ShareNeed {
    /// So many parts of the way from the least to the wish; all of them are the wish.
    fn part(&self, parts: u64) -> Amounts {
        let Self { least, wish } = self;
        let between = |least: u64, wish: u64| {
            let way = u128::from(wish.saturating_sub(least)) * u128::from(parts);
            least.saturating_add(u64::try_from(way / u128::from(PARTS)).unwrap_or(u64::MAX))
        };
        Amounts {
            input_tokens: between(least.input_tokens, wish.input_tokens),
            output_tokens: between(least.output_tokens, wish.output_tokens),
            cost_micro_usd: between(least.cost_micro_usd, wish.cost_micro_usd),
            steps: between(least.steps, wish.steps),
            tool_calls: between(least.tool_calls, wish.tool_calls),
            wall_ms: 0,
        }
    }
}

/// Makes the fact that sets aside what a child needs, beside what it has: as much of its wish as
/// every cap allows, never less than the least (I10). Room is kept for the answer that the session
/// itself gives after its children.
///
/// # Errors
/// [`NotShareable`] when spent plus reserved would exceed a cap, or nothing is to be begun any
/// more for the call.
pub fn share(
    state: &State,
    child: SessionId,
    call: CallId,
    need: &ShareNeed,
) -> Result<Fact, NotShareable> {
    if !state.shares_for(call) {
        return Err(NotShareable::NotRunning);
    }
    let limits = state.limits();
    let kept = state.kept_for_answer();
    let excess = |more: &Amounts| {
        CapScope::OWN.into_iter().find_map(|scope| {
            let taken = state.taken(scope).plus(&kept_in(scope, &kept));
            let excess = limits.cap(scope).excess(&taken, more)?;
            Some((scope, excess))
        })
    };
    let (mut fits, mut exceeds) = (0, PARTS + 1);
    if let Some((scope, excess)) = excess(&need.part(fits)) {
        return Err(NotShareable::Cap { scope, excess });
    }
    while exceeds - fits > 1 {
        let middle = fits.midpoint(exceeds);
        if excess(&need.part(middle)).is_none() {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    let has = state
        .shares
        .get(&child)
        .map_or(Amounts::ZERO, |share| share.amounts);
    Ok(Fact::ShareGranted(ShareGranted {
        child,
        call,
        share: has.plus(&need.part(fits)),
    }))
}

/// What is kept for the answer under a cap. A child asks for what it needs to answer when it does.
const fn kept_in(scope: CapScope, kept: &Amounts) -> Amounts {
    match scope {
        CapScope::Share => Amounts::ZERO,
        _ => *kept,
    }
}

/// Whether what a child needs would fit if every other child gave back all that it has.
#[must_use]
pub fn fits_alone(state: &State, child: SessionId, need: &ShareNeed) -> bool {
    let limits = state.limits();
    let others = state.shares.iter().filter(|(other, _)| **other != child);
    let others = others.fold(Amounts::ZERO, |sum, (_, share)| sum.plus(&share.amounts));
    let kept = state.kept_for_answer();
    CapScope::OWN.into_iter().all(|scope| {
        let taken = state.taken(scope).minus(&others);
        let taken = taken.plus(&kept_in(scope, &kept));
        limits.cap(scope).excess(&taken, &need.part(0)).is_none()
    })
}

/// Makes the fact that settles a share with what its child spent and has set aside; with `None`,
/// which is for one of which nobody knows, the whole of it is spent. `None` if there is no share.
#[must_use]
pub fn settle_share(state: &State, child: SessionId, spent: Option<Amounts>) -> Option<Fact> {
    let share = state.shares.get(&child)?;
    Some(Fact::ShareSettled(ShareSettled {
        child,
        spent: spent.unwrap_or(share.amounts),
    }))
}

/// The cap that a share is to a child: on whatever its parent has a cap on, but for time.
#[must_use]
pub fn share_cap(state: &State, share: &Amounts) -> Cap {
    let limits = state.limits();
    let mut cap = Cap::NONE;
    for measure in Measure::ALL {
        let capped = CapScope::OWN
            .into_iter()
            .any(|scope| limits.cap(scope).on(measure).is_some());
        let is_shared = capped && measure != Measure::Wall;
        *cap.on_mut(measure) = is_shared.then(|| share.of(measure));
    }
    cap
}

/// Makes the fact by which a child takes in what its parent has set aside for it.
#[must_use]
pub const fn raise(share: Cap) -> Fact {
    Fact::ShareRaised(ShareRaised { share })
}

/// Makes the fact that leaves a child what it spent and has set aside, and no more; `None` for a
/// session that has no share. It must be durable before the share is settled: whoever goes on with
/// the child later spends nothing that its parent has given to others.
#[must_use]
pub fn close_share(state: &State) -> Option<Fact> {
    let share = state.limits().share?;
    let taken = state.taken(CapScope::Share);
    let mut cap = Cap::NONE;
    for measure in Measure::ALL {
        *cap.on_mut(measure) = share.on(measure).map(|_| taken.of(measure));
    }
    Some(raise(cap))
}

/// What the share of a child lacks for its next model call; `None` if nothing, if it is no child,
/// and if its other caps do not allow that call anyway.
#[must_use]
pub fn lacking(state: &State, ask: &NewAsk) -> Option<ShareNeed> {
    let mut limits = state.limits();
    let share = limits.share.take()?;
    let (_, input_tokens) = super::reserve::input_of(state, ask);
    let plan = super::reserve::plan(state, &limits, input_tokens, ask.worked_ms).ok()?;
    let taken = state.taken(CapScope::Share);
    let need = ShareNeed {
        least: lack(&share, &taken, &plan.least(state)),
        wish: lack(&share, &taken, &plan.need()),
    };
    (!need.wish.is_zero()).then_some(need)
}

/// What the share of this session lacks for what a child of its own needs; `None` if nothing, or if
/// it is no child itself.
#[must_use]
pub fn lacking_for(state: &State, need: &ShareNeed) -> Option<ShareNeed> {
    let share = state.limits().share?;
    let taken = state.taken(CapScope::Share);
    let need = ShareNeed {
        least: lack(&share, &taken, &need.least),
        wish: lack(&share, &taken, &need.wish),
    };
    (!need.wish.is_zero()).then_some(need)
}

/// What the share of a child lacks for the calls that it is to run: one at least, all of them if
/// there is enough. `None` while there is room for one, and if its other caps have none.
#[must_use]
pub fn lacking_calls(state: &State) -> Option<ShareNeed> {
    let limits = state.limits();
    let share = limits.share?;
    let left = |cap: &Cap, scope| cap.left(Measure::ToolCalls, &state.taken(scope));
    let is_stopping = state.turn.as_ref().is_none_or(Turn::is_stopping);
    if left(&share, CapScope::Share)? > 0 || is_stopping || state.is_held() {
        return None;
    }
    let own = [CapScope::Turn, CapScope::Session]
        .into_iter()
        .filter_map(|scope| left(&limits.cap(scope), scope));
    let calls = state.step.as_ref()?.calls.iter();
    let untried = calls.filter(|call| call.is_untried()).count() as u64;
    let wish = own.fold(untried, u64::min);
    let calls = |tool_calls| Amounts {
        tool_calls,
        ..Amounts::ZERO
    };
    (wish > 0).then(|| ShareNeed {
        least: calls(1),
        wish: calls(wish),
    })
}

/// By how much `taken` and `need` together exceed a share.
fn lack(share: &Cap, taken: &Amounts, need: &Amounts) -> Amounts {
    let of = |measure| {
        share.on(measure).map_or(0, |cap| {
            let sum = taken.of(measure).saturating_add(need.of(measure));
            sum.saturating_sub(cap)
        })
    };
    let mut lack = Amounts {
        input_tokens: of(Measure::InputTokens),
        output_tokens: of(Measure::OutputTokens),
        cost_micro_usd: of(Measure::Cost),
        steps: of(Measure::Steps),
        tool_calls: of(Measure::ToolCalls),
        wall_ms: 0,
    };
    // What is missing of the sum goes where nothing else counts it.
    let more = of(Measure::Tokens).saturating_sub(lack.total_tokens());
    if share.input_tokens.is_none() {
        lack.input_tokens += more;
    } else {
        lack.output_tokens += more;
    }
    lack
}

impl State {
    /// Whether something may be set aside for what works for this call.
    fn shares_for(&self, call: CallId) -> bool {
        let is_stopping = self.turn.as_ref().is_none_or(Turn::is_stopping);
        let open = self.call(call).map(|open: &CallState| &open.phase);
        let started =
            matches!(open, Some(CallPhase::Started(_, started)) if started.epoch() == self.epoch);
        started && !is_stopping && !self.is_held()
    }

    /// What a short answer takes once the calls of the open step are answered, if their results are
    /// not long.
    fn kept_for_answer(&self) -> Amounts {
        let Some(step) = &self.step else {
            return Amounts::ZERO;
        };
        let results = step.calls.iter().map(|open| match &open.phase {
            CallPhase::Closed(result) => result.content.text().len() as u64,
            _ => RESULT_BYTES,
        });
        let queued = self.queue.iter().map(crate::Input::weight_bytes);
        let added: u64 = step.message.weight_bytes() + results.sum::<u64>() + queued.sum::<u64>();
        let whole = || {
            let bytes = self.size_by_weight().bytes.saturating_add(added);
            self.gauge
                .input_bound(crate::request::RequestSize::of_bytes(bytes))
        };
        let input_tokens = self.gauge.input_after(added).unwrap_or_else(whole);
        super::reserve::shortest(self, input_tokens)
    }

    /// Children whose call is over although their share is not settled.
    pub(super) fn orphans(&self) -> impl Iterator<Item = SessionId> {
        let is_over = |share: &Share| {
            let open = self.call(share.call).map(|open| &open.phase);
            !matches!(open, Some(CallPhase::Started(..)))
        };
        let shares = self.shares.iter().filter(move |(_, share)| is_over(share));
        shares.map(|(child, _)| *child)
    }
}
