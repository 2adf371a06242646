//! What the engine refuses, and in which order calls of one step may run.

use bowline_core::command::{Ask, Command};
use bowline_core::decision::Scope;
use bowline_core::engine::{self, NotStartable, StartFacts};
use bowline_core::event::{Decided, ModelReplied, ReplyStop, TurnStarted};
use bowline_core::state::CallPhase;
use bowline_core::*;
use uuid::Uuid;

use crate::world::{World, decision, question, request};

pub(crate) fn call(number: u128) -> CallId {
    CallId::from_uuid(Uuid::from_u128(number))
}

/// A world whose model has just asked for calls numbered 100, 101, ...
pub(crate) fn with_calls(count: u128) -> World {
    let mut world = World::new(Vec::new(), None);
    world.put(Fact::TurnStarted(TurnStarted { turn: TurnId(1) }));
    let attempt = AttemptId::from_uuid(Uuid::from_u128(99));
    let fact = engine::reserve(&world.state, engine::NewAsk::of(attempt)).unwrap();
    world.put(fact);
    let blocks = (0..count)
        .map(|index| {
            Block::Call(ToolCall {
                id: call(100 + index),
                wire_id: format!("w{index}"),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
                fault: None,
                kept: None,
            })
        })
        .collect();
    world.put(Fact::ModelReplied(Box::new(ModelReplied {
        attempt,
        message: AssistantMessage {
            blocks,
            ..AssistantMessage::default()
        },
        stop: ReplyStop::Finished,
        usage: None,
        request_id: None,
        charged: None,
    })));
    world
}

pub(crate) fn decide(
    world: &mut World,
    number: u128,
    verdict: Verdict,
    class: ReplayClass,
    path: &str,
) {
    let id = DecisionId::from_uuid(Uuid::from_u128(number + 1000));
    let decision = decision(id, verdict, class, path);
    world.put(Fact::Decided(Box::new(Decided {
        call: call(number),
        decision,
    })));
}

fn runnable(world: &World) -> Vec<CallId> {
    due(&world.state)
        .into_iter()
        .filter_map(|work| match work {
            Work::RunTool { call } => Some(call),
            _ => None,
        })
        .collect()
}

#[test]
fn no_call_starts_without_a_recorded_allow() {
    let mut world = with_calls(1);
    let start = |world: &World, request: &CallRequest| {
        engine::start(&world.state, call(100), request, StartFacts::default())
    };
    assert_eq!(
        start(&world, &request()),
        Err(NotStartable::NotAllowed(call(100)))
    );
    decide(&mut world, 100, Verdict::Ask, ReplayClass::Free, "/w/a");
    assert_eq!(
        start(&world, &request()),
        Err(NotStartable::NotAllowed(call(100)))
    );
    assert!(matches!(due(&world.state)[..], [Work::Wait { .. }]));
}

#[test]
fn a_changed_request_is_not_covered_by_the_decision() {
    let mut world = with_calls(1);
    decide(&mut world, 100, Verdict::Allow, ReplayClass::Free, "/w/a");
    let mut changed = request();
    changed.arguments = "{ }".to_owned();
    let refused = engine::start(&world.state, call(100), &changed, StartFacts::default());
    assert_eq!(refused, Err(NotStartable::Changed(call(100))));
    assert!(engine::start(&world.state, call(100), &request(), StartFacts::default()).is_ok());
}

#[test]
fn calls_on_different_paths_run_side_by_side_and_on_one_path_in_order() {
    let mut world = with_calls(3);
    for (number, path) in [(100, "/w/a"), (101, "/w/b"), (102, "/w/a")] {
        decide(
            &mut world,
            number,
            Verdict::Allow,
            ReplayClass::Checkable,
            path,
        );
    }
    assert_eq!(runnable(&world), [call(100), call(101)]);
}

#[test]
fn once_calls_keep_the_order_asked() {
    let mut world = with_calls(2);
    for (number, path) in [(100, "/w/a"), (101, "/w/b")] {
        decide(&mut world, number, Verdict::Allow, ReplayClass::Once, path);
    }
    assert_eq!(runnable(&world), [call(100)]);
}

