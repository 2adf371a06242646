//! I14 in the Responses dialect.

use std::sync::Arc;

use bowline_core::ReasoningEffort;
use bowline_core::call::BlobRef;
use bowline_core::message::{ImageRef, Input};
use bowline_core::{Block, ContextText, Digest, HistoryItem, message::Opaque};
use bowline_model::wire::responses::encoder;
use bowline_testkit::strict::responses::check_allowing;
use bowline_testkit::strict::{Undeclared, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{call, history_of, text};
use crate::size::bounds;
use crate::support;

const MODEL: &str = "openai/m-1";

/// An id as some server might give it, often one that was there before.
fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        "(rs|msg|fc|ws)_[ab]".prop_map(Value::String),
        "(rs|msg|fc)_[a-z0-9]{30,70}".prop_map(Value::String),
        text().prop_map(Value::String),
        Just(Value::Null),
        Just(json!(7)),
    ]
}

/// What a server may have said of an item, with the parts that the API itself knows.
fn fields(field: &'static str) -> impl Strategy<Value = Value> {
    let encrypted = prop_oneof![
        Just(json!("gAAA")),
        Just(json!("")),
        Just(Value::Null),
        Just(json!("\0")),
    ];
    (id(), encrypted, text(), any::<bool>()).prop_map(move |(id, encrypted, words, shown)| {
        let content = json!([{"type": "reasoning_text", "text": words}]);
        match field {
            "reasoning" => json!({"type": "reasoning", "id": id, "encrypted_content": encrypted,
                "summary": [{"type": "summary_text", "text": words}],
                "content": if shown { content } else { Value::Null }}),
            "message" => json!({"id": id, "status": "completed", "phase": "commentary",
                "role": "user", "content": words}),
            "function_call" => json!({"id": id, "status": "completed", "name": words}),
            kind => json!({"type": kind, "id": id}),
        }
    })
}

fn opaque(field: &'static str, whole: bool) -> impl Strategy<Value = Opaque> {
    let value = if whole {
        fields(field).boxed()
    } else {
        let words = text().prop_map(|words| json!(words));
        let other = text().prop_map(|words| json!({"type": words, "id": words}));
        prop_oneof![words, other].boxed()
    };
    (value, "m-[12]").prop_map(move |(value, model)| Opaque {
        provider: "openai".to_owned(),
        model,
        field: field.to_owned(),
        value,
    })
}

fn block() -> impl Strategy<Value = Block> {
    let asked = (call(), proptest::option::of(opaque("function_call", true)));
    let asked = asked.prop_map(|(call, kept)| Block::Call(bowline_core::ToolCall { kept, ..call }));
    prop_oneof![
        3 => text().prop_map(|text| Block::Text { text }),
        3 => asked,
        3 => opaque("reasoning", true).prop_map(Block::Opaque),
        1 => opaque("reasoning", false).prop_map(Block::Opaque),
        2 => opaque("message", true).prop_map(Block::Opaque),
        1 => opaque("message", false).prop_map(Block::Opaque),
        1 => opaque("web_search_call", true).prop_map(Block::Opaque),
        1 => opaque("computer_call", true).prop_map(Block::Opaque),
    ]
}

/// Words with images of which some can be read.
fn seen(there: &[bool]) -> HistoryItem {
    let image = |at: usize| ImageRef {
        blob: BlobRef {
            digest: Digest::of(&at.to_le_bytes()),
            bytes: 8,
        },
        media_type: ["image/png", "text/html"][at % 2].to_owned(),
    };
    HistoryItem::Input(Input {
        text: ContextText::notice("see"),
        images: (0..there.len()).map(image).collect(),
        role: bowline_core::InputRole::Words,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_history_is_accepted_by_responses(
        mut items in history_of(block()),
        max_output_tokens in proptest::option::of(1u64..100_000),
        reasoning in proptest::option::of(prop_oneof![
            Just(ReasoningEffort::Off), Just(ReasoningEffort::Low),
            Just(ReasoningEffort::Medium), Just(ReasoningEffort::High),
        ]),
        there in proptest::collection::vec(any::<bool>(), 0..3),
        before in 0usize..10,
    ) {
        items.push(Arc::new(seen(&there)));
        let mut request = support::request(MODEL, items.clone());
        (request.max_output_tokens, request.reasoning) = (max_output_tokens, reasoning);
        let images = there.iter().enumerate().filter(|(_, there)| **there);
        let images = images.map(|(at, _)| at.to_le_bytes().to_vec());
        request.images = Arc::new(images.map(|bytes| (Digest::of(&bytes), bytes)).collect());
        let mut encoder = encoder();
        let shorter = items[..before.min(items.len())].to_vec();
        drop(encoder.encode(&support::request(MODEL, shorter)));
        let size = encoder.size(&request);
        let raw = encoder.encode(&request);
        let body = parse(&raw).map_err(|why| TestCaseError::fail(why.to_string()))?;
        prop_assert_eq!(size.bytes, raw.len() as u64);
        prop_assert!(bounds(size.tokens_bound, &body, &raw), "{size:?}\n{body:#}");
        // Models call tools that do not exist; the API does not mind, so neither may this check.
        let checked = check_allowing(&body, &Undeclared::Any);
        prop_assert!(checked.is_ok(), "{}\n{body:#}", checked.unwrap_err());
        let items = body["input"].as_array().unwrap();
        for call in items.iter().filter(|item| item["type"] == "function_call") {
            let arguments = call["arguments"].as_str().unwrap();
            let parsed: Value = serde_json::from_str(arguments).unwrap();
            prop_assert!(parsed.is_object(), "servers that parse arguments must be able to");
        }
    }
}

/// The control for the property: the same validator refuses what a careless encoder would send.
#[test]
fn the_validator_refuses_reasoning_that_stands_alone() {
    let thought = Block::Opaque(Opaque {
        provider: "openai".to_owned(),
        model: "m-1".to_owned(),
        field: "reasoning".to_owned(),
        value: json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}),
    });
    let text = Block::Text {
        text: "hi".to_owned(),
    };
    let message = bowline_core::AssistantMessage {
        blocks: vec![thought, text],
        ..Default::default()
    };
    let exchange = bowline_core::Exchange::new(bowline_core::StepId(1), message, Vec::new());
    let items = vec![
        Arc::new(support::person("go")),
        Arc::new(HistoryItem::Exchange(exchange.unwrap())),
    ];
    let mut body = parse(&encoder().encode(&support::request(MODEL, items))).unwrap();
    assert_eq!(check_allowing(&body, &Undeclared::Refused), Ok(()));
    body["input"].as_array_mut().unwrap().pop();
    assert!(check_allowing(&body, &Undeclared::Refused).is_err());
}
