//! Replies in every shape that servers send, whole and broken.

use std::sync::{Arc, Mutex};

use bowline_core::message::CallFault;
use bowline_core::{Block, FailureKind};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::http::Scrub;
use crate::provider::Delta;
use crate::wire::BodyReader;

mod broken;

fn reader(heard: &Arc<Mutex<Vec<Delta>>>) -> BodyReader {
    let heard = Arc::clone(heard);
    let count = Mutex::new(0);
    let parser = AnthropicParser::new(Voice {
        model: "anthropic/m-1".parse().unwrap(),
        deltas: Arc::new(move |delta| heard.lock().unwrap().push(delta)),
        new_id: Arc::new(move || {
            let mut count = count.lock().unwrap();
            *count += 1;
            uuid::Uuid::from_u128(*count)
        }),
    });
    let scrub = Scrub::new(vec!["sk-secret".to_owned()]);
    BodyReader::new(Box::new(parser), "http://host/v1/messages", scrub)
}

fn read_pieces(pieces: &[&[u8]]) -> Result<Reply, ProviderFailure> {
    let mut reader = reader(&Arc::default());
    for piece in pieces {
        reader.push(piece)?;
    }
    reader.finish()
}

fn read(body: &str) -> Result<Reply, ProviderFailure> {
    read_pieces(&[body.as_bytes()])
}

/// A stream of these events, as the API names them.
fn stream(events: &[Value]) -> String {
    let named = |event: &Value| {
        let name = event["type"].as_str().unwrap_or("message");
        format!("event: {name}\ndata: {event}\n\n")
    };
    events.iter().map(named).collect()
}

fn started() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "m-1", "content": [], "stop_reason": null, "stop_sequence": null, "usage": {
            "input_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 3,
            "output_tokens": 1}}})
}

fn block(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn input(index: u64, piece: &str) -> Value {
    delta(
        index,
        json!({"type": "input_json_delta", "partial_json": piece}),
    )
}

fn stopped(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn called(index: u64, id: &str, name: &str) -> Value {
    block(
        index,
        json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
    )
}

fn end(reason: &str) -> [Value; 2] {
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    [
        json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ]
}

/// The reply to a stream of these events that ends with `reason`.
fn said(events: &[Value], reason: &str) -> Reply {
    let mut all = vec![started()];
    all.extend_from_slice(events);
    all.extend(end(reason));
    read(&stream(&all)).unwrap()
}

fn calls(reply: &Reply) -> Vec<(&str, &str, &str)> {
    let calls = reply.message.calls();
    calls
        .map(|call| {
            (
                call.wire_id.as_str(),
                call.name.as_str(),
                call.arguments.as_str(),
            )
        })
        .collect()
}

/// Everything that the API sends, in one reply.
fn everything() -> Vec<Value> {
    let mut events = vec![
        started(),
        json!({"type": "ping"}),
        block(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "h"})),
        delta(0, json!({"type": "thinking_delta", "thinking": "m"})),
        delta(0, json!({"type": "signature_delta", "signature": "sig"})),
        stopped(0),
        block(1, json!({"type": "text", "text": ""})),
        text(1, "I "),
        json!({"type": "ping"}),
        text(1, "look."),
        delta(1, json!({"type": "citations_delta", "citation": {}})),
        stopped(1),
        block(2, json!({"type": "redacted_thinking", "data": "xyz"})),
        stopped(2),
        block(
            3,
            json!({"type": "tool_use", "id": "toolu_1", "name": "read", "input": {},
            "caller": {"type": "direct"}}),
        ),
        input(3, ""),
        input(3, "{\"path\""),
        input(3, ": \"a\"}"),
        stopped(3),
        block(
            4,
            json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
        ),
        input(4, "{\"query\":"),
        input(4, "1}"),
        stopped(4),
        called(5, "toolu_2", "list"),
        input(5, ""),
        stopped(5),
        json!({"type": "something_new", "index": 5}),
    ];
    events.extend(end("tool_use"));
    events
}

