//! Drives sessions: the loop, configuration layers, the prompt. **Embed here.**
//!
//! **Purpose.** Binds core's pure engine to a journal, a provider and tools: takes what is due,
//! makes it durable, acts, records what came of it.
//!
//! **Deliberately absent:** any rule that could live in core or policy; any terminal; reading
//! home or environment (paths and values come in as arguments).
//!
//! **Start at** [`drive`]: everything else prepares its arguments.
//!
//! ```
//! use std::sync::Arc;
//! use bowline_core::{Command, StopReason, command::Ask, event::SessionStarted};
//! use bowline_journal::{MemoryJournal, NoProbe};
//! use bowline_model::{ScriptedProvider, scenario::Scenario};
//! use bowline_policy::Policy;
//! use bowline_runtime::{Clock, Harness, Places, Rest, Session, Silent, drive, prompt};
//! use bowline_tools::{Toolbox, confine::Confiner, tool::NoBlobs};
//!
//! let clock = Clock::system();
//! let scenario = r#"{ "version": 1, "usage": { "input_tokens": 100, "output_tokens": 9 },
//!     "steps": [{ "text": "hello" }] }"#;
//! let scenario = Scenario::from_json(scenario)?;
//! let harness = Harness {
//!     provider: Arc::new(ScriptedProvider::new(scenario, clock.id_source())),
//!     toolbox: Arc::new(Toolbox::new(Vec::new())?),
//!     policy: Arc::new(Policy::new(Default::default(), vec!["/work".to_owned()])),
//!     confiner: Confiner::none(),
//!     masker: Arc::new(bowline_secrets::Masker::new(Vec::new())),
//!     app_version: "0".to_owned(),
//!     probe: Arc::new(NoProbe),
//!     ledger: None,
//!     while_waiting: Default::default(),
//!     leave: Default::default(),
//!     alarms: None,
//! };
//! let session = bowline_core::SessionId::from_uuid(clock.new_id());
//! let started: SessionStarted = serde_json::from_value(serde_json::json!({
//!     "session": session, "app_version": "0", "cwd": "/work", "roots": ["/work"],
//!     "settings": { "model": "scripted/x", "base_url": null, "mode": "ask", "on_ask": "park",
//!         "limits": { "max_steps": 5, "max_tokens": null, "max_output_tokens": null } },
//!     "prompt": { "system": "Be brief.", "tools": [] },
//! }))?;
//! let folder = tempfile::tempdir()?;
//! let places =
//!     Places { spool: folder.path().to_owned(), mailbox: None, blobs: Arc::new(NoBlobs) };
//! let journal = Box::new(MemoryJournal::new(session, folder.path().to_owned()));
//! let mut session = Session::begin(journal, places, clock, started);
//! let text = prompt::person("say hello".to_owned());
//! let ask = Ask::Prompt { text, images: Vec::new(), output_schema: None, supersede: false };
//! session.give(Command { key: "1".to_owned(), at_ms: None, ask })?;
//!
//! let (_keep, mut commands) = tokio::sync::mpsc::unbounded_channel();
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! let rest = runtime.block_on(drive(&mut session, &harness, &mut Silent, &mut commands))?;
//! assert_eq!(rest, Rest::Ended(StopReason::Done, None));
//! assert_eq!(session.state().last_text().as_deref(), Some("hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod admit;
pub mod alarms;
pub mod audit;
pub mod child;
mod clock;
pub mod config;
mod confinement;
mod drive;
mod error;
mod face;
pub mod instructions;
mod judge;
pub mod keep;
mod look;
mod masks;
pub mod plan;
pub mod present;
pub mod prompt;
pub mod repair;
pub mod retention;
pub mod rules;
mod session;
pub mod system;
pub mod transcript;
pub mod trial;
pub mod usage;
pub mod why;

pub use bowline_journal::Probe;
pub use clock::{Clock, date_and_time, moment, since, time_of_day, today};
pub use confinement::sandbox;
pub use drive::{Harness, Rest, WhileWaiting, drive, waiting};
pub use error::{Error, Next};
pub use face::{Face, Recorder, Silent};
pub use look::Disk;
pub use session::{Image, Places, Session, resolve_folders, running_jobs};
pub use system::{RunLog, Watched};
