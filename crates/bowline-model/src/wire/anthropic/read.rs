//! Reads a Messages reply: a stream of events, or one whole message.

mod block;
mod count;

use bowline_core::event::ReplyStop;
use bowline_core::{ProviderFailure, Usage};
use serde_json::{Map, Value};

use self::block::Blocks;
use self::count::Counts;
use super::CALL_FIELD;
use crate::provider::Reply;
use crate::wire::{Assembly, Fault, Parser, Voice};

/// Fields of a message that are read or of no use; all others are kept.
const KNOWN: [&str; 8] = [
    "id",
    "type",
    "role",
    "content",
    "model",
    "stop_reason",
    "stop_sequence",
    "usage",
];

/// A reply that is being read.
pub(crate) struct AnthropicParser {
    assembly: Assembly,
    blocks: Blocks,
    counts: Counts,
    end: Option<ReplyStop>,
    done: bool,
}

impl AnthropicParser {
    /// Makes a parser for one reply.
    pub(crate) fn new(voice: Voice) -> Self {
        Self {
            assembly: Assembly::new(voice, CALL_FIELD),
            blocks: Blocks::default(),
            counts: Counts::default(),
            end: None,
            done: false,
        }
    }

    /// Takes in a message, whole or at its start.
    fn message(&mut self, message: &Value) {
        self.counts.take(&message["usage"]);
        for (at, block) in message["content"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let at = at as u64;
            self.blocks.start(&mut self.assembly, Some(at), block);
            self.blocks.stop(&mut self.assembly, Some(at));
        }
        self.rest(message);
        self.stop_reason(&message["stop_reason"]);
    }

    /// Keeps what nobody here knows.
    fn rest(&mut self, fields: &Value) {
        for (field, value) in fields.as_object().into_iter().flatten() {
            if !KNOWN.contains(&field.as_str()) && !value.is_null() {
                self.assembly.extra(field, value.clone());
            }
        }
    }

    fn stop_reason(&mut self, reason: &Value) {
        let Some(reason) = reason.as_str().filter(|reason| !reason.is_empty()) else {
            return;
        };
        self.end = Some(match reason {
            "end_turn" | "tool_use" | "stop_sequence" | "pause_turn" => ReplyStop::Finished,
            "max_tokens" | "model_context_window_exceeded" => ReplyStop::Length,
            "refusal" => ReplyStop::Refused,
            _ => {
                self.assembly.extra("stop_reason", reason.into());
                ReplyStop::Finished
            }
        });
    }

    /// Says that nothing more comes.
    fn stop(&mut self) {
        self.done = true;
        self.blocks.stop_all(&mut self.assembly);
    }
}

impl Parser for AnthropicParser {
    fn dialect(&self) -> &'static str {
        "Messages"
    }

    fn event(&mut self, name: &str, data: Map<String, Value>) -> Result<(), Fault> {
        let data = Value::Object(data);
        let index = data["index"].as_u64();
        match data["type"].as_str().unwrap_or(name) {
            "message_start" => self.message(&data["message"]),
            "content_block_start" => {
                let block = &data["content_block"];
                self.blocks.start(&mut self.assembly, index, block);
            }
            "content_block_delta" => {
                let delta = &data["delta"];
                self.blocks.delta(&mut self.assembly, index, delta);
            }
            "content_block_stop" => self.blocks.stop(&mut self.assembly, index),
            "message_delta" => {
                self.counts.take(&data["usage"]);
                self.rest(&data["delta"]);
                self.stop_reason(&data["delta"]["stop_reason"]);
            }
            "message_stop" => self.stop(),
            "error" => return Err(Fault::Error(data)),
            _ if data["error"].is_object() => return Err(Fault::Error(data)),
            // Every event of this dialect has a type: what has none is told at once, not waited out.
            "message" => {
                let what = "an event names no type";
                return Err(Fault::Malformed(what.to_owned()));
            }
            // Pings, and whatever the API will add.
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, document: Map<String, Value>) -> Result<(), Fault> {
        let document = Value::Object(document);
        if document["type"] == "error" || document["error"].is_object() {
            return Err(Fault::Error(document));
        }
        if !document["content"].is_array() {
            return Err(Fault::Foreign);
        }
        self.message(&document);
        self.stop();
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn is_complete(&self) -> bool {
        self.done
    }

    fn is_untouched(&self) -> bool {
        self.assembly.is_untouched()
    }

    fn usage(&self) -> Option<Usage> {
        self.counts.usage()
    }

    fn finish(self: Box<Self>) -> Result<Reply, ProviderFailure> {
        let stop = self.end.unwrap_or(ReplyStop::Finished);
        let usage = self.counts.usage();
        Ok(Reply {
            message: self.assembly.finish(stop)?,
            stop,
            usage,
            request_id: None,
        })
    }
}

#[cfg(test)]
mod tests;
