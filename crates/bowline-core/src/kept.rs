//! Content that a rule keeps to local models: how it came into a session, and where models are asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::Verdict;
use crate::host::{Host, Private};
use crate::settings::Settings;

/// Content that a rule keeps to local models is in a session, or may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kept {
    /// The text of the rule, such as `send(vault/**)`.
    pub rule: String,
    /// What brought it in: a path, or a shell command in a line.
    pub what: String,
}

/// What a decision knew of content that rules keep to local models. Recorded only where there is
/// such a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keeping {
    /// Whether the model in force was local.
    pub is_local: bool,
    /// What the session held before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Kept>,
    /// What the call brings in when it runs, or may bring in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brings: Vec<Kept>,
}

/// Where a model is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelPlace {
    /// On this machine, or at an address of the own network.
    Local,
    /// At the provider's own address; its name.
    Provider(String),
    /// At another host, or where nobody can tell.
    Elsewhere(String),
}

/// Providers by the hosts that are their own.
const OWN_HOSTS: [(&str, &str); 3] = [
    ("openai", "api.openai.com"),
    ("openai-chat", "api.openai.com"),
    ("anthropic", "api.anthropic.com"),
];

impl ModelPlace {
    /// Where an address leads that speaks the dialect `api`: local if its host is `localhost` or an
    /// address of this machine or of a private network. Another name is not local, whatever it is:
    /// whoever answers for it says where it leads.
    #[must_use]
    pub fn of_address(api: &str, address: &str) -> Self {
        let Some(host) = host_of(address) else {
            return Self::Elsewhere("an address that cannot be read".to_owned());
        };
        let is_local = match host.address() {
            Some(_) => matches!(
                host.private(),
                Some(Private::Loopback | Private::Local | Private::LinkLocal)
            ),
            None => host.as_str() == "localhost",
        };
        let is_own = |(name, own): &&(&str, &str)| *name == api && *own == host.as_str();
        if is_local {
            Self::Local
        } else if OWN_HOSTS.iter().any(|own| is_own(&own)) {
            Self::Provider(api.to_owned())
        } else {
            Self::Elsewhere(host.to_string())
        }
    }

    /// Where the model of these settings is asked, as far as they say. A scripted model is played
    /// from a file. A named endpoint that was not recorded may be anywhere.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let name = settings.model.provider();
        if name == "scripted" {
            return Self::Local;
        }
        if let Some(address) = &settings.base_url {
            return Self::of_address(name, address);
        }
        if OWN_HOSTS.iter().any(|(own, _)| *own == name) {
            return Self::Provider(name.to_owned());
        }
        let configured = settings.configured.as_deref();
        let endpoint = configured.and_then(|configured| configured.endpoint.as_ref());
        match endpoint.filter(|endpoint| endpoint.name == name) {
            Some(endpoint) => match &endpoint.base_url {
                Some(address) => Self::of_address(&endpoint.api, address),
                None => Self::Provider(endpoint.api.clone()),
            },
            None => Self::Elsewhere(name.to_owned()),
        }
    }

    /// Whether what is sent there stays in the own network.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local)
    }
}

impl fmt::Display for ModelPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("this machine or network"),
            Self::Provider(name) => write!(f, "{name}'s own address"),
            Self::Elsewhere(host) => f.write_str(host),
        }
    }
}

/// The host of `http://user@HOST:PORT/path`.
fn host_of(address: &str) -> Option<Host> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    Host::with_port(host).ok().map(|(host, _)| host)
}

impl Kept {
    /// Whether the rule is one of those that a session has in force.
    #[must_use]
    pub fn is_in_force(&self, settings: &Settings) -> bool {
        let configured = settings.configured.as_deref();
        configured.is_none_or(|configured| {
            let mut rules = configured.rules.iter();
            rules.any(|rule| rule.verdict == Verdict::Deny && rule.source.rule == self.rule)
        })
    }
}

#[cfg(test)]
mod tests;
