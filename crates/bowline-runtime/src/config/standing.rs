//! What a project's own files would change once trusted: each value with where it stands.

use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{Digest, RuleInForce, TrustState, Verdict};

use super::keys::{self, KeySpec};
use super::layers::{Layers, Shown};
use super::parse::{Entry, Origin, Value};

/// Whether what a project's own files say is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProjectTrust {
    /// They can only tighten.
    #[default]
    Untrusted,
    /// A person trusts them with the content that they have.
    Trusted,
}

/// One thing that a project's own files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which key.
    pub key: &'static KeySpec,
    /// What it is set to; of a list of rules one rule.
    pub value: Value,
    /// Where.
    pub origin: Origin,
    /// What it does.
    pub standing: ItemStanding,
}

/// What a thing that a project says does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemStanding {
    /// It counts whether the project is trusted or not: it tightens.
    InForce,
    /// It counts only while the project is trusted.
    NeedsTrust,
    /// It does not count even then, and why.
    Unused(&'static str),
}

/// How a project stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectStanding {
    /// Whether it is trusted.
    pub trust: ProjectTrust,
    /// The hash of its files; `None` when there are none, or none that can be trusted.
    pub content: Option<Digest>,
    /// What it says, in the order of its files.
    pub items: Vec<Item>,
    /// Whether a person took the trust in just this content back.
    pub revoked: bool,
    /// Which files differ from those that were trusted, if other ones were.
    pub changed: Vec<String>,
    /// Why its files cannot be trusted whatever a person says, if so.
    pub untrustable: Option<String>,
}

impl ProjectStanding {
    /// What the layers say of a project.
    pub(super) fn of(layers: &Layers, trust: ProjectTrust) -> Self {
        let is_own = |entry: &&Entry| entry.origin.layer == Layer::Project;
        let mut own = layers.entries.iter().filter(is_own).peekable();
        let mut items = Vec::new();
        if own.peek().is_some() {
            let untrusted = layers.shown(ProjectTrust::Untrusted);
            let trusted = layers.shown(ProjectTrust::Trusted);
            for entry in own {
                let standing = match (why(&untrusted, entry), why(&trusted, entry)) {
                    (None, _) => ItemStanding::InForce,
                    (Some(_), None) => ItemStanding::NeedsTrust,
                    (Some(_), Some(why)) => ItemStanding::Unused(why),
                };
                items.extend(items_of(entry, standing));
            }
        }
        items.extend(layers.rules.iter().filter_map(of_rule));
        Self {
            trust,
            items,
            ..Self::default()
        }
    }

    /// The same as it is recorded with a session and its decisions.
    #[must_use]
    pub fn state(&self) -> TrustState {
        match (self.trust, self.content) {
            (ProjectTrust::Trusted, Some(content)) => TrustState::Trusted {
                content: content.to_hex(),
            },
            _ => TrustState::Untrusted,
        }
    }

    /// What counts only while the project is trusted.
    pub fn needing_trust(&self) -> impl Iterator<Item = &Item> {
        let needs = |item: &&Item| item.standing == ItemStanding::NeedsTrust;
        self.items.iter().filter(needs)
    }

    /// What would begin to count if the project were trusted: nothing once it is.
    #[must_use]
    pub fn waiting(&self) -> usize {
        match self.trust {
            ProjectTrust::Trusted => 0,
            ProjectTrust::Untrusted => self.needing_trust().count(),
        }
    }
}

/// A rule of the project's file of rules, under the key that would say the same.
fn of_rule(rule: &RuleInForce) -> Option<Item> {
    if rule.source.layer != Layer::Project {
        return None;
    }
    let (name, standing) = match rule.verdict {
        Verdict::Allow => ("permissions.allow", ItemStanding::NeedsTrust),
        Verdict::Ask => ("permissions.ask", ItemStanding::InForce),
        Verdict::Deny => ("permissions.deny", ItemStanding::InForce),
    };
    let RuleSource {
        layer, file, line, ..
    } = rule.source.clone();
    Some(Item {
        key: keys::find(name)?,
        value: Value::Rules(vec![(rule.source.rule.clone(), line)]),
        origin: Origin { layer, file, line },
        standing,
    })
}

/// Why an entry does not count.
fn why(shown: &[Shown], entry: &Entry) -> Option<&'static str> {
    let shown = shown
        .iter()
        .find(|shown| shown.key.name == entry.key.name)?;
    let mine = shown
        .passed_over
        .iter()
        .find(|(origin, _)| *origin == entry.origin);
    mine.map(|(_, why)| *why)
}

/// Each rule of a list has a line of its own.
fn items_of(entry: &Entry, standing: ItemStanding) -> Vec<Item> {
    let item = |value: Value, line: Option<u32>| Item {
        key: entry.key,
        value,
        origin: Origin {
            line: line.or(entry.origin.line),
            ..entry.origin.clone()
        },
        standing,
    };
    match &entry.value {
        Value::Rules(rules) => rules
            .iter()
            .map(|(rule, line)| item(Value::Rules(vec![(rule.clone(), *line)]), *line))
            .collect(),
        other => vec![item(other.clone(), None)],
    }
}

#[cfg(test)]
mod tests;
