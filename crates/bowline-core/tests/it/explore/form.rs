//! What of a state counts when two are compared.

use bowline_core::state::CallPhase;
use bowline_core::{Origin, State};

use super::{Node, Small};

/// A state without times, texts, ids and absolute epochs, with what the onlooker's book says of it.
/// What is under a cap counts in tokens, since what is due depends on them.
pub(super) fn form(node: &Node, small: &Small<'_>) -> Vec<u8> {
    let Node { state, book } = node;
    let mut form = vec![
        book.crashes,
        book.commands,
        book.failures,
        u8::from(book.asking.is_some()),
        u8::from(state.paused_by().is_some()),
        u8::from(state.grant(&crate::world::request().digest()).is_some()),
        u8::try_from(state.steps()).unwrap_or(u8::MAX),
        u8::try_from(state.last_turn().0).unwrap_or(u8::MAX),
        u8::from(has_prompt(state)),
        u8::from(state.holds_signal(super::moves::SIGNAL)),
        u8::try_from(state.in_doubt().len()).unwrap_or(u8::MAX),
    ];
    form.extend(book.form());
    if let Some(turn) = state.turn() {
        form.extend([
            1 + u8::from(turn.cancelled_by.is_some()),
            u8::try_from(turn.failed_attempts).unwrap_or(u8::MAX),
            u8::from(turn.gave_up),
            turn.last_reply.map_or(0, |stop| 1 + stop as u8),
            u8::from(turn.wants_more),
        ]);
    }
    if let Some(open) = state.attempt() {
        form.push(10 + u8::from(open.reserved.epoch() < state.epoch()));
    }
    for open in state.step().into_iter().flat_map(|step| &step.calls) {
        let id = open.call.id;
        let phase = match &open.phase {
            CallPhase::Proposed => 20,
            CallPhase::Waiting(_) => 21,
            CallPhase::Allowed(_) => 22,
            CallPhase::Parked(_) => 23,
            CallPhase::Started(_, started) => 24 + u8::from(started.epoch() < state.epoch()),
            CallPhase::Closed(_) => 26,
        };
        form.extend([
            phase,
            u8::from(open.park.is_some()),
            u8::from(book.running.contains(&id)),
            book.starts.get(&id).copied().unwrap_or(0),
            u8::from(book.ended.contains(&id)),
        ]);
    }
    if small.cap.is_some() {
        form.extend(state.ledger().spent.total_tokens().to_le_bytes());
        form.extend((state.history().len() + state.queued().len()).to_le_bytes());
    }
    form
}

fn has_prompt(state: &State) -> bool {
    let mut queued = state.queued().iter();
    queued.any(|input| *input.text.origin() == Origin::Person)
}
