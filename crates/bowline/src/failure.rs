//! How the process says that it could not do what it was asked: one line and an exit code.

use std::process::ExitCode;

use bowline_core::SessionId;
use bowline_journal::Owner;
use bowline_runtime::date_and_time;

use crate::print;

/// Why a command ended without doing its work.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Usage or configuration: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }

    /// Anything that stopped the work: exit 1.
    pub fn stopped(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
        }
    }

    /// Something that stopped the work and has been told already: exit 1, no further line.
    pub fn told() -> Self {
        Self::stopped(String::new())
    }

    /// Prints the one line and gives the exit code.
    pub fn report(&self) -> ExitCode {
        ExitCode::from(self.tell())
    }

    /// The same, for a command that goes on with something else.
    pub fn tell(&self) -> u8 {
        if !self.message.is_empty() {
            // It may quote a line of a file, or what somebody typed.
            let message = crate::wire::masker().mask(&self.message).text.into_owned();
            print::err_line(&format!("bowline: {}", print::clean(&message)));
        }
        self.code
    }

    /// The line.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Reports what the argument parser found: help and version are not failures.
pub fn usage(error: &clap::Error) -> ExitCode {
    let code = if error.use_stderr() { 2 } else { 0 };
    // Nothing can be done about a closed terminal here.
    let _closed = error.print();
    ExitCode::from(code)
}

impl From<bowline_runtime::Error> for Failure {
    fn from(error: bowline_runtime::Error) -> Self {
        match error {
            bowline_runtime::Error::Storage(error) => error.into(),
            other => Self::usage(other.to_string()),
        }
    }
}

impl From<bowline_runtime::config::ConfigError> for Failure {
    fn from(error: bowline_runtime::config::ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<bowline_journal::Error> for Failure {
    fn from(error: bowline_journal::Error) -> Self {
        use bowline_journal::Error;
        match error {
            Error::Owned { session, owner } => Self::usage(owned(session, owner.as_deref())),
            Error::NotFound { .. } | Error::Ambiguous { .. } => Self::usage(error.to_string()),
            other => Self::stopped(other.to_string()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::stopped(format!("{error:#}"))
    }
}

/// Who owns a session, and what another process may do then.
fn owned(session: SessionId, owner: Option<&Owner>) -> String {
    let id = session.short();
    let who = owner.map_or_else(|| "another process".to_owned(), named);
    format!(
        "session {id} is owned by {who}. Watch it with `bowline watch {id}`; give it words with \
         `bowline send {id} TEXT`, which it reads while it runs; or wait until it ends. If it is \
         stuck, `bowline take-over {id}` ends it first"
    )
}

/// An owner as its lock file tells of it: process, command, terminal, since when.
pub fn named(owner: &Owner) -> String {
    let command = match owner.command.as_str() {
        "" => String::new(),
        command => format!(" (bowline {command})"),
    };
    let terminal = match owner.terminal.as_str() {
        "" => String::new(),
        terminal => format!(" on {terminal}"),
    };
    let since = date_and_time(owner.since_ms);
    format!("process {}{command}{terminal} since {since}", owner.pid)
}
