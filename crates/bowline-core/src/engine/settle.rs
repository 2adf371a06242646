//! What a model call cost, once it is over: recorded with its outcome.

use super::RAISE;
use crate::State;
use crate::amounts::Amounts;
use crate::event::{
    AttemptFailed, AttemptReserved, Fact, ModelReplied, Purpose, ReplyStop, UsageOverran,
};
use crate::failure::{FailureKind, ProviderFailure};
use crate::price::Price;
use crate::state::{OpenAttempt, REQUEST_OVERHEAD_TOKENS};
use crate::usage::Usage;

/// The facts that a complete reply comes to: what it is charged, and whether the provider reported
/// more than could be. A reply that was cut at a limit which can be raised counts as a failed try
/// instead, and is asked for again with more room.
#[must_use]
pub fn replied(state: &State, mut replied: ModelReplied) -> Vec<Fact> {
    let Some(open) = open(state, replied.attempt) else {
        return vec![Fact::ModelReplied(Box::new(replied))];
    };
    let usage = replied.usage;
    if let Some(usage) = usage
        && open.reserved.purpose() == Purpose::Step
        && replied.stop == ReplyStop::Length
        && can_be_longer(state, open, &usage)
    {
        let mut failure = ProviderFailure::new(
            FailureKind::CutShort,
            format!(
                "the reply was cut at the {} tokens that were set aside for it; it is asked for \
                 again with more room",
                usage.output_tokens
            ),
        );
        failure.usage = Some(usage);
        return failed(
            state,
            AttemptFailed {
                attempt: replied.attempt,
                failure,
                retry_in_ms: Some(0),
                charged: None,
            },
        );
    }
    let mut charged = match &usage {
        Some(usage) => cost(open.price.as_ref(), usage),
        None => open.reserved.worst(),
    };
    charged.steps = 1;
    replied.charged = Some(charged);
    let overran = overran(state, open, usage.as_ref());
    std::iter::once(Fact::ModelReplied(Box::new(replied)))
        .chain(overran)
        .collect()
}

/// The facts that a failed try comes to: what it is charged, and whether the provider reported
/// more than could be.
#[must_use]
pub fn failed(state: &State, mut failed: AttemptFailed) -> Vec<Fact> {
    let Some(open) = open(state, failed.attempt) else {
        return vec![Fact::AttemptFailed(failed)];
    };
    let failure = &failed.failure;
    failed.charged = Some(charge_of_failure(
        &open.reserved,
        open.price.as_ref(),
        failure,
    ));
    let overran = overran(state, open, failure.usage.as_ref());
    std::iter::once(Fact::AttemptFailed(failed))
        .chain(overran)
        .collect()
}

/// What a failed try is charged: what it used where that is known, all that was set aside where
/// the provider may have written on, nothing where it cannot have begun.
pub(super) fn charge_of_failure(
    reserved: &AttemptReserved,
    price: Option<&Price>,
    failure: &ProviderFailure,
) -> Amounts {
    match &failure.usage {
        Some(usage) if failure.kind.came_to_an_end() => cost(price, usage),
        // What was told before the end is not all of it.
        Some(usage) if failure.kind.may_have_cost() => {
            reserved.worst().at_least(&cost(price, usage))
        }
        Some(usage) => cost(price, usage),
        None if failure.kind.may_have_cost() => reserved.worst(),
        None => Amounts::ZERO,
    }
}

fn open(state: &State, attempt: crate::AttemptId) -> Option<&OpenAttempt> {
    let open = state.attempt.as_ref()?;
    (open.reserved.attempt() == attempt).then_some(open)
}

fn cost(price: Option<&Price>, usage: &Usage) -> Amounts {
    Amounts {
        cost_micro_usd: price.map_or(0, |price| price.cost_micro_usd(usage)),
        ..Amounts::tokens(usage)
    }
}

/// Whether a reply that was cut was cut by the limit it was asked for with, and may be asked for
/// again with a higher one: the model gives longer ones and the budget pays for one.
fn can_be_longer(state: &State, open: &OpenAttempt, usage: &Usage) -> bool {
    let Some(asked) = open.reserved.max_output_tokens() else {
        return false;
    };
    let tries = state.turn.as_ref().map_or(0, |turn| turn.failed_attempts);
    let wanted = asked.saturating_mul(RAISE).min(state.reply_tokens_max());
    usage.output_tokens >= asked
        && wanted > asked
        && tries + 1 < crate::failure::MAX_ATTEMPTS
        && state.affordable_after(&cost(open.price.as_ref(), usage), usage.input_tokens)
            >= wanted.min(asked.saturating_mul(2))
}

fn overran(state: &State, open: &OpenAttempt, usage: Option<&Usage>) -> Option<Fact> {
    let reported = cost(open.price.as_ref(), usage?);
    let reserved = open.reserved.worst();
    let more = reported.minus(&reserved);
    (!more.is_zero()).then(|| {
        Fact::UsageOverran(UsageOverran {
            attempt: open.reserved.attempt(),
            reserved,
            reported,
            stops: has_stakes(state, open) || is_impossible(open, &reserved, &reported),
        })
    })
}

/// Whether what a provider reports is paid for with money, or held against a cap that a person set.
fn has_stakes(state: &State, open: &OpenAttempt) -> bool {
    let limits = state.limits();
    let is_default = matches!(
        limits.max_tokens,
        None | Some(crate::Limits::DEFAULT_MAX_TOKENS)
    );
    open.price.is_some() || !is_default || !limits.caps.is_empty() || limits.share.is_some()
}

/// Whether no tokenizer can have counted so much: a token has at least a byte.
fn is_impossible(open: &OpenAttempt, reserved: &Amounts, reported: &Amounts) -> bool {
    let bytes = open.reserved.size().map_or(0, |size| size.bytes);
    let most = bytes.saturating_add(REQUEST_OVERHEAD_TOKENS);
    reported.output_tokens > reserved.output_tokens
        || reported.input_tokens > most.max(reserved.input_tokens)
}
