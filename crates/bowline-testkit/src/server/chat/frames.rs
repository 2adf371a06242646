//! The streamed form of a chat reply.

use bowline_model::scenario::Answer;
use serde_json::{Map, Value, json};

use super::super::frames::{Frame, Part, pieces, written};

/// Whether the client asked for a frame with the token counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum UsageFrame {
    Asked,
    NotAsked,
}

/// Builds the frames of `answer` up to where its fault cuts it.
///
/// Arguments of parallel calls are interleaved fragment by fragment. The token counts, if asked
/// for, come in a frame of their own without choices before `[DONE]`.
pub(super) fn frames(answer: &Answer, usage: UsageFrame, seed: Option<u64>) -> Vec<Vec<u8>> {
    let parts = parts(answer).into_iter();
    let parts: Vec<_> = parts
        .map(|(part, chunk)| (part, Frame::unnamed(chunk)))
        .collect();
    let mut end = Vec::new();
    if usage == UsageFrame::Asked {
        let mut chunk = envelope(answer, json!([]));
        chunk["usage"] = super::usage(answer);
        end.push(Frame::unnamed(chunk));
    }
    end.push(Frame::unnamed("[DONE]"));
    written(answer, &parts, &end, seed)
}

fn parts(answer: &Answer) -> Vec<(Part, Value)> {
    let delta = |delta: Value| {
        let choice = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]);
        envelope(answer, choice)
    };
    let first = json!({"role": "assistant", "content": "",
        "provider_specific": super::provider_specific(answer)});
    let mut parts = vec![(Part::Start, delta(first))];
    for piece in pieces(answer.reasoning.as_deref().unwrap_or_default(), 8) {
        parts.push((Part::Reasoning, delta(json!({"reasoning_content": piece}))));
    }
    for piece in pieces(answer.text.as_deref().unwrap_or_default(), 32) {
        parts.push((Part::Text, delta(json!({"content": piece}))));
    }
    let mut fragments = Vec::new();
    for (i, call) in answer.calls.iter().enumerate() {
        let mut head = Map::from_iter([("index".to_owned(), json!(i))]);
        let mut whole = super::call(answer, call);
        whole["function"]["arguments"] = json!("");
        head.extend(whole.as_object().cloned().unwrap_or_default());
        parts.push((Part::Call, delta(json!({"tool_calls": [head]}))));
        fragments.push(pieces(&call.arguments, 8));
    }
    let longest = fragments.iter().map(Vec::len).max().unwrap_or(0);
    for round in 0..longest {
        for (i, fragments) in fragments.iter().enumerate() {
            if let Some(piece) = fragments.get(round) {
                let call = json!([{"index": i, "function": {"arguments": piece}}]);
                parts.push((Part::Arguments, delta(json!({"tool_calls": call}))));
            }
        }
    }
    let choice = json!([{"index": 0, "delta": {}, "logprobs": null,
        "finish_reason": super::finish_reason(answer)}]);
    parts.push((Part::End, envelope(answer, choice)));
    parts
}

fn envelope(answer: &Answer, choices: Value) -> Value {
    json!({
        "id": super::completion_id(answer),
        "object": "chat.completion.chunk",
        "created": super::CREATED,
        "model": answer.model,
        "system_fingerprint": super::FINGERPRINT,
        "choices": choices,
    })
}
