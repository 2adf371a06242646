//! `bowline signal SESSION NAME`: what a session waits for has come; left in its mailbox.

use bowline_core::command::Ask;
use bowline_core::context::caps;
use bowline_core::state::{CallPhase, CallState};
use bowline_core::wait::{NAME_BYTES_MAX, Until};
use bowline_core::{CallId, Command, ContextText, Origin, SessionId, State};
use bowline_journal::mailbox::Put;
use bowline_journal::{Store, mailbox};
use bowline_runtime::Clock;

use super::answer::{ROUTE, how_to_go_on, masked, refuse_under_a_keeper};
use crate::args::Signal;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Runs the command.
pub fn run(args: &Signal) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let name = args.name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Failure::usage(format!(
            "a signal's name has 1 to {NAME_BYTES_MAX} bytes: `bowline inbox` shows what is waited \
             for"
        )));
    }
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let session = store.resolve(&args.session)?;
    let payload = args.payload.as_deref();
    let payload = payload.map(|text| payload_of(text, &places, session));
    let payload = payload.transpose()?;
    let state = store.read_only(session)?.read_intact()?.state();
    let clock = Clock::system();
    let waiting = waiting(&state, name);
    // Derived where a call waits: however many processes signal it, one signal reaches it.
    let key = match waiting {
        Some(call) => format!("signal-{call}"),
        None => format!("signal-{}", clock.new_id()),
    };
    let command = Command {
        key: key.clone(),
        at_ms: Some(clock.now_ms()),
        ask: Ask::Signal {
            name: name.to_owned(),
            payload,
            by: ROUTE.to_owned(),
        },
    };
    let mailbox = store.session_dir(session).mailbox();
    let is_known =
        state.knows_key(&key) || mailbox::put(&mailbox, clock.now_ms(), &command)? == Put::Already;
    let next = how_to_go_on(&store, session)?;
    let said = match (is_known, waiting) {
        (true, _) => format!("`{name}` was signalled before: the first one counts."),
        (false, Some(_)) => format!("signalled: {name}."),
        (false, None) => format!("kept: {name}. {}", others(&state)),
    };
    print::line(&print::clean(&format!("{said} {next}")));
    Ok(0)
}

/// What the model reads with the signal: a JSON value, as it was written.
fn payload_of(text: &str, places: &Places, session: SessionId) -> Result<ContextText, Failure> {
    let text = text.trim();
    if text.len() > caps::TOOL_RESULT_BYTES {
        return Err(Failure::usage(format!(
            "--payload has {} bytes, {} are allowed: name a file in it instead",
            text.len(),
            caps::TOOL_RESULT_BYTES
        )));
    }
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        return Err(Failure::usage(format!(
            "--payload is no JSON value ({error}): a text needs its quotes, as in '\"done\"'"
        )));
    }
    let masked = masked(text, places, session)?;
    let origin = Origin::Person;
    Ok(ContextText::admit(
        origin,
        masked,
        caps::TOOL_RESULT_BYTES,
        None,
    ))
}

/// The call that waits for a signal of this name, or will as soon as it may.
fn waiting(state: &State, name: &str) -> Option<CallId> {
    let waits = |open: &&CallState| {
        let (CallPhase::Waiting(decision)
        | CallPhase::Allowed(decision)
        | CallPhase::Parked(decision)) = &open.phase
        else {
            return false;
        };
        let wait = decision.wait();
        wait.is_some_and(|wait| wait.until == Until::Signal && wait.name == name)
    };
    let calls = state.step()?.calls.iter();
    calls.into_iter().find(waits).map(|open| open.call.id)
}

/// What is said of a signal that nothing waits for.
fn others(state: &State) -> String {
    let parties: Vec<String> = state.parties().map(|party| party.line()).collect();
    let waits = if parties.is_empty() {
        "The session waits for no signal now".to_owned()
    } else {
        format!("The session waits for other things: {}", parties.join("; "))
    };
    format!("{waits}; the next wait of this name ends at once.")
}
