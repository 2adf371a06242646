//! Exhaustive exploration: from the first event on, everything that can happen next is tried in
//! every state that can be reached within a stated bound, and the laws are held against each.
//!
//! What can happen: anything that is due, in any order; any outcome of what is under way; a crash;
//! any command, the last one twice; a question lapses, a wait ends, a signal comes before or after
//! its wait. The bound counts crashes, commands, failed tries and steps. Nothing else is cut off:
//! an exploration ends when there is no new state. Two states are the same when they differ only
//! in times, ids, texts and epochs ([`form`]).
//!
//! The ignored test explores every pair of kinds of calls to a larger bound (many minutes).

mod engine;
mod faults;
mod form;
mod laws;
mod moves;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use bowline_core::{Event, State};

pub(super) use engine::Engine;
use form::form;
use laws::{Book, check};
use moves::{KINDS, Kind, Move, begin, moves};

/// How far a world is explored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) crashes: u8,
    pub(super) commands: u8,
    pub(super) failures: u8,
    /// Replies that ask for calls.
    pub(super) steps: u32,
}

/// What is explored: the calls of the model's first reply, a cap on tokens, a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small<'a> {
    pub(super) calls: &'a [Kind],
    pub(super) cap: Option<u64>,
    pub(super) bound: Bound,
}

/// A state, and what somebody who saw every fact and every act knows of it.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) state: State,
    pub(super) book: Book,
}

/// How a state was reached.
struct Way {
    from: usize,
    how: &'static str,
    events: Vec<Arc<Event>>,
    depth: usize,
}

/// What an exploration saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) states: usize,
    pub(super) transitions: usize,
    pub(super) depth: usize,
    pub(super) kinds: BTreeSet<&'static str>,
    pub(super) moves: BTreeSet<&'static str>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.states += other.states;
        self.transitions += other.transitions;
        self.depth = self.depth.max(other.depth);
        self.kinds.extend(other.kinds);
        self.moves.extend(other.moves);
    }
}

/// All events on the way to a state.
fn path(ways: &[Way], mut at: usize) -> Vec<Arc<Event>> {
    let mut parts = Vec::new();
    loop {
        let way = &ways[at];
        parts.push(&way.events);
        if at == way.from {
            break;
        }
        at = way.from;
    }
    parts.into_iter().rev().flatten().cloned().collect()
}

fn told(ways: &[Way], mut at: usize, law: &str) -> String {
    let mut moves = Vec::new();
    while at != ways[at].from {
        moves.push(ways[at].how);
        at = ways[at].from;
    }
    moves.reverse();
    format!("{law}\nafter: {}", moves.join(", "))
}

/// Explores one world breadth first.
///
/// # Errors
/// The law that does not hold, and the shortest way to where it does not.
pub(super) fn explore(engine: Engine, small: &Small<'_>) -> Result<Seen, String> {
    let (first, events) = begin(engine, small);
    let mut seen = Seen::default();
    let mut forms = HashSet::from([form(&first, small)]);
    let mut ways = vec![Way {
        from: 0,
        how: "begin",
        events,
        depth: 0,
    }];
    let mut frontier = VecDeque::from([(0, first)]);
    while let Some((at, node)) = frontier.pop_front() {
        check(engine, &node, small).map_err(|law| told(&ways, at, &law))?;
        seen.states += 1;
        seen.depth = seen.depth.max(ways[at].depth);
        let refold = || {
            let events = path(&ways, at);
            events
                .iter()
                .fold(State::new(), |state, event| (engine.apply)(state, event))
        };
        let next = moves(engine, &node, small, &refold).map_err(|law| told(&ways, at, &law))?;
        for Move {
            how,
            node: to,
            events,
        } in next
        {
            seen.transitions += 1;
            seen.moves.insert(how);
            seen.kinds
                .extend(events.iter().map(|event| event.fact.kind()));
            if forms.insert(form(&to, small)) {
                let depth = ways[at].depth + 1;
                ways.push(Way {
                    from: at,
                    how,
                    events,
                    depth,
                });
                frontier.push_back((ways.len() - 1, to));
            }
        }
    }
    Ok(seen)
}

type World = (Vec<Kind>, Option<u64>, Bound);

const CI: Bound = bound(1, 2, 0, 1);
/// For worlds with a cap: many tries, so that it is reached.
const TRIES: Bound = bound(2, 1, 2, 2);

const fn bound(crashes: u8, commands: u8, failures: u8, steps: u32) -> Bound {
    Bound {
        crashes,
        commands,
        failures,
        steps,
    }
}

fn small_worlds() -> Vec<World> {
    use Kind::{Checkable, Command, Free, Once, Signal};
    vec![
        (vec![Once, Free], None, Bound { commands: 1, ..CI }),
        (vec![Signal, Once], None, Bound { commands: 1, ..CI }),
        (vec![Once], None, Bound { crashes: 2, ..CI }),
        (vec![Command], None, CI),
        (vec![Signal], None, CI),
        (vec![Free], Some(20_000), TRIES),
        (vec![Checkable], None, Bound { failures: 1, ..CI }),
    ]
}

/// Every pair of kinds of calls, and every kind alone with more of everything.
fn wide_worlds() -> Vec<World> {
    let pairs = KINDS
        .iter()
        .flat_map(|one| KINDS.iter().map(|other| vec![*one, *other]));
    let pairs = pairs.map(|pair| (pair, None, bound(2, 2, 1, 1)));
    let singles = KINDS.iter().flat_map(|one| {
        [
            (vec![*one], None, bound(2, 3, 2, 2)),
            (vec![*one], Some(20_000), TRIES),
        ]
    });
    pairs.chain(singles).collect()
}

/// I3, I4, I5, I10, no deadlock, no wait that ends twice, no fact that fits nowhere: in every state
/// that can be reached within the bound. Prints what was seen.
#[test]
fn every_state_within_the_bound_keeps_the_laws() {
    explore_all(small_worlds());
}

/// The same to a larger bound: more than a million states, minutes in a debug build.
#[test]
#[ignore = "takes many minutes; `cargo test -p bowline-core --test it explore -- --ignored`"]
fn every_state_within_a_wide_bound_keeps_the_laws() {
    explore_all(wide_worlds());
}

fn explore_all(worlds: Vec<World>) {
    let mut seen = Seen::default();
    for (calls, cap, bound) in worlds {
        let small = Small {
            calls: &calls,
            cap,
            bound,
        };
        let one = explore(Engine::real(), &small);
        let one = one.map_err(|law| format!("{small:?}: {law}")).unwrap();
        println!(
            "{calls:?} cap {cap:?} {bound:?}: {} states, {} transitions, depth {}",
            one.states, one.transitions, one.depth
        );
        seen.add(one);
    }
    println!(
        "in all: {} states, {} transitions, depth {}, {} kinds of fact, {} kinds of move",
        seen.states,
        seen.transitions,
        seen.depth,
        seen.kinds.len(),
        seen.moves.len()
    );
    // So that it cannot become empty.
    assert!(seen.states >= 5_000, "{seen:?}");
    assert!(seen.transitions >= 2 * seen.states, "{seen:?}");
    assert!(seen.depth >= 14, "{seen:?}");
    for kind in [
        "CallParked",
        "WaitEnded",
        "SignalReceived",
        "CallSettled",
        "DecisionLapsed",
    ] {
        assert!(seen.kinds.contains(kind), "no {kind}: {seen:?}");
    }
    for how in [
        "crash",
        "cancel",
        "supersede",
        "pause",
        "allow for the session",
        "late finding",
    ] {
        assert!(seen.moves.contains(how), "no {how}: {seen:?}");
    }
}
