//! The format's types: the document, its steps, and what they hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::VERSION;

/// A script for one model: what it answers to each request, in order.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Bowline scenario")]
pub struct Scenario {
    /// Format version: 1.
    pub version: u32,
    /// What this scenario is about, for messages to people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The model name that replies carry.
    #[serde(default = "default_model")]
    pub model: String,
    /// Token counts of every step that states none of its own.
    #[serde(default)]
    pub usage: Usage,
    /// The answers, in order; at least one.
    pub steps: Vec<Step>,
}

/// One answer, or one fault, and what the request must hold.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// What the model says. `""` alone makes a reply with neither text nor call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the model thinks aloud before it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Tool calls of this reply; several run as parallel calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// Milliseconds to wait before the first byte of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How many requests in a row this step answers: by default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub repeat: Option<u32>,
    /// What the request must hold; otherwise the scenario has failed and says so from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// Token counts of this reply, instead of the scenario's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why the reply ended: by default `tool_calls` with calls, else `stop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// What goes wrong instead of, or in the middle of, this reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// One tool call that the model asks for.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Tool name, known to the harness or not.
    pub tool: String,
    /// Arguments as an object. `{k}` inside its strings becomes the request's index from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Map<String, Value>>,
    /// Argument text sent as it stands, instead of `input`: for broken JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_arguments: Option<String>,
    /// Call id; by default `call_<request>_<position>`. `{k}` becomes the request's index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What a request must hold. Every listed string must be found (or not found).
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Each is part of at least one result that came after the last assistant message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub last_result_contains: Vec<String>,
    /// None is part of any result that came after the last assistant message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub last_result_lacks: Vec<String>,
    /// Each is part of at least one text of the request, of whichever role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompt_contains: Vec<String>,
    /// None is part of any text of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompt_lacks: Vec<String>,
    /// Each is the name of a tool that the request offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_contain: Vec<String>,
    /// None is the name of a tool that the request offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_lack: Vec<String>,
    /// How this request's history relates to the one before it.
    #[serde(skip_serializing_if = "History::is_kept")]
    pub history: History,
}

/// How a request's history relates to the previous request's.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Starts with the previous request and the reply to it, unchanged.
    #[default]
    Kept,
    /// May have replaced earlier messages: a compaction.
    Compacted,
    /// Belongs to another conversation, which has no reply yet.
    New,
}

/// Token counts that a reply reports.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u64,
    /// Tokens of the reply.
    pub output_tokens: u64,
    /// Tokens of the prompt that came from the provider's cache; at most `input_tokens`.
    pub cached_input_tokens: u64,
}

/// Why a reply ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model was done.
    Stop,
    /// The output limit was reached.
    Length,
    /// The model asks for tools.
    ToolCalls,
    /// The provider withheld the rest.
    ContentFilter,
}

/// What goes wrong with one answer.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An HTTP error status instead of an answer.
    Status {
        /// 400 to 599.
        #[schemars(range(min = 400, max = 599))]
        status: u16,
        /// Seconds for the `Retry-After` header; no header without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u32>,
        /// Body as it stands; by default an error object that fits the status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// The connection ends in the middle of the answer.
    Cut {
        /// Where.
        at: CutPoint,
    },
    /// The connection is reset before any byte of an answer.
    Reset,
    /// No byte comes any more, and the connection stays open.
    Hang {
        /// Where; by default before the response's head.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<CutPoint>,
    },
    /// A body that is no answer at all, with status 200.
    Garbage {
        /// The body.
        text: String,
    },
    /// A stream of exactly these frames, each ended by an empty line.
    Raw {
        /// Frames, such as `data: {...}`.
        frames: Vec<String>,
    },
}

/// A place in a streamed answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CutPoint {
    /// After the response's head, before the first frame.
    Start,
    /// In the middle of the text.
    Text,
    /// In the middle of a call's arguments.
    Arguments,
    /// After all content, before the frame that says why the reply ended.
    BeforeEnd,
}

impl Scenario {
    /// Wraps steps into a scenario of the current version with default usage and model.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self {
            version: VERSION,
            name: String::new(),
            model: default_model(),
            usage: Usage::default(),
            steps,
        }
    }
}

impl Step {
    /// Makes a step that says `text` and ends.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// Makes a step that asks for `calls`.
    #[must_use]
    pub fn calls(calls: Vec<Call>) -> Self {
        Self {
            calls,
            ..Self::default()
        }
    }

    /// Makes a step that only fails.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    /// Says why a reply of this step ends.
    #[must_use]
    pub fn stop_reason(&self) -> Stop {
        self.stop.unwrap_or(if self.calls.is_empty() {
            Stop::Stop
        } else {
            Stop::ToolCalls
        })
    }

    /// Tells whether the step is a text and nothing else, so that it may repeat as the last one.
    pub(super) fn is_plain_text(&self) -> bool {
        self.text.is_some()
            && self.calls.is_empty()
            && self.fault.is_none()
            && self.stop_reason() == Stop::Stop
    }
}

impl Call {
    /// Makes a call with `input`; an input that is no object is sent as its JSON text.
    #[must_use]
    pub fn new(tool: impl Into<String>, input: Value) -> Self {
        let (input, raw_arguments) = match input {
            Value::Object(map) => (Some(map), None),
            other => (None, Some(other.to_string())),
        };
        Self {
            tool: tool.into(),
            input,
            raw_arguments,
            id: None,
        }
    }
}

impl History {
    fn is_kept(&self) -> bool {
        *self == Self::Kept
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            input_tokens: 1000,
            output_tokens: 20,
            cached_input_tokens: 0,
        }
    }
}

fn default_model() -> String {
    "scripted".to_owned()
}
