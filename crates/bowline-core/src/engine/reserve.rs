//! Setting budget aside for a model call: its worst case, never less (I10).

use super::{DEFAULT_REPLY_TOKENS, MIN_REPLY_TOKENS, RAISE, UNKNOWN_REPLY_TOKENS_MAX};
use crate::State;
use crate::amounts::{Amounts, Cap, CapScope, Excess, Measure};
use crate::event::{AttemptReserved, Fact, NewAttempt, Purpose};
use crate::id::AttemptId;
use crate::price::Price;
use crate::request::RequestSize;
use crate::settings::{Limits, ReasoningEffort, Settings};

/// A model call that is to be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAsk {
    /// Its attempt.
    pub attempt: AttemptId,
    /// How large its request is; `None` bounds it by what the conversation weighs.
    pub size: Option<RequestSize>,
    /// Its input tokens, if somebody who knows counted them.
    pub counted_tokens: Option<u64>,
    /// Time at work in this turn that was not counted yet, in milliseconds.
    pub worked_ms: u64,
    /// What it is for.
    pub purpose: Purpose,
}

impl NewAsk {
    /// One of which nothing more is known.
    #[must_use]
    pub const fn of(attempt: AttemptId) -> Self {
        Self {
            attempt,
            size: None,
            counted_tokens: None,
            worked_ms: 0,
            purpose: Purpose::Step,
        }
    }
}

/// The budget does not allow another model call. Nothing was set aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Overdrawn {
    /// A cap would be passed.
    #[error("{}", excess.sentence(*scope))]
    Cap {
        /// Over what it reaches.
        scope: CapScope,
        /// By how much.
        excess: Excess,
    },
    /// Money is capped, and nobody knows what the model costs.
    #[error(
        "money is capped and no price is known for {model}: set one with [[models]] in the \
         configuration, or take the cap away"
    )]
    NoPrice {
        /// The model.
        model: String,
    },
    /// The longest reply that is allowed leaves no room for the thinking that is asked for.
    #[error(
        "replies are limited to {limit} tokens and the effort set needs {thinking} for thinking \
         alone: raise max_output_tokens or lower the effort"
    )]
    NoRoomToThink {
        /// The limit in tokens.
        limit: u64,
        /// The tokens for thinking.
        thinking: u64,
    },
}

impl Overdrawn {
    /// Whether it might fit if the input were counted exactly: a cap on tokens or money is in the
    /// way.
    #[must_use]
    pub const fn is_about_tokens(&self) -> bool {
        match self {
            Self::Cap { excess, .. } => matches!(
                excess.measure,
                Measure::InputTokens | Measure::Tokens | Measure::Cost
            ),
            Self::NoPrice { .. } | Self::NoRoomToThink { .. } => false,
        }
    }

    /// Whether it is the part of its parent's budget that does not allow a child more.
    #[must_use]
    pub const fn is_of_share(&self) -> bool {
        matches!(
            self,
            Self::Cap {
                scope: CapScope::Share,
                ..
            }
        )
    }
}

/// Makes the fact that lets one model call be made: sets its worst case aside (I10).
///
/// # Errors
/// [`Overdrawn`] when spent plus reserved would exceed a cap.
pub fn reserve(state: &State, ask: NewAsk) -> Result<Fact, Overdrawn> {
    let (size, input_tokens) = input_of(state, &ask);
    let plan = plan(state, &state.limits(), input_tokens, ask.worked_ms)?;
    let tries = match ask.purpose {
        Purpose::Step => state.turn.as_ref().map_or(0, |turn| turn.failed_attempts),
        Purpose::Summary => state.compaction.as_ref().map_or(0, |open| open.asked),
    };
    Ok(Fact::AttemptReserved(AttemptReserved::new(NewAttempt {
        attempt: ask.attempt,
        step: state.last_step.next(),
        try_number: tries + 1,
        epoch: state.epoch,
        input_tokens: plan.input_tokens,
        output_tokens: plan.output_tokens,
        cost_micro_usd: plan.cost_micro_usd,
        size: Some(size),
        worked_ms: ask.worked_ms,
        purpose: ask.purpose,
    })))
}

/// How large a request is, and a bound on its input tokens.
pub(super) fn input_of(state: &State, ask: &NewAsk) -> (RequestSize, u64) {
    let size = ask.size.unwrap_or_else(|| state.size_by_weight());
    let bound = state.gauge.input_bound(size);
    let counted = ask.counted_tokens.map(with_slack);
    (size, counted.map_or(bound, |counted| counted.min(bound)))
}

