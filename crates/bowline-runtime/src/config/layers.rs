//! Lays the layers over each other and keeps the origin of every value.

use bowline_core::configured::{Configured, Endpoint, RuleInForce};
use bowline_core::decision::{Layer, RuleSource};
use bowline_core::price::ModelFacts;
use bowline_core::{Mode, ModelRef, OnAsk, Tier, Verdict};

use super::budget::amount;
use super::keys::{KEYS, KeySpec, Kind, ProjectUse};
use super::models::{self, ModelEntry};
use super::parse::{Entry, Origin, Value};
use super::rule_file::FileRule;
use super::span::span_ms;
use super::standing::{ProjectStanding, ProjectTrust};

/// Entries of all layers, not yet laid over each other.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    pub(super) entries: Vec<Entry>,
    /// Those of files of rules.
    pub(super) rules: Vec<RuleInForce>,
}

/// One key as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Which key.
    pub key: &'static KeySpec,
    /// Its value; `None` when nobody set it and it has no default.
    pub value: Option<Value>,
    /// Where the value is from; `None` for the default.
    pub origin: Option<Origin>,
    /// Where else it was set, and why that did not count.
    pub passed_over: Vec<(Origin, &'static str)>,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Every key, in the order of [`KEYS`]; rules of all layers are joined.
    pub shown: Vec<Shown>,
    rules: Vec<RuleInForce>,
    /// Whether the project's own files are trusted, and what waits for it.
    pub project: ProjectStanding,
    /// What the managed file sets.
    pub(super) managed: Vec<Entry>,
}

impl Layers {
    /// Adds what one source sets.
    pub fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.entries.extend(entries);
    }

    /// Adds what a file of rules says at `now_ms`: a rule that has expired is left out.
    pub fn add_rules(&mut self, rules: impl IntoIterator<Item = FileRule>, now_ms: u64) {
        let in_force = rules.into_iter().filter(|one| !one.is_expired(now_ms));
        self.rules.extend(in_force.map(RuleInForce::from));
    }

    /// Lays the layers over each other: command line over user over default; a project's own file
    /// counts only where it tightens what files and defaults say, and a flag given by hand wins
    /// over it.
    #[must_use]
    pub fn resolve(self) -> Effective {
        self.resolve_for(ProjectTrust::Untrusted)
    }

    /// The same for a project that a person trusts, or does not: what is trusted also counts where
    /// nobody else sets anything, and its rules may allow what nobody else asks about or denies.
    #[must_use]
    pub fn resolve_for(self, trust: ProjectTrust) -> Effective {
        let shown = self.shown(trust);
        let project = ProjectStanding::of(&self, trust);
        // What a project allows is not taken before a person trusts it.
        let may_be_taken = |rule: &RuleInForce| {
            trust == ProjectTrust::Trusted
                || rule.source.layer != Layer::Project
                || rule.verdict != Verdict::Allow
        };
        let rules = self.entries.iter().flat_map(|entry| rules_of(entry, trust));
        let rules = rules.chain(self.rules.into_iter().filter(may_be_taken));
        let rules: Vec<RuleInForce> = rules.collect();
        let is_managed = |entry: &Entry| entry.origin.layer == Layer::Managed;
        Effective {
            shown,
            rules,
            project,
            managed: self.entries.into_iter().filter(is_managed).collect(),
        }
    }

    /// Every key as it is in force.
    pub(super) fn shown(&self, trust: ProjectTrust) -> Vec<Shown> {
        let keys = KEYS.iter();
        keys.map(|key| resolve_key(key, &self.entries, trust))
            .collect()
    }
}

fn default_value(key: &KeySpec) -> Option<Value> {
    let text = key.default?;
    Some(match key.kind {
        Kind::Whole { .. } => Value::Whole(text.parse().ok()?),
        Kind::Ports => {
            let ports = text.split(", ").map(str::parse);
            Value::Ports(ports.collect::<Result<_, _>>().ok()?)
        }
        _ => Value::Text(text.to_owned()),
    })
}

fn resolve_key(key: &'static KeySpec, entries: &[Entry], trust: ProjectTrust) -> Shown {
    let mut shown = Shown {
        key,
        value: default_value(key),
        origin: None,
        passed_over: Vec::new(),
    };
    let mut mine: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.key.name == key.name)
        .collect();
    match key.kind {
        Kind::Rules => return resolve_rules(shown, &mine, trust),
        Kind::Endpoints | Kind::Models => return resolve_tables(shown, &mine, trust),
        _ => {}
    }
    // User first, then what may tighten it, then the command line; the managed file has the last
    // word.
    mine.sort_by_key(|entry| match entry.origin.layer {
        Layer::Project => 1,
        Layer::CommandLine => 2,
        Layer::Managed => 3,
        _ => 0,
    });
    for entry in mine {
        if entry.origin.layer == Layer::Managed
            && is_cap(key)
            && !is_tighter(key, &entry.value, shown.value.as_ref())
        {
            let why = "a cap that is set lower holds";
            shown.passed_over.push((entry.origin.clone(), why));
            continue;
        }
        if entry.origin.layer == Layer::Project
            && let Some(why) = why_not(entry, &shown, trust)
        {
            shown.passed_over.push((entry.origin.clone(), why));
            continue;
        }
        if let Some(earlier) = shown.origin.replace(entry.origin.clone()) {
            shown
                .passed_over
                .push((earlier, "a stronger layer sets it"));
        }
        shown.value = Some(entry.value.clone());
    }
    shown
}

