//! One argument of a command, as far as it is known before the command runs.

use super::tree::Span;

/// One argument after expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// What is known of it.
    pub value: Value,
    /// Where the word that it comes from stands.
    pub span: Span,
}

/// What is known of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Exactly this text: quotes, escapes, braces and known variables are resolved.
    Known(String),
    /// Any number of arguments, each one of these texts: a variable of a loop over literal words.
    OneOf(Vec<String>),
    /// Any number of arguments, each the path of something in the workspace that is nothing
    /// protected: a glob over the workspace, or names produced by `git ls-files` and the like.
    WorkspacePaths {
        /// The text as written, for people; for a glob the pattern.
        written: String,
    },
    /// Exactly one argument that begins with `prefix`, which may be empty: a variable in double
    /// quotes.
    UnknownOne {
        /// What it surely begins with.
        prefix: String,
        /// The text as written, for people.
        written: String,
    },
    /// Any text, perhaps no argument at all or several.
    Unknown {
        /// The text as written, for people.
        written: String,
    },
}

impl Argument {
    /// The text, if it is exactly known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match &self.value {
            Value::Known(text) => Some(text),
            _ => None,
        }
    }

    /// How people see it.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Known(text) => text.clone(),
            Value::OneOf(texts) => texts.join("|"),
            Value::WorkspacePaths { written }
            | Value::UnknownOne { written, .. }
            | Value::Unknown { written } => written.clone(),
        }
    }
}
