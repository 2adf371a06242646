//! One conversation as the server saw it: what was sent to it, and what it answered.

use std::collections::BTreeSet;

use bowline_model::scenario::History;
use serde_json::Value;

use super::{Checked, Kind, Undeclared, Violation, is_tool_name, text_of};

/// The server's record of a conversation, against which the next request is checked.
///
/// The next request must start with the previous one's messages, go on with the reply to it, and
/// hold no other assistant message. Equal means equal in meaning of the API: content as a string
/// or as one text part is the same, argument texts are compared byte by byte.
#[derive(Debug, Default)]
pub struct Session {
    messages: Vec<Value>,
    reply: Option<Sent>,
    asked_for: Undeclared,
    reasoning: Reasoning,
}

/// What the next request's history turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Check {
    /// The conversation went on, or began.
    Continues,
    /// The same request again, though its reply was sent whole.
    AskedAgain,
    /// The same request again, whose reply may not have arrived or need not be kept.
    AskedAfterLoss,
}

/// Whether reasoning must come back with its assistant message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reasoning {
    /// It may be left out; if it comes, it must be unchanged.
    #[default]
    Optional,
    /// It must come back.
    Required,
}

#[derive(Debug)]
struct Sent {
    /// The reply as a message; names and ids that the API refuses are null and match any.
    message: Value,
    duty: Duty,
}

/// What the next request owes to the last reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Duty {
    /// It must come back unchanged.
    Return,
    /// It may be missing, but not changed: perhaps the client did not get it all.
    ReturnOrDrop,
    /// It may be missing or changed: it was cut short by a limit, or its content is not known.
    Free,
}

impl Session {
    /// Starts a record without any message.
    #[must_use]
    pub fn new(reasoning: Reasoning) -> Self {
        Self {
            reasoning,
            ..Self::default()
        }
    }

    /// Call names that the history may hold though no tool declares them.
    #[must_use]
    pub fn asked_for(&self) -> &Undeclared {
        &self.asked_for
    }

    /// Checks `messages` of the next request, which [`super::check`] has passed, and records them.
    ///
    /// # Errors
    /// What was lost, edited or invented; then nothing is recorded.
    pub fn request(&mut self, messages: &[Value], history: History) -> Result<Check, Violation> {
        let check = match history {
            History::Compacted => Check::Continues,
            History::New => {
                self.no_assistant(messages, 0)?;
                Check::Continues
            }
            History::Kept if self.messages.is_empty() => Check::Continues,
            History::Kept => self.continues(messages)?,
        };
        if check == Check::Continues {
            self.messages = messages.to_vec();
            self.reply = None;
        }
        Ok(check)
    }

