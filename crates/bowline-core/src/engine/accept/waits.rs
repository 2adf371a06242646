//! Commands about waiting: signals, settling, pausing, a prompt that takes the place of a wait.

use super::denied;
use crate::command::Refusal;
use crate::context::ContextText;
use crate::event::{CallSettled, Fact, SessionContinued, SessionPaused, SignalReceived, WaitEnded};
use crate::id::CallId;
use crate::state::State;
use crate::wait::{Signal, Until, WaitEnd, told};

/// How many signals of one name are kept for waits to come.
const SIGNALS_MAX: usize = 64;

pub(super) fn signalled(
    state: &State,
    key: String,
    name: String,
    payload: Option<ContextText>,
    by: String,
) -> Result<Vec<Fact>, Refusal> {
    let count = state.signals.get(&name).map_or(0, Vec::len);
    if count >= SIGNALS_MAX {
        return Err(Refusal::TooManySignals { name, count });
    }
    let waits = state
        .parked()
        .find(|(_, _, park)| park.wait.until == Until::Signal && park.wait.name == name);
    let ended = waits.map(|(call, _, park)| {
        let signal = Signal {
            by: by.clone(),
            payload: payload.clone(),
        };
        let how = WaitEnd::Signalled;
        let told = told(park, how, Some(&signal));
        Fact::WaitEnded(WaitEnded { call, how, told })
    });
    let received = Fact::SignalReceived(SignalReceived {
        key,
        name,
        payload,
        by,
    });
    Ok(std::iter::once(received).chain(ended).collect())
}

pub(super) fn settled(
    state: &State,
    key: String,
    call: CallId,
    happened: bool,
    note: Option<String>,
    by: String,
) -> Result<Vec<Fact>, Refusal> {
    if !state.in_doubt.iter().any(|doubt| doubt.call == call) {
        return Err(Refusal::NotInDoubt { call });
    }
    Ok(vec![Fact::CallSettled(Box::new(CallSettled {
        key,
        call,
        happened,
        note,
        by,
        outcome: None,
    }))])
}

pub(super) fn paused(state: &State, key: String, by: String) -> Result<Vec<Fact>, Refusal> {
    match &state.paused_by {
        Some(by) => Err(Refusal::PausedAlready { by: by.clone() }),
        None => Ok(vec![Fact::SessionPaused(SessionPaused { key, by })]),
    }
}

pub(super) fn continued(state: &State, key: String, by: String) -> Result<Vec<Fact>, Refusal> {
    if state.is_held() {
        Ok(vec![Fact::SessionContinued(SessionContinued { key, by })])
    } else {
        Err(Refusal::NotPaused)
    }
}

/// Everything that waits is ended: questions are denied, waits are over.
pub(super) fn supersede(state: &State, key: &str) -> Vec<Fact> {
    let denials = state.waiting().map(|(_, open)| denied(key, open.id));
    let ends = state.parked().map(|(call, _, park)| {
        let how = WaitEnd::Superseded;
        let told = told(park, how, None);
        Fact::WaitEnded(WaitEnded { call, how, told })
    });
    denials.chain(ends).collect()
}