const NOT_TRUSTED: &str = "the project is not trusted: it can only tighten";

/// Why a project's value of a key does not count beside what is in force so far; `None` if it does.
fn why_not(entry: &Entry, shown: &Shown, trust: ProjectTrust) -> Option<&'static str> {
    let is_trusted = trust == ProjectTrust::Trusted;
    let is_free = shown.origin.is_none();
    match entry.key.project {
        ProjectUse::Never => Some("a project never sets this, trusted or not"),
        ProjectUse::Ignored if !is_trusted => Some(NOT_TRUSTED),
        ProjectUse::Ignored if !is_free => Some("a stronger layer sets it"),
        ProjectUse::Ignored => None,
        ProjectUse::Tightens | ProjectUse::OnlyTightens
            if is_tighter(entry.key, &entry.value, shown.value.as_ref()) =>
        {
            None
        }
        ProjectUse::Tightens if is_unbound(entry) => {
            Some("mode full is a person's to choose: no project sets it, trusted or not")
        }
        ProjectUse::Tightens if is_trusted && is_free => None,
        ProjectUse::Tightens if is_trusted => Some("a stronger layer sets it more strictly"),
        ProjectUse::Tightens | ProjectUse::OnlyTightens => {
            Some("not stricter than what is in force: a project can only tighten")
        }
    }
}

/// Whether a value would do away with what protects a person from a project.
fn is_unbound(entry: &Entry) -> bool {
    let full = Mode::Full.name();
    entry.key.name == "mode" && matches!(&entry.value, Value::Text(mode) if mode == full)
}

fn resolve_rules(mut shown: Shown, mine: &[&Entry], trust: ProjectTrust) -> Shown {
    let mut all = Vec::new();
    for entry in mine {
        let is_waiting = entry.origin.layer == Layer::Project
            && shown.key.project == ProjectUse::Ignored
            && trust == ProjectTrust::Untrusted;
        if is_waiting {
            shown.passed_over.push((entry.origin.clone(), NOT_TRUSTED));
        } else if let Value::Rules(rules) = &entry.value {
            all.extend(rules.iter().cloned());
            shown.origin.get_or_insert_with(|| entry.origin.clone());
        }
    }
    shown.value = (!all.is_empty()).then_some(Value::Rules(all));
    shown
}

fn resolve_tables(mut shown: Shown, mine: &[&Entry], trust: ProjectTrust) -> Shown {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut models = Vec::new();
    for entry in mine {
        if entry.origin.layer == Layer::Project {
            let is_taken = |name: &str| endpoints.iter().any(|known| known.name == name);
            let why = match &entry.value {
                Value::Models(_) => Some("a project cannot say what a model costs"),
                _ if trust == ProjectTrust::Untrusted => {
                    Some("the project is not trusted: it cannot say where a model is asked")
                }
                Value::Endpoints(some) if some.iter().any(|one| is_taken(&one.name)) => {
                    Some("a stronger layer has an endpoint of that name")
                }
                _ => None,
            };
            if let Some(why) = why {
                shown.passed_over.push((entry.origin.clone(), why));
                continue;
            }
        }
        match &entry.value {
            Value::Endpoints(some) => endpoints.extend(some.iter().cloned()),
            Value::Models(some) => models.extend(some.iter().cloned()),
            _ => continue,
        }
        shown.origin.get_or_insert_with(|| entry.origin.clone());
    }
    let endpoints = (!endpoints.is_empty()).then_some(Value::Endpoints(endpoints));
    shown.value = endpoints.or_else(|| (!models.is_empty()).then_some(Value::Models(models)));
    shown
}

/// Whether a key limits an amount: less is stricter.
const fn is_cap(key: &KeySpec) -> bool {
    matches!(key.kind, Kind::Whole { .. } | Kind::Usd | Kind::Span)
        && matches!(key.project, ProjectUse::Tightens | ProjectUse::OnlyTightens)
}

