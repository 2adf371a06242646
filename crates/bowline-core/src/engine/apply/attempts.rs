//! Folding model calls: what is set aside for one, and what it came to.

use super::{close_step_if_complete, place_words, worked};
use crate::amounts::Amounts;
use crate::engine::RAISE;
use crate::engine::settle::charge_of_failure;
use crate::event::{AttemptFailed, AttemptReserved, ModelReplied, Purpose, ReplyStop};
use crate::failure::FailureKind;
use crate::plan::{Sent, SentBlocks};
use crate::state::{
    AnswerVerdict, CallPhase, CallState, Demand, OpenAttempt, OpenStep, State, SummaryReply, Turn,
};

pub(super) fn reserve(state: &mut State, reserved: &AttemptReserved) -> bool {
    if reserved.purpose() == Purpose::Summary {
        return reserve_summary(state, reserved);
    }
    let free = state.attempt.is_none() && state.step.is_none() && reserved.epoch() == state.epoch;
    let (true, Some(turn)) = (free, state.turn.as_mut()) else {
        return false;
    };
    turn.asked = true;
    turn.not_before_ms = None;
    turn.pause_ms = None;
    if let Some(schema) = state.next_schema.take() {
        turn.demand = Some(Demand {
            schema,
            repairs: 0,
            verdict: AnswerVerdict::Unchecked,
        });
    }
    // Words that came in while calls ran are placed here: after the results, before the next reply.
    place_words(state);
    remember_sent(state, reserved.sent());
    state.ledger.charge(&worked(reserved.worked_ms()));
    state.attempt = Some(OpenAttempt {
        price: state.price(),
        reserved: reserved.clone(),
    });
    true
}

/// What was not recorded is not known: then the next request has nothing to be held against.
fn remember_sent(state: &mut State, sent: Option<&SentBlocks>) {
    let before = state.sent.take();
    let (Some(sent), Some(begun)) = (sent, &state.begun) else {
        return;
    };
    let weight_bytes = begun.prompt_bytes.saturating_add(state.history_bytes);
    state.sent = Some(Sent::after(before, sent, &begun.settings, weight_bytes));
}

/// A summary is asked for beside the turn: what waits to be told stays in the queue.
fn reserve_summary(state: &mut State, reserved: &AttemptReserved) -> bool {
    let is_now = state.attempt.is_none() && reserved.epoch() == state.epoch;
    let (true, Some(open)) = (is_now, state.compaction.as_mut()) else {
        return false;
    };
    open.asked += 1;
    open.summary = None;
    state.ledger.charge(&worked(reserved.worked_ms()));
    state.attempt = Some(OpenAttempt {
        price: state.price(),
        reserved: reserved.clone(),
    });
    true
}

fn take(state: &mut State, attempt: crate::AttemptId) -> Option<OpenAttempt> {
    state
        .attempt
        .take_if(|open| open.reserved.attempt() == attempt)
}

pub(super) fn fail(state: &mut State, failed: &AttemptFailed, at_ms: u64) -> bool {
    let Some(open) = take(state, failed.attempt) else {
        return false;
    };
    let failure = &failed.failure;
    state.ledger.usage += failure.usage.unwrap_or_default();
    let charged = failed
        .charged
        .unwrap_or_else(|| charge_of_failure(&open.reserved, open.price.as_ref(), failure));
    state.ledger.charge(&charged);
    if open.reserved.purpose() == Purpose::Summary {
        let came = SummaryReply::Failed {
            passing: failure.kind.is_passing() && failure.kind != FailureKind::TooLong,
            why: failure.message.clone(),
        };
        return take_summary(state, came);
    }
    if failure.kind == FailureKind::TooLong {
        let tokens = state
            .gauge
            .estimate(open.reserved.size().unwrap_or_default());
        state.window_seen = Some(state.window_seen.map_or(tokens, |seen| seen.min(tokens)));
    }
    let Some(turn) = state.turn.as_mut() else {
        return false;
    };
    if failure.kind == FailureKind::CutShort {
        let asked = open.reserved.max_output_tokens().unwrap_or_default();
        turn.reply_wanted = asked.saturating_mul(RAISE);
    }
    turn.failed_attempts += 1;
    turn.failure = Some(failure.clone());
    turn.gave_up = failed.retry_in_ms.is_none();
    turn.pause_ms = failed.retry_in_ms;
    turn.not_before_ms = failed.retry_in_ms.map(|pause| at_ms.saturating_add(pause));
    true
}

