//! What has to be done next: a pure function of the state.

use super::loops::{self, Found};
use super::order::may_start;
use super::{AskModel, Work};
use crate::amounts::{Amounts, CapScope, Measure, grouped};
use crate::event::ReplyStop;
use crate::spec::ReplayClass;
use crate::state::{AnswerVerdict, CallPhase, CallState, OpenStep, State, Turn};
use crate::usage::StopReason;

/// The work outstanding, in the order it should be begun. Empty when the session rests or is
/// paused, or when everything outstanding is under way in the current epoch.
#[must_use]
pub fn due(state: &State) -> Vec<Work> {
    if state.begun.is_none() || state.paused_by.is_some() {
        return Vec::new();
    }
    let orphans: Vec<Work> = state
        .orphans()
        .map(|child| Work::SettleShare { child })
        .collect();
    if !orphans.is_empty() {
        return orphans;
    }
    if let Some(attempt) = &state.attempt {
        return if attempt.reserved.epoch() < state.epoch {
            vec![Work::ReconcileAttempt {
                attempt: attempt.reserved.attempt(),
            }]
        } else {
            Vec::new()
        };
    }
    if goes_on_compacting(state) {
        return vec![Work::Compact];
    }
    let Some(turn) = &state.turn else {
        return if state.has_prompt() {
            vec![Work::BeginTurn]
        } else {
            Vec::new()
        };
    };
    match &state.step {
        Some(step) => due_in_step(state, turn, step),
        None => vec![due_between_steps(state, turn)],
    }
}

/// Whether a conversation that is being made shorter is next. Calls under way come first, and what
/// can be done about them; a turn that is to stop stops.
fn goes_on_compacting(state: &State) -> bool {
    if state.compaction.is_none() || state.overrun.is_some() {
        return false;
    }
    let Some(turn) = &state.turn else {
        return true;
    };
    if turn.is_stopping() {
        return false;
    }
    let Some(step) = &state.step else {
        return true;
    };
    due_in_step(state, turn, step)
        .iter()
        .all(|work| matches!(work, Work::Wait { .. }))
        && !step
            .calls
            .iter()
            .any(|open| matches!(open.phase, CallPhase::Started(..)))
}

fn due_in_step(state: &State, turn: &Turn, step: &OpenStep) -> Vec<Work> {
    let mut work = Vec::new();
    let mut questions = Vec::new();
    let mut parked = Vec::new();
    let mut running = false;
    let mut room = state.tool_calls_left();
    for (index, open) in step.calls.iter().enumerate() {
        let call = open.call.id;
        match &open.phase {
            CallPhase::Closed(_) => {}
            CallPhase::Started(_, started) if started.epoch() < state.epoch => {
                if started.class() == ReplayClass::Free && !turn.is_stopping() {
                    work.push(Work::RunTool { call });
                } else {
                    work.push(Work::Reconcile { call });
                }
            }
            CallPhase::Started(..) => running = true,
            _ if turn.is_stopping() || state.overrun.is_some() => {}
            // Nobody is asked about a call that cannot run any more.
            _ if open.tries == 0 && room == Some(0) => {}
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
                    if open.tries == 0 {
                        room = room.map(|room| room.saturating_sub(1));
                    }
                }
            }
        }
    }
    if !work.is_empty() || running {
        return work;
    }
    if let Some(end) = stopped(state, turn) {
        return vec![end];
    }
    if room == Some(0) && step.calls.iter().any(CallState::is_untried) {
        return vec![Work::EndTurn {
            stop: StopReason::Budget,
            detail: state.tool_calls_excess(),
        }];
    }
    vec![Work::Wait {
        decisions: questions,
        parked,
    }]
}

/// The end of a turn that somebody or something stopped.
fn stopped(state: &State, turn: &Turn) -> Option<Work> {
    let (stop, detail) = match (&turn.cancelled_by, &turn.out_of_time, &state.overrun) {
        (Some(by), _, _) => (StopReason::Cancelled, format!("cancelled by {by}")),
        (_, Some(detail), _) | (_, _, Some(detail)) => (StopReason::Budget, detail.clone()),
        (None, None, None) => return None,
    };
    Some(Work::EndTurn {
        stop,
        detail: Some(detail),
    })
}

fn due_between_steps(state: &State, turn: &Turn) -> Work {
    if let Some(end) = stopped(state, turn) {
        return end;
    }
    let end = |stop, detail| Work::EndTurn { stop, detail };
    match turn.last_reply {
        Some(ReplyStop::Length) => {
            if let Some(tokens) = turn.budget_cut_tokens {
                let detail = format!(
                    "the reply was cut at {} tokens: the budget did not allow a longer one",
                    grouped(tokens)
                );
                return end(StopReason::Budget, Some(detail));
            }
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
    let max_steps = state.limits().max_steps;
    if turn.steps >= max_steps {
        let detail = format!("{} steps taken, the limit set by --max-steps", turn.steps);
        return end(StopReason::StepLimit, Some(detail));
    }
    match loops::find(turn, state.limits().loops) {
        Some(Found::Tell(noticed)) => return Work::Nudge(Box::new(noticed)),
        Some(Found::Stop(detail)) => return end(StopReason::LoopDetected, Some(detail)),
        None => {}
    }
    // Whether the budget allows it is found out when it is set aside.
    Work::AskModel(AskModel {
        try_number: turn.failed_attempts + 1,
        not_before_ms: turn.not_before_ms,
        pause_ms: turn.pause_ms,
    })
}

impl State {
    /// Whether a person's words wait; notices alone do not start work.
    fn has_prompt(&self) -> bool {
        self.queue
            .iter()
            .any(|input| *input.text.origin() == crate::Origin::Person)
    }

    /// How many more calls the caps of this session allow to be started; `None` without a cap.
    fn tool_calls_left(&self) -> Option<u64> {
        let limits = self.limits();
        let left = CapScope::OWN.into_iter().filter_map(|scope| {
            limits
                .cap(scope)
                .left(Measure::ToolCalls, &self.taken(scope))
        });
        left.min()
    }

    fn tool_calls_excess(&self) -> Option<String> {
        let limits = self.limits();
        let one = Amounts {
            tool_calls: 1,
            ..Amounts::ZERO
        };
        CapScope::OWN.into_iter().find_map(|scope| {
            let excess = limits.cap(scope).excess(&self.taken(scope), &one)?;
            Some(excess.sentence(scope))
        })
    }
}
