//! How much the model takes, when a conversation is made shorter, and when that is of no use.

use crate::event::CompactionCause;
use crate::failure::FailureKind;
use crate::request::RequestSize;
use crate::state::State;

/// A conversation is cut down to this part of the threshold, in hundredths: often enough is cheap,
/// for the prefix breaks each time.
const AIM_PERCENT: u64 = 50;
/// After so many compactions in a row, with no more than a step between them, the next one is not
/// begun.
const IN_A_ROW_MAX: u32 = 3;
/// A step between two compactions that were needed in a row, at most.
pub(in crate::engine) const CLOSE_STEPS: u32 = 1;

/// What a compaction aims at.
pub(super) struct Aim {
    /// Tokens of the next request.
    pub(super) tokens: u64,
    /// Whether somebody asked for it.
    pub(super) is_by_hand: bool,
}

pub(super) fn aim(state: &State, cause: &CompactionCause, size: RequestSize) -> Aim {
    let tokens = match state.compact_at_tokens() {
        Some(threshold) => threshold * AIM_PERCENT / 100,
        None => state.next_tokens(size) / 2,
    };
    Aim {
        tokens,
        is_by_hand: matches!(cause, CompactionCause::Asked { .. }),
    }
}

impl State {
    /// The most tokens that a request and its reply may have together, as far as anybody knows: a
    /// person, the model's table, a request that was refused as too long.
    #[must_use]
    pub fn window_tokens(&self) -> Option<u64> {
        let settings = self.settings()?;
        let of_model = settings.model_facts.as_ref();
        let of_model = of_model.and_then(|facts| facts.context_tokens);
        let known = settings.context.window_tokens.or(of_model);
        [known, self.window_seen].into_iter().flatten().min()
    }

    /// The size of the next request in tokens over which the conversation is made shorter.
    #[must_use]
    pub fn compact_at_tokens(&self) -> Option<u64> {
        let settings = self.settings()?;
        let window = self.window_tokens()?;
        Some(window * u64::from(settings.context.compact_at_percent) / 100)
    }

    /// Whether the last compaction was at this very place, so that the next would find the same.
    fn was_just_compacted(&self) -> bool {
        self.compacted.all > 0 && self.compacted.last_step == self.last_step
    }
}

/// Why the conversation is to be made shorter before a request of that size is made, if it is.
#[must_use]
pub fn begin(state: &State, size: RequestSize) -> Option<CompactionCause> {
    if state.compaction.is_some() {
        return None;
    }
    let failure = state.turn.as_ref().and_then(|turn| turn.failure.as_ref());
    if failure.is_some_and(|failure| failure.kind == FailureKind::TooLong) {
        return Some(CompactionCause::TooLong);
    }
    let is_over = state.next_tokens(size) > state.compact_at_tokens()?;
    (is_over && !state.was_just_compacted()).then_some(CompactionCause::Threshold)
}

/// Why it is of no use to go on, if it is: the conversation was made shorter again and again and is
/// full again at once, or it does not fit and cannot be made to.
#[must_use]
pub fn stuck(state: &State, size: RequestSize) -> Option<String> {
    let next = state.next_tokens(size);
    let counted = &state.compacted;
    let since = state.last_step.0.saturating_sub(counted.last_step.0);
    if begin(state, size).is_some() && counted.in_a_row >= IN_A_ROW_MAX && since <= CLOSE_STEPS {
        let at = state.compact_at_tokens().unwrap_or_default();
        return Some(format!(
            "the conversation was compacted {} times in a row and is full again: the next request \
             has about {next} tokens and {at} are allowed; give the work in smaller parts, or \
             raise context.window if the model takes more",
            counted.in_a_row
        ));
    }
    let window = state.window_tokens()?;
    (state.was_just_compacted() && next > window).then(|| {
        format!(
            "the conversation cannot be made short enough: the next request has about {next} \
             tokens and the model takes {window}; begin a new session, or ask a model that takes \
             more"
        )
    })
}
