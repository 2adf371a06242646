//! Where calls at the edges of spans stand: the ways to place them, and the best of all.

use std::collections::BTreeMap;

use super::{Call, Tokens};

/// So many ways to place the calls at one edge are tried: every one of up to eight calls.
const MOST_WAYS: usize = 256;

/// What both sides say of one place.
#[derive(Clone, Copy, Default)]
pub(super) struct Side {
    pub(super) theirs: Tokens,
    pub(super) low: Tokens,
    pub(super) high: Tokens,
}

impl Side {
    fn plus(&self, use_of: &Use) -> Self {
        Self {
            theirs: self.theirs,
            low: self.low.plus(&use_of.low),
            high: self.high.plus(&use_of.high),
        }
    }

    fn mismatch(&self) -> u64 {
        let foreign = self.theirs.minus(&self.high);
        let unlisted = self.low.minus(&self.theirs);
        foreign.total().saturating_add(unlisted.total())
    }
}

/// What some calls used at least and at most.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    low: Tokens,
    high: Tokens,
}

impl Use {
    fn add(&mut self, call: &Call<'_>) {
        self.low = self.low.plus(&call.low);
        self.high = self.high.plus(&call.high);
    }
}

/// A way to place the calls at an edge.
pub(super) struct Way {
    /// For each call whether it stands after the edge.
    pub(super) is_after: Vec<bool>,
    before: Use,
    after: Use,
    /// How many do not stand where their time puts them.
    moved: usize,
}

impl Way {
    fn of(calls: &[(&Call<'_>, bool)], is_after: Vec<bool>) -> Self {
        let (mut before, mut after, mut moved) = (Use::default(), Use::default(), 0);
        for ((call, natural), is_after) in calls.iter().zip(&is_after) {
            moved += usize::from(natural != is_after);
            if *is_after { &mut after } else { &mut before }.add(call);
        }
        Self {
            is_after,
            before,
            after,
            moved,
        }
    }
}

/// The calls that may stand on either side of the beginning of a place.
pub(super) struct Edge<'a> {
    /// The place that begins there.
    pub(super) edge: usize,
    pub(super) calls: Vec<&'a Call<'a>>,
    /// Never empty; first the one where each call stands where its time puts it.
    pub(super) ways: Vec<Way>,
}

impl<'a> Edge<'a> {
    /// Calls with the places that their times put them in.
    pub(super) fn of(edge: usize, mut calls: Vec<(&'a Call<'a>, usize)>) -> Self {
        calls.sort_by_key(|(call, _)| call.row.at_ms);
        let calls: Vec<(&Call<'_>, bool)> = calls
            .into_iter()
            .map(|(call, place)| (call, place == edge))
            .collect();
        let ways = ways(&calls);
        Self {
            edge,
            calls: calls.into_iter().map(|(call, _)| call).collect(),
            ways,
        }
    }
}

/// The ways to place calls, in order of time with the side their time puts them on: those that move
/// the fewest, and those that cut the calls in two in time.
fn ways(calls: &[(&Call<'_>, bool)]) -> Vec<Way> {
    // Of ways that come to the same only one is kept.
    let mut ways: BTreeMap<Use, (usize, Vec<bool>)> = BTreeMap::new();
    ways.insert(Use::default(), (0, Vec::new()));
    for (call, natural) in calls {
        let mut longer: BTreeMap<Use, (usize, Vec<bool>)> = BTreeMap::new();
        for (after, (moved, is_after)) in ways {
            for side in [*natural, !natural] {
                let mut after = after;
                if side {
                    after.add(call);
                }
                let moved = moved + usize::from(side != *natural);
                let mut is_after = is_after.clone();
                is_after.push(side);
                let known = longer.entry(after).or_insert((usize::MAX, Vec::new()));
                if moved < known.0 {
                    *known = (moved, is_after);
                }
            }
        }
        ways = longer;
        if ways.len() > MOST_WAYS {
            let mut all: Vec<_> = ways.into_iter().collect();
            all.sort_by_key(|(_, (moved, _))| *moved);
            all.truncate(MOST_WAYS / 2);
            ways = all.into_iter().collect();
        }
    }
    let first_after = calls.iter().position(|(_, natural)| *natural);
    let natural_cut = first_after.unwrap_or(calls.len());
    let least = natural_cut.saturating_sub(MOST_WAYS / 4);
    let most = (natural_cut + MOST_WAYS / 4).min(calls.len());
    let cuts = (least..=most).map(|cut| (0..calls.len()).map(|at| at >= cut).collect());
    let mut all: Vec<Way> = ways
        .into_values()
        .map(|(_, is_after)| is_after)
        .chain(cuts)
        .map(|is_after| Way::of(calls, is_after))
        .collect();
    all.sort_by_key(|way| way.moved);
    all.dedup_by_key(|way| (way.moved, way.after, way.before));
    all
}

/// How well ways fit: the disagreement, and how many calls were moved.
type Fit = (u64, usize);

/// The way of each edge with which both sides agree best over all places; `side` is what a place
/// holds without calls at edges, and nothing for places that are not compared.
pub(super) fn best(edges: &[Edge<'_>], side: &dyn Fn(usize) -> Option<Side>) -> Vec<usize> {
    let mismatch = |side: Option<Side>, parts: &[&Use]| {
        side.map_or(0, |side| {
            let whole = parts.iter().fold(side, |side, part| side.plus(part));
            whole.mismatch()
        })
    };
    // For each edge and way: how well everything before it fits at best, and the way before.
    let mut table: Vec<Vec<(Fit, usize)>> = Vec::new();
    for (at, edge) in edges.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &edges[at]);
        let fits = edge.ways.iter().map(|way| {
            let here = side(edge.edge - 1);
            let Some(before) = before else {
                return ((mismatch(here, &[&way.before]), way.moved), 0);
            };
            let known = &table[at - 1];
            let is_next = before.edge + 1 == edge.edge;
            let alone = mismatch(here, &[&way.before]);
            let each = before.ways.iter().zip(known).enumerate();
            let each = each.map(|(index, (earlier, ((so_far, moved), _)))| {
                let between = if is_next {
                    mismatch(here, &[&earlier.after, &way.before])
                } else {
                    // Nothing else of the earlier edge reaches here; its own place ends there.
                    mismatch(side(before.edge), &[&earlier.after]).saturating_add(alone)
                };
                ((so_far.saturating_add(between), moved + way.moved), index)
            });
            each.min().unwrap_or_default()
        });
        let fits = fits.collect();
        table.push(fits);
    }
    let Some(last) = edges.last() else {
        return Vec::new();
    };
    let ends = last.ways.iter().zip(&table[edges.len() - 1]).enumerate();
    let ends = ends.map(|(index, (way, ((so_far, moved), _)))| {
        let end = mismatch(side(last.edge), &[&way.after]);
        ((so_far.saturating_add(end), *moved), index)
    });
    let mut way = ends.min().map_or(0, |(_, index)| index);
    let mut chosen = vec![0; edges.len()];
    for at in (0..edges.len()).rev() {
        chosen[at] = way;
        way = table[at][way].1;
    }
    chosen
}
