//! Servers and validators for tests: a model on loopback that is as strict as the real ones.
//!
//! [`ScriptedServer`] plays a [scenario](bowline_model::scenario) over real HTTP, in the dialect
//! whose path is asked, in any chunking, with cuts, resets, hangs and error statuses. It answers
//! 400 where the real API would (such as [`strict::chat::check`]) and where the client lost or
//! changed history that the server knows of ([`strict::session::Session`]).
//!
//! Deliberately absent: anything a shipped program needs (this crate is a development dependency
//! only), and mocks of Bowline's own traits.
//!
//! Start at [`ScriptedServer::start`].
//!
//! ```
//! use bowline_model::scenario::{Scenario, Step};
//! use bowline_testkit::{Options, ScriptedServer};
//!
//! let server = ScriptedServer::start(Scenario::new(vec![Step::text("hello")]), Options::default());
//! assert!(server.base_url().ends_with("/v1"));
//! // ... run a client against `base_url` ...
//! assert_eq!(server.violations(), []);
//! ```

#![forbid(unsafe_code)]

pub mod billing;
pub mod cache;
pub mod optimum;
mod server;
pub mod strict;

pub use billing::Billing;
pub use server::{AskedAgain, Chunking, Options, Recorded, ScriptedServer};
