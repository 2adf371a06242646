//! Where an action stands before any rule is held against it: places, kinds of file, mode.

use bowline_core::action::PathKind;
use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{Action, Mode, PathFact, Risk, Tier, Verdict};

use super::{ToolFacts, shown};
use crate::place::is_within;
use crate::policy::Policy;
use crate::protected::{is_open, protects_read, protects_write};
use crate::safeguard::{Safeguard, is_on};

/// The built-in judgement of one action.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) verdict: Verdict,
    /// What would be done, to begin a sentence with.
    pub(crate) what: String,
    /// Why, to go on with after a colon.
    why: String,
    pub(crate) source: RuleSource,
    pub(crate) lift: Lift,
}

/// Which allow rules turn an ask into an allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lift {
    /// Any that names the action or its tool.
    AnyRule,
    /// One that names the path, with or without a pattern.
    PathRule,
    /// One that spells this very path out.
    ExactPath,
    /// One that names the host, or the hosts below a name.
    NamedHost,
    /// None at all.
    NoRule,
}

impl Standing {
    pub(crate) fn new(verdict: Verdict, what: String, rule: &str, why: &str) -> Self {
        let source = RuleSource {
            layer: Layer::BuiltIn,
            tier: Tier::BuiltIn,
            rule: rule.to_owned(),
            file: None,
            line: None,
        };
        Self {
            verdict,
            what,
            why: why.to_owned(),
            source,
            lift: Lift::AnyRule,
        }
    }

    pub(crate) fn lifted_by(mut self, lift: Lift) -> Self {
        self.lift = lift;
        self
    }

    pub(crate) fn into_parts(self) -> (Verdict, String, RuleSource) {
        (
            self.verdict,
            format!("{}: {}.", self.what, self.why),
            self.source,
        )
    }
}

/// Judges an action by what is built in. `outside`: where content came from that may speak to the
/// model for somebody else.
pub(crate) fn of(
    policy: &Policy,
    tool: ToolFacts<'_>,
    action: &Action,
    outside: Option<&str>,
) -> Standing {
    let mode = policy.mode;
    match action {
        Action::ReadPath { path } => of_read(policy, path),
        Action::WritePath { path } => of_write(policy, policy.mode, path),
        // A shell command is judged by its parts; alone, words are not enough to go by.
        Action::Run { command, .. } => of_words_alone(first_line(command)),
        Action::RunWords { words } => of_words_alone(first_line(&words.join(" "))),
        Action::Reach { host, sends: true } => {
            let what = format!("Sending to `{host}`");
            let why =
                "it sends more than a question for a page; only an answer or mode full lets it";
            of_reaching_out(mode, what, why).lifted_by(Lift::NoRule)
        }
        Action::Reach { host, sends: false } => {
            let what = format!("Reaching `{host}`");
            match outside {
                Some(from) if mode != Mode::Full => {
                    Standing::new(Verdict::Ask, what, "outside-content", &marked(from))
                        .lifted_by(Lift::NamedHost)
                }
                _ => {
                    let why = "it leaves this machine; mode full or an allow rule `host(NAME)` \
                               lets it";
                    of_reaching_out(mode, what, why)
                }
            }
        }
        Action::CallMcp { server, tool: name } => {
            let what = format!("Calling `{name}` of the server `{server}`");
            of_reaching_out(
                mode,
                what,
                "what a server does is unknown; mode full or an allow rule `tool(NAME)` lets it",
            )
        }
        Action::Note => {
            let what = format!("`{}`", tool.name);
            let why = "it changes only the session's own notes";
            Standing::new(Verdict::Allow, what, "notes", why)
        }
        Action::AwaitParty { wait } => {
            let what = format!("Waiting for {}", wait.words());
            let why = "to wait changes nothing";
            Standing::new(Verdict::Allow, what, "wait", why)
        }
        Action::AskPerson { question } => {
            let what = format!("Asking `{}`", first_line(&question.text));
            let why = "only a person can answer it";
            Standing::new(Verdict::Ask, what, "question", why).lifted_by(Lift::NoRule)
        }
    }
}

fn of_words_alone(line: String) -> Standing {
    let what = format!("Running `{line}`");
    let why = "it is judged by its parts";
    Standing::new(Verdict::Ask, what, "not-understood", why).lifted_by(Lift::NoRule)
}

/// Judges a call whose tool does not say what it would do.
pub(crate) fn of_undeclared(policy: &Policy, tool: ToolFacts<'_>) -> Standing {
    let what = format!("`{}`", tool.name);
    if policy.mode == Mode::Full {
        return Standing::new(
            Verdict::Allow,
            what,
            "mode:full",
            "mode full runs it unasked",
        );
    }
    let why = if tool.risk == Risk::High {
        "it does not say what it would do and may do much; an allow rule `tool(NAME)` runs it"
    } else {
        "it does not say what it would do; an allow rule `tool(NAME)` runs it"
    };
    Standing::new(Verdict::Ask, what, "undeclared", why)
}

/// Why a session asks that holds content from elsewhere.
pub(crate) fn marked(from: &str) -> String {
    format!(
        "content from {from} is in this session and may have asked for it; only an answer or an \
         allow rule `host(NAME)` that names this host lets it"
    )
}

