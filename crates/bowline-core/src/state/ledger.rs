//! What was spent, and what is known of how the model counts.

use crate::amounts::Amounts;
use crate::id::CallId;
use crate::request::RequestSize;
use crate::usage::Usage;

/// What a session has used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Tokens as the providers reported them, over the whole session without its children.
    pub usage: Usage,
    /// What is charged against the session's caps, settled children included: what was reported,
    /// or all that was set aside for an attempt whose use is unknown.
    pub spent: Amounts,
    /// The same for the running turn, or the last one.
    pub turn: Amounts,
    /// Model calls that brought a reply.
    pub replies: u32,
    /// Tool calls that ran, those in doubt included.
    pub calls_run: u32,
    /// Tool calls that were rejected as they stood, or refused or denied.
    pub calls_refused: u32,
    /// Of those, calls that policy refused or a person denied.
    pub calls_denied: u32,
}

impl Ledger {
    /// Counts what was spent, for the session and for its turn.
    pub(crate) fn charge(&mut self, amounts: &Amounts) {
        self.spent = self.spent.plus(amounts);
        self.turn = self.turn.plus(amounts);
    }
}

/// What is set aside for a child session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The call that it works for.
    pub call: CallId,
    /// All that is set aside for it, over its whole life.
    pub amounts: Amounts,
}

/// Replies whose length is remembered.
const RECENT: usize = 8;
/// Four bytes a token, as English text and code have; until the model has counted.
const USUAL_TOKENS_PER_KILOBYTE: u64 = 250;
/// One, in thousandths.
const UNIT: u64 = 1_000;

/// What is known of how the model in force counts: its last word on the same prefix, by how much
/// it counts more than was thought, how long its replies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    base: Option<Base>,
    /// Tokens for each thousand that were bounded; corrected upward only.
    factor_permille: u64,
    recent: [u64; RECENT],
    next: usize,
    /// The last request's tokens for each thousand of its bytes; 0 before the first.
    tokens_per_kilobyte: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Base {
    size: RequestSize,
    input_tokens: u64,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            base: None,
            factor_permille: UNIT,
            recent: [0; RECENT],
            next: 0,
            tokens_per_kilobyte: 0,
        }
    }
}

/// Tokens that a provider may add to any request: instructions about tools and the like, some 350
/// at the most that is documented, and as much again for what is not.
pub const REQUEST_OVERHEAD_TOKENS: u64 = 1_024;

impl Gauge {
    /// A bound on the input tokens of a request of that size: what the last one really had, plus
    /// a bound on what was added since; without a last one, a bound on the whole.
    #[must_use]
    pub fn input_bound(&self, size: RequestSize) -> u64 {
        match self.base {
            Some(base) => {
                let added = size.tokens_bound.checked_sub(base.size.tokens_bound);
                match added {
                    Some(added) => base.input_tokens.saturating_add(self.scaled(added)),
                    // Something was taken out, so nothing is known of what is left.
                    None => self.whole(size),
                }
            }
            None => self.whole(size),
        }
    }

    /// What the last request really had, and what about so many bytes more add to it; `None` before
    /// the first.
    pub(crate) fn input_after(&self, added_bytes: u64) -> Option<u64> {
        let base = self.base?;
        Some(
            base.input_tokens
                .saturating_add(self.scaled(added_bytes.div_ceil(2))),
        )
    }

    /// About how many input tokens a request of that size has: an estimate, no bound.
    pub(crate) fn estimate(&self, size: RequestSize) -> u64 {
        let rate = match self.tokens_per_kilobyte {
            0 => USUAL_TOKENS_PER_KILOBYTE,
            seen => seen,
        };
        let of = |bytes: u64| bytes.saturating_mul(rate) / UNIT;
        match self.base {
            Some(base) if size.bytes >= base.size.bytes => base
                .input_tokens
                .saturating_add(of(size.bytes - base.size.bytes)),
            _ => of(size.bytes),
        }
    }

    fn whole(&self, size: RequestSize) -> u64 {
        self.scaled(size.tokens_bound)
            .saturating_add(REQUEST_OVERHEAD_TOKENS)
    }

    fn scaled(&self, tokens: u64) -> u64 {
        let scaled =
            (u128::from(tokens) * u128::from(self.factor_permille)).div_ceil(u128::from(UNIT));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    /// The longest of the last replies, in tokens; 0 before the first.
    #[must_use]
    pub fn longest_reply(&self) -> u64 {
        self.recent.into_iter().max().unwrap_or_default()
    }

    /// Takes in what a request of that size really had.
    pub(crate) fn learn(&mut self, size: Option<RequestSize>, usage: &Usage) {
        self.recent[self.next] = usage.output_tokens;
        self.next = (self.next + 1) % RECENT;
        self.learn_rate(size, usage);
        if let Some(size) = size.filter(|size| size.tokens_bound > 0) {
            self.base = Some(Base {
                size,
                input_tokens: usage.input_tokens,
            });
        }
    }

    /// Takes in what a request of that size really had that the next one does not go on from.
    pub(crate) fn learn_rate(&mut self, size: Option<RequestSize>, usage: &Usage) {
        let Some(size) = size.filter(|size| size.tokens_bound > 0) else {
            return;
        };
        // Overhead that every request has is none of the text's.
        let of_text = usage.input_tokens.saturating_sub(REQUEST_OVERHEAD_TOKENS);
        let seen = (u128::from(of_text) * u128::from(UNIT)).div_ceil(u128::from(size.tokens_bound));
        let seen = u64::try_from(seen).unwrap_or(u64::MAX);
        self.factor_permille = self.factor_permille.max(seen);
        let rate = usage
            .input_tokens
            .saturating_mul(UNIT)
            .checked_div(size.bytes);
        self.tokens_per_kilobyte = rate.unwrap_or(self.tokens_per_kilobyte);
    }

    /// Forgets what was known of the conversation: it is another one now.
    pub(crate) const fn forget_prefix(&mut self) {
        self.base = None;
    }
}
