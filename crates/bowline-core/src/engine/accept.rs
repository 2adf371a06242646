//! What a person or client asks becomes facts, or a refusal.

use serde_json::Value;

use crate::command::{Ask, Command, Refusal};
use crate::context::{ContextText, Origin, caps};
use crate::decision::{Decision, Verdict};
use crate::event::{
    BlocksDropped, CancelRequested, DecisionAnswered, Fact, NoticeAdded, PromptAccepted,
    QuestionAnswered, SettingsChanged,
};
use crate::id::DecisionId;
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
        Ask::Prompt {
            text,
            images,
            output_schema,
        } => {
            let prompt = PromptAccepted {
                key,
                text,
                images,
                output_schema,
            };
            return Ok(prompted(prompt));
        }
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
            if open(state, decision)?.question().is_some() && verdict == Verdict::Allow {
                return Err(Refusal::WantsAnAnswer { decision });
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
        Ask::Reply { decision, text, by } => {
            if open(state, decision)?.question().is_none() {
                return Err(Refusal::WantsAVerdict { decision });
            }
            Fact::QuestionAnswered(QuestionAnswered {
                key,
                decision,
                answer: text,
                by,
            })
        }
        Ask::Cancel { by } => match &state.turn {
            Some(turn) if turn.cancelled_by.is_none() => {
                Fact::CancelRequested(CancelRequested { key, by })
            }
            _ => return Err(Refusal::NothingRunning),
        },
        Ask::Change { settings, by } => {
            return Ok(changed(state, SettingsChanged { key, settings, by }));
        }
    };
    Ok(vec![fact])
}

/// A prompt, and what the model is told of the schema that goes with it.
fn prompted(prompt: PromptAccepted) -> Vec<Fact> {
    let told = prompt.output_schema.as_ref().map(schema_notice);
    let told = told.map(|text| Fact::NoticeAdded(NoticeAdded { text }));
    std::iter::once(Fact::PromptAccepted(prompt))
        .chain(told)
        .collect()
}

/// A change of settings, and what a change of model takes out of the conversation.
fn changed(state: &State, change: SettingsChanged) -> Vec<Fact> {
    let model = change.settings.model.clone();
    let blocks = state.foreign_blocks(&model);
    let dropped = BlocksDropped { model, blocks };
    let dropped = (blocks > 0).then_some(Fact::BlocksDropped(dropped));
    std::iter::once(Fact::SettingsChanged(Box::new(change)))
        .chain(dropped)
        .collect()
}

/// The open decision of this id.
fn open(state: &State, decision: DecisionId) -> Result<&Decision, Refusal> {
    let mut waiting = state.waiting().map(|(_, open)| open);
    waiting
        .find(|open| open.id == decision)
        .ok_or(Refusal::NoSuchQuestion { decision })
}

/// What the model is told of a schema, as it goes with the prompt.
fn schema_notice(schema: &Value) -> ContextText {
    let text = format!(
        "The final answer of this turn is read by a program. Work as usual; then answer with one \
         JSON value that fits this JSON Schema, and nothing else: no words around it.\n{schema}"
    );
    ContextText::admit(Origin::Harness, text, caps::OUTPUT_SCHEMA_BYTES, None)
}
