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

/// Makes ids 1, 2, 3...
fn voice(heard: &Arc<Mutex<Vec<Delta>>>) -> Voice {
    let heard = Arc::clone(heard);
    let count = Mutex::new(0);
    Voice {
        model: "openai-chat/m-1".parse().unwrap(),
        deltas: Arc::new(move |delta| heard.lock().unwrap().push(delta)),
        new_id: Arc::new(move || {
            let mut count = count.lock().unwrap();
            *count += 1;
            uuid::Uuid::from_u128(*count)
        }),
    }
}

fn reader(heard: &Arc<Mutex<Vec<Delta>>>) -> BodyReader {
    let scrub = Scrub::new(vec!["sk-secret".to_owned()]);
    let parser = Box::new(ChatParser::new(voice(heard)));
    BodyReader::new(parser, "http://host/v1/chat/completions", scrub)
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

/// A stream of these chunks.
fn stream(chunks: &[Value]) -> String {
    let mut body: String = chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    body.push_str("data: [DONE]\n\n");
    body
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn end(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

/// The reply to a stream of these deltas that ends with `reason`.
fn said(deltas: &[Value], reason: &str) -> Reply {
    let mut chunks: Vec<Value> = deltas.iter().cloned().map(delta).collect();
    chunks.push(end(reason));
    read(&stream(&chunks)).unwrap()
}

fn calls(reply: &Reply) -> Vec<(&str, &str, &str)> {
    reply
        .message
        .calls()
        .map(|call| {
            (
                call.wire_id.as_str(),
                call.name.as_str(),
                call.arguments.as_str(),
            )
        })
        .collect()
}

#[test]
fn words_reasoning_and_calls_keep_their_order() {
    let heard = Arc::default();
    let mut reader = reader(&heard);
    let body = stream(&[
        delta(json!({"role": "assistant", "content": "", "provider_specific": {"n": 1}})),
        delta(json!({"reasoning_content": "hm"})),
        delta(json!({"reasoning_content": "m"})),
        delta(json!({"content": "I "})),
        delta(json!({"content": "look.", "provider_specific": {"n": 2}})),
        delta(
            json!({"tool_calls": [{"index": 0, "id": "c0", "type": "function",
            "function": {"name": "read", "arguments": ""}}]}),
        ),
        delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})),
        end("tool_calls"),
        json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
    ]);
    reader.push(body.as_bytes()).unwrap();
    assert!(reader.is_done());
    let reply = reader.finish().unwrap();
    let [
        Block::Reasoning { text, source },
        Block::Text { text: words },
        Block::Call(call),
    ] = reply.message.blocks.as_slice()
    else {
        panic!("{:?}", reply.message.blocks)
    };
    assert_eq!(
        (text.as_str(), source.field.as_str()),
        ("hmm", "reasoning_content")
    );
    assert_eq!(
        (source.provider.as_str(), source.model.as_str()),
        ("openai-chat", "m-1")
    );
    assert_eq!((words.as_str(), call.arguments.as_str()), ("I look.", "{}"));
    assert_eq!(call.id.uuid(), uuid::Uuid::from_u128(1));
    assert_eq!(
        reply.message.extra,
        *json!({"provider_specific": {"n": 2}}).as_object().unwrap()
    );
    assert_eq!(reply.stop, ReplyStop::Finished);
    assert_eq!(reply.usage.map(|usage| usage.input_tokens), Some(5));
    let expect = [
        Delta::Reasoning("hm".to_owned()),
        Delta::Reasoning("m".to_owned()),
        Delta::Text("I ".to_owned()),
        Delta::Text("look.".to_owned()),
        Delta::CallBegun {
            tool: "read".to_owned(),
        },
    ];
    assert_eq!(*heard.lock().unwrap(), expect);
}

fn piece(fields: Value) -> Value {
    json!({ "tool_calls": [fields] })
}

/// A piece without an index.
fn bare(id: &str, name: &str, arguments: &str) -> Value {
    piece(json!({"id": id, "function": {"name": name, "arguments": arguments}}))
}

fn at(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    let function = json!({"name": name, "arguments": arguments});
    piece(json!({"index": index, "id": id, "function": function}))
}

