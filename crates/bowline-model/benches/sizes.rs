//! Bounding the tokens of texts, and sizing requests at growing histories.
#![expect(
    clippy::expect_used,
    reason = "a bench that cannot go on should stop where it is"
)]

use std::sync::Arc;

use bowline_core::message::ResultKind;
use bowline_core::request::FrozenPrompt;
use bowline_core::{
    AssistantMessage, Block, CallId, ContextText, Exchange, HistoryItem, Origin, Request, StepId,
    ToolCall, ToolResult,
};
use bowline_model::tokens_bound;
use bowline_model::wire::chat::{MaxTokensField, encoder};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use uuid::Uuid;

fn main() {
    divan::main();
}

/// Texts of about a megabyte each.
fn text(kind: &str) -> String {
    let one = match kind {
        "code" => include_str!("../src/wire/encoder.rs"),
        "words" => include_str!("../../../CONTRIBUTING.md"),
        "json" => include_str!("../../../docs/stream.schema.json"),
        "digests" => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n",
        "chinese" => "老船夫把缆绳系在码头上，静静地坐着等风停下来，然后才点起灯来。\n",
        _ => "",
    };
    one.repeat((1 << 20) / one.len().max(1))
}

#[divan::bench(args = ["code", "words", "json", "digests", "chinese"])]
fn bound(bencher: Bencher, kind: &str) {
    let text = text(kind);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| tokens_bound(black_box(&text)));
}

/// Some words, one call, a result of 700 bytes.
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
    let read = Origin::Tool("read".to_owned());
    let results = vec![ToolResult {
        call: call.id,
        kind: ResultKind::Ok,
        content: ContextText::admit(read, line.repeat(13), 1 << 15, None),
    }];
    let text = "I read the next module to find where the value is lost.".to_owned();
    let message = AssistantMessage {
        blocks: vec![Block::Text { text }, Block::Call(call)],
        ..AssistantMessage::default()
    };
    let exchange = Exchange::new(StepId(1), message, results).expect("one result for one call");
    Arc::new(HistoryItem::Exchange(exchange))
}

/// One step of a running session: everything but the last exchange is known.
#[divan::bench(args = [10, 1_000, 5_000])]
fn size_of_a_step(bencher: Bencher, exchanges: usize) {
    let prompted = ContextText::admit(Origin::Person, "Find the fault.".to_owned(), 100, None);
    let mut history = vec![Arc::new(HistoryItem::Input(prompted.into()))];
    history.extend((0..exchanges as u128).map(exchange));
    let mut request = Request {
        model: "openai-chat/m-1".parse().expect("a provider and a model"),
        prompt: Arc::new(FrozenPrompt {
            system: "Be careful. ".repeat(300),
            tools: Vec::new(),
        }),
        history,
        max_output_tokens: None,
        reasoning: None,
        cache_ttl: bowline_core::CacheTtl::FiveMinutes,
        images: Arc::default(),
    };
    let mut encoder = encoder(MaxTokensField::MaxTokens);
    encoder.size(&request);
    let mut number = 1_000_000;
    bencher
        .with_inputs(|| {
            number += 1;
            exchange(number)
        })
        .bench_local_values(|newest| {
            request.history.pop();
            request.history.push(newest);
            encoder.size(black_box(&request))
        });
}
