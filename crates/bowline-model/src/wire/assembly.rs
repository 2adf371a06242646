//! Puts a reply together from pieces, whatever the dialect: words, reasoning, call fragments.

use std::collections::BTreeSet;

use bowline_core::event::ReplyStop;
use bowline_core::message::{CallFault, Opaque, ReasoningSource};
use bowline_core::{
    AssistantMessage, Block, CallId, FailureKind, ModelRef, ProviderFailure, ToolCall,
};
use serde_json::{Map, Value};

use crate::provider::{Delta, Deltas, NewId};

/// Who writes a reply and who listens.
#[derive(Clone)]
pub(crate) struct Voice {
    pub(crate) model: ModelRef,
    pub(crate) deltas: Deltas,
    pub(crate) new_id: NewId,
}

impl Voice {
    fn opaque(&self, field: &str, value: Value) -> Opaque {
        Opaque {
            provider: self.model.provider().to_owned(),
            model: self.model.model().to_owned(),
            field: field.to_owned(),
            value,
        }
    }
}

/// A piece of a tool call. Servers differ in which parts they give with which piece.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fragment {
    pub(crate) index: Option<u64>,
    /// Empty when absent.
    pub(crate) id: String,
    /// Empty when absent.
    pub(crate) name: String,
    pub(crate) arguments: String,
    /// Its unknown fields, to be sent back with it.
    pub(crate) kept: Map<String, Value>,
}

/// A reply under construction.
pub(crate) struct Assembly {
    voice: Voice,
    /// What the dialect calls a call: the field that a call's unknown fields are kept under.
    call_field: &'static str,
    parts: Vec<Part>,
    /// The call that a piece with neither index nor id belongs to: its place in `parts`.
    last_call: Option<usize>,
    extra: Map<String, Value>,
}

enum Part {
    Text(String),
    Reasoning { field: String, text: String },
    Opaque { field: String, value: Value },
    Call { draft: Fragment, announced: bool },
}

impl Assembly {
    pub(crate) fn new(voice: Voice, call_field: &'static str) -> Self {
        Self {
            voice,
            call_field,
            parts: Vec::new(),
            last_call: None,
            extra: Map::new(),
        }
    }

