//! The policy that decisions were taken under, as data: with it a decision can be judged again from
//! the journal alone.

use serde::{Deserialize, Serialize};

use crate::configured::RuleInForce;
use crate::settings::Mode;

/// Everything a judgement depends on beside the call and what was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// How much runs unasked.
    pub mode: Mode,
    /// The rules in force, those that have expired left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleInForce>,
    /// Absolute folders of the workspace, links resolved.
    pub roots: Vec<String>,
    /// Absolute paths that no tool reaches in any mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
    /// The person's home folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Whether rules of the project may do more than tighten.
    #[serde(default, skip_serializing_if = "TrustState::is_untrusted")]
    pub trust: TrustState,
    /// What a shell command would run within.
    #[serde(default)]
    pub sandbox: Sandbox,
}

/// What a shell command would run within, as found out by those who can look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// Nobody looked: counts as nothing.
    #[default]
    Unknown,
    /// Namespaces: nothing outside the profile is written, seen or reached.
    Namespaces,
    /// Something weaker or nothing.
    Lacking {
        /// What is missing and what to install, without a full stop.
        why: String,
    },
}

/// Whether the project's own configuration may do more than tighten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustState {
    /// It may only tighten: nobody trusted this content.
    #[default]
    Untrusted,
    /// A person trusted exactly this content.
    Trusted {
        /// The hash of the content, in hexadecimal.
        content: String,
    },
}

impl TrustState {
    /// Whether nobody trusted this content.
    #[must_use]
    pub const fn is_untrusted(&self) -> bool {
        matches!(self, Self::Untrusted)
    }
}
