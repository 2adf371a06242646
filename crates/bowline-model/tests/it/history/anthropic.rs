//! I14 in Anthropic's dialect.

use std::sync::Arc;

use bowline_core::call::BlobRef;
use bowline_core::message::{ImageRef, Input, Opaque};
use bowline_core::{Block, ContextText, Digest, HistoryItem, ReasoningEffort, ToolCall};
use bowline_model::wire::anthropic::encoder;
use bowline_testkit::strict::anthropic::check_allowing;
use bowline_testkit::strict::{Kind, Undeclared, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{call, history_of, text};
use crate::size::bounds;
use crate::support;

/// Takes a budget for thinking; the validator then wants a round of calls to begin with a thought.
const MODEL: &str = "anthropic/m-1";

/// A block as some server might have sent it, in the field that it names or in another.
fn kept() -> impl Strategy<Value = Opaque> {
    let words = || {
        prop_oneof![
            Just(json!("s")),
            text().prop_map(Value::String),
            Just(Value::Null)
        ]
    };
    let value = (words(), words(), 0..5).prop_map(|(one, other, kind)| match kind {
        0 | 1 => json!({"type": "thinking", "thinking": one, "signature": other}),
        2 => json!({"type": "redacted_thinking", "data": one}),
        3 => json!({"type": "text", "text": one}),
        _ => one,
    });
    let field = prop_oneof![
        3 => Just("thinking"),
        1 => Just("redacted_thinking"),
        1 => Just("text"),
        1 => Just("tool_result"),
    ];
    (value, field, "m-[12]").prop_map(|(value, field, model)| Opaque {
        provider: "anthropic".to_owned(),
        model,
        field: field.to_owned(),
        value,
    })
}

fn block() -> impl Strategy<Value = Block> {
    let fields = prop_oneof![
        Just(json!({"caller": {"type": "direct"}})),
        Just(json!({"id": "x", "input": 1, "cache_control": 2})),
        Just(json!({"caller": "\0"})),
        Just(json!([1])),
    ];
    let extra = fields.prop_map(|value| Opaque {
        provider: "anthropic".to_owned(),
        model: "m-1".to_owned(),
        field: "tool_use".to_owned(),
        value,
    });
    let asked = (call(), proptest::option::of(extra));
    prop_oneof![
        2 => text().prop_map(|text| Block::Text { text }),
        3 => asked.prop_map(|(call, kept)| Block::Call(ToolCall { kept, ..call })),
        3 => kept().prop_map(Block::Opaque),
    ]
}

/// Words, or none, with images of which some can be read.
fn seen(words: &str, there: &[bool]) -> HistoryItem {
    let image = |at: usize| ImageRef {
        blob: BlobRef {
            digest: Digest::of(&at.to_le_bytes()),
            bytes: 8,
        },
        media_type: ["image/png", "text/html"][at % 2].to_owned(),
    };
    HistoryItem::Input(Input {
        text: ContextText::admit(bowline_core::Origin::Person, words.to_owned(), 99, None),
        images: (0..there.len()).map(image).collect(),
        role: bowline_core::InputRole::Words,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_history_is_accepted_by_messages(
        mut items in history_of(block()),
        max_output_tokens in proptest::option::of(0u64..100_000),
        reasoning in proptest::option::of(prop_oneof![
            Just(ReasoningEffort::Off), Just(ReasoningEffort::Low), Just(ReasoningEffort::High),
        ]),
        model in prop_oneof![3 => Just(MODEL), 1 => Just("anthropic/claude-opus-5")],
        words in text(),
        there in proptest::option::of(proptest::collection::vec(any::<bool>(), 0..3)),
        before in 0usize..10,
    ) {
        if let Some(there) = &there {
            items.push(Arc::new(seen(&words, there)));
        }
        let mut request = support::request(model, items.clone());
        (request.max_output_tokens, request.reasoning) = (max_output_tokens, reasoning);
        let images = there.iter().flatten().enumerate().filter(|(_, there)| **there);
        let images = images.map(|(at, _)| at.to_le_bytes().to_vec());
        request.images = Arc::new(images.map(|bytes| (Digest::of(&bytes), bytes)).collect());
        let mut encoder = encoder();
        let shorter = items[..before.min(items.len())].to_vec();
        drop(encoder.encode(&support::request(model, shorter)));
        let size = encoder.size(&request);
        let raw = encoder.encode(&request);
        let body = parse(&raw).map_err(|why| TestCaseError::fail(why.to_string()))?;
        prop_assert_eq!(size.bytes, raw.len() as u64);
        prop_assert!(bounds(size.tokens_bound, &body, &raw), "{size:?}\n{body:#}");
        // Models call tools that do not exist; the API does not mind, so neither may this check.
        let checked = check_allowing(&body, &Undeclared::Any);
        prop_assert!(checked.is_ok(), "{}\n{body:#}", checked.unwrap_err());
    }
}

/// The control for the property: the same validator refuses what a careless encoder would send.
#[test]
fn the_validator_refuses_what_a_careless_encoder_would_send() {
    let asked = |number: u128| {
        let call = ToolCall {
            id: bowline_core::CallId::from_uuid(uuid::Uuid::from_u128(number)),
            wire_id: "a".to_owned(),
            name: "read".to_owned(),
            arguments: "{}".to_owned(),
            fault: None,
            kept: None,
        };
        let result = bowline_core::ToolResult {
            call: call.id,
            kind: bowline_core::message::ResultKind::Ok,
            content: ContextText::notice("done"),
        };
        let message = bowline_core::AssistantMessage {
            blocks: vec![Block::Call(call)],
            ..Default::default()
        };
        let exchange = bowline_core::Exchange::new(bowline_core::StepId(1), message, vec![result]);
        Arc::new(HistoryItem::Exchange(exchange.unwrap()))
    };
    let items = vec![Arc::new(support::person("go")), asked(1), asked(2)];
    let body = parse(&encoder().encode(&support::request(MODEL, items))).unwrap();
    let check = |kind: Kind, change: fn(&mut Value)| {
        let mut body = body.clone();
        change(&mut body);
        let refused = check_allowing(&body, &Undeclared::Refused).unwrap_err();
        assert_eq!(refused.kind, kind, "{refused}");
    };
    assert_eq!(check_allowing(&body, &Undeclared::Refused), Ok(()));
    check(Kind::UnansweredCall, |b| {
        drop(b["messages"].as_array_mut().unwrap().pop())
    });
    check(Kind::DuplicateCallId, |b| {
        b["messages"][3]["content"][0]["id"] = json!("a");
        b["messages"][4]["content"][0]["tool_use_id"] = json!("a");
    });
    check(Kind::ThoughtMissing, |b| {
        b["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    });
}
