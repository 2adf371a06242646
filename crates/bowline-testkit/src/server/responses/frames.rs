//! The streamed form of a Responses reply, event by event, and where faults cut it.

use bowline_model::scenario::Answer;
use serde_json::{Value, json};

use super::{envelope, items, whole};
use crate::server::frames::{Frame, Part, pieces, written};

/// Builds the frames of `answer` up to where its fault cuts it.
///
/// Calls begin together and their arguments are interleaved fragment by fragment; every item is
/// told as done. Among the events are some that no client knows. There is no `[DONE]`.
pub(super) fn frames(answer: &Answer, seed: Option<u64>) -> Vec<Vec<u8>> {
    let mut writer = Writer::default();
    let begun = json!({"response": envelope(answer, "in_progress")});
    writer.event(Part::Start, "response.created", begun.clone());
    writer.event(Part::Start, "response.in_progress", begun);
    writer.event(Part::Other, "response.scripted.tick", json!({"beat": 1}));
    let output = items(answer);
    let mut calls = Vec::new();
    for (index, item) in output.iter().enumerate() {
        match item["type"].as_str() {
            Some("reasoning") => writer.reasoning(index, item),
            Some("message") => writer.message(index, item),
            _ => calls.push((index, item)),
        }
    }
    writer.calls(&calls);
    let end = whole(answer);
    let kind = match end["status"].as_str() {
        Some("completed") => "response.completed",
        _ => "response.incomplete",
    };
    writer.event(Part::End, kind, json!({"response": end}));
    written(answer, &writer.parts, &[], seed)
}

#[derive(Default)]
struct Writer {
    parts: Vec<(Part, Frame)>,
}

impl Writer {
    fn event(&mut self, part: Part, kind: &'static str, mut data: Value) {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(self.parts.len());
        let frame = Frame {
            event: Some(kind),
            data: data.to_string(),
        };
        self.parts.push((part, frame));
    }

    fn added(&mut self, part: Part, index: usize, item: &Value, without: &[(&str, Value)]) {
        let mut begun = item.clone();
        for (key, value) in without {
            begun[*key] = value.clone();
        }
        let data = json!({"output_index": index, "item": begun});
        self.event(part, "response.output_item.added", data);
    }

    fn done(&mut self, part: Part, index: usize, item: &Value) {
        let data = json!({"output_index": index, "item": item});
        self.event(part, "response.output_item.done", data);
    }

    fn reasoning(&mut self, index: usize, item: &Value) {
        // What is encrypted of it grows with it; only the last word counts.
        let begun = [
            ("summary", json!([])),
            ("encrypted_content", json!("gAAAA-begun")),
        ];
        self.added(Part::Reasoning, index, item, &begun);
        let text = item["summary"][0]["text"].as_str().unwrap_or_default();
        let about = |more: Value| {
            let mut data =
                json!({"item_id": item["id"], "output_index": index, "summary_index": 0});
            for (key, value) in more.as_object().into_iter().flatten() {
                data[key] = value.clone();
            }
            data
        };
        let empty = json!({"part": {"type": "summary_text", "text": ""}});
        let kind = "response.reasoning_summary_part.added";
        self.event(Part::Reasoning, kind, about(empty));
        for piece in pieces(text, 8) {
            let kind = "response.reasoning_summary_text.delta";
            self.event(Part::Reasoning, kind, about(json!({"delta": piece})));
        }
        let kind = "response.reasoning_summary_text.done";
        self.event(Part::Reasoning, kind, about(json!({"text": text})));
        let kind = "response.reasoning_summary_part.done";
        self.event(
            Part::Reasoning,
            kind,
            about(json!({"part": item["summary"][0]})),
        );
        self.done(Part::Reasoning, index, item);
    }

    fn message(&mut self, index: usize, item: &Value) {
        let begun = [("content", json!([])), ("status", json!("in_progress"))];
        self.added(Part::Start, index, item, &begun);
        let part = &item["content"][0];
        let text = part["text"].as_str().unwrap_or_default();
        let about = |key: &str, value: Value| json!({"item_id": item["id"], "output_index": index, "content_index": 0, key: value});
        let mut empty = part.clone();
        empty["text"] = json!("");
        self.event(
            Part::Start,
            "response.content_part.added",
            about("part", empty),
        );
        for piece in pieces(text, 32) {
            let data = about("delta", json!(piece));
            self.event(Part::Text, "response.output_text.delta", data);
        }
        self.event(Part::Other, "response.scripted.tick", json!({"beat": 2}));
        self.event(
            Part::Other,
            "response.output_text.done",
            about("text", json!(text)),
        );
        let data = about("part", part.clone());
        self.event(Part::Other, "response.content_part.done", data);
        self.done(Part::Other, index, item);
    }

    fn calls(&mut self, calls: &[(usize, &Value)]) {
        let mut fragments = Vec::new();
        for (index, item) in calls {
            let begun = [("arguments", json!("")), ("status", json!("in_progress"))];
            self.added(Part::Call, *index, item, &begun);
            fragments.push(pieces(item["arguments"].as_str().unwrap_or_default(), 8));
        }
        let longest = fragments.iter().map(Vec::len).max().unwrap_or(0);
        for round in 0..longest {
            for ((index, item), fragments) in calls.iter().zip(&fragments) {
                if let Some(piece) = fragments.get(round) {
                    let data =
                        json!({"item_id": item["id"], "output_index": index, "delta": piece});
                    let kind = "response.function_call_arguments.delta";
                    self.event(Part::Arguments, kind, data);
                }
            }
        }
        for (index, item) in calls {
            let data = json!({"item_id": item["id"], "output_index": index,
                "arguments": item["arguments"]});
            self.event(Part::Other, "response.function_call_arguments.done", data);
            self.done(Part::Other, *index, item);
        }
    }
}
