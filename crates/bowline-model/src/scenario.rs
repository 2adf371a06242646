//! Scenario files: what a scripted model answers, and what it expects to be sent.
//!
//! A scenario is a JSON document with a list of steps. Each step answers one request: with text,
//! reasoning and tool calls, or with a fault. A step may also state what the request must hold, so
//! a scenario is an assertion about the harness too. The in-process `scripted` provider and the
//! test kit's HTTP server play the same files.
//!
//! Deliberately absent: reading files, waiting, and any wire format. This module parses, checks
//! and says what comes next; players do the rest.
//!
//! Start at [`Scenario::from_json`] and [`Cursor::next`]. The format page is `docs/scenario.md`.
//!
//! ```
//! use bowline_model::scenario::{Cursor, Reply, RequestView, Scenario};
//!
//! let scenario = Scenario::from_json(
//!     r#"{"version": 1, "steps": [
//!         {"calls": [{"tool": "grep", "input": {"pattern": "fn main"}}]},
//!         {"text": "done", "expect": {"last_result_contains": ["main.rs"]}}]}"#,
//! )?;
//! let cursor = Cursor::new(scenario);
//! let Reply::Answer(first) = cursor.next(RequestView::default()) else { unreachable!() };
//! assert_eq!(first.calls[0].arguments, r#"{"pattern":"fn main"}"#);
//! # Ok::<(), bowline_model::scenario::ScenarioError>(())
//! ```

mod cursor;
mod expect;
mod format;
mod keys;
mod validate;

use std::str::FromStr;

use serde_json::Value;

pub use cursor::{Answer, CacheWrites, Cursor, FailureKind, PlayedCall, Reply};
pub use expect::RequestView;
pub use format::{Call, CutPoint, Expect, Fault, History, Scenario, Step, Stop, Usage};

/// The format version this build reads and writes.
pub const VERSION: u32 = 1;

/// Why a text is no scenario.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text is not JSON.
    #[error("scenario is not JSON: line {line}, column {column}: {message}")]
    Syntax {
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// The file is of another format version.
    #[error("version: {found} is not supported, this build plays version {VERSION}")]
    Version {
        /// The version as the file gives it.
        found: String,
    },
    /// A key is unknown, or a value is of the wrong kind or out of range.
    #[error("{}{}{message}", at, if at.is_empty() { "" } else { ": " })]
    Invalid {
        /// Where: `steps[3].calls[0].tool`; empty for the document.
        at: String,
        /// What is wrong, and what would be right.
        message: String,
    },
}

impl Scenario {
    /// Parses and checks a scenario document.
    ///
    /// # Errors
    /// [`ScenarioError`] for text that is not JSON, another version, unknown keys (naming the
    /// nearest known one), wrong types and values out of range, each with its place.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let value: Value = serde_json::from_str(text).map_err(|error| ScenarioError::Syntax {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        Self::from_value(value)
    }

    /// Checks a parsed document.
    ///
    /// # Errors
    /// As [`Scenario::from_json`].
    pub fn from_value(value: Value) -> Result<Self, ScenarioError> {
        validate::version(&value)?;
        keys::check(&schema(), &value)?;
        let scenario: Self = serde_json::from_value(value)
            .map_err(|error| ScenarioError::invalid("", error.to_string()))?;
        scenario.validate()?;
        Ok(scenario)
    }

    /// Checks what the types cannot say, for scenarios built in code.
    ///
    /// # Errors
    /// [`ScenarioError::Invalid`] with the first step and key that does not hold.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        validate::scenario(self)
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_json(text)
    }
}

impl ScenarioError {
    fn invalid(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            at: at.into(),
            message: message.into(),
        }
    }
}

/// Returns the JSON Schema of scenario documents (draft 2020-12).
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Scenario).to_value()
}

#[cfg(test)]
mod tests;