    /// Records that `message`, an assistant message, was sent whole as the reply.
    pub fn replied(&mut self, message: &Value, cut_by_limit: bool) {
        let mut message = message.clone();
        let mut ids = BTreeSet::new();
        let mut doubtful_id = false;
        for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
            let id = call["id"].as_str().unwrap_or_default().to_owned();
            doubtful_id |= id.is_empty() || !ids.insert(id);
            let name = call["function"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if is_tool_name(&name) {
                self.allow(name);
            } else {
                self.asked_for = Undeclared::Any;
                call["function"]["name"] = Value::Null;
            }
        }
        for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
            if doubtful_id {
                call["id"] = Value::Null;
            }
        }
        let empty = text_of(&message["content"]).is_empty() && calls(&message).is_empty();
        let duty = if cut_by_limit || empty {
            Duty::Free
        } else {
            Duty::Return
        };
        self.reply = Some(Sent { message, duty });
    }

    /// Records that a reply was sent whose content is not known: the next message may be anything.
    pub fn replied_unknown(&mut self) {
        self.asked_for = Undeclared::Any;
        self.reply = Some(Sent {
            message: Value::Null,
            duty: Duty::Free,
        });
    }

    /// Records that the last reply may not have arrived whole.
    pub fn not_delivered(&mut self) {
        if let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.duty == Duty::Return)
        {
            reply.duty = Duty::ReturnOrDrop;
        }
    }

    fn allow(&mut self, name: String) {
        match &mut self.asked_for {
            Undeclared::Any => {}
            Undeclared::Named(names) => {
                names.insert(name);
            }
            Undeclared::Refused => self.asked_for = Undeclared::Named(BTreeSet::from([name])),
        }
    }

    fn continues(&self, messages: &[Value]) -> Result<Check, Violation> {
        for (i, expected) in self.messages.iter().enumerate() {
            let found = messages.get(i);
            let grown = i + 1 == self.messages.len() && self.may_grow(expected, found);
            if !grown && found.is_none_or(|found| self.difference(expected, found).is_some()) {
                return Err(self.lost_or_edited(i, found));
            }
        }
        let next = self.messages.len();
        let Some(reply) = &self.reply else {
            self.no_assistant(messages, next)?;
            return Ok(Check::Continues);
        };
        let at = format!("messages[{next}]");
        match messages.get(next) {
            None if reply.duty == Duty::Return => return Ok(Check::AskedAgain),
            None => return Ok(Check::AskedAfterLoss),
            Some(found) if found["role"] == "assistant" => {
                let difference = self.difference(&reply.message, found);
                if let Some((kind, message)) = difference.filter(|_| reply.duty != Duty::Free) {
                    return Err(Violation::new(kind, at, message));
                }
                self.no_assistant(messages, next + 1)?;
            }
            Some(_) if reply.duty == Duty::Return => {
                let message = "the server's last reply did not come back";
                return Err(Violation::new(Kind::LostAssistant, at, message));
            }
            Some(_) => self.no_assistant(messages, next)?,
        }
        Ok(Check::Continues)
    }

    /// Words that follow a question which never got a whole reply may be joined to it.
    fn may_grow(&self, expected: &Value, found: Option<&Value>) -> bool {
        let returns = self
            .reply
            .as_ref()
            .is_some_and(|reply| reply.duty == Duty::Return);
        let role = |message: &Value| message["role"] == "user";
        let grew = |found: &Value| {
            text_of(&found["content"])
                .starts_with(&format!("{}\n\n", text_of(&expected["content"])))
        };
        !returns && role(expected) && found.is_some_and(|found| role(found) && grew(found))
    }

    fn no_assistant(&self, messages: &[Value], from: usize) -> Checked {
        let invented = |message: &Value| message["role"] == "assistant";
        match messages.iter().skip(from).position(invented) {
            Some(i) => {
                let at = format!("messages[{}]", from + i);
                let message = "the server never sent this assistant message";
                Err(Violation::new(Kind::InventedAssistant, at, message))
            }
            None => Ok(()),
        }
    }

    /// Says why `found` stands at `index` instead of what was sent there before.
    fn lost_or_edited(&self, index: usize, found: Option<&Value>) -> Violation {
        let at = format!("messages[{index}]");
        let expected = &self.messages[index];
        let same = |found: &Value, expected: &Value| self.difference(expected, found).is_none();
        let later = || {
            let reply = self.reply.iter().map(|reply| &reply.message);
            self.messages.iter().skip(index + 1).chain(reply)
        };
        let moved_up = found.is_some_and(|found| later().any(|later| same(found, later)));
        let difference = found
            .filter(|found| found["role"] == expected["role"] && !moved_up)
            .and_then(|found| self.difference(expected, found));
        if let Some((kind, message)) = difference {
            return Violation::new(kind, at, message);
        }
        let role = expected["role"].as_str().unwrap_or_default();
        let kind = if role == "assistant" {
            Kind::LostAssistant
        } else {
            Kind::LostMessage
        };
        Violation::new(
            kind,
            at,
            format!("the {role} message that was sent here before is gone"),
        )
    }

    fn difference(&self, expected: &Value, found: &Value) -> Option<(Kind, String)> {
        if expected["role"] != found["role"] {
            return Some((
                Kind::EditedMessage,
                format!("was of role {}", expected["role"]),
            ));
        }
        let kind = match expected["role"].as_str() {
            Some("assistant") => return self.assistant_difference(expected, found),
            Some("tool") => Kind::EditedResult,
            _ => Kind::EditedMessage,
        };
        let same = expected["tool_call_id"] == found["tool_call_id"]
            && same_content(&expected["content"], &found["content"]);
        (!same).then(|| (kind, format!("was {expected}, came back as {found}")))
    }

    fn assistant_difference(&self, expected: &Value, found: &Value) -> Option<(Kind, String)> {
        if !same_content(&expected["content"], &found["content"]) {
            let message = format!(
                "text was {}, came back as {}",
                expected["content"], found["content"]
            );
            return Some((Kind::EditedText, message));
        }
        let (were, are) = (calls(expected), calls(found));
        if were.len() != are.len() {
            let message = format!("had {} calls, came back with {}", were.len(), are.len());
            return Some((Kind::EditedCalls, message));
        }
        let differences = were
            .iter()
            .zip(are)
            .filter_map(|(was, is)| call_difference(was, is));
        if let Some(difference) = differences.into_iter().next() {
            return Some(difference);
        }
        match (&expected["reasoning_content"], &found["reasoning_content"]) {
            (Value::String(was), Value::String(is)) if was != is => Some((
                Kind::EditedReasoning,
                format!("reasoning was {was:?}, came back as {is:?}"),
            )),
            (Value::String(_), Value::Null) if self.reasoning == Reasoning::Required => {
                let message = "reasoning_content must be passed back to the API";
                Some((Kind::LostReasoning, message.to_owned()))
            }
            _ => extra_difference("provider_specific", expected, found),
        }
    }
}

fn call_difference(was: &Value, is: &Value) -> Option<(Kind, String)> {
    let matches = |was: &Value, is: &Value| was.is_null() || was == is;
    let (was_function, is_function) = (&was["function"], &is["function"]);
    if !matches(&was["id"], &is["id"]) || !matches(&was_function["name"], &is_function["name"]) {
        return Some((
            Kind::EditedCalls,
            format!("call was {was}, came back as {is}"),
        ));
    }
    let (was_text, is_text) = (&was_function["arguments"], &is_function["arguments"]);
    // What is no JSON object cannot be sent to every server; an empty one may stand for it.
    let mended = is_text == "{}" && !is_object(was_text);
    if was_text != is_text && !mended {
        let message = format!("arguments were {was_text}, came back as {is_text}");
        return Some((Kind::EditedArguments, message));
    }
    extra_difference("extra_content", was, is)
}

fn is_object(arguments: &Value) -> bool {
    let parsed = arguments
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.is_some_and(|value| value.is_object())
}

/// Compares a field that the API does not have: it may be left out, but not changed.
fn extra_difference(key: &str, was: &Value, is: &Value) -> Option<(Kind, String)> {
    let (was, is) = (&was[key], &is[key]);
    (!is.is_null() && was != is).then(|| {
        (
            Kind::EditedExtra,
            format!("{key} was {was}, came back as {is}"),
        )
    })
}

fn calls(message: &Value) -> &[Value] {
    message["tool_calls"].as_array().map_or(&[], Vec::as_slice)
}

fn same_content(left: &Value, right: &Value) -> bool {
    let only_text = |content: &Value| match content {
        Value::Array(parts) => parts.iter().all(|part| part["type"] == "text"),
        _ => true,
    };
    if only_text(left) && only_text(right) {
        return text_of(left) == text_of(right);
    }
    left == right
}
