//! Folding what has to do with budgets: shares of children, time, a provider that reports too much.

use crate::amounts::{Amounts, grouped};
use crate::event::{Fact, ShareGranted, ShareRaised, ShareSettled, TimeRanOut, UsageOverran};
use crate::state::{Share, State};

/// Folds a fact about budgets; says whether it changed anything. Any other fact changes nothing.
pub(super) fn fold(state: &mut State, fact: &Fact) -> bool {
    match fact {
        Fact::UsageOverran(overran) => overrun(state, overran),
        Fact::TimeRanOut(out) => run_out_of_time(state, out),
        Fact::ShareGranted(granted) => grant(state, granted),
        Fact::ShareSettled(settled) => settle(state, settled),
        Fact::ShareRaised(raised) => raise(state, raised),
        _ => false,
    }
}

fn overrun(state: &mut State, overran: &UsageOverran) -> bool {
    let UsageOverran {
        reserved,
        reported,
        stops,
        ..
    } = overran;
    if !stops {
        return true;
    }
    let is_first = state.overrun.is_none();
    state.overrun.get_or_insert_with(|| {
        format!(
            "the provider reported {} input and {} output tokens, more than the worst case of {} \
             and {}: look at its bill; `bowline resume` lets the session go on",
            grouped(reported.input_tokens),
            grouped(reported.output_tokens),
            grouped(reserved.input_tokens),
            grouped(reserved.output_tokens)
        )
    });
    is_first
}

fn run_out_of_time(state: &mut State, out: &TimeRanOut) -> bool {
    let turn = state.turn.as_mut().filter(|turn| turn.id == out.turn);
    turn.filter(|turn| turn.out_of_time.is_none())
        .map(|turn| turn.out_of_time = Some(out.detail.clone()))
        .is_some()
}

/// A share only grows while its child lives, and stays with the call that it is for.
fn grant(state: &mut State, granted: &ShareGranted) -> bool {
    let ShareGranted { child, call, share } = granted;
    let has = state.shares.get(child);
    let grows = has.is_none_or(|has| has.call == *call && has.amounts.minus(share).is_zero());
    let fits = grows && super::is_started(state, *call);
    if fits {
        let share = Share {
            call: *call,
            amounts: *share,
        };
        state.shares.insert(*child, share);
    }
    fits
}

fn settle(state: &mut State, settled: &ShareSettled) -> bool {
    let had = state.shares.remove(&settled.child).is_some();
    if had {
        // Its time passes beside the parent's own, which is counted where it passes.
        state.ledger.charge(&Amounts {
            wall_ms: 0,
            ..settled.spent
        });
    }
    had
}

fn raise(state: &mut State, raised: &ShareRaised) -> bool {
    let Some(begun) = &mut state.begun else {
        return false;
    };
    begun.settings.limits.share = Some(raised.share);
    true
}
