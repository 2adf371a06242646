//! The streamed form of a Messages reply.

use bowline_model::scenario::Answer;
use serde_json::{Value, json};

use super::super::frames::{Frame, Part, pieces, written};

/// Builds the frames of `answer` up to where its fault cuts it, with pings in between.
pub(super) fn frames(answer: &Answer, seed: Option<u64>) -> Vec<Vec<u8>> {
    let mut parts = vec![
        (
            Part::Start,
            frame("message_start", json!({"message": super::envelope(answer)})),
        ),
        (Part::Other, ping()),
    ];
    let mut calls = answer.calls.iter();
    for (index, block) in super::content(answer).into_iter().enumerate() {
        let call = (block["type"] == "tool_use")
            .then(|| calls.next())
            .flatten();
        let arguments = call.map(|call| call.arguments.as_str());
        push_block(&mut parts, index, block, arguments.unwrap_or_default());
        parts.push((Part::Other, ping()));
    }
    let delta = json!({"delta": {"stop_reason": super::stop_reason(answer), "stop_sequence": null},
        "usage": {"output_tokens": answer.usage.output_tokens}});
    parts.push((Part::End, frame("message_delta", delta)));
    written(answer, &parts, &[frame("message_stop", json!({}))], seed)
}

fn frame(name: &'static str, mut data: Value) -> Frame {
    data["type"] = name.into();
    Frame {
        event: Some(name),
        data: data.to_string(),
    }
}

fn ping() -> Frame {
    frame("ping", json!({}))
}

fn push_block(parts: &mut Vec<(Part, Frame)>, index: usize, block: Value, arguments: &str) {
    let kind = block["type"].as_str().unwrap_or_default().to_owned();
    let (part, start, deltas) = match kind.as_str() {
        "text" => (
            Part::Text,
            json!({"type": "text", "text": ""}),
            deltas(&block["text"], 32, "text_delta", "text"),
        ),
        "thinking" => {
            let mut all = deltas(&block["thinking"], 8, "thinking_delta", "thinking");
            all.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            let start = json!({"type": "thinking", "thinking": "", "signature": ""});
            (Part::Reasoning, start, all)
        }
        "tool_use" => {
            let mut start = block.clone();
            start["input"] = json!({});
            let mut all = vec![json!({"type": "input_json_delta", "partial_json": ""})];
            // Like the API, which sends no arguments where there are none.
            if arguments != "{}" {
                all.extend(deltas(
                    &arguments.into(),
                    8,
                    "input_json_delta",
                    "partial_json",
                ));
            }
            (Part::Arguments, start, all)
        }
        _ => (Part::Reasoning, block, Vec::new()),
    };
    let begun = if part == Part::Arguments {
        Part::Call
    } else {
        Part::Other
    };
    let start = json!({"index": index, "content_block": start});
    parts.push((begun, frame("content_block_start", start)));
    for delta in deltas {
        let delta = json!({"index": index, "delta": delta});
        parts.push((part, frame("content_block_delta", delta)));
    }
    parts.push((
        Part::Other,
        frame("content_block_stop", json!({"index": index})),
    ));
}

fn deltas(text: &Value, count: usize, kind: &str, field: &str) -> Vec<Value> {
    let pieces = pieces(text.as_str().unwrap_or_default(), count);
    let delta = |piece: String| {
        let mut delta = json!({ "type": kind });
        delta[field] = piece.into();
        delta
    };
    pieces.into_iter().map(delta).collect()
}