#[test]
fn blocks_keep_their_order_and_what_nobody_here_reads() {
    let heard = Arc::default();
    let mut reader = reader(&heard);
    reader.push(stream(&everything()).as_bytes()).unwrap();
    assert!(reader.is_done());
    let reply = reader.finish().unwrap();
    let shown: Vec<Value> = reply
        .message
        .blocks
        .iter()
        .map(|block| match block {
            Block::Text { text } => json!(text),
            Block::Opaque(opaque) => {
                assert!(opaque.is_from(&"anthropic/m-1".parse().unwrap()));
                assert_eq!(opaque.value["type"], opaque.field.as_str());
                opaque.value.clone()
            }
            Block::Call(call) => json!([call.wire_id, call.name, call.arguments]),
            Block::Reasoning { .. } => json!(null),
        })
        .collect();
    let expect = json!([
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        "I look.",
        {"type": "redacted_thinking", "data": "xyz"},
        ["toolu_1", "read", "{\"path\": \"a\"}"],
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": 1}},
        ["toolu_2", "list", "{}"],
    ]);
    assert_eq!(Value::from(shown), expect);
    let kept = reply.message.calls().next().unwrap().kept.clone().unwrap();
    assert_eq!(
        (kept.field.as_str(), kept.value),
        ("tool_use", json!({"caller": {"type": "direct"}}))
    );
    assert_eq!(reply.stop, ReplyStop::Finished);
    let usage = Usage {
        input_tokens: 28,
        cached_input_tokens: 20,
        cache_write_tokens: 3,
        output_tokens: 9,
        reasoning_tokens: 0,
    };
    assert_eq!(reply.usage, Some(usage));
    let begun = |tool: &str| Delta::CallBegun {
        tool: tool.to_owned(),
    };
    let expect = [
        Delta::Reasoning("h".to_owned()),
        Delta::Reasoning("m".to_owned()),
        Delta::Text("I ".to_owned()),
        Delta::Text("look.".to_owned()),
        begun("read"),
        begun("list"),
    ];
    assert_eq!(*heard.lock().unwrap(), expect);
}

