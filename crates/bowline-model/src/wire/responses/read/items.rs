//! The items of a reply under construction: found again, filled by deltas, settled when done.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::event::ReplyStop;
use bowline_core::message::{CallFault, Opaque};
use bowline_core::{AssistantMessage, Block, CallId, ToolCall};
use serde_json::{Map, Value, json};

use super::fields::{Place, text_at};
use crate::provider::Delta;
use crate::wire::responses::{CALL, MESSAGE, REASONING};
use crate::wire::{Voice, made_wire_id};

/// A reply with more items than this is none; each event looks for its item among them.
const MOST_ITEMS: usize = 1_000;

/// All items of one reply.
pub(super) struct Items {
    voice: Voice,
    /// In the order in which they began.
    drafts: Vec<Draft>,
}

/// One item under construction.
#[derive(Default)]
struct Draft {
    index: Option<u64>,
    /// The item as the server last gave it whole.
    item: Map<String, Value>,
    is_done: bool,
    /// Texts of a message by content index.
    texts: BTreeMap<u64, String>,
    /// Summaries and thoughts of a reasoning item by kind and index.
    thoughts: BTreeMap<(bool, u64), String>,
    arguments: String,
    /// Whether someone who watches was told of it.
    is_announced: bool,
    refused: bool,
}

