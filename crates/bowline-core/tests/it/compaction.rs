//! Conversations that are made shorter: what stays, what is looked for, and that what would lose
//! something is found.

use bowline_core::call::{Effect, Outcome, OutcomeStatus, Seen, TodoItem, TodoStatus};
use bowline_core::command::{Ask, Command};
use bowline_core::engine::{self, NextCut, Planned};
use bowline_core::event::{
    CallFinished, CompactionFailed, HistoryCompacted, ModelReplied, Purpose, ReplyStop, Strategy,
    TurnStarted,
};
use bowline_core::request::RequestSize;
use bowline_core::state::SummaryReply;
use bowline_core::*;
use uuid::Uuid;

use crate::refusals::decide;
use crate::world::{World, request};

/// A world in which the model read a file of so many bytes in each of `steps` steps.
fn with_steps(steps: u128, bytes: usize) -> World {
    let mut world = World::new(Vec::new(), None);
    world.put(Fact::TurnStarted(TurnStarted { turn: TurnId(1) }));
    for step in 0..steps {
        one_step(&mut world, step, bytes);
    }
    world
}

fn one_step(world: &mut World, step: u128, bytes: usize) {
    let attempt = AttemptId::from_uuid(Uuid::from_u128(5_000 + step));
    let fact = engine::reserve(&world.state, engine::NewAsk::of(attempt)).expect("a budget");
    world.put(fact);
    let number = 100 + step;
    let call = CallId::from_uuid(Uuid::from_u128(number));
    let wanted = ToolCall {
        id: call,
        wire_id: format!("w{number}"),
        name: "read".to_owned(),
        arguments: format!(r#"{{"path": "f{}"}}"#, step % 5),
        fault: None,
        kept: None,
    };
    world.put(Fact::ModelReplied(Box::new(ModelReplied {
        attempt,
        message: AssistantMessage {
            blocks: vec![Block::Call(wanted)],
            ..AssistantMessage::default()
        },
        stop: ReplyStop::Finished,
        usage: None,
        request_id: None,
        charged: None,
    })));
    decide(world, number, Verdict::Allow, ReplayClass::Free, "/w/a");
    let start = engine::start(
        &world.state,
        call,
        &request(),
        engine::StartFacts::default(),
    );
    world.put(start.expect("it may start"));
    let path = format!("/w/f{}", step % 5);
    let text = format!("{step} {}", "words of the file ".repeat(bytes / 18));
    let todo = step.is_multiple_of(4).then(|| {
        vec![TodoItem {
            text: format!("plan of step {step}"),
            status: TodoStatus::InProgress,
        }]
    });
    world.put(Fact::CallFinished(Box::new(CallFinished {
        call,
        outcome: Outcome {
            status: OutcomeStatus::Ok,
            content: ContextText::admit(Origin::Tool("read".to_owned()), text, 1 << 20, None),
            summary: String::new(),
            blob: None,
            effect: Effect {
                seen: vec![Seen {
                    content: Digest::of(path.as_bytes()),
                    path,
                }],
                todo,
                ..Effect::default()
            },
            exit_code: None,
            sandbox_denied: false,
            denied: Vec::new(),
            duration_ms: 1,
        },
        found: false,
    })));
}

fn ask_for_it(world: &mut World) {
    world.give(Command {
        key: format!("compact-{}", world.events.len()),
        at_ms: None,
        ask: Ask::Compact {
            focus: Some("the leak".to_owned()),
            by: "test".to_owned(),
        },
    });
    assert_eq!(due(&world.state), [Work::Compact]);
}

fn size(state: &State) -> RequestSize {
    state.size_by_weight()
}

fn fact_of(plan: &Planned) -> Fact {
    Fact::HistoryCompacted(Box::new(plan.fact.clone()))
}

#[test]
fn every_way_makes_it_shorter_and_loses_nothing() {
    let mut world = with_steps(12, 4_000);
    ask_for_it(&mut world);
    let recap = Recap {
        goal: "the goal".to_owned(),
        dead_ends: vec!["a dead end".to_owned()],
        ..Recap::default()
    };
    let state = &world.state;
    for strategy in [
        Strategy::Superseded,
        Strategy::Trimmed,
        Strategy::ModelSummary,
        Strategy::Outline,
    ] {
        let recap = (strategy == Strategy::ModelSummary).then(|| recap.clone());
        let plan = engine::planned(state, size(state), strategy, recap).expect("a plan");
        assert!(
            plan.fact.after_tokens < plan.fact.before_tokens,
            "{strategy:?}"
        );
        assert_eq!(
            engine::lost(state, &plan),
            Vec::<String>::new(),
            "{strategy:?}"
        );
        let after = apply(state.clone(), &Event::new(1, fact_of(&plan)));
        assert_eq!(after.misfits(), 0, "{strategy:?}");
        assert!(after.compaction().is_none());
        // What the next request holds is a valid conversation of exchanges.
        let request = after.next_request().expect("a request");
        assert!(request.history.len() >= 2, "{strategy:?}");
    }
}

/// What is lost, and how.
type Breaks = (&'static str, fn(&mut HistoryCompacted));

#[test]
fn what_would_be_lost_is_found() {
    let mut world = with_steps(12, 4_000);
    ask_for_it(&mut world);
    let state = &world.state;
    let good = engine::planned(state, size(state), Strategy::Outline, None).expect("a plan");
    let broken: [Breaks; 4] = [
        ("the plan", |fact| {
            fact.state = ContextText::notice("nothing is known")
        }),
        ("a person's words", |fact| {
            fact.shortened = vec![bowline_core::event::Shortened {
                place: bowline_core::event::Place::Words(0),
                content: ContextText::notice("..."),
                blob: None,
            }];
        }),
        ("a pinned fact", |fact| fact.summary = None),
        ("the conversation", |fact| {
            fact.folded.as_mut().expect("exchanges").through = StepId(999);
        }),
    ];
    for (what, breaks) in broken {
        let mut plan = good.clone();
        plan.fact.recap.as_mut().expect("a recap").dead_ends = vec!["pinned".to_owned()];
        plan.fact.summary = plan
            .fact
            .recap
            .as_ref()
            .map(|recap| ContextText::notice(recap.text()));
        assert!(engine::checked(state, &plan).is_ok(), "{what}: the control");
        breaks(&mut plan.fact);
        let refused: CompactionFailed = engine::checked(state, &plan).expect_err(what);
        let lost = engine::lost(state, &plan);
        assert!(
            lost.iter().any(|line| line.contains(what)),
            "{what}: {lost:?}"
        );
        assert!(refused.why.contains("would be lost"), "{}", refused.why);
    }
}

#[test]
fn a_summary_is_asked_for_beside_the_turn_and_what_came_of_it_is_looked_at() {
    let mut world = with_steps(12, 4_000);
    ask_for_it(&mut world);
    let cases: [(Option<&str>, Option<Strategy>); 3] = [
        (Some(r#"{"goal": "g", "next_step": "n"}"#), None),
        (Some("no"), Some(Strategy::ModelSummary)),
        (None, Some(Strategy::ModelSummary)),
    ];
    for (said, fails) in cases {
        let mut state = world.state.clone();
        assert_eq!(
            engine::next_cut(&state, size(&state)),
            NextCut::AskForSummary
        );
        let attempt = AttemptId::from_uuid(Uuid::from_u128(9_000));
        let ask = engine::NewAsk {
            purpose: Purpose::Summary,
            ..engine::NewAsk::of(attempt)
        };
        let reserved = engine::reserve(&state, ask).expect("a budget");
        state = apply(state, &Event::new(1, reserved));
        assert!(due(&state).is_empty(), "it is under way");
        let asked = state.request().expect("a request");
        let HistoryItem::Input(last) = asked.history.last().expect("words").as_ref() else {
            panic!("what is asked stands last");
        };
        assert!(
            last.text.text().ends_with("the leak"),
            "{}",
            last.text.text()
        );
        let before = state.history().len();
        let replied = ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks: vec![Block::Text {
                    text: said.unwrap_or("cut").to_owned(),
                }],
                ..AssistantMessage::default()
            },
            stop: if said.is_some() {
                ReplyStop::Finished
            } else {
                ReplyStop::Length
            },
            usage: None,
            request_id: None,
            charged: None,
        };
        for fact in engine::replied(&state, replied) {
            state = apply(state, &Event::new(2, fact));
        }
        assert_eq!(state.history().len(), before, "no part of the conversation");
        assert!(matches!(
            state.compaction().and_then(|open| open.summary.as_ref()),
            Some(SummaryReply::Said(_) | SummaryReply::Cut)
        ));
        match (engine::next_cut(&state, size(&state)), fails) {
            (NextCut::Try(plan), None) => assert!(engine::checked(&state, &plan).is_ok()),
            (NextCut::Failed(failed), Some(strategy)) => {
                assert_eq!(failed.strategy, strategy);
                state = apply(state, &Event::new(3, Fact::CompactionFailed(failed)));
                let NextCut::Try(plan) = engine::next_cut(&state, size(&state)) else {
                    panic!("the next way is tried");
                };
                assert_eq!(plan.strategy, Strategy::Outline);
            }
            (other, _) => panic!("{said:?}: {other:?}"),
        }
    }
}

#[test]
fn finished_work_goes_before_what_is_going_on() {
    let mut world = with_steps(3, 4_000);
    let end = engine::end_turn(&world.state, TurnId(1), StopReason::Done, None, 0);
    world.put(end);
    world.prompt("and now this");
    world.put(Fact::TurnStarted(TurnStarted { turn: TurnId(2) }));
    for step in 3..6 {
        one_step(&mut world, step, 4_000);
    }
    ask_for_it(&mut world);
    let state = &world.state;
    let plan = engine::planned(state, size(state), Strategy::FinishedWork, None).expect("a plan");
    assert_eq!(plan.fact.folded.expect("exchanges").through, StepId(3));
    assert_eq!(engine::lost(state, &plan), Vec::<String>::new());
    let done = &plan.fact.recap.as_ref().expect("a recap").done;
    assert_eq!(done.len(), 3, "{done:?}");
}
