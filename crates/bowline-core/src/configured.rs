//! What a session took from configuration: recorded with its settings, so that it goes on the same
//! when the files say something else or are gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decision::{Layer, RuleSource, Verdict};
use crate::policy_record::TrustState;

/// The key that passes variables to shell commands.
const ENV_PASS: &str = "shell.env_pass";

/// What the configuration said, as far as a session needs it after its start. Never a key, never
/// the value of a header that may be one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// The named endpoint that is asked. `None` for a built-in provider, and for an endpoint whose
    /// table holds something that may be secret: it is looked up again by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The permission rules of all layers, those given by hand first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleInForce>,
    /// How long a shell command may run when the model names no limit, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell_timeout_ms: Option<u64>,
    /// Environment variables with credentials that shell commands get because a person named them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_pass: Vec<String>,
    /// Absolute paths that no tool reaches in any mode: the state and the configuration folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
    /// The home folder: what `~` means in the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Environment variables that hold keys or headers of endpoints: no shell command gets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// Whether the project's own files were trusted, and with which content; none where that was not
    /// recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustState>,
    /// Where each key of the configuration was set, by its name; defaults are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, ConfigOrigin>,
}

/// A permission rule with where it stands; `source.rule` is its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleInForce {
    /// What it says.
    pub verdict: Verdict,
    /// Its text, its layer and its place.
    pub source: RuleSource,
    /// Why it is there, in the words of whoever wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it goes out of force, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
}

/// Where a value of the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigOrigin {
    /// The layer.
    pub layer: Layer,
    /// The file, if it is from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Where the key of an endpoint comes from. Fetched when a model is about to be asked, never by
/// a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// It takes none.
    None,
    /// An environment variable.
    Env(String),
    /// A program with its arguments; what it prints is the key.
    Command(Vec<String>),
    /// A file, absolute or below `~/`.
    File(String),
}

/// The value of a header as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderSource {
    /// These words.
    Plain(String),
    /// The value of an environment variable.
    Env(String),
}

/// One named endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What stands before the slash in `--model NAME/MODEL`.
    pub name: String,
    /// The dialect it speaks.
    pub api: String,
    /// Its address; the dialect's own one if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The model to ask when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Where its key comes from.
    pub key: KeySource,
    /// Further headers of every request, in the order written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderSource)>,
    /// Where it stands.
    pub origin: ConfigOrigin,
}

impl Endpoint {
    /// The environment variables that its key and its headers come from.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let key = match &self.key {
            KeySource::Env(name) => Some(name.as_str()),
            _ => None,
        };
        let headers = self.headers.iter().filter_map(|(_, source)| match source {
            HeaderSource::Env(name) => Some(name.as_str()),
            HeaderSource::Plain(_) => None,
        });
        key.into_iter().chain(headers)
    }

    /// Whether both mean the same server, asked in the same way, wherever they are written.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        (&self.api, &self.base_url, &self.key, &self.headers)
            == (&other.api, &other.base_url, &other.key, &other.headers)
    }
}

impl Configured {
    /// Takes out what only a trusted project may set: its rules that allow, its endpoint, and what
    /// else it set, whose names are given back. Says nothing of the person's own.
    pub fn distrust(&mut self) -> Vec<String> {
        let is_own = |layer: Layer| layer == Layer::Project;
        let stays =
            |rule: &RuleInForce| rule.verdict != Verdict::Allow || !is_own(rule.source.layer);
        self.rules.retain(stays);
        let endpoint = self.endpoint.take();
        self.endpoint = endpoint.filter(|endpoint| !is_own(endpoint.origin.layer));
        let set = self.origins.iter();
        let own = set.filter(|(_, origin)| is_own(origin.layer));
        let own: Vec<String> = own.map(|(name, _)| name.clone()).collect();
        self.trust = Some(TrustState::Untrusted);
        own
    }

    /// Adds the rules of `now` that ask or deny and are not here yet; allow rules are not taken.
    /// Gives those that were added. A variable that a file passed to commands and no file passes
    /// now is passed no more.
    ///
    /// `~` in a rule means the home folder of whoever wrote it: where that is another one, the
    /// rule is added with its absolute path.
    pub fn tighten(&mut self, now: &Self) -> Vec<RuleInForce> {
        let passed = self.origins.get(ENV_PASS);
        // What was passed by hand is in no file that could take it back.
        if passed.is_none_or(|origin| origin.layer != Layer::CommandLine) {
            self.env_pass.retain(|name| now.env_pass.contains(name));
        }
        let mut added = Vec::new();
        for rule in now
            .rules
            .iter()
            .filter(|rule| rule.verdict != Verdict::Allow)
        {
            let mut rule = rule.clone();
            if self.home != now.home
                && let Some(home) = &now.home
            {
                rule.source.rule = spelled_out(&rule.source.rule, home);
            }
            let is_same = |known: &RuleInForce| {
                known.verdict == rule.verdict && known.source.rule == rule.source.rule
            };
            if !self.rules.iter().any(is_same) {
                self.rules.push(rule.clone());
                added.push(rule);
            }
        }
        added
    }

    /// The same with the private places and variables of `now` beside its own: for one process,
    /// since another one may have others.
    #[must_use]
    pub fn beside(mut self, now: &Self) -> Self {
        for (mine, others) in [
            (&mut self.private, &now.private),
            (&mut self.variables, &now.variables),
        ] {
            for other in others {
                if !mine.contains(other) {
                    mine.push(other.clone());
                }
            }
        }
        self
    }
}

/// A rule's text with `~` replaced by a home folder, whose own characters stand for themselves.
fn spelled_out(rule: &str, home: &str) -> String {
    let home = home.trim_end_matches('/');
    for kind in ["read", "write", "send"] {
        let inside = rule.trim().strip_prefix(kind);
        let inside = inside.and_then(|rest| rest.strip_prefix('('));
        if let Some(rest) = inside.and_then(|inside| inside.trim_start().strip_prefix('~')) {
            let mut plain = String::new();
            for letter in home.chars() {
                if "*?[]{}\\".contains(letter) {
                    plain.push('\\');
                }
                plain.push(letter);
            }
            return format!("{kind}({plain}{rest}");
        }
    }
    rule.to_owned()
}

#[cfg(test)]
mod tests;
