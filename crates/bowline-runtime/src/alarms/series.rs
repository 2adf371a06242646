//! The last samples of one figure, and what is usual among them.

use std::collections::VecDeque;

/// Makes the median of absolute deviations comparable to a standard deviation.
const MAD_SCALE: f64 = 1.4826;

/// On which side of the usual a figure alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    Below,
}

/// What is usual: the median, and how far figures usually lie from it on one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    pub(super) median: f64,
    /// The scaled median of the deviations on that side. Each side has its own, since figures of
    /// work are skewed: many small steps must not make a large one look usual, or the reverse.
    pub(super) spread: f64,
}

/// A rolling window of samples, bounded by their number and by their age.
#[derive(Debug, Clone)]
pub(super) struct Series {
    most: usize,
    span_ms: u64,
    /// How many of the last samples are held against the others, and are no part of what is usual
    /// yet.
    lately: usize,
    recent: VecDeque<(u64, f64)>,
    samples: VecDeque<(u64, f64)>,
    /// The same figures, the least first.
    sorted: Vec<f64>,
}

impl Series {
    pub(super) const fn new(most: usize, span_ms: u64, lately: usize) -> Self {
        Self {
            most,
            span_ms,
            lately,
            recent: VecDeque::new(),
            samples: VecDeque::new(),
            sorted: Vec::new(),
        }
    }

    /// Adds a sample; the oldest ones leave.
    pub(super) fn push(&mut self, at_ms: u64, figure: f64) {
        if !figure.is_finite() {
            return;
        }
        self.recent.push_back((at_ms, figure));
        if self.recent.len() > self.lately
            && let Some((at_ms, figure)) = self.recent.pop_front()
        {
            self.settle(at_ms, figure);
        }
    }

    /// Makes a sample part of what is usual.
    fn settle(&mut self, at_ms: u64, figure: f64) {
        let is_old = |from_ms: u64| at_ms.saturating_sub(from_ms) > self.span_ms;
        while self.samples.len() >= self.most
            || self.samples.front().is_some_and(|(from, _)| is_old(*from))
        {
            let Some((_, gone)) = self.samples.pop_front() else {
                break;
            };
            let place = self.sorted.partition_point(|known| *known < gone);
            if place < self.sorted.len() {
                self.sorted.remove(place);
            }
        }
        self.samples.push_back((at_ms, figure));
        let place = self.sorted.partition_point(|known| *known < figure);
        self.sorted.insert(place, figure);
    }

    /// How many samples say what is usual.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    /// When the oldest sample was taken.
    pub(super) fn since_ms(&self) -> Option<u64> {
        self.samples.front().map(|(at_ms, _)| *at_ms)
    }

    /// What is usual; `None` without samples.
    pub(super) fn usual(&self, side: Side) -> Option<Usual> {
        usual(&self.sorted, side)
    }

    /// The last sample; `None` before there is one.
    pub(super) fn last(&self) -> Option<f64> {
        self.recent.back().map(|(_, figure)| *figure)
    }

    /// The median of the last samples; `None` when there are too few.
    pub(super) fn lately(&self) -> Option<f64> {
        let mut last: Vec<f64> = self.recent.iter().map(|(_, it)| *it).collect();
        last.sort_unstable_by(f64::total_cmp);
        median(&last).filter(|_| last.len() == self.lately)
    }
}

/// What is usual among figures that are sorted, the least first.
pub(super) fn usual(sorted: &[f64], side: Side) -> Option<Usual> {
    let median_of_all = median(sorted)?;
    // The deviations on one side are sorted as the figures are.
    let half = sorted.len() / 2;
    let edge = match side {
        Side::Above => median(&sorted[half..])?,
        Side::Below => median(&sorted[..sorted.len() - half])?,
    };
    Some(Usual {
        median: median_of_all,
        spread: MAD_SCALE * (edge - median_of_all).abs(),
    })
}

fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    let lower = sorted.get((sorted.len() / 2).checked_sub(1)?)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests;
