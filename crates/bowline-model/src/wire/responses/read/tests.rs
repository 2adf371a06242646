//! Replies in every shape that servers send, whole and broken.

use std::sync::{Arc, Mutex};

use bowline_core::Block;
use bowline_core::message::CallFault;
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
    let voice = Voice {
        model: "openai/m-1".parse().unwrap(),
        deltas: Arc::new(move |delta| heard.lock().unwrap().push(delta)),
        new_id: Arc::new(move || {
            let mut count = count.lock().unwrap();
            *count += 1;
            uuid::Uuid::from_u128(*count)
        }),
    };
    let parser = Box::new(ResponsesParser::new(voice));
    BodyReader::new(parser, "http://host/v1/responses", Scrub::new(Vec::new()))
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

/// A stream of these events; each has its type as its first field.
fn stream(events: &[Value]) -> String {
    let frame = |event: &Value| {
        let kind = event["type"].as_str().unwrap_or_default();
        format!("event: {kind}\ndata: {event}\n\n")
    };
    events.iter().map(frame).collect()
}

fn event(kind: &str, mut data: Value) -> Value {
    data["type"] = json!(format!("response.{kind}"));
    data
}

fn added(index: u64, item: Value) -> Value {
    event(
        "output_item.added",
        json!({"output_index": index, "item": item}),
    )
}

fn done(index: u64, item: Value) -> Value {
    event(
        "output_item.done",
        json!({"output_index": index, "item": item}),
    )
}

fn completed() -> Value {
    let usage = json!({"input_tokens": 50, "input_tokens_details": {"cached_tokens": 40},
        "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 5}});
    event(
        "completed",
        json!({"response": {"status": "completed", "output": [], "usage": usage}}),
    )
}

fn message(id: &str, text: &str) -> Value {
    json!({"type": "message", "id": id, "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn call(id: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": "read",
        "arguments": arguments, "status": "completed"})
}

fn delta(kind: &str, index: u64, piece: &str) -> Value {
    event(
        kind,
        json!({"output_index": index, "item_id": "x", "delta": piece}),
    )
}

fn arguments(index: u64, piece: &str) -> Value {
    delta("function_call_arguments.delta", index, piece)
}

/// The reply to a stream of these events that is completed.
fn said(events: &[Value]) -> Reply {
    let events: Vec<Value> = events.iter().cloned().chain([completed()]).collect();
    read(&stream(&events)).unwrap()
}

fn calls(reply: &Reply) -> Vec<(&str, &str)> {
    let calls = reply.message.calls();
    calls
        .map(|call| (call.wire_id.as_str(), call.arguments.as_str()))
        .collect()
}

/// The blocks as words: kind and what it holds.
fn shape(reply: &Reply) -> Vec<String> {
    let shown = |block: &Block| match block {
        Block::Text { text } => format!("text {text}"),
        Block::Opaque(opaque) => format!("{} {}", opaque.field, opaque.value["id"]),
        Block::Call(call) => format!("call {} {}", call.wire_id, call.arguments),
        Block::Reasoning { text, .. } => format!("reasoning {text}"),
    };
    reply.message.blocks.iter().map(shown).collect()
}

fn told(delta: &Delta) -> String {
    match delta {
        Delta::Text(text) => text.clone(),
        Delta::Reasoning(text) => format!("thought {text}"),
        Delta::CallBegun { tool } => format!("begins {tool}"),
    }
}

#[test]
fn items_keep_their_order_and_what_nobody_here_reads() {
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
        "summary": [{"type": "summary_text", "text": "hmm"}]});
    let mut answer = message("msg_1", "I look.");
    answer["phase"] = json!("commentary");
    let mut asked = call("c0", "{}");
    asked["later"] = json!({"n": 1});
    let begun = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "g", "summary": []});
    let heard = Arc::default();
    let mut reader = reader(&heard);
    let body = stream(&[
        event("created", json!({"response": {"status": "in_progress"}})),
        event(
            "in_progress",
            json!({"response": {"status": "in_progress"}}),
        ),
        added(0, begun),
        delta("reasoning_summary_text.delta", 0, "hm"),
        delta("reasoning_summary_text.delta", 0, "m"),
        done(0, reasoning.clone()),
        added(1, message("msg_1", "")),
        delta("output_text.delta", 1, "I "),
        event("of.the.future", json!({"delta": "?"})),
        delta("output_text.delta", 1, "look."),
        done(1, answer),
        added(2, call("c0", "")),
        arguments(2, "{}"),
        done(2, asked),
        completed(),
    ]);
    reader.push(body.as_bytes()).unwrap();
    assert!(reader.is_done());
    let reply = reader.finish().unwrap();
    let expected = [
        "reasoning \"rs_1\"",
        "message \"msg_1\"",
        "text I look.",
        "call c0 {}",
    ];
    assert_eq!(shape(&reply), expected);
    let [
        Block::Opaque(thought),
        Block::Opaque(fields),
        _,
        Block::Call(asked),
    ] = reply.message.blocks.as_slice()
    else {
        panic!("{:?}", reply.message.blocks)
    };
    assert_eq!(
        thought.value, reasoning,
        "whole, as it was when it was done"
    );
    let fields_expected = json!({"id": "msg_1", "status": "completed", "phase": "commentary"});
    assert_eq!(fields.value, fields_expected);
    let kept = asked.kept.as_ref().unwrap();
    assert_eq!(kept.field, "function_call");
    let kept_expected = json!({"id": "fc_c0", "status": "completed", "later": {"n": 1}});
    assert_eq!(kept.value, kept_expected);
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cached_input_tokens), (50, 40));
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (9, 5));
    let heard: Vec<String> = heard.lock().unwrap().iter().map(told).collect();
    assert_eq!(
        heard,
        ["thought hm", "thought m", "I ", "look.", "begins read"]
    );
}

