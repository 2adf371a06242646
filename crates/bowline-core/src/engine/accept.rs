//! What a person or client asks becomes facts, or a refusal.

use crate::command::{Ask, Command, Refusal};
use crate::decision::Verdict;
use crate::event::{
    BlocksDropped, CancelRequested, DecisionAnswered, Fact, PromptAccepted, SettingsChanged,
};
use crate::state::State;

/// Judges a command against the state.
///
/// # Errors
/// A [`Refusal`] says why nothing happens; the session is unharmed.
pub fn accept(state: &State, command: Command) -> Result<Vec<Fact>, Refusal> {
    let Command { key, ask } = command;
    if state.begun.is_none() {
        return Err(Refusal::NotBegun);
    }
    if state.knows_key(&key) {
        return Err(Refusal::AlreadyAccepted { key });
    }
    let fact = match ask {
        Ask::Prompt { text, images } => Fact::PromptAccepted(PromptAccepted { key, text, images }),
        Ask::Answer {
            verdict: Verdict::Ask,
            ..
        } => return Err(Refusal::NotAnAnswer),
        Ask::Answer {
            decision,
            verdict,
            scope,
            by,
            note,
        } => {
            if !state.waiting().any(|(_, open)| open.id == decision) {
                return Err(Refusal::NoSuchQuestion { decision });
            }
            Fact::DecisionAnswered(DecisionAnswered {
                key,
                decision,
                verdict,
                scope,
                by,
                note,
            })
        }
        Ask::Cancel { by } => match &state.turn {
            Some(turn) if turn.cancelled_by.is_none() => {
                Fact::CancelRequested(CancelRequested { key, by })
            }
            _ => return Err(Refusal::NothingRunning),
        },
        Ask::Change { settings, by } => {
            let model = settings.model.clone();
            let change = Fact::SettingsChanged(Box::new(SettingsChanged { key, settings, by }));
            let blocks = state.foreign_blocks(&model);
            let dropped = BlocksDropped { model, blocks };
            let dropped = (blocks > 0).then_some(Fact::BlocksDropped(dropped));
            return Ok(std::iter::once(change).chain(dropped).collect());
        }
    };
    Ok(vec![fact])
}
