//! The exact bytes of requests, what goes back and what does not, and that the cache never shows.

use std::sync::Arc;

use bowline_core::call::BlobRef;
use bowline_core::message::{ImageRef, Input, Opaque, ResultKind};
use bowline_core::request::{FrozenPrompt, ToolDeclaration};
use bowline_core::{
    AssistantMessage, Block, CallId, ContextText, Digest, Exchange, Origin, StepId, ToolCall,
    ToolResult,
};
use proptest::prelude::*;

use super::*;

fn prompt() -> Arc<FrozenPrompt> {
    Arc::new(FrozenPrompt {
        system: "Be \"brief\".".to_owned(),
        tools: vec![ToolDeclaration {
            name: "read".to_owned(),
            description: "Reads.".to_owned(),
            input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
        }],
    })
}

fn request(history: Vec<HistoryItem>) -> Request {
    Request {
        model: "openai/m-1".parse().unwrap(),
        prompt: prompt(),
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

fn call(number: u128, wire_id: &str, kept: Value) -> Block {
    Block::Call(ToolCall {
        id: CallId::from_uuid(uuid::Uuid::from_u128(number)),
        wire_id: wire_id.to_owned(),
        name: "read".to_owned(),
        arguments: r#"{"path":"x"}"#.to_owned(),
        fault: None,
        kept: kept
            .is_object()
            .then(|| opaque("m-1", "function_call", kept)),
    })
}

fn opaque(model: &str, field: &str, value: Value) -> Opaque {
    Opaque {
        provider: "openai".to_owned(),
        model: model.to_owned(),
        field: field.to_owned(),
        value,
    }
}

fn kept(field: &str, value: Value) -> Block {
    Block::Opaque(opaque("m-1", field, value))
}

fn thought(id: &str, encrypted: Value) -> Block {
    let item =
        json!({"type": "reasoning", "id": id, "summary": [], "encrypted_content": encrypted});
    kept("reasoning", item)
}

fn said(text: &str) -> Block {
    Block::Text {
        text: text.to_owned(),
    }
}

fn exchange(blocks: Vec<Block>) -> HistoryItem {
    let message = AssistantMessage {
        blocks,
        ..AssistantMessage::default()
    };
    let results = message.calls().map(|call| ToolResult {
        call: call.id,
        kind: ResultKind::Ok,
        content: ContextText::admit(Origin::Tool("read".to_owned()), "out".to_owned(), 99, None),
    });
    let results = results.collect();
    HistoryItem::Exchange(Exchange::new(StepId(1), message, results).unwrap())
}

fn encode(request: &Request) -> String {
    String::from_utf8(encoder().encode(request)).unwrap()
}

/// The input items of a request with this history.
fn items(history: Vec<HistoryItem>) -> Vec<Value> {
    let body: Value = serde_json::from_str(&encode(&request(history))).unwrap();
    body["input"].as_array().unwrap().clone()
}

/// The items of a reply of these blocks, without the outputs.
fn replied(blocks: Vec<Block>) -> Vec<Value> {
    let items = items(vec![person("go"), exchange(blocks)]);
    let is_output = |item: &Value| item["type"] == "function_call_output";
    items[1..]
        .iter()
        .filter(|item| !is_output(item))
        .cloned()
        .collect()
}

#[test]
fn the_body_is_exactly_this() {
    let reasoning = json!({"id": "rs_1", "type": "reasoning", "summary": [
        {"type": "summary_text", "text": "Look."}], "encrypted_content": "gAAA"});
    let blocks = vec![
        kept("reasoning", reasoning),
        kept(
            "message",
            json!({"id": "msg_1", "status": "completed", "phase": "commentary"}),
        ),
        said("I look."),
        call(1, "call_1", json!({"id": "fc_1", "status": "completed"})),
        call(2, "call_2", Value::Null),
    ];
    let mut request = request(vec![person("say \"hi\""), exchange(blocks), person("and?")]);
    request.reasoning = Some(ReasoningEffort::High);
    request.max_output_tokens = Some(500);
    let expected = concat!(
        r#"{"model":"m-1","stream":true,"store":false,"include":["reasoning.encrypted_content"],"#,
        r#""instructions":"Be \"brief\".","#,
        r#""tools":[{"type":"function","name":"read","description":"Reads.","parameters":"#,
        r#"{"type":"object","properties":{"path":{"type":"string"}}},"strict":false}],"#,
        r#""parallel_tool_calls":true,"input":["#,
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"say \"hi\""}]},"#,
        r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Look."}],"#,
        r#""encrypted_content":"gAAA"},"#,
        r#"{"type":"message","role":"assistant","id":"msg_1","status":"completed","#,
        r#""phase":"commentary","content":[{"type":"output_text","text":"I look.","annotations":[]}]},"#,
        r#"{"type":"function_call","id":"fc_1","status":"completed","call_id":"call_1","name":"read","#,
        r#""arguments":"{\"path\":\"x\"}"},"#,
        r#"{"type":"function_call","call_id":"call_2","name":"read","#,
        r#""arguments":"{\"path\":\"x\"}"},"#,
        r#"{"type":"function_call_output","call_id":"call_1","output":"out"},"#,
        r#"{"type":"function_call_output","call_id":"call_2","output":"out"},"#,
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"and?"}]}"#,
        r#"],"reasoning":{"effort":"high","summary":"auto"},"max_output_tokens":500}"#,
    );
    assert_eq!(encode(&request), expected);
}