#[test]
fn parallel_calls_interleave_by_index_or_by_id() {
    let reply = said(&[
        added(1, call("b", "")),
        added(0, call("a", "")),
        arguments(0, "{\"p\":"),
        arguments(1, "{\"q\":"),
        arguments(0, "1}"),
        arguments(1, "2}"),
        done(1, call("b", "{\"q\":2}")),
        done(0, call("a", "{\"p\":1}")),
    ]);
    assert_eq!(calls(&reply), [("a", "{\"p\":1}"), ("b", "{\"q\":2}")]);

    // Without indices the ids of the items tell, and without done events the pieces count.
    let by_id = |id: &str, piece: &str| {
        let data = json!({"item_id": format!("fc_{id}"), "delta": piece});
        event("function_call_arguments.delta", data)
    };
    let unindexed = |id: &str| event("output_item.added", json!({"item": call(id, "")}));
    let reply = said(&[
        unindexed("a"),
        unindexed("b"),
        by_id("a", "{\"p\":"),
        by_id("b", "{}"),
        by_id("a", "1}"),
    ]);
    assert_eq!(calls(&reply), [("a", "{\"p\":1}"), ("b", "{}")]);
}

#[test]
fn what_servers_leave_out_or_say_twice() {
    let check = |events: &[Value], expect: &[&str]| assert_eq!(shape(&said(events)), expect);
    let text = |text: &str| message("msg_1", text);
    // Only done events.
    check(&[done(0, text("hi"))], &["message \"msg_1\"", "text hi"]);
    // Only pieces.
    check(
        &[
            delta("output_text.delta", 0, "h"),
            delta("output_text.delta", 0, "i"),
        ],
        &["message \"x\"", "text hi"],
    );
    // Only a whole text.
    check(
        &[event(
            "output_text.done",
            json!({"output_index": 0, "text": "hi"}),
        )],
        &["text hi"],
    );
    // Twice.
    check(
        &[
            added(0, text("")),
            added(0, text("")),
            done(0, text("hi")),
            done(0, text("hi")),
        ],
        &["message \"msg_1\"", "text hi"],
    );
    // The item says otherwise than the pieces did.
    check(
        &[
            added(0, text("")),
            delta("output_text.delta", 0, "ho"),
            done(0, text("hi")),
        ],
        &["message \"msg_1\"", "text hi"],
    );
    // Everything at index 0.
    check(
        &[
            added(0, text("")),
            done(0, text("hi")),
            added(0, call("a", "")),
            done(0, call("a", "{}")),
        ],
        &["message \"msg_1\"", "text hi", "call a {}"],
    );
    // Another id for the same item in every event.
    check(
        &[
            added(0, message("msg_a", "")),
            delta("output_text.delta", 0, "hi"),
            done(0, message("msg_b", "hi")),
        ],
        &["message \"msg_b\"", "text hi"],
    );
    // Arguments as an object, a missing call id.
    let mut odd = call("a", "");
    odd["arguments"] = json!({"p": 1});
    odd.as_object_mut().unwrap().remove("call_id");
    check(&[done(0, odd)], &["call fc_a {\"p\":1}"]);
    // A type that nobody knows, and a message without words beside a call.
    check(
        &[
            done(0, json!({"type": "mystery", "id": "my_1"})),
            done(1, text("")),
            done(2, call("a", "{}")),
        ],
        &["mystery \"my_1\"", "message \"msg_1\"", "call a {}"],
    );
    // Two texts of one message.
    let mut two = text("a");
    two["content"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "output_text", "text": "b"}));
    check(&[done(0, two)], &["message \"msg_1\"", "text a", "text b"]);
}