#[test]
fn a_path_below_a_written_folder_conflicts_but_a_longer_name_does_not() {
    let mut world = with_calls(3);
    for (number, path) in [(100, "/w/a"), (101, "/w/a/b"), (102, "/w/ab")] {
        decide(
            &mut world,
            number,
            Verdict::Allow,
            ReplayClass::Checkable,
            path,
        );
    }
    assert_eq!(runnable(&world), [call(100), call(102)]);
}

#[test]
fn the_same_command_twice_has_effect_once() {
    let mut world = World::new(Vec::new(), None);
    let text = ContextText::admit(Origin::Person, "x".to_owned(), 10, None);
    let command = Command {
        key: "k".to_owned(),
        at_ms: None,
        ask: Ask::Prompt {
            text,
            images: Vec::new(),
            output_schema: None,
            supersede: false,
        },
    };
    assert_eq!(accept(&world.state, command.clone()).unwrap().len(), 1);
    world.give(command.clone());
    let again = accept(&world.state, command);
    assert_eq!(
        again,
        Err(Refusal::AlreadyAccepted {
            key: "k".to_owned()
        })
    );
}

#[test]
fn an_answer_needs_an_open_question() {
    let world = with_calls(1);
    let decision = DecisionId::from_uuid(Uuid::from_u128(1));
    let answer = |verdict| Command {
        key: "k".to_owned(),
        at_ms: None,
        ask: Ask::Answer {
            decision,
            verdict,
            scope: Scope::Once,
            by: "test".to_owned(),
            note: None,
        },
    };
    let refused = accept(&world.state, answer(Verdict::Allow));
    assert_eq!(refused, Err(Refusal::NoSuchQuestion { decision }));
    assert_eq!(
        accept(&world.state, answer(Verdict::Ask)),
        Err(Refusal::NotAnAnswer)
    );
}

/// A world in which call 100 asks a person something, and the decision that waits.
pub(crate) fn with_question() -> (World, DecisionId) {
    let mut world = with_calls(2);
    let id = DecisionId::from_uuid(Uuid::from_u128(1100));
    let mut asked = decision(id, Verdict::Ask, ReplayClass::Free, "/w/a");
    asked.actions[0].action = question();
    world.put(Fact::Decided(Box::new(Decided {
        call: call(100),
        decision: asked,
    })));
    decide(&mut world, 101, Verdict::Ask, ReplayClass::Free, "/w/b");
    (world, id)
}

pub(crate) fn reply(decision: DecisionId) -> Command {
    Command {
        key: format!("reply-{decision}"),
        at_ms: None,
        ask: Ask::Reply {
            decision,
            text: ContextText::admit(Origin::Person, "the second".to_owned(), 100, None),
            by: "test".to_owned(),
        },
    }
}

pub(crate) fn verdict(decision: DecisionId, verdict: Verdict) -> Command {
    Command {
        key: format!("verdict-{decision}"),
        at_ms: None,
        ask: Ask::Answer {
            decision,
            verdict,
            scope: Scope::Session,
            by: "test".to_owned(),
            note: Some("not now".to_owned()),
        },
    }
}

#[test]
fn a_question_is_answered_with_words_and_its_call_never_runs() {
    let (mut world, question) = with_question();
    let other = DecisionId::from_uuid(Uuid::from_u128(1101));
    assert_eq!(
        accept(&world.state, verdict(question, Verdict::Allow)),
        Err(Refusal::WantsAnAnswer { decision: question })
    );
    assert_eq!(
        accept(&world.state, reply(other)),
        Err(Refusal::WantsAVerdict { decision: other })
    );
    world.give(reply(question));
    let CallPhase::Closed(result) = &world.state.call(call(100)).unwrap().phase else {
        panic!("it is answered");
    };
    assert_eq!(result.kind, bowline_core::message::ResultKind::Ok);
    assert_eq!(result.content.text(), "the second");
    assert_eq!(*result.content.origin(), Origin::Person);
    assert_eq!(runnable(&world), []);
    assert_eq!(world.state.ledger().calls_run, 0);
    assert_eq!(
        accept(&world.state, reply(question)),
        Err(Refusal::AlreadyAccepted {
            key: format!("reply-{question}")
        })
    );
}

