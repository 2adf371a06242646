//! Validators that refuse what the real model APIs refuse.
//!
//! [`chat`] knows the Chat Completions API: [`chat::check`] judges one request by itself,
//! [`chat::Session`] judges it against what was sent and answered before. [`responses`] and
//! [`anthropic`] do the same for the Responses API and the Messages API. What sessions of all
//! dialects share is in [`session`].

pub mod anthropic;
pub mod chat;
pub mod responses;
pub mod session;
mod shape;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) type Checked = Result<(), Violation>;

/// One reason to refuse a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[error("{} at {}: {message}", kind.code(), if at.is_empty() { "the body" } else { at })]
pub struct Violation {
    /// What rule was broken.
    pub kind: Kind,
    /// What is wrong, for people.
    pub message: String,
    /// Where, such as `messages[3].tool_calls[0].id`; empty for the whole body.
    pub at: String,
}

/// The rules, by name. The wire carries them in snake case as the error's `code`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The body is not JSON in UTF-8.
    NotJson,
    /// The body is JSON but no object.
    NotAnObject,
    /// A string holds half of a surrogate pair.
    LoneSurrogate,
    /// A string holds a NUL character.
    NulCharacter,
    /// A top-level key, or a key of an option, that the API does not have.
    UnknownKey,
    /// No model named.
    MissingModel,
    /// A parameter of the wrong JSON type.
    WrongType,
    /// A number out of its range.
    OutOfRange,
    /// `stream_options` without `stream: true`.
    StreamOptionsWithoutStream,
    /// `tools` is there and empty.
    EmptyTools,
    /// A tool that is not `{"type": "function", "function": {...}}`.
    BadTool,
    /// A tool or call name outside `^[a-zA-Z0-9_-]{1,64}$`.
    BadToolName,
    /// Two tools of one name.
    DuplicateTool,
    /// Tool parameters that are no object schema.
    BadToolSchema,
    /// `tool_choice` or `parallel_tool_calls` without `tools`.
    ToolsMissing,
    /// `tool_choice` of an unknown form, or naming an undeclared tool.
    BadToolChoice,
    /// No messages.
    NoMessages,
    /// A message that is no object, or without a role.
    BadMessage,
    /// A role that the API does not have.
    UnknownRole,
    /// A key that messages of this role, or their calls, do not have.
    UnknownMessageKey,
    /// A system message after the conversation began.
    SystemInMiddle,
    /// The conversation does not begin with a user message.
    FirstNotUser,
    /// Content that is neither a string nor an array of parts, or is missing.
    BadContent,
    /// A content part that is untyped, or of a type this role may not have.
    BadPart,
    /// An assistant message with neither content nor calls.
    EmptyAssistant,
    /// An assistant message with `content: null` and no calls.
    NullContent,
    /// `tool_calls` is there and empty, or no array.
    EmptyToolCalls,
    /// A tool call of the wrong shape.
    BadCall,
    /// A tool call without `type: "function"`.
    BadCallType,
    /// A tool call without an id.
    EmptyCallId,
    /// Two calls of one message with one id.
    DuplicateCallId,
    /// A call to a tool that is not declared.
    UnknownTool,
    /// Arguments that are not a string.
    ArgumentsNotText,
    /// A result without a call id.
    MissingResultId,
    /// A result that follows no call.
    OrphanResult,
    /// A result for a call that the preceding message does not have.
    UnknownResultId,
    /// Two results for one call.
    DuplicateResult,
    /// A call without a result.
    UnansweredCall,
    /// Another message between a call and its result.
    MessageBetween,
    /// An assistant message, or the last reply, did not come back.
    LostAssistant,
    /// An earlier message of another role did not come back.
    LostMessage,
    /// An assistant text came back changed.
    EditedText,
    /// Calls came back with other ids or names, or another number of them.
    EditedCalls,
    /// Arguments came back changed.
    EditedArguments,
    /// A result that was sent before changed.
    EditedResult,
    /// A system or user message that was sent before changed.
    EditedMessage,
    /// Reasoning did not come back, though the server needs it.
    LostReasoning,
    /// Reasoning came back changed.
    EditedReasoning,
    /// A field that only this server knows came back changed.
    EditedExtra,
    /// An assistant message that the server never sent.
    InventedAssistant,
    /// No input items, nor a text instead.
    NoInput,
    /// An input item that is no object, is untyped, or lacks what its type needs.
    BadItem,
    /// An input item of a type that the API does not have.
    UnknownItemType,
    /// An item's id of the wrong form or prefix.
    BadItemId,
    /// Two items with one id.
    DuplicateItemId,
    /// Something is referred to that would have to be stored on the server.
    ItemNotStored,
    /// Reasoning without its encrypted content, though nothing is stored.
    MissingEncryptedContent,
    /// Reasoning without the item that it belongs to.
    ReasoningAlone,
    /// A value of `include` that the API does not have.
    BadInclude,
    /// An option of `reasoning` with a value that the API does not have.
    BadReasoningOption,
    /// An item of a reply, neither text, call nor reasoning, did not come back.
    LostItem,
    /// An item in a reply that the reply did not have.
    InventedItem,
    /// No longest reply named, where the API wants one.
    MissingMaxTokens,
    /// `thinking` of an unknown form.
    BadThinking,
    /// A budget for thinking below the least one, or not below the longest reply.
    BadThinkingBudget,
    /// A parameter that does not go together with thinking.
    ThinkingConflict,
    /// A thought without its text or signature.
    BadThought,
    /// An assistant message that ends in a thought.
    ThoughtLast,
    /// Thinking is on, and the round of calls does not begin with a thought.
    ThoughtMissing,
    /// A cache mark of an unknown form, or where none may stand.
    BadCacheMark,
    /// More cache marks than the API takes.
    TooManyCacheMarks,
    /// Two messages of one role in a row.
    RolesDoNotAlternate,
    /// A text of nothing but white space.
    BlankText,
    /// White space at the end of a last message from the assistant.
    TrailingSpace,
    /// A call id of other letters than the API takes.
    BadCallId,
    /// Arguments that are no object.
    ArgumentsNotObject,
    /// A result after something else in its message.
    ResultNotFirst,
    /// An image of an unknown kind, or without its bytes.
    BadImage,
    /// The scenario expected another request, or is used up.
    ScenarioFailed,
}

