//! How a wait begins and ends: facts made by the engine for the driver, who knows the time.

use super::NotStartable;
use crate::event::{CallParked, Fact, WaitEnded};
use crate::id::CallId;
use crate::state::{CallPhase, State};
use crate::wait::{Until, WaitEnd, told};

/// Makes the facts that park an allowed call at `now_ms`, or park it again after a look by its
/// command that said `last`. A signal that came before ends the wait at once.
///
/// # Errors
/// [`NotStartable`] says why not; nothing has happened.
pub fn park(
    state: &State,
    call: CallId,
    now_ms: u64,
    last: Option<String>,
) -> Result<Vec<Fact>, NotStartable> {
    let open = state.call(call).ok_or(NotStartable::NoSuchCall(call))?;
    let (CallPhase::Allowed(decision) | CallPhase::Started(decision, _)) = &open.phase else {
        return Err(NotStartable::NotAllowed(call));
    };
    let wait = decision.wait().ok_or(NotStartable::NotAllowed(call))?;
    let until_ms = match &open.park {
        // The time it has was fixed when it began.
        Some(park) => park.until_ms,
        None => wait.until_ms(now_ms),
    };
    let parked = Fact::CallParked(CallParked {
        call,
        until_ms,
        last,
    });
    let signal = match wait.until {
        Until::Signal => state.signals.get(&wait.name).and_then(|kept| kept.first()),
        _ => None,
    };
    let ended = signal.map(|signal| {
        let park = crate::wait::Park {
            wait: wait.clone(),
            since_ms: now_ms,
            until_ms,
            looks: 0,
            last: None,
        };
        let how = WaitEnd::Signalled;
        let told = told(&park, how, Some(signal));
        Fact::WaitEnded(WaitEnded { call, how, told })
    });
    Ok(std::iter::once(parked).chain(ended).collect())
}

/// Makes the fact that ends the wait of a parked call; `None` when it is not parked.
#[must_use]
pub fn end_wait(state: &State, call: CallId, how: WaitEnd) -> Option<Fact> {
    let (_, _, park) = state.parked().find(|(parked, ..)| *parked == call)?;
    let told = told(park, how, None);
    Some(Fact::WaitEnded(WaitEnded { call, how, told }))
}
