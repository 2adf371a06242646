//! The only place where the fact that lets a call run is made.

use crate::call::Check;
use crate::decision::Decision;
use crate::event::{CallStarted, Fact, NewStart};
use crate::id::CallId;
use crate::permit::CallRequest;
use crate::spec::ReplayClass;
use crate::state::{CallPhase, State};
use crate::wait::Until;

/// What is known about a call right before it starts.
#[derive(Debug, Clone, Default)]
pub struct StartFacts {
    /// What to look at after a crash.
    pub checks: Vec<Check>,
    /// The folder of the keeper's records, if it runs under one.
    pub spool: Option<String>,
    /// Which start of the machine this is, if it runs under one.
    pub boot: Option<String>,
}

/// Why a call cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotStartable {
    /// No open call has this id.
    #[error("call {0} is not open")]
    NoSuchCall(CallId),
    /// There is no recorded allow.
    #[error("call {0} has no recorded allow")]
    NotAllowed(CallId),
    /// The request changed since it was decided upon: it must be decided anew.
    #[error("call {0} changed since it was decided upon: it must be decided anew")]
    Changed(CallId),
}

/// Makes the fact that lets one call run: only for a call with a recorded allow, and only while
/// the request is the very one that was decided upon (I4).
///
/// # Errors
/// [`NotStartable`] says why not; nothing has happened.
pub fn start(
    state: &State,
    call: CallId,
    request: &CallRequest,
    facts: StartFacts,
) -> Result<Fact, NotStartable> {
    let open = state.call(call).ok_or(NotStartable::NoSuchCall(call))?;
    let decision = match &open.phase {
        // What waits is parked first; only the command it looks with is ever started.
        CallPhase::Allowed(decision) if decision.wait().is_none() => decision,
        CallPhase::Parked(decision) if looks_by_command(decision) => decision,
        CallPhase::Started(decision, earlier)
            if earlier.class() == ReplayClass::Free && earlier.epoch() < state.epoch =>
        {
            decision
        }
        _ => return Err(NotStartable::NotAllowed(call)),
    };
    let digest = request.digest();
    if digest != decision.digest {
        return Err(NotStartable::Changed(call));
    }
    Ok(Fact::CallStarted(CallStarted::new(NewStart {
        call,
        try_number: open.tries + 1,
        epoch: state.epoch,
        digest,
        class: decision.replay.class,
        checks: facts.checks,
        spool: facts.spool,
        boot: facts.boot,
    })))
}

/// Whether a parked call looks by running a command: nothing else of it is ever started.
fn looks_by_command(decision: &Decision) -> bool {
    let wait = decision.wait();
    wait.is_some_and(|wait| matches!(wait.until, Until::Command { .. }))
}
