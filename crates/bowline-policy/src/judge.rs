//! Holds the actions of one call against a policy.

pub(crate) mod standing;
mod tier;

use bowline_core::decision::{Judged, Layer, RuleSource};
use bowline_core::look::LookFact;
use bowline_core::{
    Action, Host, HostPattern, Mode, OnAsk, PathFact, Risk, Tier, ToolSpec, Verdict,
};

use self::standing::{Lift, Standing};
use crate::keep;
use crate::look::{Eyes, Surroundings};
use crate::place::is_within;
use crate::policy::Policy;
use crate::protected;
use crate::rule::{Pattern, Rule, name_fits};
use crate::shell;

/// What a policy knows of a tool.
#[derive(Debug, Clone, Copy)]
pub struct ToolFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// The worst it can do.
    pub risk: Risk,
    /// Who wrote it.
    pub tier: Tier,
}

impl<'a> ToolFacts<'a> {
    /// A tool that nothing is known of: it may do the worst.
    #[must_use]
    pub const fn unknown(name: &'a str) -> Self {
        Self {
            name,
            risk: Risk::High,
            tier: Tier::BuiltIn,
        }
    }
}

impl<'a> From<&'a ToolSpec> for ToolFacts<'a> {
    fn from(spec: &'a ToolSpec) -> Self {
        Self {
            name: &spec.name,
            risk: spec.risk,
            tier: spec.tier,
        }
    }
}

/// What was decided about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The strictest verdict over all actions.
    pub verdict: Verdict,
    /// The reason of the strictest action, in one sentence.
    pub reason: String,
    /// Each action with its verdict, reason and rule; after a shell command that is understood
    /// come its parts, each with its segment.
    pub judged: Vec<Judged>,
    /// What was looked at.
    pub looked: Vec<LookFact>,
}

/// Decides about one call of `tool` that would take `actions`.
///
/// `on_ask` says what becomes of a question when nobody is there; `cx` where a shell command would
/// run and who can look there. A tool that declares no action is judged by its risk: without any
/// it runs, otherwise it asks.
#[must_use]
pub fn decide(
    policy: &Policy,
    tool: ToolFacts<'_>,
    actions: &[Action],
    on_ask: OnAsk,
    cx: &Surroundings<'_>,
) -> Judgement {
    let undeclared = [Action::Note];
    let actions = if actions.is_empty() {
        &undeclared
    } else {
        actions
    };
    let is_undeclared = std::ptr::eq(actions, &undeclared) && tool.risk > Risk::None;
    let whole = policy;
    let policy = &*policy.asking(cx.recipient.is_local);
    let mut eyes = Eyes::new(cx.look);
    let mut judged: Vec<Judged> = Vec::new();
    for action in actions {
        if let Action::Run { command, .. } = action {
            let parts;
            (parts, eyes) = shell::judge(policy, tool, command, on_ask, (cx, eyes));
            judged.extend(parts);
            continue;
        }
        let standing = if is_undeclared {
            standing::of_undeclared(policy, tool)
        } else {
            standing::of(policy, tool, action, cx.outside)
        };
        let matches = matching(policy, tool, action, standing.lift);
        judged.push(weigh(policy, action, &standing, &matches, on_ask));
    }
    keep::hold(whole, &mut judged, cx);
    let judged: Vec<Judged> = judged
        .into_iter()
        .map(|one| tier::hold(policy, tool, one, on_ask))
        .collect();
    let strictest = judged
        .iter()
        .map(|one| one.verdict)
        .max()
        .unwrap_or(Verdict::Deny);
    let reason = judged.iter().find(|one| one.verdict == strictest);
    let reason = reason.map(|one| one.reason.clone()).unwrap_or_default();
    Judgement {
        verdict: strictest,
        reason,
        judged,
        looked: eyes.into_facts(),
    }
}

/// Whether a recursive search may show the file or folder at `path` (absolute, links resolved)
/// without asking for it by name.
///
/// A search is judged by the folder it starts from; what lies below and needs a person's word
/// must be left out.
#[must_use]
pub fn may_search(policy: &Policy, path: &str) -> bool {
    if policy.private.iter().any(|place| is_within(path, place)) {
        return false;
    }
    let is_closed = policy.rules.iter().any(|rule| match &rule.pattern {
        Pattern::Read(glob) | Pattern::Send(glob) if rule.verdict != Verdict::Allow => {
            glob.may_mean(path, policy)
        }
        _ => false,
    });
    let is_protected = || {
        policy.mode != Mode::Full
            && protected::protects_read(path, policy.home.as_deref()).is_some()
    };
    !is_closed && !is_protected()
}

