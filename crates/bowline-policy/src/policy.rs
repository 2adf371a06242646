//! What is in force: mode, rules, places.

use std::borrow::Cow;

use bowline_core::{Digest, Mode, PolicyRecord, RuleInForce, Sandbox, TrustState};

use crate::rule::{Pattern, Rule, RuleError};

/// The version of the code that judges. A record judged under one version is judged the same by
/// the same version.
pub const ANALYSER_VERSION: u32 = 2;

/// Everything a judgement depends on beside the call itself.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How much runs unasked.
    pub mode: Mode,
    /// Rules of all layers, in any order: the strictest match decides, not the first.
    pub rules: Vec<Rule>,
    /// Absolute folders of the workspace, links resolved; globs are relative to each of them.
    pub roots: Vec<String>,
    /// Absolute paths of the state folder and the configuration folder, as named and, where that
    /// differs, as resolved. No tool reaches them in any mode.
    pub private: Vec<String>,
    /// The person's home folder: what `~` means in globs and in built-in rules.
    pub home: Option<String>,
    /// Whether rules of the project may do more than tighten.
    pub trust: TrustState,
    /// What a shell command would run within: mode `auto` rests on it.
    pub sandbox: Sandbox,
    /// Which shell commands run without any rule.
    pub catalogue: Catalogue,
}

/// Which shell commands run without any rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Catalogue {
    /// Those that only read.
    #[default]
    ReadOnly,
    /// None: to try rules by themselves. No session has this.
    None,
}

impl Policy {
    /// A policy without rules, private places and home.
    #[must_use]
    pub const fn new(mode: Mode, roots: Vec<String>) -> Self {
        Self {
            mode,
            rules: Vec::new(),
            roots,
            private: Vec::new(),
            home: None,
            trust: TrustState::Untrusted,
            sandbox: Sandbox::Unknown,
            catalogue: Catalogue::ReadOnly,
        }
    }

    /// The policy as it is at `now_ms`: without the rules that have expired.
    #[must_use]
    pub fn at(&self, now_ms: u64) -> Cow<'_, Self> {
        if !self.rules.iter().any(|rule| rule.is_expired(now_ms)) {
            return Cow::Borrowed(self);
        }
        let mut policy = self.clone();
        policy.rules.retain(|rule| !rule.is_expired(now_ms));
        Cow::Owned(policy)
    }

    /// The policy while a model is asked that is local or not: what rules keep to local models is
    /// open to one.
    #[must_use]
    pub fn asking(&self, is_local: bool) -> Cow<'_, Self> {
        let keeps = |rule: &Rule| matches!(rule.pattern, Pattern::Send(_));
        if !is_local || !self.rules.iter().any(keeps) {
            return Cow::Borrowed(self);
        }
        let mut policy = self.clone();
        policy.rules.retain(|rule| !keeps(rule));
        Cow::Owned(policy)
    }

    /// The policy that was recorded.
    ///
    /// # Errors
    /// [`RuleError`] for a rule that this version does not read.
    pub fn of_record(record: &PolicyRecord) -> Result<Self, RuleError> {
        let rules = record.rules.iter();
        let rules = rules.map(Rule::in_force);
        Ok(Self {
            mode: record.mode,
            rules: rules.collect::<Result<_, _>>()?,
            roots: record.roots.clone(),
            private: record.private.clone(),
            home: record.home.clone(),
            trust: record.trust.clone(),
            sandbox: record.sandbox.clone(),
            catalogue: Catalogue::ReadOnly,
        })
    }

    /// The policy as data.
    #[must_use]
    pub fn record(&self) -> PolicyRecord {
        let rule = |rule: &Rule| RuleInForce {
            verdict: rule.verdict,
            source: rule.source.clone(),
            reason: None,
            expires_at_ms: rule.expires_at_ms,
        };
        PolicyRecord {
            mode: self.mode,
            rules: self.rules.iter().map(rule).collect(),
            roots: self.roots.clone(),
            private: self.private.clone(),
            home: self.home.clone(),
            trust: self.trust.clone(),
            sandbox: self.sandbox.clone(),
        }
    }
}

/// The hash of everything that `policy` says; equal policies have equal hashes.
#[must_use]
pub fn policy_hash(policy: &Policy) -> Digest {
    let rules: Vec<Digest> = policy.rules.iter().map(rule_hash).collect();
    let rules: Vec<&[u8]> = rules
        .iter()
        .map(|hash| hash.as_bytes().as_slice())
        .collect();
    let home: Vec<&[u8]> = policy.home.iter().map(String::as_bytes).collect();
    let parts = [
        Digest::of_parts(&rules),
        texts(&policy.roots),
        texts(&policy.private),
    ];
    let mut whole: Vec<&[u8]> = vec![b"bowline-policy-1", policy.mode.name().as_bytes()];
    whole.extend(parts.iter().map(|part| part.as_bytes().as_slice()));
    whole.extend(home);
    if policy.catalogue == Catalogue::None {
        whole.push(b"catalogue:none");
    }
    if let TrustState::Trusted { content } = &policy.trust {
        whole.extend([b"trusted".as_slice(), content.as_bytes()]);
    }
    match &policy.sandbox {
        Sandbox::Unknown => {}
        Sandbox::Namespaces => whole.push(b"sandbox:namespaces"),
        Sandbox::Lacking { why } => whole.extend([b"sandbox:lacking", why.as_bytes()]),
    }
    Digest::of_parts(&whole)
}

fn texts(list: &[String]) -> Digest {
    let parts: Vec<&[u8]> = list.iter().map(String::as_bytes).collect();
    Digest::of_parts(&parts)
}

fn rule_hash(rule: &Rule) -> Digest {
    let source = &rule.source;
    Digest::of_parts(&[
        format!("{:?} {:?} {:?}", rule.verdict, source.layer, source.tier).as_bytes(),
        source.rule.as_bytes(),
    ])
}