/// What an attempt may use at worst.
pub(super) struct Plan {
    input_tokens: u64,
    output_tokens: u64,
    cost_micro_usd: u64,
    /// The shortest reply that it would be made for.
    least_output_tokens: u64,
}

impl Plan {
    /// What must be left for it.
    pub(super) const fn need(&self) -> Amounts {
        Amounts {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_micro_usd: self.cost_micro_usd,
            steps: 1,
            tool_calls: 0,
            // Time cannot be set aside: there must be some left.
            wall_ms: 1,
        }
    }

    /// What must be left for the same with the shortest reply.
    pub(super) fn least(&self, state: &State) -> Amounts {
        Amounts {
            output_tokens: self.least_output_tokens,
            cost_micro_usd: state.worst_micro_usd(self.input_tokens, self.least_output_tokens),
            ..self.need()
        }
    }
}

/// What a call with the shortest reply needs.
pub(super) fn shortest(state: &State, input_tokens: u64) -> Amounts {
    let output_tokens = state.reply_tokens_least();
    let plan = Plan {
        input_tokens,
        output_tokens,
        cost_micro_usd: state.worst_micro_usd(input_tokens, output_tokens),
        least_output_tokens: output_tokens,
    };
    plan.need()
}

/// Providers call their own counts estimates that may be off by a little: a part in 64 and 32 more.
const fn with_slack(counted: u64) -> u64 {
    counted.saturating_add(counted / 64).saturating_add(32)
}

pub(super) fn plan(
    state: &State,
    limits: &Limits,
    input_tokens: u64,
    worked_ms: u64,
) -> Result<Plan, Overdrawn> {
    let price = state.price();
    let wish = ReplyWish::of(state, limits, input_tokens)?;
    let mut output_tokens = wish.tokens;
    for scope in CapScope::OWN {
        let cap = limits.cap(scope);
        if cap.cost_micro_usd.is_some() && price.is_none() {
            return Err(Overdrawn::NoPrice {
                model: state
                    .settings()
                    .map_or_else(String::new, |settings| settings.model.to_string()),
            });
        }
        let taken = state.taken(scope);
        output_tokens = output_tokens.min(affordable(&cap, &taken, input_tokens, price.as_ref()));
    }
    let output_tokens = output_tokens.max(wish.least);
    let plan = Plan {
        input_tokens,
        output_tokens,
        cost_micro_usd: state.worst_micro_usd(input_tokens, output_tokens),
        least_output_tokens: wish.least,
    };
    for scope in CapScope::OWN {
        let mut taken = state.taken(scope);
        taken.wall_ms = taken.wall_ms.saturating_add(worked_ms);
        if let Some(excess) = limits.cap(scope).excess(&taken, &plan.need()) {
            return Err(Overdrawn::Cap { scope, excess });
        }
    }
    Ok(plan)
}

/// The longest reply that a cap pays for after an input of so many tokens.
fn affordable(cap: &Cap, taken: &Amounts, input_tokens: u64, price: Option<&Price>) -> u64 {
    let of_all = cap
        .left(Measure::Tokens, taken)
        .map(|left| left.saturating_sub(input_tokens));
    let of_replies = cap.left(Measure::OutputTokens, taken);
    let of_money = cap.left(Measure::Cost, taken).and_then(|left| {
        let tokens = price?.output_tokens_for(left, input_tokens);
        Some(tokens.unwrap_or_default())
    });
    let limits = [of_all, of_replies, of_money];
    limits.into_iter().flatten().min().unwrap_or(u64::MAX)
}

/// How long a reply is asked for.
struct ReplyWish {
    /// What is asked for where the budget allows it.
    tokens: u64,
    /// What is asked for at least; with less the call is not made.
    least: u64,
}

/// Replies are asked for at so many times the longest of the last ones.
const ROOM: u64 = 4;
/// And for no less than this, thinking aside.
const LEAST_START_TOKENS: u64 = 4_096;

