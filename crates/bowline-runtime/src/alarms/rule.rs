//! When a figure is far from what is usual: by its spread, by a factor and by an amount, all three.

use bowline_core::alarm::Metric;

use super::LATELY_STEPS;
use super::evidence::OPERATIONS;
use super::series::{Side, Usual};

/// A figure within so many spreads of the median is usual in any case.
const FEWEST_SPREADS: f64 = 2.0;

/// With so many samples what is known of the spread is taken to be off by a factor of two.
const DOUBT_SAMPLES: f64 = 25.0;

/// How a metric is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) side: Side,
    /// Whether figures are compared by their ratio: what varies by factors is skewed otherwise.
    pub(super) by_ratio: bool,
    /// How many spreads from the median a figure may lie.
    spreads: f64,
    /// How many times the median it must at least be.
    times: f64,
    /// How many times the median is too much whatever the spread, unless it varies so much that this
    /// is less than [`FEWEST_SPREADS`].
    too_many_times: f64,
    /// How many times the median is an alarm however much it varies.
    most_times: f64,
    /// How far from the median it must at least lie, in the metric's unit.
    least: f64,
    /// So many of the last samples are held against those before. The figure of a step is their
    /// median: one odd step is none.
    pub(super) lately: usize,
    /// Of how many samples a baseline is made at least, as a share of those of steps.
    warm_up_fifths: u64,
}

impl Rule {
    /// The rule of a metric that has a baseline.
    pub(super) const fn of(metric: Metric) -> Self {
        let per_step = Self {
            side: Side::Above,
            by_ratio: true,
            spreads: 3.0,
            times: 2.5,
            too_many_times: f64::INFINITY,
            most_times: f64::INFINITY,
            least: 2_000.0,
            lately: LATELY_STEPS,
            warm_up_fifths: 5,
        };
        match metric {
            Metric::TokensPerStep | Metric::Tools | Metric::Prefix => per_step,
            Metric::UsdPerHour => Self {
                spreads: 3.5,
                times: 3.5,
                too_many_times: 4.25,
                // Five times what is usual is told within the hour, whatever else.
                most_times: 4.9,
                least: 250_000.0,
                lately: 0,
                warm_up_fifths: 2,
                ..per_step
            },
            Metric::CacheHits => Self {
                side: Side::Below,
                by_ratio: false,
                spreads: 5.0,
                times: 0.0,
                least: 300.0,
                ..per_step
            },
            Metric::CallsPerTurn => Self {
                spreads: 5.0,
                times: 5.0,
                least: 100.0,
                lately: 0,
                warm_up_fifths: 2,
                ..per_step
            },
            Metric::Errors => Self {
                by_ratio: false,
                spreads: 4.0,
                times: 1.0,
                least: 350.0,
                lately: OPERATIONS,
                ..per_step
            },
        }
    }

    /// Of how many samples a baseline is made at least.
    pub(super) const fn warm_up(&self, of_steps: u64) -> u64 {
        of_steps.saturating_mul(self.warm_up_fifths) / 5
    }

    /// A figure as it is kept among samples.
    pub(super) fn kept(&self, figure: f64) -> f64 {
        match self.by_ratio {
            true => figure.ln_1p(),
            false => figure,
        }
    }

    /// A kept figure in the metric's unit.
    pub(super) fn figure(&self, kept: f64) -> f64 {
        match self.by_ratio {
            true => kept.exp_m1(),
            false => kept,
        }
    }

    /// What is usual and what is the limit, in the metric's unit. From few samples less is known, so
    /// that the limit lies farther.
    pub(super) fn bounds(&self, usual: Usual, samples: usize) -> Bounds {
        let median = self.figure(usual.median);
        let spread = self.figure(usual.median + usual.spread) - median;
        let enough = (FEWEST_SPREADS * usual.spread).max(self.too_many_times.ln());
        let samples = u32::try_from(samples).unwrap_or(u32::MAX);
        let doubt = 1.0 + DOUBT_SAMPLES / f64::from(samples.max(1));
        let far = (self.spreads * doubt * usual.spread).min(enough);
        let limit = match self.side {
            Side::Above => self
                .figure(usual.median + far)
                .min(median * self.most_times)
                .max(median * self.times)
                .max(median + self.least),
            Side::Below => (median - far).min(median - self.least),
        };
        Bounds {
            side: self.side,
            median,
            spread,
            limit,
        }
    }
}

/// What is usual and where an alarm begins, in the metric's unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    side: Side,
    pub(super) median: f64,
    pub(super) spread: f64,
    pub(super) limit: f64,
}

impl Bounds {
    pub(super) fn is_beyond(&self, figure: f64) -> bool {
        match self.side {
            Side::Above => figure > self.limit,
            Side::Below => figure < self.limit,
        }
    }

    /// Whether a figure is back to normal: less than half as far from the median as the limit.
    pub(super) fn is_calm(&self, figure: f64) -> bool {
        let half = f64::midpoint(self.median, self.limit);
        match self.side {
            Side::Above => figure <= half,
            Side::Below => figure >= half,
        }
    }
}