/// A later piece, with nothing but its index.
fn more(index: u64, arguments: &str) -> Value {
    piece(json!({"index": index, "function": {"arguments": arguments}}))
}

fn check_calls(what: &str, deltas: &[Value], expect: &[(&str, &str, &str)]) {
    assert_eq!(calls(&said(deltas, "tool_calls")), expect, "{what}");
}

#[test]
fn unknown_fields_of_a_call_are_kept_with_it() {
    let first = piece(
        json!({"index": 0, "id": "a", "extra_content": {"s": 1}, "nothing": null,
        "function": {"name": "read", "arguments": "", "n": 2}}),
    );
    let reply = said(
        &[first, more(0, "{}"), at(1, "b", "list", "{}")],
        "tool_calls",
    );
    let kept: Vec<_> = reply
        .message
        .calls()
        .map(|call| call.kept.clone())
        .collect();
    let [Some(kept), None] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    assert!(kept.is_from(&"openai-chat/m-1".parse().unwrap()));
    let expect = json!({"extra_content": {"s": 1}, "function": {"n": 2}});
    assert_eq!((kept.field.as_str(), &kept.value), ("tool_calls", &expect));
}

#[test]
fn pieces_of_calls_with_an_index() {
    let check = check_calls;
    check(
        "interleaved",
        &[
            at(0, "a", "read", ""),
            at(1, "b", "grep", ""),
            more(1, "{\"p\""),
            more(0, "{}"),
            more(1, ":1}"),
        ],
        &[("a", "read", "{}"), ("b", "grep", "{\"p\":1}")],
    );
    let repeated = |id: &str, arguments: &str| at(0, id, "read", arguments);
    let one = [("a", "read", "{\"p\":1}")];
    check(
        "id and name in every piece",
        &[
            repeated("a", "{\"p"),
            repeated("a", "\":"),
            repeated("a", "1}"),
        ],
        &one,
    );
    check(
        "a fresh id in every piece",
        &[
            repeated("a", "{\"p"),
            repeated("b", "\":"),
            repeated("c", "1}"),
        ],
        &one,
    );
    check(
        "empty ids later",
        &[
            repeated("a", "{\"p"),
            repeated("", "\":"),
            repeated("", "1}"),
        ],
        &one,
    );
    check(
        "a name in pieces",
        &[at(0, "a", "re", ""), at(0, "", "ad", "{}")],
        &[("a", "read", "{}")],
    );
    let two = json!({"tool_calls": [
        {"index": 0, "id": "a", "function": {"name": "read", "arguments": "{}"}},
        {"index": 0, "id": "b", "function": {"name": "read", "arguments": "{}"}},
    ]});
    check(
        "two of index 0",
        &[two],
        &[("a", "read", "{}"), ("b", "read", "{}")],
    );
}

#[test]
fn pieces_of_calls_without_an_index() {
    let check = check_calls;
    let made = "call_00000000000000000000000000000001";
    check(
        "whole calls",
        &[
            bare("a", "read", "{}"),
            bare("b", "read", "{\"pa"),
            bare("c", "read", "{}"),
        ],
        &[
            ("a", "read", "{}"),
            ("b", "read", "{\"pa"),
            ("c", "read", "{}"),
        ],
    );
    check(
        "without id too",
        &[
            bare("a", "read", "{"),
            bare("", "", "}"),
            bare("", "grep", "{}"),
        ],
        &[
            ("a", "read", "{}"),
            ("call_00000000000000000000000000000002", "grep", "{}"),
        ],
    );
    check(
        "an object for arguments, a number in quotes for index",
        &[piece(
            json!({"index": "3", "id": "a", "function": {"name": "x", "arguments": {"k": 1}}}),
        )],
        &[("a", "x", "{\"k\":1}")],
    );
    check(
        "no id, null arguments, null name",
        &[
            piece(json!({"index": 0, "id": null, "function": {"name": "x", "arguments": null}})),
            piece(json!({"index": 0, "function": {"name": null, "arguments": "{}"}})),
        ],
        &[(made, "x", "{}")],
    );
    check(
        "the old field",
        &[
            json!({"function_call": {"name": "read", "arguments": ""}}),
            json!({"function_call": {"arguments": "{}"}}),
        ],
        &[(made, "read", "{}")],
    );
}

