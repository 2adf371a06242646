//! What is drawn at the beginning of a session: caps and prices.

use bowline_core::amounts::{Cap, Caps, Measure};
use bowline_core::price::{LongRates, Rates};
use bowline_core::{ModelFacts, Price};

use super::Grove;

impl Grove {
    pub(super) fn cap(&mut self) -> Cap {
        let mut cap = Cap::NONE;
        let sizes = [
            (Measure::InputTokens, 2_000, 90_000),
            (Measure::OutputTokens, 400, 90_000),
            (Measure::Tokens, 2_000, 200_000),
            (Measure::Cost, 2_000, 3_000_000),
            (Measure::Steps, 2, 60),
            (Measure::ToolCalls, 2, 50),
        ];
        for (measure, least, most) in sizes {
            if self.one_in(2) {
                *cap.on_mut(measure) = Some(least + self.below(most));
            }
        }
        cap
    }

    pub(super) fn root_caps(&mut self) -> Caps {
        let session = self.cap();
        let turn = if self.one_in(2) {
            self.cap()
        } else {
            Cap::NONE
        };
        Caps {
            session,
            turn,
            ..Caps::default()
        }
    }

    pub(super) fn rates(&mut self) -> Rates {
        Rates {
            input_micro_usd_per_mtok: self.below(6_000_000),
            output_micro_usd_per_mtok: self.below(30_000_000),
            cache_read_micro_usd_per_mtok: self.below(600_000),
            cache_write_micro_usd_per_mtok: self.below(8_000_000),
        }
    }

    pub(super) fn facts(&mut self) -> ModelFacts {
        let long = self.one_in(2).then(|| LongRates {
            above_input_tokens: 500 + self.below(1_500),
            rates: self.rates(),
        });
        let price = Price {
            rates: self.rates(),
            long,
        };
        ModelFacts {
            output_tokens_max: self.one_in(2).then_some(40_000),
            price: (!self.one_in(12)).then_some(price),
            ..ModelFacts::default()
        }
    }
}
