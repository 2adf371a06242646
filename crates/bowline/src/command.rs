//! One module per command.

mod answer;
mod audit;
mod commands;
mod compact;
mod config;
mod context;
mod demo;
mod docs;
mod doctor;
mod events;
pub mod exec;
mod find;
mod help;
mod inbox;
pub mod inside;
mod jobs;
pub mod keeper;
mod log;
mod memory;
mod models;
mod pause;
mod policy;
mod resume;
mod run;
mod scrub;
mod send;
mod sessions;
mod settle;
mod signal;
mod take_over;
mod tools;
mod transcript;
mod trust;
mod usage;
mod watch;
mod why;

pub use answer::{always, chosen};
pub use find::Open;
pub use run::VERSION;

use std::sync::Arc;

use bowline_runtime::{Clock, Probe};

use crate::args::{Args, Command};
use crate::failure::Failure;

/// Runs what was typed and gives the exit code.
pub fn run(args: Args) -> Result<u8, Failure> {
    match args.command {
        Command::Exec(args) => exec::run(*args),
        Command::Resume(args) => resume::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Sessions(args) => sessions::run(args),
        Command::Events(args) => events::run(&args),
        Command::Log(args) => log::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Context(args) => context::run(&args),
        Command::Transcript(args) => transcript::run(&args),
        Command::Tools(args) => tools::run(args),
        Command::Commands(args) => commands::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Trust(args) => trust::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Policy(args) => policy::run(args),
        Command::Inbox(args) => inbox::run(&args),
        Command::Approve(args) => answer::approve(&args),
        Command::Deny(args) => answer::deny(&args),
        Command::Answer(args) => answer::reply(&args),
        Command::Send(args) => send::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::TakeOver(args) => take_over::run(&args),
        Command::Settle(args) => settle::run(&args),
        Command::Signal(args) => signal::run(&args),
        Command::Pause(args) => pause::run(&args),
        Command::Compact(args) => compact::run(&args),
        Command::Memory(args) => memory::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Usage(args) => usage::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Scrub(args) => scrub::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => help::completions(&args),
        Command::Man(args) => help::man(&args),
        Command::Docs { out } => docs::run(&out),
    }
}

/// The probe of this build: breaks the process at named points in tests, nothing else.
pub fn probe() -> Arc<dyn Probe> {
    #[cfg(all(debug_assertions, not(feature = "crash-points")))]
    {
        run::panic_point::probe()
    }
    #[cfg(not(all(debug_assertions, not(feature = "crash-points"))))]
    {
        Arc::new(bowline_journal::NoProbe)
    }
}

/// The time and the ids of this build: the machine's, but in crash tests.
pub fn clock() -> Clock {
    #[cfg(feature = "crash-points")]
    {
        run::crash::clock()
    }
    #[cfg(not(feature = "crash-points"))]
    {
        Clock::system()
    }
}