    /// Whether nothing has arrived yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn text(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push_str(piece),
            _ => self.parts.push(Part::Text(piece.to_owned())),
        }
        (self.voice.deltas)(Delta::Text(piece.to_owned()));
    }

    pub(crate) fn reasoning(&mut self, from: &str, piece: &str) {
        if piece.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Reasoning { field, text }) if field == from => text.push_str(piece),
            _ => self.parts.push(Part::Reasoning {
                field: from.to_owned(),
                text: piece.to_owned(),
            }),
        }
        (self.voice.deltas)(Delta::Reasoning(piece.to_owned()));
    }

    /// Keeps a list that only the provider understands; pieces of one field are joined.
    pub(crate) fn opaque(&mut self, from: &str, items: &[Value]) {
        let known = self.parts.iter_mut().find_map(|part| match part {
            Part::Opaque {
                field,
                value: Value::Array(kept),
            } if field == from => Some(kept),
            _ => None,
        });
        match known {
            Some(kept) => kept.extend_from_slice(items),
            None => self.parts.push(Part::Opaque {
                field: from.to_owned(),
                value: Value::Array(items.to_vec()),
            }),
        }
    }

    /// Begins a text of its own, whatever came before; gives its place.
    pub(crate) fn begin_text(&mut self) -> usize {
        self.parts.push(Part::Text(String::new()));
        self.parts.len() - 1
    }

    /// Adds to the text at `place`.
    pub(crate) fn extend_text(&mut self, place: usize, piece: &str) {
        if piece.is_empty() {
            return;
        }
        if let Some(Part::Text(text)) = self.parts.get_mut(place) {
            text.push_str(piece);
            (self.voice.deltas)(Delta::Text(piece.to_owned()));
        }
    }

    /// Keeps something that only the provider understands, in its place among the rest; gives
    /// that place.
    pub(crate) fn begin_opaque(&mut self, from: &str, value: Value) -> usize {
        self.parts.push(Part::Opaque {
            field: from.to_owned(),
            value,
        });
        self.parts.len() - 1
    }

    /// What is kept at `place`.
    pub(crate) fn opaque_mut(&mut self, place: usize) -> Option<&mut Value> {
        match self.parts.get_mut(place) {
            Some(Part::Opaque { value, .. }) => Some(value),
            _ => None,
        }
    }

    /// Tells the listener of reasoning that is kept elsewhere.
    pub(crate) fn think(&self, piece: &str) {
        if !piece.is_empty() {
            (self.voice.deltas)(Delta::Reasoning(piece.to_owned()));
        }
    }

    /// Keeps a field that nobody here knows; the last value wins.
    pub(crate) fn extra(&mut self, field: &str, value: Value) {
        self.extra.insert(field.to_owned(), value);
    }

    /// Adds a piece of a call to the call it belongs to.
    pub(crate) fn fragment(&mut self, piece: Fragment) {
        let place = self.place_of(&piece);
        let place = place.unwrap_or_else(|| {
            let draft = Fragment {
                index: piece.index,
                ..Fragment::default()
            };
            self.parts.push(Part::Call {
                draft,
                announced: false,
            });
            self.parts.len() - 1
        });
        self.last_call = Some(place);
        let Some(Part::Call { draft, announced }) = self.parts.get_mut(place) else {
            return;
        };
        if draft.id.is_empty() {
            draft.id = piece.id;
        }
        // Some servers repeat the name with every piece, a few send the name itself in pieces.
        if draft.name != piece.name {
            draft.name.push_str(&piece.name);
        }
        draft.arguments.push_str(&piece.arguments);
        draft.kept.extend(piece.kept);
        if !*announced && !draft.name.is_empty() {
            *announced = true;
            (self.voice.deltas)(Delta::CallBegun {
                tool: draft.name.clone(),
            });
        }
    }

    /// Finds the call a piece continues; `None` if it begins one.
    fn place_of(&self, piece: &Fragment) -> Option<usize> {
        let drafts = self.parts.iter().enumerate().rev();
        let mut drafts = drafts.filter_map(|(place, part)| match part {
            Part::Call { draft, .. } => Some((place, draft)),
            _ => None,
        });
        let (place, draft) = match piece.index {
            Some(index) => drafts.find(|(_, draft)| draft.index == Some(index))?,
            None if piece.id.is_empty() => {
                let last = self.last_call?;
                drafts.find(|(place, _)| *place == last)?
            }
            None => match drafts.clone().find(|(_, draft)| draft.id == piece.id) {
                Some(same) => same,
                None => drafts.next()?,
            },
        };
        (!begins_another(draft, piece)).then_some(place)
    }

    /// Ends the reply. Ids are made, doubles and cut calls are marked.
    ///
    /// # Errors
    /// [`FailureKind::Empty`] for a finished reply with neither words nor a call.
    pub(crate) fn finish(self, stop: ReplyStop) -> Result<AssistantMessage, ProviderFailure> {
        let Self {
            voice,
            call_field,
            parts,
            extra,
            ..
        } = self;
        let mut wire_ids = BTreeSet::new();
        let parts = parts.into_iter();
        let said = parts.filter(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        let blocks = said.map(|part| match part {
            Part::Text(text) => Block::Text { text },
            Part::Reasoning { field, text } => Block::Reasoning {
                text,
                source: ReasoningSource {
                    provider: voice.model.provider().to_owned(),
                    model: voice.model.model().to_owned(),
                    field,
                },
            },
            Part::Opaque { field, value } => Block::Opaque(voice.opaque(&field, value)),
            Part::Call { mut draft, .. } => {
                let kept = std::mem::take(&mut draft.kept);
                let kept = (!kept.is_empty()).then(|| voice.opaque(call_field, kept.into()));
                let call = call(draft, stop, &voice, &mut wire_ids);
                Block::Call(ToolCall { kept, ..call })
            }
        });
        let message = AssistantMessage {
            blocks: blocks.collect(),
            extra,
        };
        if stop == ReplyStop::Finished && message.is_empty() {
            return Err(ProviderFailure::new(
                FailureKind::Empty,
                format!("{} replied with neither text nor a tool call", voice.model),
            ));
        }
        Ok(message)
    }
}

/// Whether `piece` cannot be part of `draft`, which it would join by its place.
fn begins_another(draft: &Fragment, piece: &Fragment) -> bool {
    if piece.name.is_empty() {
        return false;
    }
    let other_id = !piece.id.is_empty() && !draft.id.is_empty() && piece.id != draft.id;
    let other_name = !draft.name.is_empty() && draft.name != piece.name;
    if piece.index.is_none() && piece.id.is_empty() {
        return other_name || is_json_object(&draft.arguments);
    }
    // Some servers draw a fresh id for every piece of a call, so next to an index that is the
    // same an id alone proves nothing.
    let is_whole = draft.arguments.is_empty() || is_json_object(&draft.arguments);
    other_id && (piece.index.is_none() || is_whole || other_name)
}

/// Whether `text` is one complete JSON object.
pub(crate) fn is_json_object(text: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(text).is_ok()
}

fn call(
    draft: Fragment,
    stop: ReplyStop,
    voice: &Voice,
    wire_ids: &mut BTreeSet<String>,
) -> ToolCall {
    let id = CallId::from_uuid((voice.new_id)());
    let doubled = wire_ids.contains(&draft.id);
    let wire_id = if doubled || draft.id.is_empty() {
        made_wire_id(id)
    } else {
        draft.id
    };
    wire_ids.insert(wire_id.clone());
    let fault = match stop {
        // The last call may lack its end, and which was the last is not certain.
        ReplyStop::Length | ReplyStop::Refused => Some(CallFault::CutShort),
        ReplyStop::Finished => doubled.then_some(CallFault::DuplicateId),
    };
    ToolCall {
        id,
        wire_id,
        name: draft.name,
        arguments: draft.arguments,
        fault,
        kept: None,
    }
}

/// An id for the wire made from our own: at most 40 letters, as the strictest server wants it.
pub(crate) fn made_wire_id(id: CallId) -> String {
    format!("call_{}", id.uuid().simple())
}
