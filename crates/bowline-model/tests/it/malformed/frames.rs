//! The same things said in each dialect, as the frames of a stream.

use serde_json::{Value, json};

/// One thing that a model says, or fails to say.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// Words.
    Text(&'static str),
    /// A call: its id (left out when empty), its name, its arguments in pieces.
    Call(&'static str, &'static str, &'static [&'static str]),
    /// The end, for this reason: `stop`, `length`, `refused`, or another in the dialect's words.
    End(&'static str),
}

/// The dialects by the names of their providers.
pub(crate) const CHAT: &str = "openai-chat";
pub(crate) const RESPONSES: &str = "openai";
pub(crate) const ANTHROPIC: &str = "anthropic";

/// The frames of a stream that says these things; nothing is added.
pub(crate) fn frames(dialect: &str, said: &[Said]) -> Vec<String> {
    let said = said.iter().enumerate();
    match dialect {
        CHAT => said.flat_map(|(place, said)| chat(place, said)).collect(),
        ANTHROPIC => {
            let start = json!({ "type": "message_start", "message": { "id": "msg_1",
                "type": "message", "role": "assistant", "model": "m-1", "content": [],
                "usage": { "input_tokens": 10, "output_tokens": 1 } } });
            let rest = said.flat_map(|(place, said)| anthropic(place, said));
            std::iter::once(named(&start)).chain(rest).collect()
        }
        RESPONSES => {
            let start = json!({ "type": "response.created",
                "response": { "id": "resp_1", "status": "in_progress", "output": [] } });
            let rest = said.flat_map(|(place, said)| responses(place, said));
            std::iter::once(named(&start)).chain(rest).collect()
        }
        other => panic!("no dialect {other}"),
    }
}

/// A frame whose event bears the name of its type.
pub(crate) fn named(data: &Value) -> String {
    let name = data["type"].as_str().unwrap();
    format!("event: {name}\ndata: {data}\n\n")
}

/// A frame without a name.
pub(crate) fn plain(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn chat(place: usize, said: &Said) -> Vec<String> {
    let delta = |delta: Value| plain(&json!({ "choices": [{ "index": 0, "delta": delta }] }));
    match said {
        Said::Text(text) => vec![delta(json!({ "content": text }))],
        Said::Call(id, name, pieces) => {
            let mut call = json!({ "index": place, "type": "function",
                "function": { "name": name, "arguments": "" } });
            if !id.is_empty() {
                call["id"] = json!(id);
            }
            let rest = pieces
                .iter()
                .map(|piece| json!({ "index": place, "function": { "arguments": piece } }));
            std::iter::once(call)
                .chain(rest)
                .map(|call| delta(json!({ "tool_calls": [call] })))
                .collect()
        }
        Said::End(why) => {
            let why = if *why == "refused" {
                "content_filter"
            } else {
                why
            };
            let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": why }] });
            vec![plain(&end), "data: [DONE]\n\n".to_owned()]
        }
    }
}

fn anthropic(place: usize, said: &Said) -> Vec<String> {
    let block = |block: Value, deltas: Vec<Value>| {
        let start =
            json!({ "type": "content_block_start", "index": place, "content_block": block });
        let deltas = deltas
            .into_iter()
            .map(|delta| json!({ "type": "content_block_delta", "index": place, "delta": delta }));
        let stop = json!({ "type": "content_block_stop", "index": place });
        let all = std::iter::once(start).chain(deltas).chain([stop]);
        all.map(|data| named(&data)).collect()
    };
    match said {
        Said::Text(text) => block(
            json!({ "type": "text", "text": "" }),
            vec![json!({ "type": "text_delta", "text": text })],
        ),
        Said::Call(id, name, pieces) => {
            let mut call = json!({ "type": "tool_use", "name": name, "input": {} });
            if !id.is_empty() {
                call["id"] = json!(id);
            }
            let deltas = pieces
                .iter()
                .map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }));
            block(call, deltas.collect())
        }
        Said::End(why) => {
            let why = match *why {
                "stop" => "end_turn",
                "length" => "max_tokens",
                "refused" => "refusal",
                other => other,
            };
            let end = json!({ "type": "message_delta", "delta": { "stop_reason": why },
                "usage": { "output_tokens": 5 } });
            vec![named(&end), named(&json!({ "type": "message_stop" }))]
        }
    }
}

fn responses(place: usize, said: &Said) -> Vec<String> {
    let with = |kind: &str, more: Value| {
        let mut data = json!({ "type": kind, "output_index": place });
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        named(&data)
    };
    match said {
        Said::Text(text) => {
            let item = |content: Value| {
                json!({ "item": { "type": "message", "id": format!("msg_{place}"),
                    "role": "assistant", "content": content } })
            };
            let part = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
            vec![
                with("response.output_item.added", item(json!([]))),
                with(
                    "response.output_text.delta",
                    json!({ "item_id": format!("msg_{place}"), "content_index": 0, "delta": text }),
                ),
                with("response.output_item.done", item(part)),
            ]
        }
        Said::Call(id, name, pieces) => {
            let item = |arguments: &str| {
                let mut item = json!({ "type": "function_call", "id": format!("fc_{place}"),
                    "name": name, "arguments": arguments });
                if !id.is_empty() {
                    item["call_id"] = json!(id);
                }
                json!({ "item": item })
            };
            let mut frames = vec![with("response.output_item.added", item(""))];
            frames.extend(pieces.iter().map(|piece| {
                with(
                    "response.function_call_arguments.delta",
                    json!({ "item_id": format!("fc_{place}"), "delta": piece }),
                )
            }));
            frames.push(with("response.output_item.done", item(&pieces.concat())));
            frames
        }
        Said::End(why) => {
            let (kind, details) = match *why {
                "stop" => ("completed", Value::Null),
                "length" => ("incomplete", json!({ "reason": "max_output_tokens" })),
                "refused" => ("incomplete", json!({ "reason": "content_filter" })),
                other => ("incomplete", json!({ "reason": other })),
            };
            vec![named(&json!({ "type": format!("response.{kind}"),
                "response": { "id": "resp_1", "status": kind, "incomplete_details": details,
                    "output": [], "usage": { "input_tokens": 10, "output_tokens": 5 } } }))]
        }
    }
}
