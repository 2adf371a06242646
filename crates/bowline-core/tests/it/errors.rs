//! Every way in which the engine says no is provoked, and nothing comes of it: no fact, and the
//! same work is due as before.

use std::collections::BTreeSet;
use std::fmt::Debug;

use bowline_core::command::{Ask, Command};
use bowline_core::engine::{self, NotStartable, Overdrawn, StartFacts};
use bowline_core::event::{AttemptFailed, TurnStarted};
use bowline_core::failure::retry_in_ms;
use bowline_core::registry::DuplicateName;
use bowline_core::spec::Named;
use bowline_core::*;
use uuid::Uuid;

use crate::refusals::{call, decide, reply, verdict, with_calls, with_question};
use crate::variants::{name, variants};
use crate::world::{World, request, started};

fn ask(ask: Ask) -> Command {
    Command {
        key: "k".to_owned(),
        at_ms: Some(1_000_000),
        ask,
    }
}

fn by() -> String {
    "test".to_owned()
}

/// A world, the command that it refuses, and why.
type Refused = (World, Command, &'static str);

fn world() -> World {
    World::new(Vec::new(), None)
}

fn of_questions() -> Vec<Refused> {
    let (asking, question) = with_question();
    let verdict_wanted = DecisionId::from_uuid(Uuid::from_u128(1101));
    let never_asked = DecisionId::from_uuid(Uuid::from_u128(7));
    let mut answered = with_question().0;
    answered.give(reply(question));
    let mut lapsing = with_calls(1);
    let id = DecisionId::from_uuid(Uuid::from_u128(1100));
    let mut asked = crate::world::decision(id, Verdict::Ask, ReplayClass::Free, "/w/a");
    asked.expires_at_ms = Some(999_999);
    lapsing.put(Fact::Decided(Box::new(event::Decided {
        call: call(100),
        decision: asked,
    })));
    let late = ask(verdict(id, Verdict::Allow).ask);
    let ask_again = verdict(question, Verdict::Ask);
    let given = reply(question);
    vec![
        (answered, given, "AlreadyAccepted"),
        (world(), reply(never_asked), "NoSuchQuestion"),
        (with_question().0, ask_again, "NotAnAnswer"),
        (asking, verdict(question, Verdict::Allow), "WantsAnAnswer"),
        (with_question().0, reply(verdict_wanted), "WantsAVerdict"),
        (lapsing, late, "Lapsed"),
    ]
}

fn of_waiting() -> Vec<Refused> {
    let signal = |number: u32| Command {
        key: format!("signal-{number}"),
        at_ms: None,
        ask: Ask::Signal {
            name: "s".to_owned(),
            payload: None,
            by: by(),
        },
    };
    let mut signalled = world();
    (0..64).for_each(|number| signalled.give(signal(number)));
    let mut held = world();
    held.give(ask(Ask::Pause { by: by() }));
    let mut again = ask(Ask::Pause { by: by() });
    again.key.push('2');
    let compact = |key: &str| Command {
        key: key.to_owned(),
        at_ms: None,
        ask: Ask::Compact {
            focus: None,
            by: by(),
        },
    };
    let mut compacting = world();
    compacting.give(compact("first"));
    let settle = Ask::Settle {
        call: call(100),
        happened: true,
        note: None,
        by: by(),
    };
    vec![
        (with_calls(1), ask(settle), "NotInDoubt"),
        (signalled, signal(64), "TooManySignals"),
        (held, again, "PausedAlready"),
        (world(), ask(Ask::Continue { by: by() }), "NotPaused"),
        (world(), ask(Ask::Cancel { by: by() }), "NothingRunning"),
        (compacting, compact("again"), "CompactsAlready"),
        (holding(), elsewhere(), "KeptLocal"),
    ]
}

/// A session that holds what a rule keeps to local models.
fn holding() -> World {
    let mut world = world();
    let kept = bowline_core::Kept {
        rule: "send(vault/**)".to_owned(),
        what: "/w/vault/key".to_owned(),
    };
    world.put(Fact::ContentKept(bowline_core::event::ContentKept { kept }));
    world
}

/// Another model, which is not local.
fn elsewhere() -> Command {
    let mut settings = started(SessionId::from_uuid(Uuid::from_u128(9)), None).settings;
    settings.model = "openai/gpt-5".parse().unwrap();
    ask(Ask::Change {
        settings: Box::new(settings),
        by: by(),
    })
}

#[test]
fn every_refusal_is_provoked_and_nothing_comes_of_it() {
    let not_begun = accept(&State::new(), ask(Ask::Cancel { by: by() })).unwrap_err();
    let mut provoked = BTreeSet::from([name(&not_begun)]);
    assert_eq!(not_begun, Refusal::NotBegun);
    for (mut world, command, why) in of_questions().into_iter().chain(of_waiting()) {
        let before = (world.state.clone(), due(&world.state), world.events.len());
        let refusal = accept(&world.state, command.clone()).unwrap_err();
        assert_eq!(name(&refusal), why, "{refusal}");
        assert!(!refusal.to_string().is_empty());
        world.give(command);
        let after = (world.state.clone(), due(&world.state), world.events.len());
        assert_eq!(before, after, "{why}");
        provoked.insert(name(&refusal));
    }
    let all = variants(include_str!("../../src/command.rs"), "Refusal");
    println!("{} of {} refusals: {provoked:?}", provoked.len(), all.len());
    assert_eq!(provoked, all);
}

#[test]
fn every_reason_not_to_start_is_provoked_and_nothing_is_started() {
    let mut world = with_calls(2);
    decide(&mut world, 100, Verdict::Allow, ReplayClass::Once, "/w/a");
    decide(&mut world, 101, Verdict::Ask, ReplayClass::Once, "/w/b");
    let mut changed = request();
    changed.cwd.push('x');
    let table = [
        (call(7), request(), "NoSuchCall"),
        (call(101), request(), "NotAllowed"),
        (call(100), changed, "Changed"),
    ];
    let mut provoked = BTreeSet::new();
    for (call, request, why) in table {
        let refused = engine::start(&world.state, call, &request, StartFacts::default());
        let refused: NotStartable = refused.unwrap_err();
        assert_eq!(name(&refused), why, "{refused}");
        provoked.insert(name(&refused));
    }
    let all = variants(include_str!("../../src/engine/stage.rs"), "NotStartable");
    assert_eq!(provoked, all);
    // Started once, it is not started again; and a call that does not wait is not parked.
    let start = engine::start(&world.state, call(100), &request(), StartFacts::default());
    world.put(start.unwrap());
    let again = engine::start(&world.state, call(100), &request(), StartFacts::default());
    assert_eq!(again, Err(NotStartable::NotAllowed(call(100))));
    let parked = engine::park(&world.state, call(100), 1, None);
    assert_eq!(parked, Err(NotStartable::NotAllowed(call(100))));
    let parked = engine::park(&world.state, call(7), 1, None);
    assert_eq!(parked, Err(NotStartable::NoSuchCall(call(7))));
}

#[test]
fn a_spent_budget_reserves_nothing() {
    let mut world = World::new(Vec::new(), Some(100));
    world.put(Fact::TurnStarted(TurnStarted { turn: TurnId(1) }));
    let attempt = AttemptId::from_uuid(Uuid::from_u128(1));
    let overdrawn: Overdrawn =
        engine::reserve(&world.state, engine::NewAsk::of(attempt)).unwrap_err();
    assert!(
        overdrawn.to_string().contains("--max-tokens"),
        "{overdrawn}"
    );
    assert_eq!(world.state.reserved(), Amounts::ZERO);
}

/// Whatever a model call fails with, what follows is the same call again after its pause, or the
/// end of the turn; and what it may have cost is charged.
#[test]
fn after_every_failure_of_a_model_call_it_is_made_again_or_the_turn_ends() {
    use FailureKind::*;
    let kinds = [
        Connect,
        Cut,
        Timeout,
        RateLimited,
        Unavailable,
        Auth,
        NotFound,
        BadRequest,
        TooLong,
        Malformed,
        Empty,
        CutShort,
        Cancelled,
        Interrupted,
        Withheld,
    ];
    let mut provoked = BTreeSet::new();
    for kind in kinds {
        let mut world = world();
        world.put(Fact::TurnStarted(TurnStarted { turn: TurnId(1) }));
        let attempt = AttemptId::from_uuid(Uuid::from_u128(1));
        world.put(engine::reserve(&world.state, engine::NewAsk::of(attempt)).unwrap());
        let reserved = world.state.reserved().total_tokens();
        let failure = ProviderFailure::new(kind, "no");
        let pause = retry_in_ms(&failure, 1, 0);
        world.put(Fact::AttemptFailed(AttemptFailed {
            attempt,
            failure,
            retry_in_ms: pause,
            charged: None,
        }));
        match &due(&world.state)[..] {
            [Work::AskModel(again)] => {
                assert!(kind.is_passing(), "{kind:?}");
                assert_eq!((again.pause_ms, again.try_number), (pause, 2), "{kind:?}");
            }
            [Work::EndTurn { stop, .. }] => {
                assert!(!kind.is_passing(), "{kind:?}");
                assert_eq!(*stop, StopReason::ProviderFailed, "{kind:?}");
            }
            other => panic!("{kind:?}: {other:?}"),
        }
        let charged = if kind.may_have_cost() { reserved } else { 0 };
        assert_eq!(
            world.state.ledger().spent.total_tokens(),
            charged,
            "{kind:?}"
        );
        assert_eq!(world.state.misfits(), 0);
        provoked.insert(name(&kind));
    }
    let all = variants(include_str!("../../src/failure.rs"), "FailureKind");
    assert_eq!(provoked, all);
}

#[derive(Debug, Clone)]
struct Entry(&'static str);

impl Named for Entry {
    fn name(&self) -> &str {
        self.0
    }
}

#[test]
fn two_entries_of_one_name_make_no_registry() {
    let twice = Registry::new(vec![Entry("a"), Entry("b"), Entry("a")]);
    let name = "a".to_owned();
    assert_eq!(twice.map(|_| ()).unwrap_err(), DuplicateName { name });
}