#[test]
fn a_response_that_holds_its_output_at_the_end_only() {
    let response = json!({"status": "completed", "output": [message("msg_1", "hi"), call("a", "{}")],
        "usage": {"input_tokens": 3, "output_tokens": 1}});
    let expected = ["message \"msg_1\"", "text hi", "call a {}"];
    let end = event("completed", json!({"response": response}));
    assert_eq!(
        shape(&read(&stream(std::slice::from_ref(&end))).unwrap()),
        expected
    );
    // One item was begun and never said to be done.
    let body = stream(&[
        done(0, message("msg_1", "hi")),
        added(1, call("a", "")),
        end,
    ]);
    assert_eq!(shape(&read(&body).unwrap()), expected);

    // A whole response instead of a stream.
    let mut whole = response;
    whole["object"] = json!("response");
    let reply = read(&whole.to_string()).unwrap();
    assert_eq!(shape(&reply), expected);
    assert_eq!(reply.usage.unwrap().total_tokens(), 4);
    whole["status"] = json!("incomplete");
    whole["incomplete_details"] = json!({"reason": "max_output_tokens"});
    let reply = read(&whole.to_string()).unwrap();
    assert_eq!(reply.stop, ReplyStop::Length);
    let faults = reply.message.calls().map(|call| call.fault);
    assert!(faults.eq([Some(CallFault::CutShort)]));
}

#[test]
fn only_a_completed_response_is_finished() {
    let check = |reason: Value, expect: ReplyStop, extra: bool| {
        let response = json!({"incomplete_details": {"reason": reason}, "usage": null});
        let end = event("incomplete", json!({"response": response}));
        let reply = read(&stream(&[done(0, call("a", "{}")), end])).unwrap();
        assert_eq!(reply.stop, expect);
        assert_eq!(reply.message.extra.contains_key("incomplete_reason"), extra);
        // Which call was the last is not certain, so none runs.
        let faults = reply.message.calls().map(|call| call.fault);
        assert!(faults.eq([Some(CallFault::CutShort)]));
    };
    check(json!("max_output_tokens"), ReplyStop::Length, false);
    check(json!("content_filter"), ReplyStop::Refused, false);
    check(json!("moonrise"), ReplyStop::Length, true);
    check(Value::Null, ReplyStop::Length, true);

    let mut cut = call("a", "{\"p\":");
    cut["status"] = json!("incomplete");
    let reply = said(&[done(0, cut)]);
    assert!(
        reply
            .message
            .calls()
            .map(|call| call.fault)
            .eq([Some(CallFault::CutShort)])
    );

    let reply = said(&[done(0, call("a", "{}")), done(1, call("a", "{}"))]);
    let faults: Vec<_> = reply.message.calls().map(|call| call.fault).collect();
    assert_eq!(faults, [None, Some(CallFault::DuplicateId)]);
}

