//! Text on its way into the model's context: always with an origin, always within a cap.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Who brought a text into the session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A person, at a terminal or through a client.
    Person,
    /// Bowline itself.
    Harness,
    /// What a tool gave back.
    Tool(String),
    /// A file of the workspace, such as its `AGENTS.md`; untrusted.
    File(String),
    /// What a tool brought from outside the workspace: from a host, or from a file elsewhere. It
    /// may say anything to anybody, so it marks the session.
    Outside {
        /// The tool.
        tool: String,
        /// Where it came from: `https://docs.rs`, `/etc/hosts`.
        from: String,
    },
}

/// A text that may enter the model's context: it has an origin and fitted a hard cap when it was
/// admitted. There is no other way to make one than [`ContextText::admit`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextText {
    origin: Origin,
    text: String,
}

/// Hard caps in bytes, by kind of text.
pub mod caps {
    /// A person's prompt.
    pub const PROMPT_BYTES: usize = 1 << 20;
    /// A tool result: about 8,000 tokens, of which a model reads several per step.
    pub const TOOL_RESULT_BYTES: usize = 32 << 10;
    /// A project's instruction file (32 KiB is where other harnesses cut, too).
    pub const INSTRUCTIONS_BYTES: usize = 32 << 10;
    /// The notice of the schema that an answer must fit.
    pub const OUTPUT_SCHEMA_BYTES: usize = 64 << 10;
    /// What stands in the place of exchanges that were taken out: about 6,000 tokens.
    pub const RECAP_BYTES: usize = 24 << 10;
    /// The session's state in words, after a compaction.
    pub const STATE_CARD_BYTES: usize = 24 << 10;
    /// A notice from the harness.
    pub const NOTICE_BYTES: usize = 8 << 10;
}

impl ContextText {
    /// Admits `text`, cut in the middle when it is over `cap_bytes`: the head (two thirds) and the
    /// tail are kept at character borders, and between them stands what was left out and, if
    /// `handle` is given, where the whole can be read.
    #[must_use]
    pub fn admit(origin: Origin, text: String, cap_bytes: usize, handle: Option<&str>) -> Self {
        if text.len() <= cap_bytes {
            return Self { origin, text };
        }
        let head = floor_border(&text, cap_bytes / 3 * 2);
        let tail = ceil_border(&text, text.len() - cap_bytes / 3);
        let mut cut = String::with_capacity(cap_bytes + 128);
        cut.push_str(&text[..head]);
        let left_out = tail - head;
        // Writing to a String cannot fail.
        let _infallible = match handle {
            Some(handle) => write!(
                cut,
                "\n[{left_out} bytes left out here; the whole is at {handle}, which `read` pages]\n"
            ),
            None => write!(cut, "\n[{left_out} bytes left out here]\n"),
        };
        cut.push_str(&text[tail..]);
        Self { origin, text: cut }
    }

    /// A notice from the harness itself, cut at [`caps::NOTICE_BYTES`].
    #[must_use]
    pub fn notice(text: impl Into<String>) -> Self {
        Self::admit(Origin::Harness, text.into(), caps::NOTICE_BYTES, None)
    }

    /// Who brought it.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The largest character border at or before `at`.
pub(crate) fn floor_border(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// The smallest character border at or after `at`.
fn ceil_border(text: &str, at: usize) -> usize {
    (at..=text.len())
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(text.len())
}
