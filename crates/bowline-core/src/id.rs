//! Identifiers: who and what an event speaks of.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID (version 7 by convention); core never makes one itself.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(&self) -> Uuid {
                self.0
            }

            /// The last 8 hexadecimal digits: what lists show.
            #[must_use]
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 8..].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

macro_rules! counter_id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The one after this.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// A session: a conversation with its state and journal.
    SessionId
}
uuid_id! {
    /// One tool call that a model asked for.
    CallId
}
uuid_id! {
    /// One try of a model call.
    AttemptId
}
uuid_id! {
    /// One recorded permission decision.
    DecisionId
}
uuid_id! {
    /// One process that ran a session or changed state: what its system events have in common.
    RunId
}

counter_id! {
    /// A turn of a session, counted from 1.
    TurnId, u32
}
counter_id! {
    /// A step (one model call plus its tool calls), counted from 1 over the whole session.
    StepId, u32
}
counter_id! {
    /// The tenure of one owner of a session, counted from 1; a take-over begins the next.
    Epoch, u64
}
counter_id! {
    /// The place of an event in its journal, counted from 1.
    Seq, u64
}