/// A rule that names an action.
#[derive(Clone, Copy)]
pub(crate) struct Match<'r> {
    pub(crate) rule: &'r Rule,
    /// What it comes to here.
    pub(crate) says: Verdict,
    /// Whether it surely names the action; else it only cannot be ruled out.
    pub(crate) is_sure: bool,
    /// Whether it turns an ask into an allow.
    pub(crate) lifts: bool,
}

impl<'r> Match<'r> {
    /// A deny or ask rule that names the action.
    pub(crate) const fn sure(rule: &'r Rule) -> Self {
        Self {
            rule,
            says: rule.verdict,
            is_sure: true,
            lifts: false,
        }
    }

    /// A deny or ask rule that may be meant.
    pub(crate) const fn unsure(rule: &'r Rule) -> Self {
        Self {
            rule,
            says: Verdict::Ask,
            is_sure: false,
            lifts: false,
        }
    }

    /// Whether it speaks of the words of a command.
    pub(crate) const fn is_words(&self) -> bool {
        matches!(self.rule.pattern, Pattern::Argv(_))
    }
}

/// The rules about tools, paths, hosts and servers that name an action.
pub(crate) fn matching<'p>(
    policy: &'p Policy,
    tool: ToolFacts<'_>,
    action: &Action,
    lift: Lift,
) -> Vec<Match<'p>> {
    let named = policy
        .rules
        .iter()
        .filter(|rule| names(rule, policy, tool, action));
    named
        .map(|rule| Match {
            rule,
            says: rule.verdict,
            is_sure: true,
            lifts: rule.verdict == Verdict::Allow
                && rule.may_loosen(&policy.trust)
                && lift.from(rule.source.layer)
                && lift.by(&rule.pattern),
        })
        .collect()
}

