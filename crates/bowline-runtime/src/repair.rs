//! What is said in a repaired session: to the model, and of calls that may have run unrecorded.

use bowline_core::event::CallRejected;
use bowline_core::state::{CallPhase, CallState};
use bowline_core::{ContextText, Event, Fact, Seq, State};
use bowline_journal::Damage;

/// The events that a repair adds to what is intact of a journal. Calls that had not started by the
/// kept records may have been started by the lost ones: none of them is run again by itself.
#[must_use]
pub fn told(damage: &Damage, state: &State, at_ms: u64) -> Vec<Event> {
    let closed = unclear(state).map(|open| {
        Fact::CallRejected(CallRejected {
            call: open.call.id,
            error: ContextText::notice(
                "The record of this session was damaged after this call was asked for. Whether it \
                 ran is unknown, and it is not run again by itself. Look at what it would have \
                 changed before you ask for it again.",
            ),
        })
    });
    let facts = closed.chain([Fact::notice(notice(damage))]);
    facts.map(|fact| Event::new(at_ms, fact)).collect()
}

/// The calls of which the kept records do not tell whether they were started. A question to a person
/// never runs, so it goes on waiting.
pub fn unclear(state: &State) -> impl Iterator<Item = &CallState> {
    let calls = state.step().into_iter().flat_map(|step| &step.calls);
    calls.filter(|open| match &open.phase {
        CallPhase::Proposed | CallPhase::Allowed(_) | CallPhase::Parked(_) => true,
        CallPhase::Waiting(decision) => decision.question().is_none(),
        CallPhase::Started(..) | CallPhase::Closed(_) => false,
    })
}

fn notice(damage: &Damage) -> String {
    let Seq(kept) = damage.kept_seq;
    let lost = match damage.lost_records() {
        0 => "An unknown number of records".to_owned(),
        1 => "At least 1 record".to_owned(),
        count => format!("At least {count} records"),
    };
    format!(
        "The record of this session was damaged and has been repaired. {lost} after event {kept} \
         were lost: what was said and done in them is unknown. Files may have been changed and \
         commands may have run since; look before you rely on the state of anything or repeat \
         anything."
    )
}
