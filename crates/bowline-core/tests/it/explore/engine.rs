//! The engine under exploration: the real one, or one with a fault put in.

use bowline_core::engine::{self, NewAsk, Overdrawn};
use bowline_core::{AttemptId, Command, Event, Fact, Refusal, State, Work, accept, apply, due};

/// What an exploration asks. Plain functions: an engine remembers nothing.
#[derive(Clone, Copy)]
pub(crate) struct Engine {
    pub(crate) accept: fn(&State, Command) -> Result<Vec<Fact>, Refusal>,
    pub(crate) apply: fn(State, &Event) -> State,
    pub(crate) due: fn(&State) -> Vec<Work>,
    pub(crate) reserve: fn(&State, AttemptId) -> Result<Fact, Overdrawn>,
}

impl Engine {
    pub(crate) fn real() -> Self {
        Self {
            accept,
            apply,
            due,
            reserve: |state, attempt| engine::reserve(state, NewAsk::of(attempt)),
        }
    }
}
