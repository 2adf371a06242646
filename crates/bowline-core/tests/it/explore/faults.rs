//! Engines with a fault each, which the exploration must catch: else it proves nothing.

use std::cell::RefCell;
use std::collections::HashSet;

use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::engine::{self, Overdrawn};
use bowline_core::state::CallPhase;
use bowline_core::{
    AttemptId, Command, Event, Fact, Refusal, ReplayClass, State, Work, accept, apply, due,
};

use super::moves::Kind;
use super::{Bound, Engine, Small, explore};

/// Offers to run a Once call of a dead owner again.
fn due_again(state: &State) -> Vec<Work> {
    let again = |work| match work {
        Work::Reconcile { call } => match state.call(call).map(|open| &open.phase) {
            Some(CallPhase::Started(_, started)) if started.class() == ReplayClass::Once => {
                Work::RunTool { call }
            }
            _ => Work::Reconcile { call },
        },
        other => other,
    };
    due(state).into_iter().map(again).collect()
}

/// Takes a key that is known.
fn accept_twice(state: &State, mut command: Command) -> Result<Vec<Fact>, Refusal> {
    if state.knows_key(&command.key) && matches!(command.ask, Ask::Signal { .. }) {
        command.key.push_str("-again");
    }
    accept(state, command)
}

/// Forgets that an answer holds for the session.
fn apply_without_grants(state: State, event: &Event) -> State {
    let mut event = event.clone();
    if let Fact::DecisionAnswered(answer) = &mut event.fact {
        answer.scope = Scope::Once;
    }
    apply(state, &event)
}

/// Takes what a dead owner started for what is under way now.
fn apply_without_owners(state: State, event: &Event) -> State {
    match &event.fact {
        Fact::OwnerChanged(owner) if owner.epoch.0 > 1 => state,
        _ => apply(state, event),
    }
}

/// Goes on waiting after the wait is over.
fn apply_without_ends(state: State, event: &Event) -> State {
    match &event.fact {
        Fact::WaitEnded(ended) if state.parked().any(|(call, ..)| call == ended.call) => state,
        _ => apply(state, event),
    }
}

/// Sets more aside than there is.
fn reserve_too_much(state: &State, attempt: AttemptId) -> Result<Fact, Overdrawn> {
    let fact = engine::reserve(state, attempt)?;
    let Fact::AttemptReserved(reserved) = fact else {
        return Ok(fact);
    };
    let mut data = serde_json::to_value(&reserved).expect("a fact is JSON");
    data["reserved_tokens"] = (reserved.reserved_tokens() * 2).into();
    Ok(Fact::AttemptReserved(
        serde_json::from_value(data).expect("and reads back"),
    ))
}

thread_local! {
    static OFFERED: RefCell<HashSet<String>> = RefCell::default();
}

/// Remembers outside the state what it offered.
fn due_once(state: &State) -> Vec<Work> {
    let mut work = due(state);
    if let Some(Work::Decide { call }) = work.first() {
        let key = format!("{call} {}", state.epoch().0);
        if !OFFERED.with_borrow_mut(|offered| offered.insert(key)) {
            work.remove(0);
        }
    }
    work
}

#[test]
fn an_engine_with_a_fault_is_caught() {
    let real = Engine::real();
    let bound = Bound {
        crashes: 1,
        commands: 1,
        failures: 1,
        steps: 1,
    };
    let table: [(&str, Engine, Kind, Option<u64>); 7] = [
        (
            "I5:",
            Engine {
                due: due_again,
                ..real
            },
            Kind::Once,
            None,
        ),
        (
            "effect twice",
            Engine {
                accept: accept_twice,
                ..real
            },
            Kind::Signal,
            None,
        ),
        (
            "is forgotten",
            Engine {
                apply: apply_without_grants,
                ..real
            },
            Kind::Once,
            None,
        ),
        (
            "take-over",
            Engine {
                apply: apply_without_owners,
                ..real
            },
            Kind::Once,
            None,
        ),
        (
            "termination",
            Engine {
                apply: apply_without_ends,
                ..real
            },
            Kind::Signal,
            None,
        ),
        (
            "I10",
            Engine {
                reserve: reserve_too_much,
                ..real
            },
            Kind::Free,
            Some(20_000),
        ),
        (
            "I3",
            Engine {
                due: due_once,
                ..real
            },
            Kind::Free,
            None,
        ),
    ];
    for (law, engine, kind, cap) in table {
        let calls = [kind];
        let small = Small {
            calls: &calls,
            cap,
            bound,
        };
        let caught = explore(engine, &small).expect_err(law);
        println!("{law}: {caught}");
        assert!(caught.contains(law), "{law}: {caught}");
        explore(real, &small).unwrap_or_else(|found| panic!("{law}: a real engine: {found}"));
    }
}
