//! Limits for a command's process: what it may write, what it cannot see, whom it may reach.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A set of limits for a sandbox. Paths are absolute texts; one that does not exist limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Folders that may be written, links resolved. Beside them only a private folder for
    /// temporary files.
    pub writable: Vec<String>,
    /// Names below each writable folder that stay read-only, such as `.git/hooks`.
    pub protected: Vec<String>,
    /// Files and folders that cannot be read.
    pub hidden: Vec<String>,
    /// Whom it may reach.
    pub network: Network,
}

/// Whom a confined command may reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nobody.
    #[default]
    None,
    /// Whomever the machine reaches.
    Open,
}

/// What enforces a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Namespaces, made by bubblewrap: everything a profile says.
    Namespaces,
    /// Landlock and seccomp: what a profile says but for protected names.
    Landlock,
}

impl Network {
    /// Its name, as recorded.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
        }
    }
}

impl Backend {
    /// Its name, as recorded.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Landlock => "landlock",
        }
    }
}

/// A profile and what enforces it: how one call is confined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// What enforces it.
    pub backend: Backend,
    /// The limits.
    pub profile: Profile,
}

impl Confinement {
    /// The digest of all that it says.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Profile {
            writable,
            protected,
            hidden,
            network,
        } = &self.profile;
        let list = |list: &[String]| {
            let parts: Vec<&[u8]> = list.iter().map(String::as_bytes).collect();
            Digest::of_parts(&parts)
        };
        let (writable, protected, hidden) = (list(writable), list(protected), list(hidden));
        Digest::of_parts(&[
            b"bowline-confinement-1",
            self.backend.name().as_bytes(),
            network.name().as_bytes(),
            writable.as_bytes(),
            protected.as_bytes(),
            hidden.as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests;
