//! What a model costs and how much it takes and gives: as it was known when the session began.

use serde::{Deserialize, Serialize};

use crate::settings::CacheTtl;
use crate::usage::Usage;

/// What is known of a model. Recorded with the settings: another table later changes nothing in a
/// session that goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelFacts {
    /// The most tokens that a request and its reply may have together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// The longest reply in tokens that may be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_max: Option<u64>,
    /// What it costs; `None` if nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where this is from: a file and line, or the table with its date.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// Prices in millionths of a US dollar for a million tokens: `$3` a million is 3,000,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Tokens read that come from no cache and go into none.
    pub input_micro_usd_per_mtok: u64,
    /// Tokens written.
    pub output_micro_usd_per_mtok: u64,
    /// Tokens served from the provider's cache.
    pub cache_read_micro_usd_per_mtok: u64,
    /// Tokens read that the provider puts into its cache.
    pub cache_write_micro_usd_per_mtok: u64,
}

/// What a model costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The rates of ordinary requests.
    #[serde(flatten)]
    pub rates: Rates,
    /// Other rates for long requests, where a provider has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<LongRates>,
}

/// Rates for requests with more input than a given length; they hold for the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongRates {
    /// They hold for requests of more input tokens than this.
    pub above_input_tokens: u64,
    /// The rates.
    pub rates: Rates,
}

/// A million: the tokens that a rate is for.
const MTOK: u128 = 1_000_000;

/// What being kept for an hour costs of the price of plain input.
const HOUR_TIMES_INPUT: u64 = 2;

impl Rates {
    /// In millionths of a millionth of a dollar.
    fn cost(&self, usage: &Usage) -> u128 {
        let cached = usage.cached_input_tokens.min(usage.input_tokens);
        let written = usage.cache_write_tokens.min(usage.input_tokens - cached);
        let plain = usage.input_tokens - cached - written;
        [
            (plain, self.input_micro_usd_per_mtok),
            (cached, self.cache_read_micro_usd_per_mtok),
            (written, self.cache_write_micro_usd_per_mtok),
            (usage.output_tokens, self.output_micro_usd_per_mtok),
        ]
        .into_iter()
        .map(|(tokens, rate)| u128::from(tokens) * u128::from(rate))
        .sum()
    }

    /// The rates of requests whose marks ask for so long.
    const fn kept_for(mut self, ttl: CacheTtl) -> Self {
        let charges = self.cache_write_micro_usd_per_mtok > self.input_micro_usd_per_mtok;
        let hour = self
            .input_micro_usd_per_mtok
            .saturating_mul(HOUR_TIMES_INPUT);
        if matches!(ttl, CacheTtl::Hour) && charges && hour > self.cache_write_micro_usd_per_mtok {
            self.cache_write_micro_usd_per_mtok = hour;
        }
        self
    }

    /// The dearer of both, each kind of token by itself.
    #[must_use]
    pub fn or_dearer(&self, other: &Self) -> Self {
        Self {
            input_micro_usd_per_mtok: self
                .input_micro_usd_per_mtok
                .max(other.input_micro_usd_per_mtok),
            output_micro_usd_per_mtok: self
                .output_micro_usd_per_mtok
                .max(other.output_micro_usd_per_mtok),
            cache_read_micro_usd_per_mtok: self
                .cache_read_micro_usd_per_mtok
                .max(other.cache_read_micro_usd_per_mtok),
            cache_write_micro_usd_per_mtok: self
                .cache_write_micro_usd_per_mtok
                .max(other.cache_write_micro_usd_per_mtok),
        }
    }

    /// The dearest way to read a token.
    const fn dearest_input(&self) -> u64 {
        let mut most = self.input_micro_usd_per_mtok;
        if self.cache_read_micro_usd_per_mtok > most {
            most = self.cache_read_micro_usd_per_mtok;
        }
        if self.cache_write_micro_usd_per_mtok > most {
            most = self.cache_write_micro_usd_per_mtok;
        }
        most
    }
}

impl Price {
    /// What requests cost whose marks ask for so long. Tables have the rate for 5 minutes; where
    /// writing costs more than reading, an hour costs twice the input, as Anthropic publishes it.
    #[must_use]
    pub fn kept_for(self, ttl: CacheTtl) -> Self {
        Self {
            rates: self.rates.kept_for(ttl),
            long: self.long.map(|long| LongRates {
                rates: long.rates.kept_for(ttl),
                ..long
            }),
        }
    }

    /// What a call cost, in millionths of a dollar, a started one counted whole.
    #[must_use]
    pub fn cost_micro_usd(&self, usage: &Usage) -> u64 {
        let long = self
            .long
            .filter(|long| usage.input_tokens > long.above_input_tokens);
        let rates = long.map_or(self.rates, |long| long.rates);
        round_up(rates.cost(usage))
    }

    /// The most that a call of at most so many tokens can cost, whatever the cache does: never less
    /// than [`Self::cost_micro_usd`] of any usage within them.
    #[must_use]
    pub fn worst_micro_usd(&self, input_tokens: u64, output_tokens: u64) -> u64 {
        round_up(
            self.at(input_tokens)
                .into_iter()
                .map(|rates| {
                    u128::from(input_tokens) * u128::from(rates.dearest_input())
                        + u128::from(output_tokens) * u128::from(rates.output_micro_usd_per_mtok)
                })
                .max()
                .unwrap_or_default(),
        )
    }

    /// How many tokens of a reply `micro_usd` pays for after an input of so many tokens, at worst;
    /// `None` if it does not even pay for that, `u64::MAX` if replies are free.
    #[must_use]
    pub fn output_tokens_for(&self, micro_usd: u64, input_tokens: u64) -> Option<u64> {
        let affordable = |rates: Rates| {
            let left = (u128::from(micro_usd) * MTOK)
                .checked_sub(u128::from(input_tokens) * u128::from(rates.dearest_input()))?;
            let rate = u128::from(rates.output_micro_usd_per_mtok);
            let tokens = left.checked_div(rate).unwrap_or(u128::from(u64::MAX));
            Some(u64::try_from(tokens).unwrap_or(u64::MAX))
        };
        self.at(input_tokens)
            .into_iter()
            .map(affordable)
            .min()
            .flatten()
    }

    /// The rates that may hold for a request of at most so many tokens.
    fn at(&self, input_tokens: u64) -> Vec<Rates> {
        let long = self
            .long
            .filter(|long| input_tokens > long.above_input_tokens);
        std::iter::once(self.rates)
            .chain(long.map(|long| long.rates))
            .collect()
    }
}

fn round_up(micro_micro: u128) -> u64 {
    u64::try_from(micro_micro.div_ceil(MTOK)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