#[test]
fn a_whole_message_is_taken_too() {
    let message = json!({"id": "m", "type": "message", "role": "assistant", "model": "m-1",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Hi."},
            {"type": "tool_use", "id": "t", "name": "read", "input": {"path": "a"}}],
        "stop_reason": "tool_use", "usage": {"input_tokens": 7, "output_tokens": 2},
        "container": {"id": "c"}, "nothing": null});
    let reply = read(&message.to_string()).unwrap();
    assert_eq!(reply.message.text(), "Hi.");
    assert_eq!(calls(&reply), [("t", "read", r#"{"path":"a"}"#)]);
    assert_eq!(reply.message.blocks.len(), 3);
    assert_eq!(
        reply.message.extra,
        *json!({"container": {"id": "c"}}).as_object().unwrap()
    );
    assert_eq!(reply.usage.map(|usage| usage.total_tokens()), Some(9));
}

#[test]
fn reasons_to_end() {
    let check = |reason: &str, expect: ReplyStop, extra: Value| {
        let reply = said(&[block(0, json!({"type": "text", "text": "x"}))], reason);
        assert_eq!(reply.stop, expect, "{reason}");
        assert_eq!(Value::Object(reply.message.extra), extra, "{reason}");
    };
    for reason in ["end_turn", "tool_use", "stop_sequence", "pause_turn"] {
        check(reason, ReplyStop::Finished, json!({}));
    }
    for reason in ["max_tokens", "model_context_window_exceeded"] {
        check(reason, ReplyStop::Length, json!({}));
    }
    check("refusal", ReplyStop::Refused, json!({}));
    check(
        "compaction",
        ReplyStop::Finished,
        json!({"stop_reason": "compaction"}),
    );
}

#[test]
fn calls_in_every_shape() {
    let check = |what: &str, events: &[Value], expect: &[(&str, &str, &str)]| {
        assert_eq!(calls(&said(events, "tool_use")), expect, "{what}");
    };
    let whole = json!({"type": "tool_use", "id": "a", "name": "read", "input": {"p": 1}});
    check(
        "all at once",
        &[block(0, whole.clone()), stopped(0)],
        &[("a", "read", "{\"p\":1}")],
    );
    check(
        "all at once, then in pieces",
        &[block(0, whole), input(0, "{}"), stopped(0)],
        &[("a", "read", "{}")],
    );
    check(
        "never stopped",
        &[called(0, "a", "read")],
        &[("a", "read", "{}")],
    );
    check(
        "interleaved",
        &[
            called(0, "a", "read"),
            called(1, "b", "list"),
            input(1, "{\"b"),
            input(0, "{\"a\":1}"),
            input(1, "\":2}"),
        ],
        &[("a", "read", "{\"a\":1}"), ("b", "list", "{\"b\":2}")],
    );
    let bare = |id: &str| json!({"type": "content_block_start", "content_block": {"type": "tool_use", "id": id, "name": "read"}});
    let piece = json!({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{\"a\":1}"}});
    check(
        "without indexes",
        &[
            bare("a"),
            piece,
            json!({"type": "content_block_stop"}),
            bare("b"),
        ],
        &[("a", "read", "{\"a\":1}"), ("b", "read", "{}")],
    );
    let nameless = json!({"type": "tool_use", "input": null});
    check(
        "nameless",
        &[block(0, nameless)],
        &[("call_00000000000000000000000000000001", "", "{}")],
    );
    check(
        "broken",
        &[called(0, "a", "read"), input(0, "{\"pa"), stopped(0)],
        &[("a", "read", "{\"pa")],
    );
}

#[test]
fn doubled_ids_and_cut_calls_are_marked() {
    let twice = said(
        &[called(0, "a", "read"), called(1, "a", "read")],
        "tool_use",
    );
    let faults =
        |reply: &Reply| -> Vec<_> { reply.message.calls().map(|call| call.fault).collect() };
    assert_eq!(faults(&twice), [None, Some(CallFault::DuplicateId)]);
    let cut = said(&[called(0, "a", "read"), input(0, "{\"pa")], "max_tokens");
    assert_eq!(cut.stop, ReplyStop::Length);
    assert_eq!(faults(&cut), [Some(CallFault::CutShort)]);
}

#[test]
fn deltas_without_a_block_and_blocks_without_a_type() {
    let odd = [
        text(7, "heard"),
        input(8, "{}"),
        block(9, json!({"text": "untyped"})),
        block(10, json!(null)),
        delta(9, json!({"type": "text_delta"})),
        delta(9, json!({"type": "new_delta", "x": 1})),
        stopped(99),
        json!({"type": "content_block_delta", "index": "x", "delta": 7}),
    ];
    let reply = said(&odd, "end_turn");
    assert_eq!(reply.message.text(), "heard");
    assert_eq!(calls(&reply), []);
}

#[test]
fn two_texts_stay_two() {
    let reply = said(
        &[
            block(0, json!({"type": "text", "text": "a"})),
            stopped(0),
            block(1, json!({"type": "text", "text": ""})),
            text(1, "b"),
            stopped(1),
            block(2, json!({"type": "text", "text": ""})),
            stopped(2),
        ],
        "end_turn",
    );
    assert_eq!(reply.message.blocks.len(), 2);
}

#[test]
fn token_counts_are_missing_odd_or_absurd() {
    let check = |start: Value, last: Value, expect: Option<(u64, u64)>| {
        let mut first = started();
        first["message"]["usage"] = start;
        let mut end = end("end_turn");
        end[0]["usage"] = last;
        let mut events = vec![first, block(0, json!({"type": "text", "text": "x"}))];
        events.extend(end);
        let usage = read(&stream(&events)).unwrap().usage;
        assert_eq!(
            usage.map(|usage| (usage.input_tokens, usage.output_tokens)),
            expect
        );
    };
    check(json!(null), json!(null), None);
    check(json!({}), json!("x"), None);
    check(
        json!({"input_tokens": 0}),
        json!({"input_tokens": 8, "output_tokens": 2}),
        Some((8, 2)),
    );
    check(
        json!({"input_tokens": 8, "output_tokens": 1}),
        json!({"input_tokens": 0}),
        Some((8, 1)),
    );
    check(
        json!({"input_tokens": 8.0}),
        json!({"output_tokens": 2.5}),
        Some((8, 2)),
    );
    check(
        json!({"input_tokens": -3}),
        json!({"output_tokens": "4"}),
        Some((0, 0)),
    );
    let most = u64::MAX;
    check(
        json!({"input_tokens": most, "cache_read_input_tokens": most}),
        json!({"output_tokens": 1e300}),
        Some((most, most)),
    );
}

#[test]
fn a_reply_survives_a_break_after_its_end_only() {
    let lost = || ProviderFailure::new(FailureKind::Cut, "lost");
    let broken = |events: &[Value]| {
        let mut reader = reader(&Arc::default());
        reader.push(stream(events).as_bytes()).unwrap();
        reader.broken(lost())
    };
    let all = everything();
    assert!(broken(&all).is_ok());
    let failure = broken(&all[..all.len() - 1]).unwrap_err();
    assert_eq!(
        (failure.kind, failure.usage.map(|usage| usage.output_tokens)),
        (FailureKind::Cut, Some(9))
    );
}

proptest! {
    #[test]
    fn any_split_gives_the_same_reply(cuts in proptest::collection::vec(1usize..60, 1..40)) {
        let body = stream(&everything());
        let whole = read(&body).unwrap();
        let mut pieces = Vec::new();
        let mut rest = body.as_bytes();
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(read_pieces(&pieces).unwrap(), whole);
    }

    #[test]
    fn a_prefix_is_never_a_finished_reply(share in 0.0f64..1.0) {
        let body = stream(&everything());
        let end = body.find("event: message_stop").unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small number")]
        let length = (end as f64 * share) as usize;
        prop_assert!(read_pieces(&[&body.as_bytes()[..length]]).is_err());
    }

    #[test]
    fn arbitrary_events_never_panic(
        events in proptest::collection::vec((0usize..40, any::<Option<u8>>(), 0usize..7), 0..30),
    ) {
        let all = everything();
        let odd = [json!(null), json!(7), json!("x"), json!([]), json!({}), json!({"type": 1}), json!(-1)];
        let mangled: Vec<Value> = events.iter().map(|(at, index, value)| {
            let mut event = all[at % all.len()].clone();
            if let Some(index) = index {
                let field = ["index", "delta", "content_block", "message", "type", "usage"][usize::from(index % 6)];
                event[field] = odd[*value].clone();
            }
            event
        }).collect();
        drop(read(&stream(&mangled)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(read_pieces(&[&bytes]));
    }
}
