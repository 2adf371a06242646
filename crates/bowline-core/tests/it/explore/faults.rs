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
use super::{Engine, Small, bound, explore};

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
    let fact = engine::reserve(state, engine::NewAsk::of(attempt))?;
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

/// The law that is broken, an engine that breaks it, and the world in which it does.
type Faulty = (&'static str, Engine, Kind, Option<u64>);

fn faulty() -> [Faulty; 7] {
    let with = |put: fn(&mut Engine)| {
        let mut engine = Engine::real();
        put(&mut engine);
        engine
    };
    let again = with(|engine| engine.due = due_again);
    let twice = with(|engine| engine.accept = accept_twice);
    let forgetful = with(|engine| engine.apply = apply_without_grants);
    let ownerless = with(|engine| engine.apply = apply_without_owners);
    let endless = with(|engine| engine.apply = apply_without_ends);
    let lavish = with(|engine| engine.reserve = reserve_too_much);
    let remembering = with(|engine| engine.due = due_once);
    [
        ("I5:", again, Kind::Once, None),
        ("effect twice", twice, Kind::Signal, None),
        ("is forgotten", forgetful, Kind::Once, None),
        ("take-over", ownerless, Kind::Once, None),
        ("termination", endless, Kind::Signal, None),
        ("I10", lavish, Kind::Free, Some(20_000)),
        ("I3", remembering, Kind::Free, None),
    ]
}

#[test]
fn an_engine_with_a_fault_is_caught() {
    for (law, engine, kind, cap) in faulty() {
        let small = Small {
            calls: &[kind],
            cap,
            bound: bound(1, 1, 1, 1),
        };
        let caught = explore(engine, &small).expect_err(law);
        println!("{law}: {caught}");
        assert!(caught.contains(law), "{law}: {caught}");
        let real = explore(Engine::real(), &small);
        assert!(real.is_ok(), "{law}: a real engine: {real:?}");
    }
}
