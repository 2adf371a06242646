//! Drives sessions: the loop, configuration layers, the prompt. **Embed here.**
//!
//! **Purpose.** Binds core's pure engine to a journal, a provider and tools: takes what is due,
//! makes it durable, acts, records what came of it.
//!
//! **Deliberately absent:** any rule that could live in core or policy; any terminal; reading
//! home or environment (paths and values come in as arguments).
//!
//! **Start at** [`drive`]: everything else prepares its arguments.
#![forbid(unsafe_code)]

mod admit;
mod clock;
pub mod config;
mod drive;
mod error;
mod face;
mod judge;
pub mod prompt;
mod session;

pub use bowline_journal::Probe;
pub use clock::{Clock, date_and_time, time_of_day, today};
pub use drive::{Harness, Rest, drive, waiting};
pub use error::{Error, Next};
pub use face::{Face, Recorder, Silent};
pub use session::{Places, Session, resolve_folders};
