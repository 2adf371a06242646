//! Prompt assembly at growing histories, reading of a stream, and setting a client up.
#![expect(
    clippy::expect_used,
    reason = "a bench that cannot go on should stop where it is"
)]

use std::sync::Arc;

use bowline_core::message::ResultKind;
use bowline_core::request::{FrozenPrompt, ToolDeclaration};
use bowline_core::{
    AssistantMessage, Block, CallId, ContextText, Exchange, HistoryItem, Origin, Request, StepId,
    ToolCall, ToolResult,
};
use bowline_model::sse::SseParser;
use bowline_model::wire::chat::{MaxTokensField, encoder};
use bowline_model::{Dialect, HttpProvider, ProviderConfig};
use divan::{Bencher, black_box};
use serde_json::json;
use uuid::Uuid;

fn main() {
    divan::main();
}

/// Exchanges as work gives them: some words, one call, a result of 700 bytes.
fn exchange(number: u128) -> Arc<HistoryItem> {
    let call = ToolCall {
        id: CallId::from_uuid(Uuid::from_u128(number)),
        wire_id: format!("call_{number}"),
        name: "read".to_owned(),
        arguments: format!("{{\"path\":\"src/module_{number}.rs\",\"from\":1,\"to\":40}}"),
        fault: None,
        kept: None,
    };
    let line = "    let value = map.get(\"key\").ok_or(Error::Missing)?;\n";
    let content = ContextText::admit(
        Origin::Tool("read".to_owned()),
        line.repeat(13),
        1 << 15,
        None,
    );
    let results = vec![ToolResult {
        call: call.id,
        kind: ResultKind::Ok,
        content,
    }];
    let text = "I read the next module to find where the value is lost.".to_owned();
    let blocks = vec![Block::Text { text }, Block::Call(call)];
    let message = AssistantMessage {
        blocks,
        ..AssistantMessage::default()
    };
    let exchange = Exchange::new(StepId(1), message, results).expect("one result for one call");
    Arc::new(HistoryItem::Exchange(exchange))
}

fn request(exchanges: usize) -> Request {
    let tool = |number: usize| ToolDeclaration {
        name: format!("tool_{number}"),
        description: "Does one of the things an agent needs. ".repeat(8),
        input_schema: json!({"type": "object", "properties": {
            "path": {"type": "string", "description": "Where."},
            "pattern": {"type": "string", "description": "What."}}}),
    };
    let prompt = FrozenPrompt {
        system: "Be careful. ".repeat(300),
        tools: (0..8).map(tool).collect(),
    };
    let prompted = ContextText::admit(Origin::Person, "Find the fault.".to_owned(), 100, None);
    let mut history = vec![Arc::new(HistoryItem::Input(prompted.into()))];
    history.extend((0..exchanges as u128).map(exchange));
    Request {
        model: "openai-chat/m-1".parse().expect("a provider and a model"),
        prompt: Arc::new(prompt),
        history,
        max_output_tokens: None,
        reasoning: None,
        cache_ttl: bowline_core::CacheTtl::FiveMinutes,
        images: Arc::default(),
    }
}

const EXCHANGES: [usize; 3] = [10, 1_000, 5_000];

/// One step of a running session: everything but the last exchange is known.
#[divan::bench(args = EXCHANGES)]
fn step(bencher: Bencher, exchanges: usize) {
    let mut request = request(exchanges);
    let mut encoder = encoder(MaxTokensField::MaxTokens);
    encoder.encode(&request);
    let mut number = 1_000_000;
    bencher
        .with_inputs(|| {
            number += 1;
            exchange(number)
        })
        .bench_local_values(|newest| {
            request.history.pop();
            request.history.push(newest);
            encoder.encode(black_box(&request))
        });
}

/// The same with the prefix hash.
#[divan::bench(args = EXCHANGES)]
fn step_and_prefix_hash(bencher: Bencher, exchanges: usize) {
    let mut request = request(exchanges);
    let mut encoder = encoder(MaxTokensField::MaxTokens);
    encoder.encode(&request);
    encoder.prefix_hash();
    let mut number = 1_000_000;
    bencher
        .with_inputs(|| {
            number += 1;
            exchange(number)
        })
        .bench_local_values(|newest| {
            request.history.pop();
            request.history.push(newest);
            (encoder.encode(black_box(&request)), encoder.prefix_hash())
        });
}

/// The first request after a resume: nothing is known.
#[divan::bench(args = EXCHANGES)]
fn from_nothing(bencher: Bencher, exchanges: usize) {
    let request = request(exchanges);
    bencher.bench_local(|| encoder(MaxTokensField::MaxTokens).encode(black_box(&request)));
}

/// A reply of 1,000 pieces of text through the event parser.
#[divan::bench]
fn sse_thousand_events(bencher: Bencher) {
    let chunk = json!({"id": "x", "object": "chat.completion.chunk", "model": "m-1",
        "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": null}]});
    let body = format!("data: {chunk}\n\n").repeat(1_000).into_bytes();
    bencher.bench_local(|| {
        let mut parser = SseParser::new(1 << 20);
        let mut events = Vec::new();
        parser
            .push(black_box(&body), &mut events)
            .expect("events within the limit");
        events
    });
}

/// Setting up a client: without and with the system's certificates.
#[divan::bench(args = ["http://127.0.0.1:8080/v1", "https://api.openai.com/v1"])]
fn client(bencher: Bencher, base_url: &str) {
    bencher.bench_local(|| {
        let config = ProviderConfig::new(Dialect::Chat, base_url, Arc::new(Uuid::now_v7));
        HttpProvider::new(config).expect("a usable base URL")
    });
}
