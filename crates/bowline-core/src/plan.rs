//! The context plan: what a request consists of, block by block, and why.
//!
//! Every request is assembled here and nowhere else, from the state alone: system text and tools as
//! they are frozen, the conversation in order, what waits to be told at its end. The same state gives
//! the same request, the same plan and the same hashes. What was sent is recorded by the hashes of
//! its blocks ([`SentBlocks`]); a request that does not begin with that is a broken prefix
//! ([`broken`]), which costs money and has a cause.

mod assemble;
mod block;
mod broken;
mod cause;
mod difference;
mod hash;
mod page;
mod piece;
mod sent;

pub use block::{BlockKind, Cached, PlanBlock};
pub use broken::broken;
pub use difference::{Difference, differences};
pub use hash::BlockHash;
pub use page::{ContextPlan, KindSum, PLAN_VERSION, PlanBreak};
pub use sent::{BodyPrefix, Hashes, Sent, SentBlocks, SentHead, SentTool, to_record};
