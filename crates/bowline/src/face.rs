//! How a run is shown: text for people, one object, or one object a line.

mod blobs;
mod json;
mod outlet;
mod schema;
mod sheet;
pub mod shorter;
mod text;

pub use blobs::BlobFolder;
pub use outlet::Outlet;
pub use schema::{context_schema, session_schema, stream_schema};
pub use sheet::Sheet;

use std::collections::BTreeMap;

use bowline_core::action::{Choice, Question};
use bowline_core::state::CallPhase;
use bowline_core::{CallId, State};
use bowline_runtime::Face;

use crate::args::Output;
use crate::failure::Failure;
use crate::print;

/// Who shows an open question to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The face, in passing.
    Face,
    /// The dialogue at the terminal, when it asks.
    Terminal,
}

/// The face for an output form, and what must be settled at the end, if anything. `state` is how
/// the session stands before anything of it is shown.
///
/// # Errors
/// When the system gives no thread to write from.
pub fn make(
    output: Output,
    asker: Asker,
    state: &State,
) -> Result<(Box<dyn Face>, Option<Outlet>), Failure> {
    Ok(match output {
        Output::Text => (Box::new(text::Text::new(asker, essences(state))), None),
        Output::Json => (Box::new(json::Json), None),
        Output::StreamJson => {
            let outlet = Outlet::start(std::io::stdout())
                .map_err(|error| Failure::stopped(format!("cannot start: {error}")))?;
            (Box::new(json::Lines::new(outlet.inlet())), Some(outlet))
        }
    })
}

/// What the open calls of a session would do, in a line each: a face that comes later has not seen
/// their decisions.
fn essences(state: &State) -> BTreeMap<CallId, String> {
    let calls = state.step().into_iter().flat_map(|step| &step.calls);
    let known = calls.filter_map(|open| match &open.phase {
        CallPhase::Waiting(decision)
        | CallPhase::Allowed(decision)
        | CallPhase::Parked(decision)
        | CallPhase::Started(decision, _) => Some((open.call.id, decision.essence.clone())),
        CallPhase::Proposed | CallPhase::Closed(_) => None,
    });
    known.collect()
}

/// The choices of a question with their numbers, a line each.
pub fn choices(question: Option<&Question>) -> Vec<(usize, String)> {
    let choices = question.map_or(&[][..], |question| &question.choices);
    let line = |choice: &Choice| match &choice.description {
        Some(description) => format!("{} ({description})", choice.label),
        None => choice.label.clone(),
    };
    (1..).zip(choices.iter().map(line)).collect()
}

/// Waits until everything shown was read, or nobody reads any more. Interrupts are heard
/// meanwhile.
pub async fn settle(outlet: Option<Outlet>) {
    let Some(outlet) = outlet else { return };
    let closed = tokio::task::spawn_blocking(move || outlet.close()).await;
    if let Ok(Some(error)) = closed {
        print::not_written(&error);
    }
}