#[test]
fn what_is_not_set_is_not_sent() {
    let check = |effort: Option<ReasoningEffort>, limit: Option<u64>, expect: &str| {
        let mut request = request(vec![person("go")]);
        (request.reasoning, request.max_output_tokens) = (effort, limit);
        let body = encode(&request);
        assert!(body.ends_with(&format!("]}}]{expect}}}")), "{body}");
    };
    check(None, None, "");
    check(
        Some(ReasoningEffort::Off),
        None,
        r#","reasoning":{"effort":"none"}"#,
    );
    check(
        Some(ReasoningEffort::Low),
        None,
        r#","reasoning":{"effort":"low","summary":"auto"}"#,
    );
    check(None, Some(4096), r#","max_output_tokens":4096"#);
    // The API refuses fewer.
    check(None, Some(1), r#","max_output_tokens":16"#);

    let mut bare = request(vec![person("go")]);
    bare.prompt = Arc::new(FrozenPrompt {
        system: String::new(),
        tools: Vec::new(),
    });
    let body = encode(&bare);
    for key in ["instructions", "tools", "parallel_tool_calls"] {
        assert!(!body.contains(key), "{key} in {body}");
    }
}

#[test]
fn reasoning_goes_back_where_the_api_takes_it() {
    let ids = |blocks: Vec<Block>| -> Vec<String> {
        let shown = |item: &Value| {
            let id = item["id"].as_str().unwrap_or("-");
            format!("{} {id}", item["type"].as_str().unwrap())
        };
        replied(blocks).iter().map(shown).collect()
    };
    let fc = || call(1, "call_1", json!({"id": "fc_1"}));
    let msg = || kept("message", json!({"id": "msg_1"}));
    let check = |blocks: Vec<Block>, expect: &[&str]| assert_eq!(ids(blocks), expect);

    check(
        vec![thought("rs_1", json!("x")), fc()],
        &["reasoning rs_1", "function_call fc_1"],
    );
    // Nothing follows it.
    check(
        vec![fc(), thought("rs_1", json!("x"))],
        &["function_call fc_1"],
    );
    // It would have to be stored; then what belongs to it must not be known either.
    check(
        vec![thought("rs_1", Value::Null), msg(), said("a"), fc()],
        &["message -", "function_call fc_1"],
    );
    check(vec![thought("rs_1", json!("")), fc()], &["function_call -"]);
    // Shown in the clear, as open models do, it goes back.
    let clear = json!({"type": "reasoning", "id": "rs_1", "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}]});
    check(
        vec![kept("reasoning", clear), fc()],
        &["reasoning rs_1", "function_call fc_1"],
    );
    // Not a reasoning item at all.
    check(
        vec![kept("reasoning", json!("hm")), fc()],
        &["function_call fc_1"],
    );
    check(
        vec![kept("reasoning", json!({"type": "message"})), fc()],
        &["function_call fc_1"],
    );
    // From another model.
    let item = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"});
    check(
        vec![Block::Opaque(opaque("m-2", "reasoning", item)), fc()],
        &["function_call fc_1"],
    );
    // Ids that the API refuses, or that are taken.
    check(
        vec![
            thought("item_1", json!("x")),
            msg(),
            said("a"),
            msg(),
            said("b"),
        ],
        &["reasoning -", "message msg_1", "message -"],
    );
    // What ran on the server needs no answer; what nobody knows might.
    check(
        vec![
            kept(
                "web_search_call",
                json!({"type": "web_search_call", "id": "ws_1"}),
            ),
            kept(
                "computer_call",
                json!({"type": "computer_call", "id": "cu_1"}),
            ),
            fc(),
        ],
        &["web_search_call ws_1", "function_call fc_1"],
    );
    // A message without words, and fields without a message.
    check(vec![msg(), fc()], &["function_call fc_1"]);
}

#[test]
fn an_id_stands_for_one_call() {
    let history = vec![
        person("go"),
        exchange(vec![
            call(1, "same", Value::Null),
            call(2, "same", Value::Null),
        ]),
        exchange(vec![call(3, "same", Value::Null), call(4, "", Value::Null)]),
        exchange(vec![call(5, &"x".repeat(65), json!({"id": "call_5"}))]),
    ];
    let items = items(history);
    let of = |kind: &str| -> Vec<Value> {
        let mine = items.iter().filter(|item| item["type"] == kind);
        mine.map(|item| item["call_id"].clone()).collect()
    };
    let made = |number: u128| format!("call_{}", uuid::Uuid::from_u128(number).simple());
    let expected = ["same".to_owned(), made(2), made(3), made(4), made(5)];
    assert_eq!(of("function_call"), expected);
    assert_eq!(of("function_call_output"), expected);
    assert!(
        items.iter().all(|item| item["id"].is_null()),
        "no id of another kind"
    );
}

#[test]
fn names_and_arguments_that_would_be_refused_are_mended() {
    let broken = ToolCall {
        id: CallId::from_uuid(uuid::Uuid::from_u128(1)),
        wire_id: "a".to_owned(),
        name: "no such tool".to_owned(),
        arguments: r#"{"path":"#.to_owned(),
        fault: None,
        kept: None,
    };
    let items = replied(vec![Block::Call(broken)]);
    assert_eq!(items[0]["name"], "invalid_tool");
    assert_eq!(items[0]["arguments"], "{}");
}

#[test]
fn images_go_as_data_or_are_said_to_be_missing() {
    let there = Digest::of(b"there");
    let image = |digest: Digest| ImageRef {
        blob: BlobRef { digest, bytes: 5 },
        media_type: "image/png".to_owned(),
    };
    let input = Input {
        text: ContextText::admit(Origin::Person, "see".to_owned(), 99, None),
        images: vec![image(there), image(Digest::of(b"gone"))],
        role: bowline_core::InputRole::Words,
    };
    let mut request = request(vec![HistoryItem::Input(input)]);
    request.images = Arc::new([(there, b"there".to_vec())].into());
    let mut kept = encoder();
    let body: Value = serde_json::from_slice(&kept.encode(&request)).unwrap();
    let content = &body["input"][0]["content"];
    assert_eq!(content[0], json!({"type": "input_text", "text": "see"}));
    let shown = json!({"type": "input_image", "detail": "auto",
        "image_url": "data:image/png;base64,dGhlcmU="});
    assert_eq!(content[1], shown);
    assert!(
        content[2]["text"]
            .as_str()
            .unwrap()
            .contains("could not be read")
    );
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        "[a-z\"\n]{0,12}".prop_map(|text| said(&text)),
        (0u128..9, "[ab]?").prop_map(|(number, id)| call(number, &id, json!({"id": "fc_1"}))),
        Just(thought("rs_1", json!("x"))),
        Just(thought("rs_2", Value::Null)),
        Just(kept("message", json!({"id": "msg_1"}))),
    ]
}

proptest! {
    #[test]
    fn the_cache_never_shows(
        items in proptest::collection::vec(
            prop_oneof![
                Just(None),
                proptest::collection::vec(block(), 1..5).prop_map(Some),
            ], 1..9),
        kept_items in 0usize..9,
    ) {
        let history: Vec<HistoryItem> = items.into_iter().map(|blocks| match blocks {
            None => person("go"),
            Some(mut blocks) => {
                blocks.push(said("end"));
                exchange(blocks)
            }
        }).collect();
        let mut all = request(history);
        let mut encoder = encoder();
        encoder.encode(&all);
        let keep = kept_items.min(all.history.len());
        all.history.truncate(keep);
        all.history.push(Arc::new(exchange(vec![call(1, "a", json!({"id": "fc_1"}))])));
        let size = encoder.size(&all);
        let cached = String::from_utf8(encoder.encode(&all)).unwrap();
        prop_assert_eq!(size.bytes, cached.len() as u64);
        prop_assert_eq!(size, super::encoder().size(&all));
        prop_assert_eq!(cached, encode(&all));
    }
}

#[test]
fn at_openai_itself_requests_of_a_session_bear_one_key() {
    let session = bowline_core::SessionId::from_uuid(uuid::Uuid::from_u128(7));
    let key = format!(r#","prompt_cache_key":"{session}"}}"#);
    let request = request(vec![person("a")]);
    let check = |dialect: crate::Dialect, host: &str, expect: bool| {
        let mut encoder = dialect.encoder(host, session);
        let size = encoder.size(&request);
        let body = String::from_utf8(encoder.encode(&request)).unwrap();
        assert_eq!(body.ends_with(&key), expect, "{body}");
        assert_eq!(size.bytes, body.len() as u64);
        let plain = String::from_utf8(dialect.encoder("x", session).encode(&request)).unwrap();
        assert_eq!(body.replace(&key, "}"), plain);
    };
    check(crate::Dialect::Responses, "api.openai.com", true);
    check(crate::Dialect::Chat, "api.openai.com", true);
    check(crate::Dialect::Responses, "localhost", false);
    check(crate::Dialect::Chat, "models.example", false);
    check(crate::Dialect::Anthropic, "api.openai.com", false);
}
