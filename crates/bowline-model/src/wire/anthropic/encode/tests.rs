//! The exact bytes of requests, what goes back and what does not, and that the cache never shows.

use std::collections::BTreeMap;

use bowline_core::call::BlobRef;
use bowline_core::message::{ImageRef, Input, Opaque, ResultKind};
use bowline_core::request::{FrozenPrompt, ToolDeclaration};
use bowline_core::{
    AssistantMessage, Block, CallId, ContextText, Digest, Exchange, Origin, ReasoningEffort,
    StepId, ToolCall, ToolResult,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn request(history: Vec<HistoryItem>) -> Request {
    let read = ToolDeclaration {
        name: "read".to_owned(),
        description: "Reads.".to_owned(),
        input_schema: json!({"type": "object"}),
    };
    Request {
        model: "anthropic/m-1".parse().unwrap(),
        prompt: Arc::new(FrozenPrompt {
            system: "Be \"brief\".".to_owned(),
            tools: vec![read],
        }),
        history: history.into_iter().map(Arc::new).collect(),
        max_output_tokens: None,
        reasoning: None,
        cache_ttl: bowline_core::CacheTtl::FiveMinutes,
        images: Arc::default(),
    }
}

fn person(text: &str) -> HistoryItem {
    HistoryItem::Input(ContextText::admit(Origin::Person, text.to_owned(), 1 << 20, None).into())
}

fn call(number: u128, wire_id: &str, name: &str, arguments: &str) -> Block {
    Block::Call(ToolCall {
        id: CallId::from_uuid(uuid::Uuid::from_u128(number)),
        wire_id: wire_id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        fault: None,
        kept: None,
    })
}

fn said(text: &str) -> Block {
    Block::Text {
        text: text.to_owned(),
    }
}

fn kept(model: &str, field: &str, value: Value) -> Block {
    Block::Opaque(Opaque {
        provider: "anthropic".to_owned(),
        model: model.to_owned(),
        field: field.to_owned(),
        value,
    })
}

fn thought(signature: &str) -> Block {
    let value = json!({"type": "thinking", "thinking": "hm", "signature": signature});
    kept("m-1", "thinking", value)
}

/// A reply, and the result of each call, which is its arguments; a broken one has failed.
fn exchange(blocks: Vec<Block>) -> HistoryItem {
    let message = AssistantMessage {
        blocks,
        ..AssistantMessage::default()
    };
    let results = message.calls().map(|call| ToolResult {
        call: call.id,
        kind: if call.arguments.ends_with('}') {
            ResultKind::Ok
        } else {
            ResultKind::Error
        },
        content: ContextText::admit(Origin::Harness, call.arguments.clone(), 99, None),
    });
    let results = results.collect();
    HistoryItem::Exchange(Exchange::new(StepId(1), message, results).unwrap())
}

fn encode(request: &Request) -> String {
    String::from_utf8(encoder().encode(request)).unwrap()
}

/// The messages of a request with this history, as JSON without cache marks.
fn messages(history: Vec<HistoryItem>) -> Vec<Value> {
    let body = encode(&request(history)).replace(r#","cache_control":{"type":"ephemeral"}"#, "");
    let body: Value = serde_json::from_str(&body).unwrap();
    body["messages"].as_array().unwrap().clone()
}

/// The blocks of the reply that these blocks make of a request.
fn reply(blocks: Vec<Block>) -> Vec<Value> {
    let sent = messages(vec![person("x"), exchange(blocks), person("y")]);
    sent[1]["content"].as_array().unwrap().clone()
}

const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

const HEAD: &str = concat!(
    r#"{"model":"m-1","stream":true,"#,
    r#""tools":[{"name":"read","description":"Reads.","input_schema":{"type":"object"}}],"#,
    r#""system":[{"type":"text","text":"Be \"brief\".","cache_control":{"type":"ephemeral"}}],"#,
    r#""messages":["#,
);

#[test]
fn the_bytes_of_a_conversation() {
    let mut request = request(vec![
        person("Look."),
        exchange(vec![
            thought("s"),
            said("I look."),
            call(1, "toolu_1", "read", r#"{"path": "a"}"#),
            call(2, "toolu_2", "read", "{\"pa"),
        ]),
        person("And?"),
    ]);
    let first = Request {
        history: request.history[..1].to_vec(),
        ..request.clone()
    };
    request.reasoning = Some(ReasoningEffort::Low);
    let mut one = encoder();
    let expect = [
        HEAD,
        r#"{"role":"user","content":[{"type":"text","text":"Look.""#,
        MARK,
        r#"}]}],"max_tokens":32000}"#,
    ];
    assert_eq!(
        String::from_utf8(one.encode(&first)).unwrap(),
        expect.concat()
    );
    let expect = [
        HEAD,
        r#"{"role":"user","content":[{"type":"text","text":"Look.""#,
        MARK,
        r#"}]},{"role":"assistant","content":["#,
        r#"{"type":"thinking","thinking":"hm","signature":"s"},"#,
        r#"{"type":"text","text":"I look."},"#,
        r#"{"type":"tool_use","id":"toolu_1","name":"read","input":{"path": "a"}},"#,
        r#"{"type":"tool_use","id":"toolu_2","name":"read","input":{}}]},"#,
        r#"{"role":"user","content":["#,
        r#"{"type":"tool_result","tool_use_id":"toolu_1","content":"{\"path\": \"a\"}"},"#,
        r#"{"type":"tool_result","tool_use_id":"toolu_2","content":"{\"pa","is_error":true},"#,
        r#"{"type":"text","text":"And?""#,
        MARK,
        r#"}]}],"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":4096}}"#,
    ];
    assert_eq!(
        String::from_utf8(one.encode(&request)).unwrap(),
        expect.concat()
    );
}

#[test]
fn marks_ask_for_an_hour_where_the_request_does_and_nothing_else_changes() {
    let mut one = encoder();
    let mut request = request(vec![person("a"), exchange(vec![said("x")]), person("b")]);
    let short = String::from_utf8(one.encode(&request)).unwrap();
    let prefix = one.prefix_hash();
    request.cache_ttl = CacheTtl::Hour;
    let size = one.size(&request);
    let long = String::from_utf8(one.encode(&request)).unwrap();
    assert_eq!(size.bytes, long.len() as u64);
    let hour = r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#;
    assert_eq!(long.matches(hour).count(), 3);
    assert_eq!(long.replace(hour, MARK), short);
    assert_eq!(one.prefix_hash(), prefix, "marks are no part of it");
    request.prompt = Arc::new(FrozenPrompt {
        system: String::new(),
        ..FrozenPrompt::clone(&request.prompt)
    });
    let body: Value = serde_json::from_str(&encode(&request)).unwrap();
    assert_eq!(body["tools"][0]["cache_control"]["ttl"], "1h");
    request.prompt = Arc::new(FrozenPrompt {
        system: String::new(),
        tools: Vec::new(),
    });
    let body: Value = serde_json::from_str(&encode(&request)).unwrap();
    assert_eq!(body.to_string().matches("1h").count(), 2);
}

#[test]
fn marks_stand_at_the_end_of_the_last_two_messages_of_ours() {
    let check = |history: Vec<HistoryItem>, expect: &[(usize, usize)]| {
        let body: Value = serde_json::from_str(&encode(&request(history))).unwrap();
        let mut found = Vec::new();
        for (i, message) in body["messages"].as_array().unwrap().iter().enumerate() {
            for (k, block) in message["content"].as_array().unwrap().iter().enumerate() {
                if block.get("cache_control").is_some() {
                    found.push((i, k));
                }
            }
        }
        assert_eq!(found, expect);
        assert!(body["system"][0].get("cache_control").is_some());
    };
    let called = |number| {
        exchange(vec![
            call(number, "", "read", "{}"),
            call(number + 1, "", "read", "{}"),
        ])
    };
    check(vec![person("a")], &[(0, 0)]);
    check(vec![person("a"), person("b")], &[(0, 1)]);
    check(vec![person("a"), called(1)], &[(0, 0), (2, 1)]);
    check(vec![person("a"), called(1), called(3)], &[(2, 1), (4, 1)]);
    check(vec![person("a"), called(1), person("b")], &[(0, 0), (2, 2)]);
    check(
        vec![person("a"), exchange(vec![said("x")]), person("b")],
        &[(0, 0), (2, 0)],
    );
    // A history that ends in a reply is led on by a message of its own.
    check(vec![person("a"), exchange(vec![said("x")])], &[(0, 0)]);
    check(vec![called(1)], &[(2, 1)]);
}

#[test]
fn without_system_text_the_last_tool_bears_the_mark() {
    let mut request = request(vec![person("hi")]);
    let tools = request.prompt.tools.clone();
    request.prompt = Arc::new(FrozenPrompt {
        system: " ".to_owned(),
        tools,
    });
    let expect =
        r#""input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],"messages":["#;
    assert!(encode(&request).contains(expect), "{}", encode(&request));
    request.prompt = Arc::new(FrozenPrompt {
        system: String::new(),
        tools: Vec::new(),
    });
    let expect = r#"{"model":"m-1","stream":true,"messages":["#;
    assert!(encode(&request).starts_with(expect), "{}", encode(&request));
}

#[test]
fn roles_alternate_whatever_the_history() {
    let roles = |history: Vec<HistoryItem>| -> String {
        let sent = messages(history);
        sent.iter()
            .map(|message| &message["role"].as_str().unwrap()[..1])
            .collect()
    };
    let words = || exchange(vec![said("x")]);
    let called = || exchange(vec![call(1, "a", "read", "{}")]);
    assert_eq!(roles(vec![person("a"), person("b")]), "u");
    assert_eq!(roles(vec![words()]), "uau");
    assert_eq!(
        roles(vec![person("a"), words(), words(), called()]),
        "uauauau"
    );
    assert_eq!(roles(vec![called(), person("a"), called()]), "uauau");
}

#[test]
fn only_what_came_from_this_very_model_and_is_whole_goes_back() {
    let check = |block: Block, expect: bool| {
        let sent = reply(vec![block.clone(), said("x")]);
        assert_eq!(sent.len() == 2, expect, "{block:?}");
    };
    let thinking = |value: Value| kept("m-1", "thinking", value);
    check(thought("s"), true);
    check(thought(""), false);
    check(
        thinking(json!({"type": "thinking", "signature": "s"})),
        false,
    );
    check(thinking(json!("hm")), false);
    check(
        thinking(json!({"type": "thinking", "thinking": "\0", "signature": "s"})),
        false,
    );
    let redacted = json!({"type": "redacted_thinking", "data": "d"});
    check(kept("m-1", "redacted_thinking", redacted.clone()), true);
    check(kept("m-2", "redacted_thinking", redacted.clone()), false);
    check(kept("m-1", "thinking", redacted), false);
    check(
        kept(
            "m-1",
            "redacted_thinking",
            json!({"type": "redacted_thinking"}),
        ),
        false,
    );
    check(
        kept(
            "m-1",
            "server_tool_use",
            json!({"type": "server_tool_use", "id": "s"}),
        ),
        true,
    );
    check(
        kept("m-1", "text", json!({"type": "text", "text": "y"})),
        false,
    );
    check(
        kept("m-1", "tool_use", json!({"type": "tool_use", "id": "y"})),
        false,
    );
    check(said(" \n"), false);
}

#[test]
fn thoughts_keep_their_places_but_for_the_end() {
    let types = |blocks: Vec<Block>| -> Vec<String> {
        let sent = reply(blocks);
        sent.iter()
            .map(|block| block["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let called = || call(1, "a", "read", "{}");
    let blocks = vec![
        thought("s"),
        said("x"),
        thought("t"),
        called(),
        thought("u"),
    ];
    assert_eq!(types(blocks), ["thinking", "text", "thinking", "tool_use"]);
    assert_eq!(types(vec![said("x"), thought("s"), said(" ")]), ["text"]);
}

#[test]
fn calls_are_made_acceptable() {
    let check = |block: Block, expect: Value| {
        let sent = messages(vec![person("x"), exchange(vec![block])]);
        let call = &sent[1]["content"][0];
        assert_eq!(json!([call["name"], call["input"]]), expect);
        assert_eq!(call["id"], sent[2]["content"][0]["tool_use_id"]);
        assert_ne!(call["id"], "");
    };
    check(
        call(1, "a", "read", " {\"a\" :1} "),
        json!(["read", {"a": 1}]),
    );
    check(
        call(1, "a", "no such tool", "{}"),
        json!(["invalid_tool", {}]),
    );
    check(
        call(1, "a", "read", r#"{"a\u0000":["b\u0000"]}"#),
        json!(["read", {"a\u{fffd}": ["b\u{fffd}"]}]),
    );
    check(call(1, "a b", "read", "{}"), json!(["read", {}]));
    check(call(1, "ä", "read", "{}"), json!(["read", {}]));
    for broken in [
        "",
        "{\"pa",
        "[]",
        "null",
        "{} {}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1e999}",
    ] {
        check(call(1, "", "read", broken), json!(["read", {}]));
    }
}

#[test]
fn ids_are_unique_in_the_whole_conversation() {
    let twice = || exchange(vec![call(1, "a", "read", "{}"), call(2, "a", "read", "{}")]);
    let again = || exchange(vec![call(3, "a", "read", "{}")]);
    let sent = messages(vec![person("x"), twice(), again()]);
    let made = |number: u128| format!("call_{number:032}");
    let ids = |message: usize| -> Vec<&str> {
        let blocks = sent[message]["content"].as_array().unwrap().iter();
        blocks.map(|block| block["id"].as_str().unwrap()).collect()
    };
    assert_eq!(ids(1), ["a", made(2).as_str()]);
    assert_eq!(ids(3), [made(3).as_str()]);
}

#[test]
fn unknown_fields_of_a_call_go_back_with_it() {
    let check = |model: &str, fields: Value, expect: Value| {
        let Block::Call(mut one) = call(1, "a", "read", "{}") else {
            panic!("a call")
        };
        one.kept = Some(Opaque {
            provider: "anthropic".to_owned(),
            model: model.to_owned(),
            field: "tool_use".to_owned(),
            value: fields,
        });
        let mut sent = reply(vec![Block::Call(one)])[0]
            .as_object()
            .unwrap()
            .clone();
        sent.retain(|key, _| !["type", "id", "name", "input"].contains(&key.as_str()));
        assert_eq!(Value::Object(sent), expect);
    };
    let caller = json!({"caller": {"type": "direct"}});
    check("m-1", caller.clone(), caller.clone());
    check("m-2", caller, json!({}));
    check("m-1", json!({"id": "b", "input": 7}), json!({}));
    check("m-1", json!({"x": "\0"}), json!({}));
}

#[test]
fn what_may_not_be_blank_is_not() {
    let sent = messages(vec![person(" "), exchange(vec![call(1, "a", "read", "")])]);
    assert_eq!(sent[0]["content"][0]["text"], "(no words)");
    let result =
        json!({"type": "tool_result", "tool_use_id": "a", "content": "(empty)", "is_error": true});
    assert_eq!(sent[2]["content"][0], result);
}

fn pictured(text: &str, kinds: &[&str]) -> Input {
    let image = |kind: &&str| ImageRef {
        blob: BlobRef {
            digest: Digest::of(kind.as_bytes()),
            bytes: kind.len() as u64,
        },
        media_type: format!("image/{kind}"),
    };
    Input {
        text: ContextText::admit(Origin::Person, text.to_owned(), 99, None),
        images: kinds.iter().map(image).collect(),
        role: bowline_core::InputRole::Words,
    }
}

#[test]
fn images_stand_before_their_words_or_are_told_missing() {
    let mut request = request(vec![
        person("a"),
        HistoryItem::Input(pictured("see", &["png", "gif"])),
        HistoryItem::Input(pictured("", &["webp"])),
    ]);
    let bytes = |kind: &str| (Digest::of(kind.as_bytes()), kind.as_bytes().to_vec());
    let mut one = encoder();
    let missing: Value = serde_json::from_slice(&one.encode(&request)).unwrap();
    let parts = missing["messages"][0]["content"].as_array().unwrap();
    assert_eq!(parts.len(), 5);
    assert!(
        parts[1]["text"]
            .as_str()
            .unwrap()
            .starts_with("(an image is missing here: blob:")
    );
    request.images = Arc::new(BTreeMap::from([bytes("png"), bytes("gif"), bytes("webp")]));
    let body = one.encode(&request);
    assert_eq!(
        body,
        encoder().encode(&request),
        "an image that is there now is sent"
    );
    let body: Value = serde_json::from_slice(&body).unwrap();
    let parts = body["messages"][0]["content"].as_array().unwrap();
    let source = json!({"type": "base64", "media_type": "image/png", "data": "cG5n"});
    assert_eq!(parts[1], json!({"type": "image", "source": source}));
    assert_eq!(parts[3], json!({"type": "text", "text": "see"}));
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        (&parts[4]["source"]["data"], &parts[4]["cache_control"]),
        (&json!("d2VicA=="), &mark)
    );
}

fn any_item() -> impl Strategy<Value = HistoryItem> {
    prop_oneof![
        ".{0,12}".prop_map(|text| person(&text)),
        "[ -~]{1,12}".prop_map(|text| exchange(vec![thought("s"), said(&format!("t{text}"))])),
        ("[ab]{0,2}", any::<u128>())
            .prop_map(|(id, number)| exchange(vec![call(number, &id, "read", "{}")])),
    ]
}

proptest! {
    /// One encoder is asked for a history that grows and shrinks; each time it must give what a
    /// fresh one gives, and what the next request has in common with it but for the marks.
    #[test]
    fn the_cache_never_shows(
        items in proptest::collection::vec(any_item(), 1..12),
        replaced in any_item(),
        lengths in proptest::collection::vec((0usize..12, any::<bool>()), 1..12),
    ) {
        let mut pool: Vec<Arc<HistoryItem>> = items.into_iter().map(Arc::new).collect();
        let mut asked = request(Vec::new());
        let mut one = encoder();
        for (length, replace) in lengths {
            let length = length.min(pool.len());
            if let Some(item) = pool.get_mut(length / 2).filter(|_| replace) {
                *item = Arc::new(replaced.clone());
            }
            asked.history = pool[..length].to_vec();
            let shorter = Request { max_output_tokens: Some(1), ..asked.clone() };
            prop_assert_eq!(one.size(&shorter), encoder().size(&shorter));
            let size = one.size(&asked);
            let body = String::from_utf8(one.encode(&asked)).unwrap();
            prop_assert_eq!(size.bytes, body.len() as u64);
            prop_assert_eq!(size, encoder().size(&asked));
            prop_assert_eq!(size, one.size(&asked));
            prop_assert_eq!(&body, &encode(&asked));
            let (hash, bytes) = one.prefix_hash();
            // No mark is part of the prefix.
            let plain = body.replace(MARK, "");
            prop_assert_eq!(hash, Digest::of(&plain.as_bytes()[..bytes]));
            let longer = Request { history: pool.clone(), ..asked.clone() };
            let longer = encode(&longer).replace(MARK, "");
            prop_assert!(longer.starts_with(&plain[..bytes]));
        }
    }
}
