//! What has to be done next: a pure function of the state.

use super::order::may_start;
use super::{AskModel, BYTES_PER_TOKEN, DEFAULT_REPLY_TOKENS, MIN_REPLY_TOKENS, Work};
use crate::event::ReplyStop;
use crate::message::Input;
use crate::spec::ReplayClass;
use crate::state::{AnswerVerdict, CallPhase, OpenStep, State, Turn};
use crate::usage::StopReason;

/// The work outstanding, in the order it should be begun. Empty when the session rests or is
/// paused, or when everything outstanding is under way in the current epoch.
#[must_use]
pub fn due(state: &State) -> Vec<Work> {
    if state.begun.is_none() || state.paused_by.is_some() {
        return Vec::new();
    }
    let Some(turn) = &state.turn else {
        return if state.has_prompt() {
            vec![Work::BeginTurn]
        } else {
            Vec::new()
        };
    };
    if let Some(attempt) = &state.attempt {
        return if attempt.reserved.epoch() < state.epoch {
            vec![Work::ReconcileAttempt {
                attempt: attempt.reserved.attempt(),
            }]
        } else {
            Vec::new()
        };
    }
    match &state.step {
        Some(step) => due_in_step(state, turn, step),
        None => vec![due_between_steps(state, turn)],
    }
}

fn due_in_step(state: &State, turn: &Turn, step: &OpenStep) -> Vec<Work> {
    let mut work = Vec::new();
    let mut questions = Vec::new();
    let mut parked = Vec::new();
    let mut running = false;
    for (index, open) in step.calls.iter().enumerate() {
        let call = open.call.id;
        match &open.phase {
            CallPhase::Closed(_) => {}
            CallPhase::Started(_, started) if started.epoch() < state.epoch => {
                if started.class() == ReplayClass::Free && turn.cancelled_by.is_none() {
                    work.push(Work::RunTool { call });
                } else {
                    work.push(Work::Reconcile { call });
                }
            }
            CallPhase::Started(..) => running = true,
            _ if turn.cancelled_by.is_some() => {}
            CallPhase::Proposed => work.push(Work::Decide { call }),
            CallPhase::Waiting(decision) => questions.push(decision.id),
            CallPhase::Parked(_) => parked.push(call),
            CallPhase::Allowed(decision) if decision.wait().is_some() => {
                if may_start(&step.calls[..index], decision) {
                    work.push(Work::Park { call });
                }
            }
            CallPhase::Allowed(decision) => {
                if may_start(&step.calls[..index], decision) {
                    work.push(Work::RunTool { call });
                }
            }
        }
    }
    if !work.is_empty() || running {
        return work;
    }
    if let Some(by) = &turn.cancelled_by {
        return vec![cancelled(by)];
    }
    vec![Work::Wait {
        decisions: questions,
        parked,
    }]
}

fn cancelled(by: &str) -> Work {
    Work::EndTurn {
        stop: StopReason::Cancelled,
        detail: Some(format!("cancelled by {by}")),
    }
}

fn due_between_steps(state: &State, turn: &Turn) -> Work {
    if let Some(by) = &turn.cancelled_by {
        return cancelled(by);
    }
    let end = |stop, detail| Work::EndTurn { stop, detail };
    match turn.last_reply {
        Some(ReplyStop::Length) => {
            return end(
                StopReason::Length,
                Some("the reply reached its output limit".to_owned()),
            );
        }
        Some(ReplyStop::Refused) => {
            return end(
                StopReason::Refused,
                Some("the provider refused the content".to_owned()),
            );
        }
        Some(ReplyStop::Finished) if !turn.wants_more && !state.has_prompt() => {
            match turn.demand.as_ref().map(|demand| &demand.verdict) {
                None | Some(AnswerVerdict::Fits) => return end(StopReason::Done, None),
                Some(AnswerVerdict::Unchecked) => return Work::CheckAnswer,
                Some(AnswerVerdict::GaveUp(why)) => {
                    return end(StopReason::AnswerInvalid, Some(why.clone()));
                }
                Some(AnswerVerdict::AskAgain) => {}
            }
        }
        _ => {}
    }
    if turn.gave_up {
        let detail = turn.failure.as_ref().map(|failure| failure.message.clone());
        return end(StopReason::ProviderFailed, detail);
    }
    let limits = state.limits();
    if turn.steps >= limits.max_steps {
        let detail = format!("{} steps taken, the limit set by --max-steps", turn.steps);
        return end(StopReason::StepLimit, Some(detail));
    }
    match reservation(state) {
        Ok((reserve_tokens, max_output_tokens)) => Work::AskModel(AskModel {
            try_number: turn.failed_attempts + 1,
            reserve_tokens,
            max_output_tokens,
            not_before_ms: turn.not_before_ms,
            pause_ms: turn.pause_ms,
        }),
        Err(detail) => end(StopReason::Budget, Some(detail)),
    }
}

/// Tokens to set aside and the longest reply to ask for, or why the budget does not allow a call.
pub(super) fn reservation(state: &State) -> Result<(u64, Option<u64>), String> {
    let limits = state.limits();
    let prompt = state.prompt_tokens_estimate();
    let wish = limits.max_output_tokens.unwrap_or(DEFAULT_REPLY_TOKENS);
    let Some(cap) = limits.max_tokens else {
        return Ok((prompt + wish, limits.max_output_tokens));
    };
    let left = cap.saturating_sub(state.ledger.charged_tokens);
    let reply = left.saturating_sub(prompt).min(wish);
    if reply < MIN_REPLY_TOKENS.min(wish) {
        return Err(format!(
            "{} of {cap} tokens used; the next call needs about {prompt} and room for a reply: \
             raise --max-tokens to go on",
            state.ledger.charged_tokens
        ));
    }
    Ok((prompt + reply, Some(reply)))
}

impl State {
    fn limits(&self) -> crate::Limits {
        self.begun
            .as_ref()
            .map(|begun| begun.settings.limits.clone())
            .unwrap_or_default()
    }

    /// Whether a person's words wait; notices alone do not start work.
    fn has_prompt(&self) -> bool {
        self.queue
            .iter()
            .any(|input| *input.text.origin() == crate::Origin::Person)
    }

    fn prompt_tokens_estimate(&self) -> u64 {
        let frozen = self.begun.as_ref().map_or(0, |begun| begun.prompt_bytes);
        let queued: u64 = self.queue.iter().map(Input::weight_bytes).sum();
        (frozen + queued + self.history_bytes).div_ceil(BYTES_PER_TOKEN)
    }
}