impl ReplyWish {
    /// Thoughts count as part of a reply, so their budget is always within what is asked for.
    fn of(state: &State, limits: &Limits, input_tokens: u64) -> Result<Self, Overdrawn> {
        let thinking = state.thinking_tokens();
        let most = state.reply_tokens_max();
        if thinking > 0 && most <= thinking {
            return Err(Overdrawn::NoRoomToThink {
                limit: most,
                thinking,
            });
        }
        let least = state.reply_tokens_least();
        let start = match state.gauge.longest_reply() {
            0 => DEFAULT_REPLY_TOKENS + thinking,
            seen => seen.saturating_mul(ROOM).max(LEAST_START_TOKENS + thinking),
        };
        let wanted = state.turn.as_ref().map_or(0, |turn| turn.reply_wanted);
        // A limit that a person set is what they expect to be asked for.
        let start = limits.max_output_tokens.unwrap_or(start).max(wanted);
        let in_context = state
            .context_tokens()
            .map_or(u64::MAX, |context| context.saturating_sub(input_tokens));
        // Whether a child gets more was not known when its reply was cut: it is asked for again
        // with twice the room, or not at all.
        let twice = (wanted / (RAISE / 2)).min(most).min(in_context);
        let least = match state.limits().share {
            Some(_) => least.max(twice),
            None => least,
        };
        Ok(Self {
            tokens: start.min(most).min(in_context).max(least),
            least,
        })
    }
}

impl State {
    pub(super) fn limits(&self) -> Limits {
        let settings = self.settings();
        settings.map_or_else(Limits::default, |settings| settings.limits.clone())
    }

    /// What the model costs for requests that are kept as long as the next one, if it is known.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        let price = self.settings().and_then(Settings::price);
        price.map(|price| price.kept_for(self.cache_ttl()))
    }

    /// The most that a call of at most so many tokens costs; nothing where no price is known.
    fn worst_micro_usd(&self, input_tokens: u64, output_tokens: u64) -> u64 {
        let worst = |price: Price| price.worst_micro_usd(input_tokens, output_tokens);
        self.price().map_or(0, worst)
    }

    /// The shortest reply that a call is made for, in tokens.
    fn reply_tokens_least(&self) -> u64 {
        let least = self.thinking_tokens().saturating_add(MIN_REPLY_TOKENS);
        least.min(self.reply_tokens_max())
    }

    fn context_tokens(&self) -> Option<u64> {
        let facts = self.begun.as_ref()?.settings.model_facts.as_ref()?;
        facts.context_tokens
    }

    fn thinking_tokens(&self) -> u64 {
        let effort = self
            .begun
            .as_ref()
            .and_then(|begun| begun.settings.reasoning);
        effort.map_or(0, ReasoningEffort::thinking_tokens)
    }

    /// The longest reply that the model gives or a person allows, in tokens.
    pub(super) fn reply_tokens_max(&self) -> u64 {
        let facts = self
            .begun
            .as_ref()
            .and_then(|begun| begun.settings.model_facts.as_ref());
        let of_model = facts.and_then(|facts| facts.output_tokens_max);
        let limits = [of_model, self.limits().max_output_tokens];
        let least = limits.into_iter().flatten().min();
        least.unwrap_or(UNKNOWN_REPLY_TOKENS_MAX)
    }

    /// What is spent or set aside under the caps of a scope of this session.
    #[must_use]
    pub fn taken(&self, scope: CapScope) -> Amounts {
        self.spent_in(scope).plus(&self.reserved())
    }

    const fn spent_in(&self, scope: CapScope) -> &Amounts {
        match scope {
            CapScope::Turn => &self.ledger.turn,
            _ => &self.ledger.spent,
        }
    }

    /// How large the next request is by what the conversation weighs.
    #[must_use]
    pub fn size_by_weight(&self) -> RequestSize {
        let frozen = self.begun.as_ref().map_or(0, |begun| begun.prompt_bytes);
        let queued: u64 = self.queue.iter().map(crate::Input::weight_bytes).sum();
        RequestSize::of_bytes(frozen + queued + self.history_bytes)
    }

    /// The longest reply that the caps of this session pay for after an input of so many tokens,
    /// when `charge` is spent beside what is.
    pub(super) fn affordable_after(&self, charge: &Amounts, input_tokens: u64) -> u64 {
        let price = self.price();
        // A child's share is raised on demand.
        let scopes = [CapScope::Turn, CapScope::Session];
        let of = |scope: CapScope| {
            let taken = self.spent_in(scope).plus(charge).plus(&self.shared_out());
            affordable(
                &self.limits().cap(scope),
                &taken,
                input_tokens,
                price.as_ref(),
            )
        };
        scopes.into_iter().map(of).min().unwrap_or(u64::MAX)
    }
}
