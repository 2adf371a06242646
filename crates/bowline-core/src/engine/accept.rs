//! What a person or client asks becomes facts, or a refusal.

mod waits;

use serde_json::Value;

use crate::command::{Ask, Command, Refusal};
use crate::context::{ContextText, Origin, caps};
use crate::decision::{Decision, Scope, Verdict};
use crate::event::{
    BlocksDropped, CancelRequested, CompactionBegun, CompactionCause, DecisionAnswered, Fact,
    NoticeAdded, PromptAccepted, QuestionAnswered, SettingsChanged,
};
use crate::id::DecisionId;
use crate::kept::ModelPlace;
use crate::settings::Settings;
use crate::state::State;

/// Judges a command against the state.
///
/// # Errors
/// A [`Refusal`] says why nothing happens; the session is unharmed.
pub fn accept(state: &State, command: Command) -> Result<Vec<Fact>, Refusal> {
    let Command { key, at_ms, ask } = command;
    if state.begun.is_none() {
        return Err(Refusal::NotBegun);
    }
    if state.knows_key(&key) {
        return Err(Refusal::AlreadyAccepted { key });
    }
    match ask {
        Ask::Prompt {
            text,
            images,
            output_schema,
            supersede,
        } => {
            let prompt = PromptAccepted {
                key,
                text,
                images,
                output_schema,
            };
            Ok(given(state, prompt, supersede))
        }
        Ask::Answer {
            decision,
            verdict,
            scope,
            by,
            note,
        } => answered(
            state,
            at_ms,
            DecisionAnswered {
                key,
                decision,
                verdict,
                scope,
                by,
                note,
            },
        ),
        Ask::Reply { decision, text, by } => replied(
            state,
            at_ms,
            QuestionAnswered {
                key,
                decision,
                answer: text,
                by,
            },
        ),
        Ask::Cancel { by } => cancelled(state, key, by),
        Ask::Change { settings, by } => {
            let settings = *settings;
            may_ask(state, &settings)?;
            Ok(changed(state, SettingsChanged { key, settings, by }))
        }
        Ask::Signal { name, payload, by } => waits::signalled(state, key, name, payload, by),
        Ask::Settle {
            call,
            happened,
            note,
            by,
        } => waits::settled(state, key, call, happened, note, by),
        Ask::Compact { focus, by } => compact(state, key, focus, by),
        Ask::Pause { by } => waits::paused(state, key, by),
        Ask::Continue { by } => waits::continued(state, key, by),
    }
}

fn cancelled(state: &State, key: String, by: String) -> Result<Vec<Fact>, Refusal> {
    match &state.turn {
        Some(turn) if turn.cancelled_by.is_none() => {
            Ok(vec![Fact::CancelRequested(CancelRequested { key, by })])
        }
        _ => Err(Refusal::NothingRunning),
    }
}

fn compact(
    state: &State,
    key: String,
    focus: Option<String>,
    by: String,
) -> Result<Vec<Fact>, Refusal> {
    if state.compaction.is_some() {
        return Err(Refusal::CompactsAlready);
    }
    Ok(vec![Fact::CompactionBegun(CompactionBegun {
        key,
        cause: CompactionCause::Asked { by },
        focus,
        next_tokens: state.next_tokens(state.size_by_weight()),
    })])
}

fn answered(
    state: &State,
    at_ms: Option<u64>,
    answer: DecisionAnswered,
) -> Result<Vec<Fact>, Refusal> {
    let decision = answer.decision;
    if answer.verdict == Verdict::Ask {
        return Err(Refusal::NotAnAnswer);
    }
    let asked = open(state, decision, at_ms)?;
    if asked.question().is_some() && answer.verdict == Verdict::Allow {
        return Err(Refusal::WantsAnAnswer { decision });
    }
    let said = note_of_allow(asked, &answer);
    Ok(std::iter::once(Fact::DecisionAnswered(answer))
        .chain(said)
        .collect())
}

fn replied(
    state: &State,
    at_ms: Option<u64>,
    answer: QuestionAnswered,
) -> Result<Vec<Fact>, Refusal> {
    let decision = answer.decision;
    if open(state, decision, at_ms)?.question().is_none() {
        return Err(Refusal::WantsAVerdict { decision });
    }
    Ok(vec![Fact::QuestionAnswered(answer)])
}

/// What a person says to a call that may run; to one that may not, it stands in the refusal.
fn note_of_allow(asked: &Decision, answer: &DecisionAnswered) -> Option<Fact> {
    let note = answer
        .note
        .as_ref()
        .filter(|_| answer.verdict == Verdict::Allow)?;
    Some(Fact::notice(format!(
        "A person allowed `{}` and says: {note}",
        asked.essence
    )))
}

/// A denial of one open question, by the prompt that takes its place.
fn denied(key: &str, decision: DecisionId) -> Fact {
    Fact::DecisionAnswered(DecisionAnswered {
        key: format!("{key}-denies-{decision}"),
        decision,
        verdict: Verdict::Deny,
        scope: Scope::Once,
        by: "a new prompt".to_owned(),
        note: Some("a person gave you something else to do.".to_owned()),
    })
}

/// A prompt, after what ends because it takes its place.
fn given(state: &State, prompt: PromptAccepted, supersede: bool) -> Vec<Fact> {
    let mut facts = Vec::new();
    if supersede {
        facts.extend(waits::supersede(state, &prompt.key));
    }
    facts.extend(prompted(prompt));
    facts
}

/// A prompt, and what the model is told of the schema that goes with it.
fn prompted(prompt: PromptAccepted) -> Vec<Fact> {
    let told = prompt.output_schema.as_ref().map(schema_notice);
    let told = told.map(|text| Fact::NoticeAdded(NoticeAdded { text }));
    std::iter::once(Fact::PromptAccepted(prompt))
        .chain(told)
        .collect()
}

/// Whether the model of these settings may be asked with what the session holds.
fn may_ask(state: &State, settings: &Settings) -> Result<(), Refusal> {
    let place = ModelPlace::of(settings);
    let before = state.settings().map(ModelPlace::of);
    if place.is_local() || before.as_ref() == Some(&place) {
        // Where it goes on as it was, each request is held against the rules in force.
        return Ok(());
    }
    let mut kept = state.kept.values();
    match kept.find(|kept| kept.is_in_force(settings)) {
        Some(kept) => Err(Refusal::KeptLocal {
            model: settings.model.to_string(),
            place: place.to_string(),
            kept: kept.clone(),
        }),
        None => Ok(()),
    }
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

/// The open decision of this id, unless an answer of `at_ms` comes too late for it.
fn open(state: &State, decision: DecisionId, at_ms: Option<u64>) -> Result<&Decision, Refusal> {
    let mut waiting = state.waiting().map(|(_, open)| open);
    let asked = waiting
        .find(|open| open.id == decision)
        .ok_or(Refusal::NoSuchQuestion { decision })?;
    if at_ms.is_some_and(|at_ms| asked.has_lapsed(at_ms)) {
        return Err(Refusal::Lapsed { decision });
    }
    Ok(asked)
}

/// What the model is told of a schema, as it goes with the prompt.
fn schema_notice(schema: &Value) -> ContextText {
    let text = format!(
        "The final answer of this turn is read by a program. Work as usual; then answer with one \
         JSON value that fits this JSON Schema, and nothing else: no words around it.\n{schema}"
    );
    ContextText::admit(Origin::Harness, text, caps::OUTPUT_SCHEMA_BYTES, None)
}
