//! Why a prefix broke, in words.

use crate::event::BreakCause;

impl BreakCause {
    /// What it means, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Compaction => "the conversation was made shorter",
            Self::Model => "another model is asked",
            Self::Settings => "another setting is in force",
            Self::Pool => "the tools or the system text were changed on purpose",
            Self::BlocksDropped => "what only another model understands was taken out",
            Self::Unexplained => "no recorded fact explains it",
        }
    }
}