#[test]
fn a_refusal_is_told_as_one() {
    let refusal = json!({"type": "message", "id": "msg_1", "role": "assistant",
        "content": [{"type": "refusal", "refusal": "No."}]});
    let reply = said(&[delta("refusal.delta", 0, "No."), done(0, refusal)]);
    assert_eq!(
        (reply.stop, reply.message.text()),
        (ReplyStop::Refused, "No.".to_owned())
    );
    let reply = said(&[delta("refusal.delta", 0, "No.")]);
    assert_eq!(reply.stop, ReplyStop::Refused);
}

#[test]
fn thoughts_that_are_never_done_keep_their_words() {
    let part = |index: u64, kind: &str, piece: &str| {
        let data = json!({"output_index": 0, "summary_index": index, "delta": piece});
        event(kind, data)
    };
    let reply = said(&[
        added(0, json!({"type": "reasoning", "id": "rs_1", "summary": []})),
        part(0, "reasoning_summary_text.delta", "a"),
        part(1, "reasoning_summary_text.delta", "b"),
        part(0, "reasoning_text.delta", "c"),
        done(1, message("msg_1", "hi")),
    ]);
    let Block::Opaque(thought) = &reply.message.blocks[0] else {
        panic!("{:?}", reply.message.blocks)
    };
    let summary =
        json!([{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]);
    assert_eq!(thought.value["summary"], summary);
    assert_eq!(thought.value["content"][0]["text"], "c");
}

proptest! {
    /// However the body is cut into pieces, the reply is the same.
    #[test]
    fn pieces_do_not_matter(cuts in proptest::collection::vec(1usize..40, 1..60)) {
        let body = stream(&[
            added(0, message("msg_1", "")),
            delta("output_text.delta", 0, "zwölf \u{1f600} Boxkämpfer"),
            done(0, message("msg_1", "zwölf \u{1f600} Boxkämpfer")),
            done(1, call("a", "{}")),
            completed(),
        ]);
        let mut rest = body.as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(read_pieces(&pieces).unwrap(), read(&body).unwrap());
    }

    /// Whatever events come in whatever order: an answer, never a panic.
    #[test]
    fn no_order_of_events_breaks_it(
        picks in proptest::collection::vec((0usize..14, 0u64..3), 0..40)
    ) {
        let events: Vec<Value> = picks.into_iter().map(|(kind, index)| match kind {
            0 => added(index, message("msg_1", "")),
            1 => done(index, message("msg_1", "hi")),
            2 => added(index, call("a", "")),
            3 => done(index, call("a", "{}")),
            4 => arguments(index, "{\"p\""),
            5 => delta("output_text.delta", index, "t"),
            6 => delta("reasoning_text.delta", index, "r"),
            7 => event("function_call_arguments.done", json!({"arguments": "{}"})),
            8 => event("output_item.done", json!({"item": {"type": index}})),
            9 => event("output_item.added", json!({"output_index": index, "item": 7})),
            10 => event("output_text.delta", json!({"delta": 5, "output_index": -1})),
            11 => event("refusal.delta", json!({"content_index": u64::MAX, "delta": "n"})),
            12 => done(index, json!({"type": "reasoning"})),
            _ => event("reasoning_summary_part.added", json!({"summary_index": index})),
        }).collect();
        let whole: Vec<Value> = events.iter().cloned().chain([completed()]).collect();
        match read(&stream(&whole)) {
            Ok(reply) => prop_assert!(!reply.message.is_empty() || reply.stop == ReplyStop::Refused),
            Err(failure) => prop_assert_eq!(failure.kind, FailureKind::Empty),
        }
        let cut = read(&stream(&events)).expect_err("never finished");
        prop_assert!(
            matches!(cut.kind, FailureKind::Cut | FailureKind::Malformed),
            "{cut:?}"
        );
    }
}
