//! Which files Bowline told the model of its own accord, and how much that was.

use std::collections::BTreeMap;

use crate::Digest;
use crate::context::{ContextText, Origin};

/// The instruction files that the model was given, each as it was told last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldFiles {
    files: BTreeMap<String, Digest>,
    bytes: u64,
}

impl ToldFiles {
    /// Remembers a text if it is that of a file.
    pub(crate) fn take(&mut self, text: &ContextText) {
        if let Origin::File(name) = text.origin() {
            let content = Digest::of(text.text().as_bytes());
            self.files.insert(name.clone(), content);
            self.bytes = self.bytes.saturating_add(text.text().len() as u64);
        }
    }

    /// Whether a text says what the model was not told: its file was told last with another one,
    /// or was never told and no other file says the same.
    #[must_use]
    pub fn is_news(&self, text: &ContextText) -> bool {
        let Origin::File(name) = text.origin() else {
            return true;
        };
        let content = Digest::of(text.text().as_bytes());
        match self.files.get(name) {
            Some(last) => *last != content,
            None => !self.files.values().any(|other| *other == content),
        }
    }

    /// The bytes of all that was told of files since the session began.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