/// Weighs rules against where the action stands without them.
pub(crate) fn weigh(
    policy: &Policy,
    action: &Action,
    standing: &Standing,
    matching: &[Match<'_>],
    on_ask: OnAsk,
) -> Judged {
    let strictest = |verdict: Verdict| {
        let of_verdict = matching.iter().filter(|one| one.says == verdict);
        of_verdict.min_by_key(|one| (!one.is_sure, one.rule.source.layer, one.rule.source.tier))
    };
    let what = standing.what.clone();
    let by_rule = |one: &Match<'_>| (one.says, rule_sentence(&what, one), one.rule.source.clone());
    let (verdict, reason, source) = if standing.verdict == Verdict::Deny {
        standing.clone().into_parts()
    } else if let Some(one) = strictest(Verdict::Deny).or_else(|| strictest(Verdict::Ask)) {
        by_rule(one)
    } else if standing.verdict == Verdict::Ask
        && let Some(one) = matching.iter().find(|one| one.lifts)
    {
        by_rule(one)
    } else {
        let ignored = matching
            .iter()
            .any(|one| one.says == Verdict::Allow && !one.rule.may_loosen(&policy.trust));
        let (verdict, mut reason, source) = standing.clone().into_parts();
        if ignored && verdict != Verdict::Allow {
            reason.push_str(" A rule of the project or of a skill cannot allow it.");
        }
        (verdict, reason, source)
    };
    let (verdict, reason) = settle(policy.mode, on_ask, action, verdict, reason);
    let runner_up = matching
        .iter()
        .map(|one| one.rule.source.clone())
        .chain((standing.source != source).then(|| standing.source.clone()))
        .filter(|other| *other != source)
        .collect();
    Judged {
        action: action.clone(),
        verdict,
        reason,
        rule: source,
        segment: None,
        runner_up,
    }
}

/// Turns a question that nobody will answer into a refusal; any other verdict stays.
#[must_use]
pub fn settle(
    mode: Mode,
    on_ask: OnAsk,
    action: &Action,
    verdict: Verdict,
    reason: String,
) -> (Verdict, String) {
    if verdict != Verdict::Ask {
        return (verdict, reason);
    }
    // To ask a person changes nothing, so no mode is too strict for it.
    let is_question = matches!(action, Action::AskPerson { .. });
    if mode == Mode::ReadOnly && !is_question {
        let reason = format!("{reason} Mode read-only refuses what would ask.");
        return (Verdict::Deny, reason);
    }
    if on_ask == OnAsk::Refuse && is_question {
        let reason = format!(
            "{reason} Nobody is there to answer (on-ask refuse): decide it yourself and say what you assumed."
        );
        return (Verdict::Deny, reason);
    }
    if on_ask == OnAsk::Refuse {
        let reason =
            format!("{reason} Nobody is there to answer (on-ask refuse), so it is refused.");
        return (Verdict::Deny, reason);
    }
    (verdict, reason)
}

/// Whether `rule` names `action`: deny and ask rules generously, allow rules narrowly.
fn names(rule: &Rule, policy: &Policy, tool: ToolFacts<'_>, action: &Action) -> bool {
    match (&rule.pattern, action) {
        (Pattern::Tool(name), _) => name_fits(name, tool.name),
        (Pattern::Read(glob), Action::ReadPath { path })
        | (Pattern::Write(glob), Action::WritePath { path }) => {
            if rule.verdict == Verdict::Allow {
                return glob.matches(&path.resolved, policy);
            }
            [&path.resolved, &path.by_name]
                .into_iter()
                .any(|path| glob.may_mean(path, policy))
        }
        (Pattern::Send(glob), Action::ReadPath { path } | Action::WritePath { path }) => {
            keep::means(glob, path, policy)
        }
        (Pattern::Host(hosts), Action::Reach { host, .. }) => names_host(rule.verdict, hosts, host),
        (
            Pattern::Mcp { server, tool },
            Action::CallMcp {
                server: of,
                tool: called,
            },
        ) => name_fits(server, of) && name_fits(tool, called),
        _ => false,
    }
}

/// Whether a rule's pattern names a host as an action has it. A port that the action does not say
/// may be any; an allow rule wants to know it where it names another than the usual ones.
fn names_host(verdict: Verdict, hosts: &HostPattern, asked: &str) -> bool {
    match Host::with_port(asked) {
        Ok((host, port)) => {
            let port_fits = match (port, verdict) {
                (Some(port), Verdict::Allow) => hosts.means_port(port),
                (None, Verdict::Allow) => hosts.port().is_none(),
                (Some(port), _) => hosts.port().is_none() || hosts.means_port(port),
                (None, _) => true,
            };
            port_fits && hosts.names(&host)
        }
        // Nobody's name: only what names everything names it.
        Err(_) => name_fits(hosts.as_str(), &asked.to_ascii_lowercase()),
    }
}

fn rule_sentence(what: &str, one: &Match<'_>) -> String {
    let text = &one.rule.source.rule;
    let place = place_of(&one.rule.source);
    if !one.is_sure {
        return format!(
            "{what}: the rule `{text}` ({place}) cannot be ruled out, since not every word is known."
        );
    }
    match one.rule.verdict {
        Verdict::Allow => format!("{what}: allowed by the rule `{text}` ({place})."),
        Verdict::Ask => {
            format!(
                "{what}: the rule `{text}` ({place}) wants a person's answer; change it to have it run unasked."
            )
        }
        Verdict::Deny => {
            let unless = match one.rule.pattern {
                Pattern::Send(_) => {
                    "what lies there goes to local models only; ask one, or change that rule"
                }
                _ => "only changing that rule allows it",
            };
            format!("{what}: refused by the rule `{text}` ({place}); {unless}.")
        }
    }
}

pub(crate) fn place_of(source: &RuleSource) -> String {
    let layer = source.layer.words();
    match (&source.file, source.line) {
        (Some(file), Some(line)) => format!("{layer}, {file}:{line}"),
        (Some(file), None) => format!("{layer}, {file}"),
        _ => layer.to_owned(),
    }
}

/// Shows a path as asked for, and where it really leads if that is elsewhere.
fn shown(path: &PathFact) -> String {
    if path.resolved == path.by_name {
        format!("`{}`", path.asked)
    } else {
        format!("`{}` (really `{}`)", path.asked, path.resolved)
    }
}

/// Whether a pattern names a host or the hosts below one, rather than many that have nothing to do
/// with each other.
pub(crate) fn names_one(pattern: &str) -> bool {
    let name = pattern.strip_prefix("*.").unwrap_or(pattern);
    !name.contains('*') && (name == pattern || name.contains('.'))
}

impl Lift {
    /// Whether an allow rule of this layer is enough: what is protected, publishes or lies outside
    /// the workspace is not a project's to open, trusted or not.
    pub(crate) fn from(self, layer: Layer) -> bool {
        layer != Layer::Project || self == Self::AnyRule
    }

    /// Whether an allow rule of this pattern is enough.
    pub(crate) fn by(self, pattern: &Pattern) -> bool {
        match (self, pattern) {
            (Self::AnyRule, _) => true,
            (Self::PathRule, Pattern::Read(_) | Pattern::Write(_)) => true,
            (Self::ExactPath, Pattern::Read(glob) | Pattern::Write(glob)) => glob.is_literal(),
            (Self::NamedHost, Pattern::Host(pattern)) => names_one(pattern.as_str()),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
