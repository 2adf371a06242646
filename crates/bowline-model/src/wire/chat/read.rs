//! Reads a Chat Completions reply: a stream of chunks, or one whole completion.

mod fields;

use bowline_core::event::ReplyStop;
use bowline_core::{ProviderFailure, Usage};
use serde_json::{Map, Value};

use super::encode::CALL_FIELD;
use crate::provider::Reply;
use crate::wire::{Assembly, Fault, Parser, Voice};

/// A reply that is being read.
pub(crate) struct ChatParser {
    assembly: Assembly,
    end: Option<ReplyStop>,
    refused: bool,
    usage: Option<Usage>,
    done: bool,
}

impl ChatParser {
    /// Makes a parser for one reply.
    pub(crate) fn new(voice: Voice) -> Self {
        Self {
            assembly: Assembly::new(voice, CALL_FIELD),
            end: None,
            refused: false,
            usage: None,
            done: false,
        }
    }

    /// Takes in one chunk; `part` is where its choices hold what was said.
    fn chunk(&mut self, chunk: &Map<String, Value>, part: &str) -> Result<(), Fault> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::Error(Value::Object(chunk.clone())));
        }
        self.take_usage(chunk.get("usage"));
        let choices = match chunk.get("choices") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(choices)) => choices,
            Some(_) => return Err(malformed("`choices` is not a list")),
        };
        // More than one answer is never asked for; others than the first are not ours.
        let ours = |choice: &&Value| choice["index"].as_u64().unwrap_or(0) == 0;
        for choice in choices.iter().filter(ours) {
            let said = choice.get(part).or_else(|| choice.get("delta"));
            let said = said.or_else(|| choice.get("message"));
            match said {
                None | Some(Value::Null) => {}
                Some(Value::Object(said)) => {
                    self.refused |= fields::take(&mut self.assembly, said);
                }
                Some(_) => return Err(malformed("a choice's delta is not an object")),
            }
            self.take_usage(choice.get("usage"));
            self.finish_reason(&choice["finish_reason"])?;
        }
        Ok(())
    }

    fn finish_reason(&mut self, reason: &Value) -> Result<(), Fault> {
        let Some(reason) = reason.as_str().filter(|reason| !reason.is_empty()) else {
            return Ok(());
        };
        self.end = Some(match reason {
            "stop" | "tool_calls" | "function_call" => ReplyStop::Finished,
            "length" | "max_tokens" => ReplyStop::Length,
            "content_filter" | "refusal" => ReplyStop::Refused,
            "error" => return Err(Fault::Error("finish reason `error`".into())),
            _ => {
                self.assembly
                    .extra("finish_reason", Value::String(reason.to_owned()));
                ReplyStop::Finished
            }
        });
        Ok(())
    }

    fn take_usage(&mut self, usage: Option<&Value>) {
        if let Some(usage) = usage.and_then(fields::usage) {
            self.usage = Some(usage);
        }
    }
}

impl Parser for ChatParser {
    fn dialect(&self) -> &'static str {
        "Chat Completions"
    }

    fn event(&mut self, _name: &str, data: Map<String, Value>) -> Result<(), Fault> {
        self.chunk(&data, "delta")
    }

    fn done_mark(&mut self) {
        self.done = true;
    }

    fn whole(&mut self, document: Map<String, Value>) -> Result<(), Fault> {
        if !document.contains_key("choices") && !document.contains_key("error") {
            return Err(Fault::Foreign);
        }
        self.chunk(&document, "message")?;
        // A whole completion needs no word about its end: that it is whole is enough.
        self.end.get_or_insert(ReplyStop::Finished);
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn is_complete(&self) -> bool {
        self.end.is_some()
    }

    fn is_untouched(&self) -> bool {
        self.assembly.is_untouched()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn finish(self: Box<Self>) -> Result<Reply, ProviderFailure> {
        let end = self.end.unwrap_or(ReplyStop::Finished);
        let stop = if self.refused && end == ReplyStop::Finished {
            ReplyStop::Refused
        } else {
            end
        };
        Ok(Reply {
            message: self.assembly.finish(stop)?,
            stop,
            usage: self.usage,
            request_id: None,
        })
    }
}

fn malformed(what: &str) -> Fault {
    Fault::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests;