pub(super) fn reply(state: &mut State, replied: &ModelReplied) -> bool {
    let Some(open) = take(state, replied.attempt) else {
        return false;
    };
    if open.reserved.purpose() == Purpose::Summary {
        return reply_summary(state, &open, replied);
    }
    let reply_tokens_max = state.reply_tokens_max();
    let Some(turn) = state.turn.as_mut() else {
        return false;
    };
    let calls: Vec<_> = replied
        .message
        .calls()
        .map(|call| CallState {
            call: call.clone(),
            phase: CallPhase::Proposed,
            tries: 0,
            park: None,
            mark: None,
        })
        .collect();
    let wants_more = !calls.is_empty() && replied.stop == ReplyStop::Finished;
    take_in(turn, replied, wants_more);
    turn.budget_cut_tokens = budget_cut(&open, replied, reply_tokens_max);
    state.last_step = open.reserved.step();
    state.ledger.replies += 1;
    state.ledger.usage += replied.usage.unwrap_or_default();
    state.ledger.charge(&charge(&open, replied));
    if let Some(sent) = &mut state.sent {
        sent.replied(replied.usage);
    }
    if let Some(usage) = &replied.usage {
        state.gauge.learn(open.reserved.size(), usage);
    }
    // A reply that was cut or refused before any word leaves nothing to build on.
    if !replied.message.is_empty() {
        state.step = Some(OpenStep {
            id: open.reserved.step(),
            message: replied.message.clone(),
            calls,
        });
        close_step_if_complete(state);
    }
    true
}

/// A summary is no part of the conversation until it was looked at.
fn reply_summary(state: &mut State, open: &OpenAttempt, replied: &ModelReplied) -> bool {
    state.ledger.replies += 1;
    state.ledger.usage += replied.usage.unwrap_or_default();
    state.ledger.charge(&charge(open, replied));
    if let Some(usage) = &replied.usage {
        state.gauge.learn_rate(open.reserved.size(), usage);
    }
    let came = match replied.stop {
        ReplyStop::Finished => SummaryReply::Said(replied.message.text()),
        ReplyStop::Length => SummaryReply::Cut,
        ReplyStop::Refused => SummaryReply::Failed {
            passing: false,
            why: "the provider refused the content".to_owned(),
        },
    };
    take_summary(state, came)
}

fn take_summary(state: &mut State, came: SummaryReply) -> bool {
    let open = state.compaction.as_mut();
    open.map(|open| open.summary = Some(came)).is_some()
}

fn take_in(turn: &mut Turn, replied: &ModelReplied, wants_more: bool) {
    turn.steps += 1;
    turn.failed_attempts = 0;
    turn.failure = None;
    turn.reply_wanted = 0;
    if let Some(demand) = &mut turn.demand {
        demand.verdict = AnswerVerdict::Unchecked;
    }
    turn.last_reply = Some(replied.stop);
    turn.wants_more = wants_more;
}

/// What is charged for a reply; older records do not say it.
fn charge(open: &OpenAttempt, replied: &ModelReplied) -> Amounts {
    replied.charged.unwrap_or_else(|| Amounts {
        steps: 1,
        ..replied
            .usage
            .as_ref()
            .map_or_else(|| open.reserved.worst(), Amounts::tokens)
    })
}

/// The limit at which a reply was cut, where it is lower than the model's own: then there was no
/// budget for a longer one, or it would have been asked for again.
fn budget_cut(open: &OpenAttempt, replied: &ModelReplied, reply_tokens_max: u64) -> Option<u64> {
    let asked = open.reserved.max_output_tokens()?;
    let written = replied.usage.map(|usage| usage.output_tokens);
    let is_cut = replied.stop == ReplyStop::Length && written >= Some(asked);
    (is_cut && asked < reply_tokens_max).then_some(asked)
}