#[test]
fn doubled_ids_and_cut_calls_are_marked() {
    let two = [json!({"tool_calls": [
        {"index": 0, "id": "a", "function": {"name": "x", "arguments": "{}"}},
        {"index": 1, "id": "a", "function": {"name": "y", "arguments": "{}"}},
    ]})];
    let faults = |reason: &str| -> Vec<Option<CallFault>> {
        said(&two, reason)
            .message
            .calls()
            .map(|call| call.fault)
            .collect()
    };
    assert_eq!(faults("tool_calls"), [None, Some(CallFault::DuplicateId)]);
    assert_eq!(faults("length"), [Some(CallFault::CutShort); 2]);
    assert_eq!(faults("content_filter"), [Some(CallFault::CutShort); 2]);
    let reply = said(&two, "tool_calls");
    assert_eq!(calls(&reply)[0].0, "a");
    assert_eq!(calls(&reply)[1].0, "call_00000000000000000000000000000002");
}

#[test]
fn reasons_to_end() {
    let check = |reason: &str, stop: ReplyStop, kept: Option<&str>| {
        let reply = said(&[json!({"content": "x"})], reason);
        assert_eq!(reply.stop, stop, "{reason}");
        assert_eq!(
            reply
                .message
                .extra
                .get("finish_reason")
                .and_then(Value::as_str),
            kept
        );
    };
    check("stop", ReplyStop::Finished, None);
    check("tool_calls", ReplyStop::Finished, None);
    check("function_call", ReplyStop::Finished, None);
    check("length", ReplyStop::Length, None);
    check("content_filter", ReplyStop::Refused, None);
    check("eos", ReplyStop::Finished, Some("eos"));
    let refusal = said(
        &[
            json!({"content": null, "refusal": "I will "}),
            json!({"refusal": "not."}),
        ],
        "stop",
    );
    assert_eq!(
        (refusal.stop, refusal.message.text().as_str()),
        (ReplyStop::Refused, "I will not.")
    );
    let nothing = |reason: &str| said(&[json!({"content": ""})], reason);
    assert!(
        nothing("length").message.is_empty(),
        "the engine knows what to do with these two"
    );
    assert!(nothing("content_filter").message.is_empty());
}

