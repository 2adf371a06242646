//! Keeps one shell command alive and accounted for, whatever happens to the harness.
//!
//! A *keeper* is a small process (`bowline keeper DIR`) in a session of its own. It receives one
//! [`Order`] on stdin, claims the attempt folder, runs the command, spools its output to bounded
//! files, ends the whole descent of the command and leaves an [`Exit`] record. The harness may die
//! at any moment: the command runs on, and what the folder holds tells a later harness how it
//! went.
//!
//! | File in the folder | Meaning |
//! |---|---|
//! | `lock` | held (`flock`) as long as the keeper lives: the only proof of life |
//! | `claim` | created by whoever came first: a keeper (`started`) or a recovery (`revoked`) |
//! | `out.head`, `out.tail.*` | the spool, see [`spool`] |
//! | `control` | a FIFO by which any owner of the session reaches the keeper, see [`control`] |
//! | `exit.json` | how the command ended; appears whole or not at all |
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use bowline_tools::keeper::{Fate, Launcher, Order, spool};
//!
//! let launcher = Launcher { exe: "/usr/bin/bowline".into() };
//! let dir = std::path::Path::new("/home/me/state/spool/call-1");
//! let kept = launcher.launch(dir, &Order::new("call-1", "make test", "/home/me/project"))?;
//! match kept.wait(|_bytes| {}).await {
//!     Fate::Finished(exit) => assert!(exit.output_bytes_total >= spool::read(dir).head.len() as u64),
//!     Fate::InDoubt { why, .. } | Fate::NeverStarted { why } => eprintln!("{why}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Start at [`Launcher`] on the harness side, at [`keeper_main`] in the binary and at
//! [`recover::settle`] after a crash. Nothing here knows events, permits or sessions.

mod client;
pub mod control;
mod flow;
mod proc;
pub mod record;
pub mod recover;
mod run;
mod scrub;
pub mod spool;
mod watch;

pub use client::{Canceller, Fate, Kept, Launcher};
pub use record::{Claim, Ended, Exit, Order, Process, ScrubWords, Started, StdinKind};
pub use recover::Settled;
pub use run::{Leave, keeper_main, run, run_resolving};
pub use scrub::{Plain, Scrub};

/// Name of the environment variable every kept command carries.
///
/// Its value is [`Started::mark`]: it tells which processes belong to an attempt after its keeper
/// is gone, and tells a nested harness that it runs inside a tool call.
pub const MARK_VARIABLE: &str = "BOWLINE_KEEPER";
