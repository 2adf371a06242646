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
    /// Files or folders that may be written beside those, for this one call: a person granted them.
    /// No name in them is protected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// Folders of the workspace that are shown although none is writable: a sandbox replaces places
    /// such as `/tmp`, and they may lie there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readable: Vec<String>,
    /// Folders of package caches that look writable: what is written there goes to a place of the
    /// session's own, never to the folder itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caches: Vec<String>,
}

/// Whom a confined command may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nobody.
    #[default]
    None,
    /// The hosts that these patterns name (`docs.rs`, `*.crates.io`, `10.0.0.5`, `[::1]:8080`), at
    /// ports 80 and 443 where a pattern has none; one after a `!` closes what earlier ones open. A
    /// private address is reached only by a pattern that spells it out.
    Hosts(Vec<String>),
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
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hosts(_) => "hosts",
            Self::Open => "open",
        }
    }

    /// The patterns of the hosts that it names.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        match self {
            Self::Hosts(hosts) => hosts,
            Self::None | Self::Open => &[],
        }
    }

    /// What it lets a command reach, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::None => "no network".to_owned(),
            Self::Hosts(hosts) => format!("network: {}", hosts.join(", ")),
            Self::Open => "open network".to_owned(),
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
    /// The digest of all that it says. What has neither grants nor caches nor named hosts nor folders
    /// that are only shown has the digest of earlier versions.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Profile {
            writable,
            protected,
            hidden,
            network,
            granted,
            readable,
            caches,
        } = &self.profile;
        let [
            writable,
            protected,
            hidden,
            hosts,
            granted_digest,
            readable_digest,
            caches_digest,
        ] = [
            writable,
            protected,
            hidden,
            network.hosts(),
            granted,
            readable,
            caches,
        ]
        .map(of_list);
        let first = [
            self.backend.name().as_bytes(),
            network.name().as_bytes(),
            writable.as_bytes(),
            protected.as_bytes(),
            hidden.as_bytes(),
        ];
        let later = [network.hosts(), granted, readable, caches];
        let is_plain = later.into_iter().all(<[String]>::is_empty);
        let parts: Vec<&[u8]> = if is_plain {
            let name: &[u8] = b"bowline-confinement-1";
            std::iter::once(name).chain(first).collect()
        } else {
            let name: &[u8] = b"bowline-confinement-2";
            let more = [
                hosts.as_bytes(),
                granted_digest.as_bytes(),
                readable_digest.as_bytes(),
                caches_digest.as_bytes(),
            ];
            let more = more.map(|digest| &digest[..]);
            std::iter::once(name).chain(first).chain(more).collect()
        };
        Digest::of_parts(&parts)
    }
}

fn of_list(list: &[String]) -> Digest {
    let parts: Vec<&[u8]> = list.iter().map(String::as_bytes).collect();
    Digest::of_parts(&parts)
}

#[cfg(test)]
mod tests;
