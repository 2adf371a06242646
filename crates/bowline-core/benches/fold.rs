//! Folding and asking for work, per event.
#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

use bowline_core::call::{Effect, Outcome, OutcomeStatus};
use bowline_core::event::{CallRejected, ModelReplied, ReplyStop, TurnStarted};
use bowline_core::*;
use uuid::Uuid;

fn main() {
    divan::main();
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A session of `steps` steps with one call each: three events a step.
fn events(steps: u32) -> Vec<Event> {
    let mut state = State::new();
    let mut events = Vec::new();
    let mut put = |state: &mut State, fact: Fact| {
        let event = Event::new(1, fact);
        *state = apply(std::mem::take(state), &event);
        events.push(event);
    };
    let started = serde_json::json!({
        "session": id(1), "app_version": "0", "cwd": "/w", "roots": ["/w"],
        "settings": { "model": "scripted/x", "base_url": null, "mode": "full", "on_ask": "park",
            "limits": { "max_steps": 1_000_000, "max_tokens": null, "max_output_tokens": null } },
        "prompt": { "system": "s", "tools": [] }
    });
    let started = serde_json::from_value(started).expect("a start");
    put(&mut state, Fact::SessionStarted(Box::new(started)));
    put(
        &mut state,
        Fact::TurnStarted(TurnStarted { turn: TurnId(1) }),
    );
    for step in 0..u128::from(steps) {
        let attempt = AttemptId::from_uuid(id(10 + step));
        let fact = engine::reserve(&state, engine::NewAsk::of(attempt)).expect("no cap");
        put(&mut state, fact);
        let call = CallId::from_uuid(id((1 << 64) + step));
        let block = Block::Call(ToolCall {
            id: call,
            wire_id: "w".to_owned(),
            name: "shell".to_owned(),
            arguments: "{\"command\":\"true\"}".to_owned(),
            fault: None,
            kept: None,
        });
        put(
            &mut state,
            Fact::ModelReplied(Box::new(ModelReplied {
                attempt,
                message: AssistantMessage {
                    blocks: vec![block],
                    ..AssistantMessage::default()
                },
                stop: ReplyStop::Finished,
                usage: None,
                request_id: None,
                charged: None,
            })),
        );
        let error = ContextText::notice("no");
        put(&mut state, Fact::CallRejected(CallRejected { call, error }));
    }
    events
}

/// Folds a whole session: 3 events a step.
#[divan::bench(args = [10, 1_000, 5_000])]
fn fold(bencher: divan::Bencher, steps: u32) {
    let events = events(steps);
    bencher
        .counter(divan::counter::ItemsCount::new(events.len()))
        .bench_local(|| events.iter().fold(State::new(), apply));
}

/// Asks for work after a whole session.
#[divan::bench(args = [10, 1_000, 5_000])]
fn ask_due(bencher: divan::Bencher, steps: u32) {
    let state = events(steps).iter().fold(State::new(), apply);
    bencher.bench_local(|| due(divan::black_box(&state)));
}

/// Reads one event back from its JSON.
#[divan::bench]
fn read_event(bencher: divan::Bencher) {
    let outcome = Outcome {
        status: OutcomeStatus::Ok,
        content: ContextText::notice("x".repeat(300)),
        summary: "ok".to_owned(),
        blob: None,
        effect: Effect::default(),
        exit_code: Some(0),
        sandbox_denied: false,
        denied: Vec::new(),
        duration_ms: 3,
    };
    let call = CallId::from_uuid(id(7));
    let finished = event::CallFinished {
        call,
        outcome,
        found: false,
    };
    let text = serde_json::to_string(&Event::new(1, Fact::CallFinished(Box::new(finished))))
        .expect("an event is JSON");
    bencher.bench_local(|| serde_json::from_str::<Event>(divan::black_box(&text)));
}
