//! Days (or hours) by model family, and the calls at their edges.

use std::collections::{BTreeMap, BTreeSet};

use super::super::DAY_MS;
use super::super::export::Billed;
use super::names::Names;
use super::ways::{Edge, Side, best};
use super::{
    Call, CostDifference, EARLIER_MS, Finding, HOUR_MS, LATER_MS, ROUNDING_MICRO_USD, Tokens,
};

/// What both sides say of one span, or of one request.
#[derive(Default)]
pub(super) struct Place {
    pub(super) from_ms: u64,
    to_ms: u64,
    pub(super) family: String,
    request_id: Option<String>,
    models: BTreeSet<String>,
    our_models: BTreeSet<String>,
    keys: BTreeSet<String>,
    pub(super) theirs: Tokens,
    theirs_micro_usd: Option<u64>,
    pub(super) low: Tokens,
    pub(super) high: Tokens,
    ours_micro_usd: u64,
    is_priced: bool,
    calls: usize,
}

impl Place {
    fn empty(family: &str, span_ms: (u64, u64)) -> Self {
        Self {
            from_ms: span_ms.0,
            to_ms: span_ms.1,
            family: family.to_owned(),
            is_priced: true,
            ..Self::default()
        }
    }

    /// One request.
    pub(super) fn single(id: &str, lines: &[&Billed], names: &Names) -> Self {
        let from_ms = lines.iter().map(|line| line.from_ms).min().unwrap_or(0);
        let to_ms = lines.iter().map(|line| line.to_ms).max().unwrap_or(0);
        let model = lines.iter().find_map(|line| line.model.as_deref());
        let family = names.theirs(model.unwrap_or_default());
        let mut place = Self::empty(&family, (from_ms, to_ms));
        place.request_id = Some(id.to_owned());
        for line in lines {
            place.bill(line);
        }
        place
    }

    /// A call of ours that the provider does not list.
    pub(super) fn unseen(call: &Call<'_>) -> Self {
        let at_ms = call.row.at_ms;
        let mut place = Self::empty(&call.family, (at_ms, at_ms));
        place.request_id.clone_from(&call.row.request_id);
        place.add(call);
        place
    }

    fn bill(&mut self, line: &Billed) {
        self.theirs = self.theirs.plus(&Tokens::billed(line));
        self.models.extend(line.model.clone());
        self.keys.extend(line.key.clone());
        if let Some(cost) = line.cost_micro_usd {
            let sum = self.theirs_micro_usd.unwrap_or_default();
            self.theirs_micro_usd = Some(sum.saturating_add(cost));
        }
    }

    pub(super) fn add(&mut self, call: &Call<'_>) {
        self.our_models.insert(call.row.model.clone());
        self.low = self.low.plus(&call.low);
        self.high = self.high.plus(&call.high);
        let cost = call.row.charged.cost_micro_usd;
        self.ours_micro_usd = self.ours_micro_usd.saturating_add(cost);
        self.is_priced &= call.row.is_priced;
        self.calls += 1;
    }

    /// The models as the provider names them; as we do where it names none.
    fn models(&self) -> Vec<String> {
        let theirs = &self.models;
        let named = if theirs.is_empty() {
            &self.our_models
        } else {
            theirs
        };
        named.iter().cloned().collect()
    }

    /// Why use is not ours.
    pub(super) fn why(&self, is_used: bool) -> &'static str {
        match (&self.request_id, self.calls) {
            (Some(_), 0) => "no call of ours has this request id",
            (Some(_), _) => "more than the call of this request id used",
            (None, 0) if !is_used => "no call of ours used this model",
            (None, 0) => "no call of ours used this model then",
            (None, _) => "more than our calls used",
        }
    }

    pub(super) fn finding(&self, tokens: Tokens, why: &str) -> Finding {
        Finding {
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            models: self.models(),
            request_id: self.request_id.clone(),
            keys: self.keys.iter().cloned().collect(),
            theirs: self.theirs,
            ours: self.high,
            tokens,
            why: why.to_owned(),
        }
    }

    /// Money that differs by more than rounding and a hundredth; nothing where a price is unknown.
    pub(super) fn cost_difference(&self) -> Option<CostDifference> {
        let theirs_micro_usd = self.theirs_micro_usd?;
        let ours_micro_usd = self.ours_micro_usd;
        let difference = theirs_micro_usd.abs_diff(ours_micro_usd);
        let limit = (theirs_micro_usd.max(ours_micro_usd) / 100).max(ROUNDING_MICRO_USD);
        (self.is_priced && difference > limit).then(|| CostDifference {
            from_ms: self.from_ms,
            models: self.models(),
            theirs_micro_usd,
            ours_micro_usd,
        })
    }
}

/// Spans of one length, one after the other.
struct Grid {
    start_ms: u64,
    span_ms: u64,
    count: usize,
}

