//! What is said in a repaired session: to the model, and of calls that may have run unrecorded.

use std::path::Path;

use bowline_core::event::{CallInDoubt, CallRejected};
use bowline_core::state::{CallPhase, CallState};
use bowline_core::{ContextText, Event, Fact, ReplayClass, Seq, State};
use bowline_journal::Damage;

/// The events that a repair adds to what is intact of a journal; `spool` is the session's spool
/// folder. Calls that had not started by the kept records may have been started by the lost ones,
/// and a started one whose keeper's records are gone may have ended by the lost ones: none of them
/// is run again by itself.
#[must_use]
pub fn told(damage: &Damage, state: &State, spool: &Path, at_ms: u64) -> Vec<Event> {
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
    let doubted = without_records(state, spool).map(|open| {
        Fact::CallInDoubt(CallInDoubt {
            call: open.call.id,
            why: "the record of its end was lost with a part of the journal".to_owned(),
            told: ContextText::notice(
                "This call was started. The record of what became of it was lost with a part of \
                 this session's journal: it may have run wholly, in part or not at all. Look at \
                 what it would have changed before you repeat it.",
            ),
        })
    });
    let facts = closed.chain(doubted).chain([Fact::notice(notice(damage))]);
    facts.map(|fact| Event::new(at_ms, fact)).collect()
}

/// The started calls of which no keeper tells any more. Where records are missing only because
/// nothing began, that was proven by a record that may be lost, too.
pub fn without_records<'a>(
    state: &'a State,
    spool: &'a Path,
) -> impl Iterator<Item = &'a CallState> {
    let calls = state.step().into_iter().flat_map(|step| &step.calls);
    calls.filter(|open| match &open.phase {
        CallPhase::Started(_, started) => {
            let may_repeat = started.class() == ReplayClass::Free;
            let records = started.spool().map(|name| spool.join(name));
            !may_repeat && records.is_some_and(|folder| !folder.exists())
        }
        _ => false,
    })
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
