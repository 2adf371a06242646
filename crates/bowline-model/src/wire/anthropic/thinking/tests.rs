//! What is said about thinking, to which model.

use std::sync::Arc;

use bowline_core::message::ResultKind;
use bowline_core::request::FrozenPrompt;
use bowline_core::{
    AssistantMessage, CallId, ContextText, Exchange, Origin, StepId, ToolCall, ToolResult,
};
use serde_json::{Value, json};

use super::*;

fn request(model: &str, reasoning: Option<ReasoningEffort>, most: Option<u64>) -> Request {
    Request {
        model: format!("anthropic/{model}").parse().unwrap(),
        prompt: Arc::new(FrozenPrompt {
            system: String::new(),
            tools: Vec::new(),
        }),
        history: Vec::new(),
        max_output_tokens: most,
        reasoning,
        cache_ttl: bowline_core::CacheTtl::FiveMinutes,
        images: Arc::default(),
    }
}

fn check(model: &str, effort: &str, most: Option<u64>, expect: Value) {
    let effort = (effort != "default").then(|| effort.parse().unwrap());
    let request = request(model, effort, most);
    let parameters = parameters(&request);
    let body = format!("{{\"max_tokens\":{}{parameters}}}", max_tokens(&request));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, expect, "{model} {effort:?} {most:?}");
}

#[test]
fn efforts_become_budgets_that_never_shrink_while_they_fit() {
    let enabled = |most: u64, budget: u64| json!({"max_tokens": most, "thinking": {"type": "enabled", "budget_tokens": budget}});
    let model = "claude-sonnet-4-5-20250929";
    check(model, "default", None, json!({"max_tokens": 32_000}));
    check(model, "off", None, json!({"max_tokens": 32_000}));
    check(model, "low", None, enabled(32_000, 4_096));
    check(model, "medium", None, enabled(32_000, 10_240));
    check(model, "high", None, enabled(32_000, 20_480));
    check(model, "high", Some(64_000), enabled(64_000, 20_480));
    check(model, "high", Some(20_481), enabled(20_481, 20_480));
    check(model, "medium", Some(10_241), enabled(10_241, 10_240));
    // A limit without room for it and one word.
    check(model, "high", Some(20_480), enabled(20_480, 10_240));
    check(model, "high", Some(8_000), enabled(8_000, 4_000));
    check(model, "low", Some(4_097), enabled(4_097, 4_096));
    check(model, "low", Some(4_096), enabled(4_096, 2_048));
    check(model, "low", Some(2_048), enabled(2_048, 1_024));
    check(model, "low", Some(2_047), json!({"max_tokens": 2_047}));
    check(model, "high", Some(1), json!({"max_tokens": 1}));
    check(model, "off", Some(0), json!({"max_tokens": 1}));
    check("some-model", "low", None, enabled(32_000, 4_096));
}

#[test]
fn newer_models_are_told_an_effort() {
    let adaptive = |effort: &str| {
        json!({"max_tokens": 32_000, "output_config": {"effort": effort},
            "thinking": {"type": "adaptive", "display": "summarized"}})
    };
    check("claude-opus-4-7", "high", None, adaptive("high"));
    check("claude-sonnet-4-6", "low", None, adaptive("low"));
    check(
        "us.anthropic.claude-opus-5@20270101",
        "medium",
        None,
        adaptive("medium"),
    );
    check(
        "claude-opus-4-7",
        "off",
        None,
        json!({"max_tokens": 32_000}),
    );
}

#[test]
fn versions_are_read_from_names() {
    let check =
        |model: &str, expect: Option<(u32, u32)>| assert_eq!(version(model), expect, "{model}");
    check("claude-3-5-haiku-20241022", Some((3, 5)));
    check("claude-3-opus-20240229", Some((3, 0)));
    check("claude-opus-4-20250514", Some((4, 0)));
    check("claude-opus-4-1-20250805", Some((4, 1)));
    check("claude-sonnet-4.5", Some((4, 5)));
    check("anthropic.claude-sonnet-4-6-v1:0", Some((4, 6)));
    check("claude-haiku-5", Some((5, 0)));
    check("claude-opus-latest", None);
    check("gpt-5-1", None);
    check("claude", None);
}

#[test]
fn models_before_claude_4_have_smaller_replies() {
    let check = |model: &str, expect: u64| {
        assert_eq!(max_tokens(&request(model, None, None)), expect, "{model}");
    };
    check("claude-3-haiku-20240307", 4_096);
    check("claude-2.1", 4_096);
    check("claude-3-5-sonnet-20241022", 8_192);
    check("claude-3-7-sonnet-20250219", 32_000);
    check("claude-opus-4-20250514", 32_000);
    check("mock", 32_000);
}

fn person() -> HistoryItem {
    HistoryItem::Input(ContextText::admit(Origin::Person, "go".to_owned(), 9, None).into())
}

/// A reply with a call, after a thought of `model` if one is named.
fn called(number: u128, model: Option<&str>) -> HistoryItem {
    let call = ToolCall {
        id: CallId::from_uuid(uuid::Uuid::from_u128(number)),
        wire_id: "a".to_owned(),
        name: "read".to_owned(),
        arguments: "{}".to_owned(),
        fault: None,
        kept: None,
    };
    let result = ToolResult {
        call: call.id,
        kind: ResultKind::Ok,
        content: ContextText::notice("done"),
    };
    let thought = model.map(|model| {
        Block::Opaque(Opaque {
            provider: "anthropic".to_owned(),
            model: model.to_owned(),
            field: "thinking".to_owned(),
            value: json!({"type": "thinking", "thinking": "hm", "signature": "s"}),
        })
    });
    let message = AssistantMessage {
        blocks: thought.into_iter().chain([Block::Call(call)]).collect(),
        ..AssistantMessage::default()
    };
    HistoryItem::Exchange(Exchange::new(StepId(1), message, vec![result]).unwrap())
}

#[test]
fn a_round_that_began_without_a_thought_goes_on_without() {
    let check = |history: Vec<HistoryItem>, expect: bool| {
        let mut request = request("m-1", Some(ReasoningEffort::Low), None);
        request.history = history.into_iter().map(Arc::new).collect();
        assert_eq!(!parameters(&request).is_empty(), expect);
    };
    check(vec![person()], true);
    check(vec![person(), called(1, Some("m-1"))], true);
    check(vec![person(), called(1, None)], false);
    check(vec![person(), called(1, Some("m-2"))], false);
    // What follows the first reply of a round need not think.
    check(
        vec![person(), called(1, Some("m-1")), called(2, None)],
        true,
    );
    check(
        vec![person(), called(1, None), called(2, Some("m-1"))],
        false,
    );
    // Words that came meanwhile do not end the round.
    check(
        vec![
            person(),
            called(1, Some("m-1")),
            person(),
            called(2, None),
            person(),
        ],
        true,
    );
    check(vec![person(), called(1, None), person()], false);
}