fn is_tighter(key: &KeySpec, new: &Value, old: Option<&Value>) -> bool {
    if let (true, Some(old)) = (is_cap(key), old) {
        // None is no limit at all.
        return match (amount(key.kind, new), amount(key.kind, old)) {
            (Some(new), Some(old)) => new < old,
            (Some(_), None) => true,
            (None, _) => false,
        };
    }
    match (key.kind, new, old) {
        // The words of a choice are listed strictest first.
        (Kind::Choice(words), Value::Text(new), Some(Value::Text(old))) => {
            let place = |text: &String| words.iter().position(|word| word == text);
            place(new) < place(old)
        }
        (_, _, None) => true,
        _ => false,
    }
}

fn rules_of(entry: &Entry, trust: ProjectTrust) -> Vec<RuleInForce> {
    let verdict = match entry.key.name {
        "permissions.allow"
            if entry.origin.layer != Layer::Project || trust == ProjectTrust::Trusted =>
        {
            Verdict::Allow
        }
        "permissions.ask" => Verdict::Ask,
        "permissions.deny" => Verdict::Deny,
        _ => return Vec::new(),
    };
    let Value::Rules(rules) = &entry.value else {
        return Vec::new();
    };
    let rule = |(text, line): &(String, Option<u32>)| RuleInForce {
        verdict,
        source: RuleSource {
            layer: entry.origin.layer,
            tier: Tier::BuiltIn,
            rule: text.clone(),
            file: entry.origin.file.clone(),
            line: *line,
        },
        reason: None,
        expires_at_ms: None,
    };
    rules.iter().map(rule).collect()
}

impl Effective {
    /// The rules of all layers, in the order read.
    #[must_use]
    pub fn rules(&self) -> &[RuleInForce] {
        &self.rules
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.shown
            .iter()
            .find(|shown| shown.key.name == name)?
            .value
            .as_ref()
    }

    /// A text, if it is set.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, if it is set.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether a person set the key, on the command line or in a file.
    #[must_use]
    pub fn is_set_by(&self, name: &str, layer: Layer) -> bool {
        self.shown.iter().any(|shown| {
            shown.key.name == name && shown.origin.as_ref().is_some_and(|o| o.layer == layer)
        })
    }

    /// The model, if one is set.
    #[must_use]
    pub fn model(&self) -> Option<ModelRef> {
        self.text("model")?.parse().ok()
    }

    /// The named endpoints, in the order written.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        match self.value("providers") {
            Some(Value::Endpoints(endpoints)) => endpoints,
            _ => &[],
        }
    }

    /// What is said of models, in the order written.
    #[must_use]
    pub fn models(&self) -> &[ModelEntry] {
        match self.value("models") {
            Some(Value::Models(entries)) => entries,
            _ => &[],
        }
    }

    /// What is known of `model`: what `[[models]]` says of it, over what was `imported`, over what
    /// is built in. Hand in what is built in only for a model that is asked at its provider's own
    /// address. `source` names all that say something, and is empty where nobody does.
    #[must_use]
    pub fn model_facts(
        &self,
        model: &ModelRef,
        imported: Option<ModelFacts>,
        built_in: Option<ModelFacts>,
    ) -> ModelFacts {
        models::facts(self.models(), model, imported, built_in)
    }

    /// What a session that asks `model` takes from here and keeps. Places, home and rules given by
    /// hand are the caller's to add.
    #[must_use]
    pub fn configured(&self, model: &ModelRef) -> Configured {
        let endpoints = self.endpoints();
        let asked = endpoints.iter().find(|one| one.name == model.provider());
        let mut variables: Vec<String> = Vec::new();
        for name in endpoints.iter().flat_map(Endpoint::variables) {
            if !variables.iter().any(|known| known == name) {
                variables.push(name.to_owned());
            }
        }
        let set = self.shown.iter();
        Configured {
            endpoint: asked.cloned(),
            rules: self.rules.clone(),
            shell_timeout_ms: self.whole("shell.timeout_ms"),
            env_pass: self.names("shell.env_pass").to_vec(),
            private: Vec::new(),
            home: None,
            variables,
            trust: Some(self.project.state()),
            origins: set
                .filter_map(|shown| Some((shown.key.name.to_owned(), shown.origin.clone()?)))
                .collect(),
        }
    }

    /// The ports of this machine where a model server is looked for, first choice first.
    #[must_use]
    pub fn local_ports(&self) -> &[u16] {
        match self.value("local_ports") {
            Some(Value::Ports(ports)) => ports,
            _ => &[],
        }
    }

    /// The names that a list of names gives.
    #[must_use]
    pub fn names(&self, key: &str) -> &[String] {
        match self.value(key) {
            Some(Value::Names(names)) => names,
            _ => &[],
        }
    }

    /// The mode.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.text("mode")
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// What a question does when nobody is there.
    #[must_use]
    pub fn on_ask(&self) -> OnAsk {
        self.text("on_ask")
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// How long a question stays open, in milliseconds; for ever if none.
    #[must_use]
    pub fn ask_expires_ms(&self) -> Option<u64> {
        // Every value was checked when it was read.
        span_ms(self.text("ask_expires")?).ok().flatten()
    }
}
