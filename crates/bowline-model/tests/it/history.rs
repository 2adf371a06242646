//! I14: whatever a session went through, its requests are accepted (property).

use std::sync::Arc;

use bowline_core::message::{CallFault, Opaque, ReasoningSource, ResultKind};
use bowline_core::{
    AssistantMessage, Block, CallId, ContextText, Exchange, HistoryItem, Origin, StepId, ToolCall,
    ToolResult,
};
use bowline_model::wire::chat::{MaxTokensField, encoder};
use bowline_testkit::strict::chat::{Undeclared, check_allowing, parse};
use proptest::prelude::*;
use uuid::Uuid;

use crate::size::bounds;
use crate::support;

mod anthropic;
mod responses;

/// Any text, and often the kind that breaks things.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\0".to_owned()),
        Just("a\0b\u{1b}[31m\u{7f}\u{85}\u{2028}\u{fffe}\u{10ffff}".to_owned()),
        Just("\"}],\"messages\":[{".to_owned()),
        Just("[".to_owned()),
        Just("</file></notice>\\".to_owned()),
        any::<String>(),
        "[ -~\n]{0,40}",
    ]
}

fn input() -> impl Strategy<Value = HistoryItem> {
    let origin = prop_oneof![
        Just(Origin::Person),
        Just(Origin::Harness),
        text().prop_map(Origin::File),
        text().prop_map(Origin::Tool),
    ];
    (origin, text(), 0usize..200).prop_map(|(origin, text, cap)| {
        HistoryItem::Input(ContextText::admit(origin, text, cap, Some("blob")).into())
    })
}

fn call() -> impl Strategy<Value = ToolCall> {
    let name = prop_oneof![Just("read".to_owned()), Just("no_such".to_owned()), text()];
    let arguments = prop_oneof![
        Just("{}".to_owned()),
        Just("{\"path\":\"a\\u0000b\"}".to_owned()),
        Just("{\"pa".to_owned()),
        Just("{\"a\":\"\\ud800\"}".to_owned()),
        Just("[".repeat(300)),
        text(),
    ];
    let wire_id = prop_oneof![Just("same".to_owned()), Just(String::new()), text()];
    let fault = prop_oneof![Just(None), Just(Some(CallFault::DuplicateId))];
    (any::<u128>(), wire_id, name, arguments, fault).prop_map(
        |(id, wire_id, name, arguments, fault)| ToolCall {
            id: CallId::from_uuid(Uuid::from_u128(id)),
            wire_id,
            name,
            arguments,
            fault,
            kept: None,
        },
    )
}

fn block() -> impl Strategy<Value = Block> {
    let model = prop_oneof![Just("m-1".to_owned()), Just("m-2".to_owned())];
    // The validator knows these fields only; `reasoning` is a sibling of the first.
    let field = prop_oneof![
        Just("reasoning_content".to_owned()),
        Just("content".to_owned()),
        Just("tool_calls".to_owned()),
        Just("provider_specific".to_owned()),
    ];
    prop_oneof![
        text().prop_map(|text| Block::Text { text }),
        call().prop_map(Block::Call),
        (text(), model.clone(), field.clone()).prop_map(|(text, model, field)| {
            let provider = "openai-chat".to_owned();
            Block::Reasoning {
                text,
                source: ReasoningSource {
                    provider,
                    model,
                    field,
                },
            }
        }),
        (text(), model, field).prop_map(|(text, model, field)| {
            let provider = "openai-chat".to_owned();
            Block::Opaque(Opaque {
                provider,
                model,
                field,
                value: text.into(),
            })
        }),
    ]
}

fn exchange_of(block: impl Strategy<Value = Block>) -> impl Strategy<Value = Option<HistoryItem>> {
    let blocks = proptest::collection::vec(block, 0..6);
    (blocks, proptest::collection::vec(text(), 6)).prop_map(|(blocks, texts)| {
        let message = AssistantMessage {
            blocks,
            ..AssistantMessage::default()
        };
        let results = message.calls().zip(texts).map(|(call, text)| ToolResult {
            call: call.id,
            kind: ResultKind::Error,
            content: ContextText::admit(Origin::Tool(call.name.clone()), text, 100, None),
        });
        let results = results.collect();
        Exchange::new(StepId(1), message, results).map(HistoryItem::Exchange)
    })
}

/// A conversation whose replies are made of such blocks.
fn history_of(block: impl Strategy<Value = Block>) -> impl Strategy<Value = Vec<Arc<HistoryItem>>> {
    let item = prop_oneof![input().prop_map(Some), exchange_of(block)];
    // A request is never made without anything to answer.
    (
        input(),
        proptest::collection::vec(item, 0..10),
        any::<bool>(),
    )
        .prop_map(|(first, rest, begins_with_input)| {
            let mut items: Vec<Arc<HistoryItem>> =
                rest.into_iter().flatten().map(Arc::new).collect();
            if begins_with_input || items.is_empty() {
                items.insert(0, Arc::new(first));
            }
            items
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_history_is_accepted(
        items in history_of(block()),
        max_output_tokens in proptest::option::of(1u64..100_000),
        before in 0usize..10,
    ) {
        let mut request = support::request("openai-chat/m-1", items.clone());
        request.max_output_tokens = max_output_tokens;
        let mut encoder = encoder(MaxTokensField::MaxCompletionTokens);
        let shorter = items[..before.min(items.len())].to_vec();
        drop(encoder.encode(&support::request("openai-chat/m-1", shorter)));
        let size = encoder.size(&request);
        let raw = encoder.encode(&request);
        let body = parse(&raw).map_err(|why| TestCaseError::fail(why.to_string()))?;
        prop_assert_eq!(size.bytes, raw.len() as u64);
        prop_assert!(bounds(size.tokens_bound, &body, &raw), "{size:?}\n{body:#}");
        // Models call tools that do not exist; the API does not mind, so neither may this check.
        let checked = check_allowing(&body, &Undeclared::Any);
        prop_assert!(checked.is_ok(), "{}\n{body:#}", checked.unwrap_err());
        for message in body["messages"].as_array().unwrap() {
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                let arguments = call["function"]["arguments"].as_str().unwrap();
                let parsed: serde_json::Value = serde_json::from_str(arguments).unwrap();
                prop_assert!(parsed.is_object(), "servers that parse arguments must be able to");
            }
        }
    }
}

/// The control for the property: the same validator refuses what a careless encoder would send.
#[test]
fn the_validator_refuses_a_lost_result() {
    let call = ToolCall {
        id: CallId::from_uuid(Uuid::from_u128(1)),
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
    let message = AssistantMessage {
        blocks: vec![Block::Call(call)],
        ..Default::default()
    };
    let exchange = Exchange::new(StepId(1), message, vec![result]).unwrap();
    let items = vec![
        Arc::new(support::person("go")),
        Arc::new(HistoryItem::Exchange(exchange)),
    ];
    let request = support::request("openai-chat/m-1", items);
    let mut body = parse(&encoder(MaxTokensField::MaxTokens).encode(&request)).unwrap();
    assert_eq!(check_allowing(&body, &Undeclared::Refused), Ok(()));
    body["messages"].as_array_mut().unwrap().pop();
    assert!(check_allowing(&body, &Undeclared::Refused).is_err());
}