#[test]
fn a_declined_question_tells_the_model_so() {
    let (mut world, question) = with_question();
    world.give(verdict(question, Verdict::Deny));
    let CallPhase::Closed(result) = &world.state.call(call(100)).unwrap().phase else {
        panic!("it is answered");
    };
    let told = result.content.text();
    assert!(
        told.contains("A person declined to answer: not now"),
        "{told}"
    );
}

#[test]
fn a_verdict_for_a_question_fits_nowhere() {
    let (mut world, decision) = with_question();
    let before = world.state.clone();
    world.put(Fact::DecisionAnswered(event::DecisionAnswered {
        key: "k".to_owned(),
        decision,
        verdict: Verdict::Allow,
        scope: Scope::Session,
        by: "test".to_owned(),
        note: None,
    }));
    assert_eq!(world.state.misfits(), before.misfits() + 1);
    assert_eq!(world.state.call(call(100)), before.call(call(100)));
}

#[test]
fn a_looser_mode_asks_open_questions_anew() {
    let mut world = with_calls(1);
    decide(&mut world, 100, Verdict::Ask, ReplayClass::Free, "/w/a");
    let mut settings = world.state.settings().unwrap().clone();
    settings.mode = Mode::Full;
    let ask = Ask::Change {
        settings: Box::new(settings),
        by: "test".to_owned(),
    };
    world.give(Command {
        key: "m".to_owned(),
        at_ms: None,
        ask,
    });
    assert_eq!(due(&world.state), [Work::Decide { call: call(100) }]);
}

#[test]
fn words_that_come_in_during_a_call_are_placed_after_its_result() {
    let mut world = with_calls(1);
    world.prompt("wait, also this");
    decide(&mut world, 100, Verdict::Deny, ReplayClass::Free, "/w/a");
    let attempt = AttemptId::from_uuid(Uuid::from_u128(500));
    let fact = engine::reserve(&world.state, engine::NewAsk::of(attempt)).unwrap();
    world.put(fact);
    let kinds: Vec<&str> = world
        .state
        .history()
        .iter()
        .map(|item| match item.as_ref() {
            HistoryItem::Input(_) => "input",
            HistoryItem::Exchange(_) => "exchange",
        })
        .collect();
    assert_eq!(kinds, ["input", "exchange", "input"]);
}

#[test]
fn a_budget_too_small_for_a_reply_stops_before_the_call() {
    let world = {
        let mut world = World::new(Vec::new(), Some(100));
        world.put(Fact::TurnStarted(TurnStarted { turn: TurnId(1) }));
        world
    };
    let attempt = AttemptId::from_uuid(Uuid::from_u128(1));
    assert!(engine::reserve(&world.state, engine::NewAsk::of(attempt)).is_err());
}

/// Otherwise a session that has spent its budget would begin and end turns for ever.
#[test]
fn a_turn_that_ends_before_the_model_is_asked_is_not_begun_again() {
    let mut world = World::new(Vec::new(), Some(100));
    for turn in [TurnId(1), TurnId(2)] {
        assert_eq!(due(&world.state), [Work::BeginTurn], "{turn:?}");
        world.put(Fact::TurnStarted(TurnStarted { turn }));
        let stop = StopReason::Budget;
        let detail = None;
        world.put(Fact::TurnEnded(event::TurnEnded {
            turn,
            stop,
            detail,
            summary: None,
            worked_ms: 0,
        }));
        assert_eq!(due(&world.state), [], "{turn:?}");
        assert_eq!(
            world.state.history().len(),
            turn.0 as usize,
            "the words are kept"
        );
        world.prompt("again");
    }
    assert_eq!(world.state.misfits(), 0);
}