impl Items {
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            voice,
            drafts: Vec::new(),
        }
    }

    /// Whether there are more items than a reply can hold.
    pub(super) fn overflow(&self) -> bool {
        self.drafts.len() > MOST_ITEMS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// An item begins.
    pub(super) fn added(&mut self, place: &Place, item: &Map<String, Value>) {
        let known = self.find(place).filter(|at| {
            let draft = &self.drafts[*at];
            !draft.is_done && !draft.is_other(item)
        });
        let at = known.unwrap_or_else(|| self.begin(place));
        let draft = &mut self.drafts[at];
        draft.item = item.clone();
        draft.announce(&self.voice);
    }

    /// An item is whole: what it says now is the truth.
    pub(super) fn done(&mut self, place: &Place, item: &Map<String, Value>) {
        let at = match self.find(place) {
            Some(at) if !self.drafts[at].is_other(item) => at,
            _ => self.begin(place),
        };
        let draft = &mut self.drafts[at];
        draft.item = item.clone();
        draft.is_done = true;
        draft.announce(&self.voice);
        draft.speak_what_was_not_streamed(&self.voice);
    }

    /// Words of a message, or of a refusal; `whole` if they are all of their part.
    pub(super) fn text(&mut self, place: &Place, piece: &str, refused: bool, whole: bool) {
        let at = self.find_or_begin(place, MESSAGE);
        let draft = &mut self.drafts[at];
        draft.refused |= refused && !piece.is_empty();
        let text = draft.texts.entry(place.part).or_default();
        if piece.is_empty() || (whole && !text.is_empty()) {
            return;
        }
        text.push_str(piece);
        (self.voice.deltas)(Delta::Text(piece.to_owned()));
    }

    /// A piece of a summary or of a thought itself.
    pub(super) fn thought(&mut self, place: &Place, piece: &str, is_summary: bool) {
        let at = self.find_or_begin(place, REASONING);
        let thoughts = &mut self.drafts[at].thoughts;
        let key = (!is_summary, place.part);
        if !thoughts.is_empty() && !thoughts.contains_key(&key) {
            (self.voice.deltas)(Delta::Reasoning("\n\n".to_owned()));
        }
        thoughts.entry(key).or_default().push_str(piece);
        (self.voice.deltas)(Delta::Reasoning(piece.to_owned()));
    }

    /// A piece of a call's arguments, or all of them if `whole`.
    pub(super) fn arguments(&mut self, place: &Place, piece: &str, whole: bool) {
        let at = self.find_or_begin(place, CALL);
        let arguments = &mut self.drafts[at].arguments;
        if whole {
            arguments.clear();
        }
        arguments.push_str(piece);
    }

    /// Takes what the finished response says of items that were not told as done one by one.
    pub(super) fn settle(&mut self, output: &[Value]) {
        let nothing_came = self.drafts.is_empty();
        for (index, item) in output.iter().enumerate() {
            let place = Place {
                index: u64::try_from(index).ok(),
                ..Place::default()
            };
            let Some(item) = item.as_object() else {
                continue;
            };
            let open = self.find(&place).map(|at| &self.drafts[at]);
            let fits = open.is_some_and(|draft| !draft.is_done && !draft.is_other(item));
            if nothing_came || fits {
                self.done(&place, item);
            }
        }
    }

    fn begin(&mut self, place: &Place) -> usize {
        self.drafts.push(Draft {
            index: place.index,
            ..Draft::default()
        });
        self.drafts.len() - 1
    }

    /// The item that an event means: by its index, else by its id, else the last one.
    fn find(&self, place: &Place) -> Option<usize> {
        // Some servers give an item another id in every event, so the index counts first.
        if place.index.is_some() {
            return self
                .drafts
                .iter()
                .rposition(|draft| draft.index == place.index);
        }
        if place.id.is_empty() {
            return self.drafts.iter().rposition(|draft| !draft.is_done);
        }
        let same = |draft: &Draft| text_at(&draft.item, "id") == place.id;
        self.drafts.iter().rposition(same)
    }

    fn find_or_begin(&mut self, place: &Place, kind: &str) -> usize {
        let open = self.find(place).filter(|at| {
            let draft = &self.drafts[*at];
            !draft.is_done && draft.kind() == kind
        });
        open.unwrap_or_else(|| {
            let at = self.begin(place);
            let item = &mut self.drafts[at].item;
            item.insert("type".to_owned(), json!(kind));
            if !place.id.is_empty() {
                item.insert("id".to_owned(), json!(place.id));
            }
            at
        })
    }

    /// Ends the reply: the blocks in the items' order, and whether a part of it is a refusal.
    pub(super) fn finish(mut self, stop: ReplyStop) -> (AssistantMessage, bool) {
        if self.drafts.iter().all(|draft| draft.index.is_some()) {
            self.drafts.sort_by_key(|draft| draft.index);
        }
        let mut ids = BTreeSet::new();
        let mut blocks = Vec::new();
        let mut refused = false;
        for draft in self.drafts {
            refused |= draft.is_refusal();
            match draft.kind() {
                MESSAGE => draft.message(&self.voice, &mut blocks),
                CALL => {
                    let call = draft.call(stop, &self.voice, &mut ids);
                    blocks.push(Block::Call(call));
                }
                REASONING => {
                    let item = Value::Object(draft.reasoning());
                    blocks.push(Block::Opaque(opaque(&self.voice, REASONING, item)));
                }
                kind => {
                    let kind = kind.to_owned();
                    let item = Value::Object(draft.item);
                    blocks.push(Block::Opaque(opaque(&self.voice, &kind, item)));
                }
            }
        }
        let message = AssistantMessage {
            blocks,
            ..AssistantMessage::default()
        };
        (message, refused)
    }
}

impl Draft {
    fn kind(&self) -> &str {
        text_at(&self.item, "type")
    }

    /// Whether `item` cannot be this one, though it stands in its place.
    fn is_other(&self, item: &Map<String, Value>) -> bool {
        let differs = |key: &str| {
            let (ours, theirs) = (text_at(&self.item, key), text_at(item, key));
            !ours.is_empty() && !theirs.is_empty() && ours != theirs
        };
        differs("type") || differs("call_id") || (self.is_done && differs("id"))
    }

    fn announce(&mut self, voice: &Voice) {
        let name = text_at(&self.item, "name");
        if self.kind() == CALL && !self.is_announced && !name.is_empty() {
            (voice.deltas)(Delta::CallBegun {
                tool: name.to_owned(),
            });
            self.is_announced = true;
        }
    }

