//! Engines that are deliberately broken, each in one way that must be caught.

use bowline_core::engine::{self, NewAsk, NotShareable, Overdrawn, ShareNeed};
use bowline_core::{CallId, Event, Fact, SessionId, State, apply};

/// How an engine, or who drives it, is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// What is set aside for children is not counted when more is.
    SharesUncounted,
    /// A child is settled with what it has spent, while a model call of it is under way.
    SettledBeforeOutcome,
    /// A failed try costs nothing.
    FailuresFree,
    /// Only the first grant to a child is recorded.
    ShareCountedOnce,
    /// A cap is passed by one.
    OffByOne,
    /// A child takes in more before it is durable in its parent's journal.
    RaisedBeforeGranted,
    /// A take-over takes a model call under way for one that was never made.
    ForgottenOnTakeOver,
    /// A child that is settled keeps its share.
    NotClosed,
}

impl Fault {
    pub(super) const ALL: [Self; 8] = [
        Self::SharesUncounted,
        Self::SettledBeforeOutcome,
        Self::FailuresFree,
        Self::ShareCountedOnce,
        Self::OffByOne,
        Self::RaisedBeforeGranted,
        Self::ForgottenOnTakeOver,
        Self::NotClosed,
    ];
}

/// The state that a broken engine takes for the true one.
fn seen_as(fault: Option<Fault>, state: &State, events: &[Event]) -> State {
    let change = |event: &Event| match (&event.fact, fault) {
        (Fact::ShareGranted(_), Some(Fault::SharesUncounted)) => None,
        (Fact::SessionStarted(started), Some(Fault::OffByOne)) => {
            let mut started = started.as_ref().clone();
            let limits = &mut started.settings.limits;
            for cap in [&mut limits.caps.turn, &mut limits.caps.session] {
                for measure in bowline_core::Measure::ALL {
                    let limit = cap.on_mut(measure);
                    *limit = limit.map(|limit| limit + 1);
                }
            }
            let fact = Fact::SessionStarted(Box::new(started));
            Some(Event::new(event.at_ms, fact))
        }
        _ => Some(event.clone()),
    };
    match fault {
        Some(Fault::SharesUncounted | Fault::OffByOne) => events
            .iter()
            .filter_map(change)
            .fold(State::new(), |state, event| apply(state, &event)),
        _ => state.clone(),
    }
}

pub(super) fn reserve(
    fault: Option<Fault>,
    state: &State,
    events: &[Event],
    ask: NewAsk,
) -> Result<Fact, Overdrawn> {
    engine::reserve(&seen_as(fault, state, events), ask)
}

pub(super) fn share(
    fault: Option<Fault>,
    state: &State,
    events: &[Event],
    child: SessionId,
    call: CallId,
    need: &ShareNeed,
) -> Result<Fact, NotShareable> {
    let made = engine::share(&seen_as(fault, state, events), child, call, need)?;
    let Fact::ShareGranted(mut granted) = made else {
        return Ok(made);
    };
    if fault == Some(Fault::SharesUncounted) {
        // It knows what this child has, but counts it for nothing.
        let has = state.shares().get(&child).map(|share| share.amounts);
        granted.share = has.unwrap_or_default().plus(&granted.share);
    }
    Ok(Fact::ShareGranted(granted))
}
