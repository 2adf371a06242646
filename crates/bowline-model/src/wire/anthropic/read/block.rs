//! The blocks of a reply: words, calls, and what is kept whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::wire::{Assembly, Fragment};

/// The blocks that have begun, by index.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: BTreeMap<u64, Draft>,
    /// What the next block is counted as if it has no index.
    next: u64,
}

#[derive(Debug)]
enum Draft {
    /// Words, at this place of the assembly.
    Text(usize),
    /// A call. Its input comes in pieces, or all at once with its start.
    Call { whole: String, in_pieces: bool },
    /// Thinking, or something unknown, at this place of the assembly; `input` comes in pieces.
    Kept { place: usize, input: String },
}

impl Blocks {
    /// Begins a block.
    pub(super) fn start(&mut self, assembly: &mut Assembly, index: Option<u64>, block: &Value) {
        let index = index.unwrap_or(self.next);
        self.next = self.next.max(index.saturating_add(1));
        let draft = match block["type"].as_str().unwrap_or_default() {
            "text" => {
                let place = assembly.begin_text();
                assembly.extend_text(place, block["text"].as_str().unwrap_or_default());
                Draft::Text(place)
            }
            "tool_use" => {
                assembly.fragment(Fragment {
                    index: Some(index),
                    id: block["id"].as_str().unwrap_or_default().to_owned(),
                    name: block["name"].as_str().unwrap_or_default().to_owned(),
                    arguments: String::new(),
                    kept: unknown(block),
                });
                let whole = match &block["input"] {
                    Value::Null => "{}".to_owned(),
                    Value::String(text) => text.clone(),
                    input => input.to_string(),
                };
                Draft::Call {
                    whole,
                    in_pieces: false,
                }
            }
            // Nothing can be kept under no name.
            "" => return,
            kind => {
                assembly.think(block["thinking"].as_str().unwrap_or_default());
                Draft::Kept {
                    place: assembly.begin_opaque(kind, block.clone()),
                    input: String::new(),
                }
            }
        };
        self.open.insert(index, draft);
    }

    /// Adds to a block. What does not fit the block is left alone.
    pub(super) fn delta(&mut self, assembly: &mut Assembly, index: Option<u64>, delta: &Value) {
        let kind = delta["type"].as_str().unwrap_or_default();
        let piece = |field: &str| delta[field].as_str().unwrap_or_default();
        let index = index.or_else(|| self.last()).unwrap_or(self.next);
        // Words need no beginning to be heard.
        if kind == "text_delta" && !self.open.contains_key(&index) {
            self.start(assembly, Some(index), &json!({"type": "text"}));
        }
        match (self.open.get_mut(&index), kind) {
            (Some(Draft::Text(place)), "text_delta") => {
                assembly.extend_text(*place, piece("text"));
            }
            (Some(Draft::Call { in_pieces, .. }), "input_json_delta") => {
                let arguments = piece("partial_json").to_owned();
                *in_pieces |= !arguments.is_empty();
                assembly.fragment(Fragment {
                    index: Some(index),
                    arguments,
                    ..Fragment::default()
                });
            }
            (Some(Draft::Kept { input, .. }), "input_json_delta") => {
                input.push_str(piece("partial_json"));
            }
            (Some(Draft::Kept { place, .. }), "thinking_delta") => {
                assembly.think(piece("thinking"));
                extend(assembly, *place, "thinking", piece("thinking"));
            }
            (Some(Draft::Kept { place, .. }), "signature_delta") => {
                extend(assembly, *place, "signature", piece("signature"));
            }
            _ => {}
        }
    }

    /// Ends a block.
    pub(super) fn stop(&mut self, assembly: &mut Assembly, index: Option<u64>) {
        let index = index.or_else(|| self.last());
        let Some((index, draft)) = index.and_then(|index| self.open.remove_entry(&index)) else {
            return;
        };
        match draft {
            Draft::Call {
                whole,
                in_pieces: false,
            } => assembly.fragment(Fragment {
                index: Some(index),
                arguments: whole,
                ..Fragment::default()
            }),
            Draft::Kept { place, input } if !input.is_empty() => {
                if let Some(kept) = assembly.opaque_mut(place) {
                    kept["input"] = serde_json::from_str(&input).unwrap_or(Value::String(input));
                }
            }
            Draft::Text(_) | Draft::Call { .. } | Draft::Kept { .. } => {}
        }
    }

    /// Ends what has not ended by itself.
    pub(super) fn stop_all(&mut self, assembly: &mut Assembly) {
        while let Some(index) = self.last() {
            self.stop(assembly, Some(index));
        }
    }

    fn last(&self) -> Option<u64> {
        self.open.keys().next_back().copied()
    }
}

/// Adds to a text inside something kept.
fn extend(assembly: &mut Assembly, place: usize, field: &str, piece: &str) {
    let Some(Value::Object(kept)) = assembly.opaque_mut(place) else {
        return;
    };
    match kept.get_mut(field) {
        Some(Value::String(text)) => text.push_str(piece),
        _ => {
            kept.insert(field.to_owned(), piece.into());
        }
    }
}

/// The fields of a call that nobody here knows.
fn unknown(call: &Value) -> Map<String, Value> {
    let known = ["type", "id", "name", "input"];
    let fields = call.as_object().into_iter().flatten();
    let fields = fields.filter(|(key, value)| !known.contains(&key.as_str()) && !value.is_null());
    fields
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