    /// Tells those who watch of words that came only with the whole item.
    fn speak_what_was_not_streamed(&mut self, voice: &Voice) {
        match self.kind() {
            MESSAGE if self.texts.is_empty() => {
                for (at, part) in (0..).zip(parts(&self.item, "content")) {
                    let text = part_text(part).to_owned();
                    if !text.is_empty() {
                        (voice.deltas)(Delta::Text(text.clone()));
                    }
                    self.texts.insert(at, text);
                }
            }
            REASONING if self.thoughts.is_empty() => {
                for (at, part) in (0..).zip(parts(&self.item, "summary")) {
                    let text = part_text(part).to_owned();
                    if !text.is_empty() {
                        (voice.deltas)(Delta::Reasoning(text.clone()));
                    }
                    self.thoughts.insert((false, at), text);
                }
            }
            _ => {}
        }
    }

    fn is_refusal(&self) -> bool {
        if self.is_done {
            let refuses = |part: &Value| {
                part["refusal"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            };
            return self.kind() == MESSAGE && parts(&self.item, "content").iter().any(refuses);
        }
        self.refused
    }

    /// A message: its fields as an opaque block, then its words, a block for each part.
    fn message(self, voice: &Voice, blocks: &mut Vec<Block>) {
        let texts: Vec<String> = if self.is_done {
            let parts = parts(&self.item, "content").iter();
            parts.map(|part| part_text(part).to_owned()).collect()
        } else {
            self.texts.into_values().collect()
        };
        let mut frame = self.item;
        for key in ["content", "role", "type"] {
            frame.shift_remove(key);
        }
        if !frame.is_empty() {
            blocks.push(Block::Opaque(opaque(voice, MESSAGE, Value::Object(frame))));
        }
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        blocks.extend(texts.map(|text| Block::Text { text }));
    }

    fn call(self, stop: ReplyStop, voice: &Voice, ids: &mut BTreeSet<String>) -> ToolCall {
        let id = CallId::from_uuid((voice.new_id)());
        let given = match (text_at(&self.item, "call_id"), text_at(&self.item, "id")) {
            ("", other) | (other, _) => other.to_owned(),
        };
        let doubled = ids.contains(&given);
        let wire_id = if doubled || given.is_empty() {
            made_wire_id(id)
        } else {
            given
        };
        ids.insert(wire_id.clone());
        let is_whole = text_at(&self.item, "status") != "incomplete";
        let fault = match stop {
            // The last call may lack its end, and which was the last is not certain.
            ReplyStop::Length | ReplyStop::Refused => Some(CallFault::CutShort),
            ReplyStop::Finished if !is_whole => Some(CallFault::CutShort),
            ReplyStop::Finished => doubled.then_some(CallFault::DuplicateId),
        };
        let name = text_at(&self.item, "name").to_owned();
        let arguments = match self.item.get("arguments") {
            Some(Value::String(text)) if self.is_done || !text.is_empty() => text.clone(),
            // A few servers send the object itself.
            Some(value @ Value::Object(_)) => value.to_string(),
            _ => self.arguments,
        };
        let mut kept = self.item;
        for key in ["arguments", "call_id", "name", "type"] {
            kept.shift_remove(key);
        }
        let kept = (!kept.is_empty()).then(|| opaque(voice, CALL, Value::Object(kept)));
        ToolCall {
            id,
            wire_id,
            name,
            arguments,
            fault,
            kept,
        }
    }

    /// The whole reasoning item; one that was never told as done gets the words that were streamed.
    fn reasoning(self) -> Map<String, Value> {
        let mut item = self.item;
        if self.is_done {
            return item;
        }
        for (key, is_text, kind) in [
            ("summary", false, "summary_text"),
            ("content", true, "reasoning_text"),
        ] {
            let thoughts = self.thoughts.iter();
            let parts: Vec<Value> = thoughts
                .filter(|((text, _), _)| *text == is_text)
                .map(|(_, words)| json!({"type": kind, "text": words}))
                .collect();
            if !parts.is_empty() || key == "summary" {
                item.insert(key.to_owned(), Value::Array(parts));
            }
        }
        item
    }
}

fn opaque(voice: &Voice, field: &str, value: Value) -> Opaque {
    Opaque {
        provider: voice.model.provider().to_owned(),
        model: voice.model.model().to_owned(),
        field: field.to_owned(),
        value,
    }
}

fn parts<'a>(item: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    item.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn part_text(part: &Value) -> &str {
    let text = part["text"].as_str().or_else(|| part["refusal"].as_str());
    text.unwrap_or_default()
}