impl Grid {
    /// The spans that the lines of an export fall into.
    fn of(lines: &[&Billed], covers_ms: (u64, u64)) -> Self {
        let longest = lines.iter().map(|line| line.to_ms - line.from_ms).max();
        let covered_ms = covers_ms.1 - covers_ms.0;
        let is_hourly = longest.map_or(covered_ms, |longest| longest) < DAY_MS - 2 * HOUR_MS;
        let span_ms = if is_hourly { HOUR_MS } else { DAY_MS };
        // Days that all begin at another time than midnight are days of another time zone.
        let mut offsets = lines.iter().map(|line| line.from_ms % span_ms);
        let first = offsets.next().unwrap_or_default();
        let is_shifted = !is_hourly && offsets.all(|offset| offset == first);
        let offset_ms = if is_shifted { first } else { 0 };
        let floor = |at_ms: u64| (at_ms.saturating_sub(offset_ms)) / span_ms;
        let (first, last) = (floor(covers_ms.0), floor(covers_ms.1.saturating_sub(1)));
        Self {
            start_ms: first * span_ms + offset_ms,
            span_ms,
            count: usize::try_from(last.saturating_sub(first)).unwrap_or(0) + 1,
        }
    }

    /// The place of a time: 0 is before the first span, `count + 1` after the last.
    fn place(&self, at_ms: u64) -> usize {
        match at_ms.checked_sub(self.start_ms) {
            None => 0,
            Some(since_ms) => {
                let place = usize::try_from(since_ms / self.span_ms).unwrap_or(usize::MAX);
                place.min(self.count) + 1
            }
        }
    }

    /// Whether a place is one of the spans.
    fn holds(&self, place: usize) -> bool {
        (1..=self.count).contains(&place)
    }

    /// When a place begins.
    fn begins_ms(&self, place: usize) -> u64 {
        let before = u64::try_from(place)
            .unwrap_or(u64::MAX)
            .saturating_mul(self.span_ms);
        (self.start_ms + before).saturating_sub(self.span_ms)
    }
}

/// One model family: the places that anything is known of, by their number in the grid.
struct Row<'a> {
    grid: &'a Grid,
    family: String,
    places: BTreeMap<usize, Place>,
    /// The calls that may stand on either side of the beginning of a place, and where they stand.
    movable: BTreeMap<usize, Vec<(&'a Call<'a>, usize)>>,
}

/// Holds lines about spans against the calls in them.
pub(super) fn by_span(
    lines: &[&Billed],
    calls: &[&Call<'_>],
    names: &Names,
    covers_ms: (u64, u64),
) -> Vec<Place> {
    let grid = Grid::of(lines, covers_ms);
    let mut rows: BTreeMap<String, Row<'_>> = BTreeMap::new();
    let row = |family: &String| Row {
        grid: &grid,
        family: family.clone(),
        places: BTreeMap::new(),
        movable: BTreeMap::new(),
    };
    for line in lines {
        let family = names.theirs(line.model.as_deref().unwrap_or_default());
        let row = rows.entry(family).or_insert_with_key(row);
        row.at(grid.place(line.from_ms)).bill(line);
    }
    for call in calls {
        let row = rows.entry(call.family.clone()).or_insert_with_key(row);
        row.put(call);
    }
    let mut places = Vec::new();
    for mut row in rows.into_values() {
        row.settle();
        let inner = row.places.into_iter().filter(|(at, _)| grid.holds(*at));
        places.extend(inner.map(|(_, place)| place));
    }
    places
}

impl<'a> Row<'a> {
    /// The place of a number.
    fn at(&mut self, place: usize) -> &mut Place {
        let begins_ms = self.grid.begins_ms(place);
        let span_ms = (begins_ms, begins_ms + self.grid.span_ms);
        let empty = || Place::empty(&self.family, span_ms);
        self.places.entry(place).or_insert_with(empty)
    }

    fn put(&mut self, call: &'a Call<'a>) {
        let at_ms = call.row.at_ms;
        let place = self.grid.place(at_ms);
        let next_ms = self.grid.begins_ms(place + 1);
        let edge = if at_ms + LATER_MS >= next_ms && place <= self.grid.count {
            Some(place + 1)
        } else if place > 0 && at_ms < self.grid.begins_ms(place) + EARLIER_MS {
            Some(place)
        } else {
            None
        };
        match edge.filter(|_| call.high.total() > 0) {
            Some(edge) => self.movable.entry(edge).or_default().push((call, place)),
            None => self.at(place).add(call),
        }
    }

    /// Places the calls at the edges where both sides agree best, and as they are where that is as
    /// good.
    fn settle(&mut self) {
        let movable = std::mem::take(&mut self.movable);
        let edges: Vec<Edge<'a>> = movable
            .into_iter()
            .map(|(edge, calls)| Edge::of(edge, calls))
            .collect();
        let side = |place: usize| {
            let known = self.places.get(&place);
            self.grid.holds(place).then(|| {
                known.map_or_else(Side::default, |at| Side {
                    theirs: at.theirs,
                    low: at.low,
                    high: at.high,
                })
            })
        };
        let ways = best(&edges, &side);
        for (edge, way) in edges.iter().zip(ways) {
            for (call, is_after) in edge.calls.iter().zip(&edge.ways[way].is_after) {
                self.at(edge.edge - usize::from(!is_after)).add(call);
            }
        }
    }
}
