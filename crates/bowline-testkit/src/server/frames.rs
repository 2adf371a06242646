//! The streamed form of a chat reply, frame by frame, and where faults cut it.

use bowline_model::scenario::{Answer, CutPoint};
use serde_json::{Map, Value, json};

use super::chat;
use super::send::Random;

/// Whether the client asked for a frame with the token counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum UsageFrame {
    Asked,
    NotAsked,
}

/// Which part of the reply a frame carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Role,
    Reasoning,
    Text,
    Call,
    Arguments,
    End,
}

/// Builds the frames of `answer` up to where its fault cuts it.
///
/// Arguments of parallel calls are interleaved fragment by fragment. The token counts, if asked
/// for, come in a frame of their own without choices before `[DONE]`. With a `seed`, some frames
/// end in CRLF, lack the space after `data:`, or follow a comment line.
pub(super) fn frames(answer: &Answer, usage: UsageFrame, seed: Option<u64>) -> Vec<Vec<u8>> {
    let mut style = Style {
        random: seed.map(Random),
    };
    let parts = parts(answer);
    let cut = chat::cut_point(answer);
    let whole = whole_frames(&parts, cut);
    let mut frames: Vec<Vec<u8>> = parts[..whole]
        .iter()
        .map(|(_, chunk)| style.frame(&chunk.to_string()))
        .collect();
    let torn = matches!(cut, Some(CutPoint::Text | CutPoint::Arguments));
    if let (true, Some((_, chunk))) = (torn, parts.get(whole)) {
        let mut frame = style.frame(&chunk.to_string());
        frame.truncate(frame.len() / 2);
        frames.push(frame);
    }
    if cut.is_none() {
        if usage == UsageFrame::Asked {
            let mut chunk = envelope(answer, json!([]));
            chunk["usage"] = chat::usage(answer);
            frames.push(style.frame(&chunk.to_string()));
        }
        frames.push(style.frame("[DONE]"));
    }
    frames
}

/// Counts the frames that go out whole before a cut; the next one may go out in part.
fn whole_frames(parts: &[(Part, Value)], cut: Option<CutPoint>) -> usize {
    let middle = |wanted: Part| {
        let places: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].0 == wanted).collect();
        places
            .get(places.len() / 2)
            .copied()
            .unwrap_or(parts.len() - 1)
    };
    match cut {
        None => parts.len(),
        Some(CutPoint::Start) => 0,
        Some(CutPoint::Text) => middle(Part::Text),
        Some(CutPoint::Arguments) => middle(Part::Arguments),
        Some(CutPoint::BeforeEnd) => parts.len() - 1,
    }
}

fn parts(answer: &Answer) -> Vec<(Part, Value)> {
    let delta = |delta: Value| {
        let choice = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]);
        envelope(answer, choice)
    };
    let first = json!({"role": "assistant", "content": "",
        "provider_specific": chat::provider_specific(answer)});
    let mut parts = vec![(Part::Role, delta(first))];
    for piece in pieces(answer.reasoning.as_deref().unwrap_or_default(), 8) {
        parts.push((Part::Reasoning, delta(json!({"reasoning_content": piece}))));
    }
    for piece in pieces(answer.text.as_deref().unwrap_or_default(), 32) {
        parts.push((Part::Text, delta(json!({"content": piece}))));
    }
    let mut fragments = Vec::new();
    for (i, call) in answer.calls.iter().enumerate() {
        let mut head = Map::from_iter([("index".to_owned(), json!(i))]);
        let mut whole = chat::call(answer, call);
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
        "finish_reason": chat::finish_reason(answer)}]);
    parts.push((Part::End, envelope(answer, choice)));
    parts
}

fn envelope(answer: &Answer, choices: Value) -> Value {
    json!({
        "id": chat::completion_id(answer),
        "object": "chat.completion.chunk",
        "created": chat::CREATED,
        "model": answer.model,
        "system_fingerprint": chat::FINGERPRINT,
        "choices": choices,
    })
}

/// Splits `text` at character borders into about `count` pieces; at least two if it can be split.
fn pieces(text: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let size = letters
        .len()
        .div_ceil(count)
        .clamp(3, 4096)
        .min(letters.len().div_ceil(2))
        .max(1);
    letters
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// How frames are written.
struct Style {
    random: Option<Random>,
}

impl Style {
    fn frame(&mut self, data: &str) -> Vec<u8> {
        let Some(random) = &mut self.random else {
            return format!("data: {data}\n\n").into_bytes();
        };
        let comment = if random.up_to(6) == 1 {
            ": still here\n\n"
        } else {
            ""
        };
        let space = if random.up_to(4) == 1 { "" } else { " " };
        let end = if random.up_to(3) == 1 {
            "\r\n\r\n"
        } else {
            "\n\n"
        };
        format!("{comment}data:{space}{data}{end}").into_bytes()
    }
}
