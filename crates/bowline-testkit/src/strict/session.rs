//! One conversation as the server saw it: what was sent to it, and what it answered.

use std::marker::PhantomData;

use bowline_model::scenario::History;
use serde_json::Value;

use super::{Checked, Kind, Undeclared, Violation};

/// What a session knows of the messages of its dialect: objects with a `role`, of which those of
/// the model bear `assistant`. A dialect without messages of that shape makes some.
pub trait Rules {
    /// Where the messages stand in a request, for the place of a violation.
    const LIST: &'static str;

    /// Makes of a reply what is expected back, with null for what the API would refuse, and notes
    /// the tools it asks for. `earlier` are the messages it replies to.
    fn expect_back(reply: &mut Value, earlier: &[Value], asked_for: &mut Undeclared) -> Holds;

    /// How a message that came back differs from what it was; both are of one role.
    fn difference(reasoning: Reasoning, was: &Value, is: &Value) -> Option<(Kind, String)>;

    /// Whether `is`, a user message, is `was` with more words after it.
    fn grew(was: &Value, is: &Value) -> bool;
}

/// Whether a reply holds something to build on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holds {
    /// Words or a call.
    Something,
    /// Neither: clients leave such a reply out.
    Nothing,
}

/// The server's record of a conversation, against which the next request is checked.
///
/// The next request must start with the previous one's messages, go on with the reply to it, and
/// hold no other assistant message. Equal means equal in meaning of the API.
#[derive(Debug)]
pub struct Session<R> {
    messages: Vec<Value>,
    reply: Option<Sent>,
    asked_for: Undeclared,
    reasoning: Reasoning,
    rules: PhantomData<fn() -> R>,
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

impl<R: Rules> Default for Session<R> {
    fn default() -> Self {
        Self::new(Reasoning::default())
    }
}

impl<R: Rules> Session<R> {
    /// Starts a record without any message.
    #[must_use]
    pub fn new(reasoning: Reasoning) -> Self {
        Self {
            messages: Vec::new(),
            reply: None,
            asked_for: Undeclared::default(),
            reasoning,
            rules: PhantomData,
        }
    }

    /// Call names that the history may hold though no tool declares them.
    #[must_use]
    pub fn asked_for(&self) -> &Undeclared {
        &self.asked_for
    }

    /// Checks `messages` of the next request, each of which is well formed, and records them.
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
        let holds = R::expect_back(&mut message, &self.messages, &mut self.asked_for);
        let duty = if cut_by_limit || holds == Holds::Nothing {
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
        let at = format!("{}[{next}]", R::LIST);
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
        let user = |message: &Value| message["role"] == "user";
        !returns
            && user(expected)
            && found.is_some_and(|found| user(found) && R::grew(expected, found))
    }

    fn no_assistant(&self, messages: &[Value], from: usize) -> Checked {
        let invented = |message: &Value| message["role"] == "assistant";
        match messages.iter().skip(from).position(invented) {
            Some(i) => {
                let at = format!("{}[{}]", R::LIST, from + i);
                let message = "the server never sent this assistant message";
                Err(Violation::new(Kind::InventedAssistant, at, message))
            }
            None => Ok(()),
        }
    }

    /// Says why `found` stands at `index` instead of what was sent there before.
    fn lost_or_edited(&self, index: usize, found: Option<&Value>) -> Violation {
        let at = format!("{}[{index}]", R::LIST);
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
            let message = format!("was of role {}", expected["role"]);
            return Some((Kind::EditedMessage, message));
        }
        R::difference(self.reasoning, expected, found)
    }
}
