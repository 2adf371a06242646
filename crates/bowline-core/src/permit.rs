//! The two proofs without which nothing is done: a [`Permit`] to run one tool call, a
//! [`Reservation`] to make one model call.

use serde::{Deserialize, Serialize};

use crate::commit::Committed;
use crate::event::{AttemptReserved, CallStarted};
use crate::id::{AttemptId, CallId, Epoch, SessionId};
use crate::{Confinement, Digest, ReplayClass};

/// What a tool is asked to do: exactly what was decided upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRequest {
    /// The tool's name.
    pub tool: String,
    /// The arguments as the model wrote them: one JSON object as text.
    pub arguments: String,
    /// The absolute folder that relative paths start from.
    pub cwd: String,
    /// Absolute paths the call was judged to touch, links followed, in the plan's order.
    pub resolved: Vec<String>,
    /// How it is confined, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Box<Confinement>>,
    /// What it is known to execute, ordered by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub executes: Vec<Executed>,
}

/// A file that a call is known to execute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Its absolute path, links followed.
    pub path: String,
    /// What it holds, or, where it is too large to be read, what changes with every write to it;
    /// `None` for a program outside of the workspace, which is bound by its path alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
}

impl CallRequest {
    /// The digest that binds a decision to this request: any changed byte gives another.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts = vec![
            b"bowline-call-1".as_slice(),
            self.tool.as_bytes(),
            self.arguments.as_bytes(),
            self.cwd.as_bytes(),
        ];
        parts.extend(self.resolved.iter().map(String::as_bytes));
        let confinement = self
            .confinement
            .as_ref()
            .map(|confinement| confinement.digest());
        if let Some(digest) = &confinement {
            parts.extend([b"confined".as_slice(), digest.as_bytes()]);
        }
        if !self.executes.is_empty() {
            parts.push(b"executes");
        }
        for file in &self.executes {
            let content = file.content.as_ref().map(Digest::as_bytes);
            parts.extend([
                file.path.as_bytes(),
                content.map_or(b"", |digest| digest.as_slice()),
            ]);
        }
        Digest::of_parts(&parts)
    }
}

/// The proof of one recorded allow: lets one tool call run once.
///
/// It is made only from a durable [`CallStarted`], which the engine makes only for a call whose
/// recorded decision allows it. It is not `Clone`, and a tool takes it by value.
#[derive(Debug)]
pub struct Permit {
    session: SessionId,
    started: CallStarted,
}

impl Permit {
    /// The session it belongs to.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The call it lets run.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.started.call()
    }

    /// The owner's tenure in which it was recorded.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.started.epoch()
    }

    /// The replay class decided for this call.
    #[must_use]
    pub const fn class(&self) -> ReplayClass {
        self.started.class()
    }

    /// The recorded start: digest, checks, spool folder.
    #[must_use]
    pub const fn started(&self) -> &CallStarted {
        &self.started
    }

    /// Says whether `request` is the one that was decided upon.
    #[must_use]
    pub fn admits(&self, request: &CallRequest) -> bool {
        request.digest() == self.started.digest()
    }

    /// The key under which a target may recognise a repeat: derived, never random.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        Digest::of_parts(&[
            b"bowline-key-1",
            self.session.uuid().as_bytes(),
            self.call().uuid().as_bytes(),
        ])
        .to_hex()
    }
}

impl From<Committed<CallStarted>> for Permit {
    fn from(committed: Committed<CallStarted>) -> Self {
        Self {
            session: committed.receipt().session,
            started: committed.into_value(),
        }
    }
}

/// The proof that budget was set aside: lets one attempt of a model call be made.
#[derive(Debug)]
pub struct Reservation {
    session: SessionId,
    reserved: AttemptReserved,
}

impl Reservation {
    /// The session it belongs to.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The attempt it pays for.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        self.reserved.attempt()
    }

    /// What was set aside and for what.
    #[must_use]
    pub const fn reserved(&self) -> &AttemptReserved {
        &self.reserved
    }
}

impl From<Committed<AttemptReserved>> for Reservation {
    fn from(committed: Committed<AttemptReserved>) -> Self {
        Self {
            session: committed.receipt().session,
            reserved: committed.into_value(),
        }
    }
}

#[cfg(test)]
mod tests;
