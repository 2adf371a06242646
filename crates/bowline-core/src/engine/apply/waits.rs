//! Folding what has to do with waiting: parked calls, signals, doubts, pauses, lapses.

use super::{close, open_call, refuse};
use crate::call::OutcomeStatus;
use crate::context::ContextText;
use crate::event::{
    CallInDoubt, CallParked, CallSettled, DecisionLapsed, Event, Fact, SignalReceived, WaitEnded,
};
use crate::message::ResultKind;
use crate::state::{CallPhase, Doubt, State};
use crate::wait::{Park, Signal, WaitEnd};

pub(super) fn fold(state: &mut State, event: &Event) -> bool {
    match &event.fact {
        Fact::CallParked(parked) => park(state, parked, event.at_ms),
        Fact::WaitEnded(ended) => end_wait(state, ended),
        Fact::SignalReceived(signal) => receive(state, signal),
        Fact::CallSettled(settled) => settle(state, settled),
        Fact::DecisionLapsed(lapsed) => lapse(state, lapsed),
        Fact::SessionPaused(paused) => {
            let is_first = state.paused_by.is_none();
            state.paused_by.get_or_insert_with(|| paused.by.clone());
            is_first
        }
        Fact::SessionContinued(_) => {
            let was_held = state.is_held();
            state.paused_by = None;
            if state.overrun.take().is_some() && state.turn.is_none() {
                // Nothing stands in its way any more.
                state.last_stop = None;
                state.closing = None;
            }
            was_held
        }
        _ => false,
    }
}

fn park(state: &mut State, parked: &CallParked, at_ms: u64) -> bool {
    let Some(open) = open_call(state, parked.call) else {
        return false;
    };
    let (decision, looked) = match &open.phase {
        CallPhase::Allowed(decision) => (decision.clone(), false),
        CallPhase::Started(decision, _) => (decision.clone(), true),
        _ => return false,
    };
    let Some(wait) = decision.wait().cloned() else {
        return false;
    };
    let before = open.park.take();
    let looks = before.as_ref().map_or(0, |park| park.looks) + u32::from(looked);
    open.park = Some(Box::new(Park {
        wait,
        since_ms: before.map_or(at_ms, |park| park.since_ms),
        until_ms: parked.until_ms,
        looks,
        last: parked.last.clone(),
    }));
    open.phase = CallPhase::Parked(decision);
    true
}

fn end_wait(state: &mut State, ended: &WaitEnded) -> bool {
    let Some(open) = open_call(state, ended.call) else {
        return false;
    };
    let (CallPhase::Parked(_), Some(park)) = (&open.phase, &open.park) else {
        return false;
    };
    let name = park.wait.name.clone();
    if ended.how == WaitEnd::Signalled {
        take_signal(state, &name);
    }
    let kind = if ended.how.is_met() {
        ResultKind::Ok
    } else {
        ResultKind::Error
    };
    close(state, ended.call, kind, ended.told.clone())
}

fn take_signal(state: &mut State, name: &str) {
    let Some(signals) = state.signals.get_mut(name) else {
        return;
    };
    if !signals.is_empty() {
        signals.remove(0);
    }
    if signals.is_empty() {
        state.signals.remove(name);
    }
}

fn receive(state: &mut State, signal: &SignalReceived) -> bool {
    let came = Signal {
        by: signal.by.clone(),
        payload: signal.payload.clone(),
    };
    let same = state.signals.entry(signal.name.clone()).or_default();
    same.push(came);
    true
}

/// Keeps what lists and a later repeat need of a started call whose outcome is unknown.
pub(super) fn doubt(state: &mut State, doubt: &CallInDoubt, at_ms: u64) -> bool {
    let Some(CallPhase::Started(decision, started)) =
        state.call(doubt.call).map(|open| &open.phase)
    else {
        return false;
    };
    let kept = Doubt {
        call: doubt.call,
        essence: decision.essence.clone(),
        why: doubt.why.clone(),
        at_ms,
        spool: started.spool().map(str::to_owned),
        actions: decision.actions.clone(),
    };
    state.in_doubt.push(kept);
    state.ledger.calls_run += 1;
    close(state, doubt.call, ResultKind::Error, doubt.told.clone())
}

/// The model learns of it in a new message: a result is never edited.
fn settle(state: &mut State, settled: &CallSettled) -> bool {
    let mut doubts = state.in_doubt.iter();
    let Some(at) = doubts.position(|doubt| doubt.call == settled.call) else {
        return false;
    };
    let doubt = state.in_doubt.remove(at);
    let what = if settled.happened {
        "it did happen"
    } else {
        "it did not happen"
    };
    let mut text = format!(
        "Settled: the outcome of `{}` (call {}) was unknown; {what}, says {}.",
        doubt.essence,
        doubt.call.short(),
        settled.by
    );
    if let Some(note) = &settled.note {
        text.push(' ');
        text.push_str(note);
    }
    if let Some(outcome) = &settled.outcome {
        text.push_str(match outcome.status {
            OutcomeStatus::Ok => " It succeeded. What it said:\n",
            OutcomeStatus::Error => " It reports an error. What it said:\n",
        });
        text.push_str(outcome.content.text());
    }
    state.queue.push(ContextText::notice(text).into());
    true
}

fn lapse(state: &mut State, lapsed: &DecisionLapsed) -> bool {
    let asked = state
        .waiting()
        .find(|(_, decision)| decision.id == lapsed.decision)
        .map(|(open, decision)| (open.call.id, decision.clone()));
    let Some((call, mut decision)) = asked else {
        return false;
    };
    decision.reason = "Nobody answered in time.".to_owned();
    refuse(state, call, &decision)
}