#[test]
fn content_and_reasoning_come_in_many_fields() {
    let check = |deltas: &[Value], text: &str, reasoning: &[(&str, &str)]| {
        let reply = said(deltas, "stop");
        let thoughts: Vec<_> = reply
            .message
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Reasoning { text, source } => Some((source.field.as_str(), text.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(
            (reply.message.text().as_str(), thoughts.as_slice()),
            (text, reasoning)
        );
    };
    check(
        &[json!({"reasoning": "a", "content": "b"})],
        "b",
        &[("reasoning", "a")],
    );
    check(
        &[
            json!({"reasoning": "a", "reasoning_content": "a"}),
            json!({"content": "b"}),
        ],
        "b",
        &[("reasoning_content", "a")],
    );
    check(
        &[json!({"content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "a"}]},
            {"type": "text", "text": "b"}, {"type": "image_url"}, 7, "c"]})],
        "bc",
        &[("content", "a")],
    );
    let reply = said(
        &[
            json!({"reasoning_details": [{"a": 1}]}),
            json!({"reasoning_details": [{"b": 2}], "content": "x", "reasoning": {"odd": true}}),
        ],
        "stop",
    );
    let Block::Opaque(opaque) = &reply.message.blocks[0] else {
        panic!("{reply:?}")
    };
    assert_eq!(opaque.value, json!([{"a": 1}, {"b": 2}]));
    assert_eq!(reply.message.extra["reasoning"], json!({"odd": true}));
}

#[test]
fn token_counts_are_read_in_every_spelling() {
    let check = |usage: Value, expect: Option<(u64, u64, u64, u64)>| {
        let chunks = [
            delta(json!({"content": "x"})),
            end("stop"),
            json!({"usage": usage}),
        ];
        let usage = read(&stream(&chunks)).unwrap().usage;
        let usage = usage.map(|u| {
            (
                u.input_tokens,
                u.cached_input_tokens,
                u.output_tokens,
                u.reasoning_tokens,
            )
        });
        assert_eq!(usage, expect);
    };
    check(
        json!({"prompt_tokens": 9, "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2}}),
        Some((9, 4, 3, 2)),
    );
    check(
        json!({"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 5}),
        Some((9, 5, 3, 0)),
    );
    check(
        json!({"prompt_tokens": 9.0, "completion_tokens": 3, "cached_tokens": 50}),
        Some((9, 9, 3, 0)),
    );
    check(
        json!({"prompt_tokens": 9, "prompt_tokens_details": null}),
        Some((9, 0, 0, 0)),
    );
    check(json!({"total_tokens": 9}), None);
    check(json!(null), None);
    check(json!("many"), None);
}

#[test]
fn whole_completions_are_taken_too() {
    let completion = json!({"id": "x", "choices": [{"index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": null, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "read", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "read", "arguments": "{}"}}]}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3}});
    for body in [completion.to_string(), format!("\u{feff}\n {completion}\n")] {
        let reply = read(&body).unwrap();
        assert_eq!(calls(&reply), [("a", "read", "{}"), ("b", "read", "{}")]);
        assert_eq!(reply.usage.map(|usage| usage.output_tokens), Some(3));
    }
    let without_end = r#"{"choices":[{"message":{"content":"hi"}}]}"#;
    assert_eq!(read(without_end).unwrap().message.text(), "hi");
}

#[test]
fn a_reply_needs_no_done_line_and_survives_a_late_break() {
    let whole = format!(
        "data: {}\n\ndata: {}\n\n",
        delta(json!({"content": "hi"})),
        end("stop")
    );
    assert_eq!(read(&whole).unwrap().message.text(), "hi");
    assert_eq!(
        read(whole.trim_end()).unwrap().message.text(),
        "hi",
        "nor its last empty line"
    );
    let lost = || ProviderFailure::new(FailureKind::Cut, "reset");
    let break_after = |body: &str| {
        let mut reader = reader(&Arc::default());
        reader.push(body.as_bytes()).unwrap();
        reader.broken(lost())
    };
    assert_eq!(break_after(&whole).unwrap().message.text(), "hi");
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}});
    let failure = break_after(&format!("data: {usage}\n\n")).unwrap_err();
    assert_eq!(
        failure.usage.map(|usage| usage.input_tokens),
        Some(5),
        "the cost is known"
    );
}

fn sample() -> String {
    let mut body = String::from(": hello\n\n");
    body.push_str(&stream(&[
        delta(json!({"role": "assistant", "content": "gr\u{fc}n \u{1F9F5}"})),
        delta(json!({"reasoning": "\u{e9}"})),
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "read", "arguments": "{\"p\":"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"\u{e9}\"}"}}]})),
        end("tool_calls"),
        json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
    ]));
    body
}

proptest! {
    #[test]
    fn any_split_gives_the_same_reply(mut cuts in proptest::collection::vec(0usize..900, 0..20)) {
        let body = sample();
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(body.len()));
        cuts.sort_unstable();
        cuts.push(body.len());
        let mut from = 0;
        let pieces = cuts.iter().map(|&to| {
            let piece = &body.as_bytes()[from..to];
            from = to;
            piece
        });
        let pieces: Vec<&[u8]> = pieces.collect();
        prop_assert_eq!(read_pieces(&pieces).unwrap(), read(&body).unwrap());
    }

    #[test]
    fn a_prefix_is_never_a_finished_reply(length in 0usize..900) {
        let body = sample();
        let place = body.find("\"finish_reason\":\"tool_calls\"").unwrap();
        let prefix = &body.as_bytes()[..length.min(place)];
        prop_assert!(read_pieces(&[prefix]).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        start in prop_oneof![Just("data: "), Just("{"), Just("[")],
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert!(read_pieces(&[start.as_bytes(), &bytes]).is_err());
        prop_assert!(read_pieces(&[&bytes]).is_err());
    }
}
