//! Making a conversation shorter: what may go, in which order, and what must be there afterwards.

mod ask;

pub use ask::summary_ask;
