//! What sending content costs beside money: exposure x likelihood x cost of a breach, as a range.
//!
//! All is whole numbers: bytes, millionths of a likelihood, dollars, millionths of a dollar. With `E`
//! distinct bytes of a class sent to a destination, `W` the bytes that are a whole breach, `L` the
//! likelihood in millionths and `C` the cost in dollars, the expected loss in millionths of a dollar
//! is `min(E, W) x L x C / W`, once with the low figures, rounded down, once with the high, rounded up.

mod exposure;
mod table;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bowline_core::price::Price;
use bowline_core::{ModelPlace, Usage};
use serde::Serialize;

pub use exposure::{Exposure, Sent, Went};
pub use table::{Class, Destination, Figures, FiguresError};

/// A figure at its least and at its most, in the same unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// At least.
    pub low: i128,
    /// At most.
    pub high: i128,
}

/// What one model was sent at one place, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The model, as provider/model.
    pub model: String,
    /// Where it was asked: `local`, the provider's own address, a host.
    pub place: String,
    /// The entry of the figures that this place falls under.
    pub destination: String,
    /// Requests that were sent.
    pub requests: u64,
    /// Money spent, in millionths of a dollar.
    pub spent_micro_usd: u64,
    /// Whether every request's price was known.
    pub is_priced: bool,
    /// What was sent, by class.
    pub sent: BTreeMap<String, Sent>,
    /// Secrets that were masked before anything was sent: each counted once.
    pub masked_secrets: u64,
    /// The expected loss in a year, in millionths of a dollar.
    pub loss_micro_usd: Span,
    /// What the same would have come to elsewhere, cheaper ones only; the best first.
    pub others: Vec<Other>,
}

/// What the same requests would have come to at another endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// The model there.
    pub model: String,
    /// Where it is asked.
    pub place: String,
    /// The entry of the figures that it falls under.
    pub destination: String,
    /// What the same tokens cost there, in millionths of a dollar.
    pub cost_micro_usd: u64,
    /// Money saved.
    pub saved_micro_usd: i128,
    /// The expected loss there less that of now: low against low, high against high.
    pub added_micro_usd: Span,
    /// Money saved less risk added, at least and at most.
    pub net_micro_usd: Span,
    /// The yearly likelihood there, in millionths, at which the money saved is the risk added: with
    /// the high costs, and with the low ones. `None` where nothing that could be lost was sent.
    pub break_even_ppm: Option<Span>,
}

/// Somewhere that could have been asked instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its model, as provider/model.
    pub model: String,
    /// Where it is asked.
    pub place: ModelPlace,
    /// What it costs; `None` for nothing.
    pub price: Option<Price>,
}

/// Sums up what went where; `candidates` are what it is compared with.
#[must_use]
pub fn lines(figures: &Figures, exposure: &Exposure, candidates: &[Candidate]) -> Vec<Line> {
    let mut lines: Vec<Line> = exposure
        .went
        .iter()
        .map(|((model, place), went)| line(figures, (model, place), went, candidates))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.loss_micro_usd.high, line.spent_micro_usd)));
    lines
}

fn line(
    figures: &Figures,
    (model, place): (&String, &ModelPlace),
    went: &Went,
    candidates: &[Candidate],
) -> Line {
    let destination = figures.destination(place);
    let now = loss(figures, destination, &went.sent);
    let mut others: Vec<Other> = candidates
        .iter()
        .filter(|other| other.model != *model || other.place != *place)
        .filter_map(|other| instead(figures, other, went, now))
        .collect();
    others.sort_by(|one, two| {
        let key =
            |other: &Other| std::cmp::Reverse((other.net_micro_usd.low, other.net_micro_usd.high));
        (key(one), &one.model).cmp(&(key(two), &two.model))
    });
    Line {
        model: model.clone(),
        place: named(place),
        destination: destination.name.clone(),
        requests: went.requests,
        spent_micro_usd: went.spent_micro_usd,
        is_priced: went.unpriced == 0,
        sent: went.sent.clone(),
        masked_secrets: went.masked_secrets,
        loss_micro_usd: now,
        others,
    }
}

/// A place in a word.
fn named(place: &ModelPlace) -> String {
    match place {
        ModelPlace::Local => "local".to_owned(),
        ModelPlace::Provider(name) => name.clone(),
        ModelPlace::Elsewhere(host) => host.clone(),
    }
}

/// The expected loss in a year of what was sent, in millionths of a dollar.
#[must_use]
pub fn loss(figures: &Figures, to: &Destination, sent: &BTreeMap<String, Sent>) -> Span {
    let mut span = Span::default();
    for class in &figures.classes {
        let bytes = sent.get(&class.name).map_or(0, |sent| sent.distinct_bytes);
        let whole = i128::from(class.whole_bytes.max(1));
        let part = i128::from(bytes).min(whole);
        let of = |ppm: u64, usd: u64| part * i128::from(ppm) * i128::from(usd);
        let [low, high] = [0, 1].map(|at| of(to.likelihood_ppm[at], class.cost_usd[at]));
        span.low += low / whole;
        span.high += (high + whole - 1) / whole;
    }
    span
}

/// What would be lost if all that was sent got out for certain, in millionths of a dollar.
fn at_stake(figures: &Figures, sent: &BTreeMap<String, Sent>) -> Span {
    let certain = Destination {
        likelihood_ppm: [1_000_000; 2],
        ..Destination::default()
    };
    loss(figures, &certain, sent)
}

/// What the same comes to at another endpoint, if that costs less.
fn instead(figures: &Figures, other: &Candidate, went: &Went, now: Span) -> Option<Other> {
    let cost = |usage: &Usage| other.price.map_or(0, |price| price.cost_micro_usd(usage));
    let cost_micro_usd: u64 = went.usages.iter().map(cost).sum();
    let saved = i128::from(went.spent_micro_usd) - i128::from(cost_micro_usd);
    if saved <= 0 || went.unpriced > 0 {
        return None;
    }
    let destination = figures.destination(&other.place);
    let there = loss(figures, destination, &went.sent);
    let added = Span {
        low: there.low - now.low,
        high: there.high - now.high,
    };
    let (least, most) = (added.low.min(added.high), added.low.max(added.high));
    let stake = at_stake(figures, &went.sent);
    let even = |now: i128, stake: i128| ((saved + now) * 1_000_000).checked_div(stake);
    let break_even_ppm = even(now.high, stake.high).map(|high| Span {
        low: high,
        high: even(now.low, stake.low).unwrap_or(i128::MAX),
    });
    Some(Other {
        model: other.model.clone(),
        place: named(&other.place),
        destination: destination.name.clone(),
        cost_micro_usd,
        saved_micro_usd: saved,
        added_micro_usd: added,
        net_micro_usd: Span {
            low: saved - most,
            high: saved - least,
        },
        break_even_ppm,
    })
}