impl Kind {
    /// Returns the name used on the wire, such as `unanswered_call`.
    #[must_use]
    pub fn code(self) -> String {
        let name = format!("{self:?}");
        let mut code = String::with_capacity(name.len() + 4);
        for (i, letter) in name.char_indices() {
            if i > 0 && letter.is_ascii_uppercase() {
                code.push('_');
            }
            code.push(letter.to_ascii_lowercase());
        }
        code
    }
}

impl Violation {
    /// Makes a violation of `kind` at a path.
    pub fn new(kind: Kind, at: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            at: at.into(),
        }
    }
}

/// Which call names the history may hold beyond the declared tools.
#[derive(Clone, Debug, Default)]
pub enum Undeclared {
    /// None.
    #[default]
    Refused,
    /// These: the server asked for them itself.
    Named(BTreeSet<String>),
    /// Any that is well formed: the server asked for a malformed one, which had to be renamed.
    Any,
}

impl Undeclared {
    /// Adds a name that the server asked for itself.
    pub(crate) fn allow(&mut self, name: &str) {
        if !is_tool_name(name) {
            *self = Self::Any;
        }
        match self {
            Self::Any => {}
            Self::Named(names) => {
                names.insert(name.to_owned());
            }
            Self::Refused => *self = Self::Named(BTreeSet::from([name.to_owned()])),
        }
    }

    /// Whether a call may bear `name`, which no tool declares.
    pub(crate) fn allows(&self, name: &str) -> bool {
        match self {
            Self::Refused => false,
            Self::Named(names) => names.contains(name),
            Self::Any => true,
        }
    }
}

/// Reads a body as the API does: UTF-8, JSON, no half surrogate pairs.
///
/// # Errors
/// [`Kind::NotJson`] or [`Kind::LoneSurrogate`].
pub fn parse(raw: &[u8]) -> Result<Value, Violation> {
    serde_json::from_slice(raw).map_err(|error| {
        let message = error.to_string();
        let surrogate = message.contains("surrogate") || message.contains("unexpected end of hex");
        let kind = if surrogate {
            Kind::LoneSurrogate
        } else {
            Kind::NotJson
        };
        Violation::new(
            kind,
            "",
            format!("could not parse the JSON body: {message}"),
        )
    })
}

pub(crate) fn no_nul(value: &Value, at: &str) -> Checked {
    match value {
        Value::String(text) if text.contains('\0') => Err(Violation::new(
            Kind::NulCharacter,
            at,
            "strings may not hold NUL characters",
        )),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| no_nul(item, &format!("{at}[{i}]"))),
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            no_nul(
                item,
                &if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                },
            )
        }),
        _ => Ok(()),
    }
}

/// Tells whether `name` is one that tools and calls may have.
pub(crate) fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}