fn of_reaching_out(mode: Mode, what: String, why: &str) -> Standing {
    if mode == Mode::Full {
        return Standing::new(
            Verdict::Allow,
            what,
            "mode:full",
            "mode full runs it unasked",
        );
    }
    Standing::new(Verdict::Ask, what, &format!("mode:{mode}"), why)
}

/// Reading a path.
pub(crate) fn of_read(policy: &Policy, path: &PathFact) -> Standing {
    let what = format!("Reading {}", shown(path));
    if let Some(refusal) = of_forbidden(policy, path, &what) {
        return refusal;
    }
    if policy.mode == Mode::Full {
        return Standing::new(
            Verdict::Allow,
            what,
            "mode:full",
            "mode full reads it unasked",
        );
    }
    if let Some(name) = named(path, |path| protects_read(path, policy.home.as_deref()))
        && is_on(Safeguard::ProtectedReads)
    {
        let why = format!(
            "it may hold secrets ({name}); an allow rule that spells this path out lets it"
        );
        return Standing::new(Verdict::Ask, what, &format!("protected-read:{name}"), &why)
            .lifted_by(Lift::ExactPath);
    }
    if path.kind == PathKind::Unknown {
        let why = "what lies there cannot be looked at; an allow rule `read(GLOB)` lets it";
        return Standing::new(Verdict::Ask, what, "unknown-file", why).lifted_by(Lift::PathRule);
    }
    if is_inside(policy, path) || is_open(&path.resolved) {
        return Standing::new(
            Verdict::Allow,
            what,
            "mode:reads",
            "every mode reads there unasked",
        );
    }
    of_outside(what, "read")
}

/// Writing a path in `mode`.
pub(crate) fn of_write(policy: &Policy, mode: Mode, path: &PathFact) -> Standing {
    let what = format!("Writing {}", shown(path));
    if let Some(refusal) = of_forbidden(policy, path, &what) {
        return refusal;
    }
    if mode == Mode::Full {
        return Standing::new(
            Verdict::Allow,
            what,
            "mode:full",
            "mode full writes it unasked",
        );
    }
    if let Some(name) = named(path, protects_write)
        && is_on(Safeguard::ProtectedWrites)
    {
        let why = format!(
            "what it holds can start programs ({name}); an allow rule that spells this path out lets it"
        );
        return Standing::new(Verdict::Ask, what, &format!("protected-write:{name}"), &why)
            .lifted_by(Lift::ExactPath);
    }
    if !is_inside(policy, path) {
        return of_outside(what, "write");
    }
    if path.kind == PathKind::Unknown {
        let why = "what lies there cannot be looked at; an allow rule `write(GLOB)` lets it";
        return Standing::new(Verdict::Ask, what, "unknown-file", why).lifted_by(Lift::PathRule);
    }
    if path.links > 1 {
        let why = format!(
            "the file has {} names, and another one may lie outside the workspace; an allow rule `write(GLOB)` lets it",
            path.links
        );
        return Standing::new(Verdict::Ask, what, "hard-link", &why).lifted_by(Lift::PathRule);
    }
    let rule = format!("mode:{mode}");
    match mode {
        Mode::Edit | Mode::Auto | Mode::Full => {
            let why = format!("mode {mode} writes in the workspace unasked");
            Standing::new(Verdict::Allow, what, &rule, &why)
        }
        Mode::ReadOnly | Mode::Ask => {
            let why = format!(
                "mode {mode} does not write unasked; mode edit or an allow rule `write(GLOB)` lets it"
            );
            Standing::new(Verdict::Ask, what, &rule, &why)
        }
    }
}

/// What no mode and no rule allows.
fn of_forbidden(policy: &Policy, path: &PathFact, what: &str) -> Option<Standing> {
    let is_private = |path: &str| policy.private.iter().any(|place| is_within(path, place));
    if is_private(&path.resolved) || is_private(&path.by_name) {
        let why = "Bowline's own state and configuration are closed to every tool in every mode; only a person changes them";
        return Some(Standing::new(
            Verdict::Deny,
            what.to_owned(),
            "private-place",
            why,
        ));
    }
    if path.kind == PathKind::Special {
        let why =
            "it is a FIFO, socket or device, which file tools never touch; a shell command may";
        return Some(Standing::new(
            Verdict::Deny,
            what.to_owned(),
            "special-file",
            why,
        ));
    }
    None
}

fn of_outside(what: String, kind: &str) -> Standing {
    let why = format!(
        "it lies outside the workspace; adding its folder to the workspace (--add-dir) or an allow rule `{kind}(GLOB)` lets it"
    );
    Standing::new(Verdict::Ask, what, "outside-workspace", &why).lifted_by(Lift::PathRule)
}

fn is_inside(policy: &Policy, path: &PathFact) -> bool {
    !is_on(Safeguard::Outside)
        || policy
            .roots
            .iter()
            .any(|root| is_within(&path.resolved, root))
}

/// What a built-in list says of a path, by either of its names.
fn named(path: &PathFact, list: impl Fn(&str) -> Option<&'static str>) -> Option<&'static str> {
    list(&path.resolved).or_else(|| list(&path.by_name))
}

/// The first line, cut at 80 characters.
pub(crate) fn first_line(command: &str) -> String {
    let line = command.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(80).collect();
    if cut.len() < command.trim_end().len() {
        cut.push('…');
    }
    cut
}
