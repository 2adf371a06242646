//! The verdict on each part of a command: where it stands in this mode, and which rules say
//! otherwise.

mod standing;

use bowline_core::decision::{Judged, RuleSource};
use bowline_core::{Action, Mode, OnAsk, PathFact, Sandbox, Verdict};

use self::standing::of_words;
use super::argument::Argument;
use super::effect::{Class, Effect, InnerCommand, Lines, Wrapper, effect};
use super::walk::effects::{Access, offset_of};
use super::words::{Fit, fits_generously, fits_narrowly};
use crate::judge::standing::{Lift, Standing};
use crate::judge::{Match, ToolFacts, matching, standing as built_in, weigh};
use crate::policy::Policy;
use crate::rule::{Pattern, Rule};
use crate::safeguard::{Safeguard, is_on};

/// What a judgement rests on.
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    tool: ToolFacts<'a>,
    on_ask: OnAsk,
    /// Where content came from that may speak to the model for somebody else.
    outside: Option<&'a str>,
    /// Rules about words of commands.
    words: Vec<(&'a Rule, &'a [String])>,
    /// Whether a deny or ask rule names paths.
    closes_paths: bool,
}

/// An allow rule whose words run on into a command that the command runs.
#[derive(Clone, Copy)]
pub(super) struct Spelled<'a> {
    pub(super) rule: &'a Rule,
    pub(super) words: &'a [String],
}

/// What is known of a simple command.
pub(super) struct Facts<'f, 'a> {
    /// Its arguments as they stand.
    pub(super) arguments: &'f [Argument],
    /// The same with the bare name first.
    pub(super) named: &'f [Argument],
    pub(super) effect: &'f Effect,
    /// Whether it is found where commands of that name are.
    pub(super) is_standard: bool,
    /// Whether the command word stands in the text as it is.
    pub(super) is_literal: bool,
    /// What runs it.
    pub(super) by: Option<Wrapper>,
    pub(super) spelled: &'f [Spelled<'a>],
    /// Whether it would run in a planted repository.
    pub(super) is_planted: bool,
}

/// The verdict on the words of a simple command.
pub(super) struct Words<'a> {
    pub(super) judged: Judged,
    /// The allow rule that decided, if one did.
    pub(super) allowed_by: Option<RuleSource>,
    /// Allow rules that fit: what they spell of inner commands holds there, too.
    pub(super) lifting: Vec<Spelled<'a>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        tool: ToolFacts<'a>,
        on_ask: OnAsk,
        outside: Option<&'a str>,
    ) -> Self {
        let mut words = Vec::new();
        let mut closes_paths = false;
        for rule in &policy.rules {
            match &rule.pattern {
                Pattern::Argv(of) => words.push((rule, &of[..])),
                Pattern::Read(_) | Pattern::Write(_) | Pattern::Send(_) => {
                    closes_paths |= rule.verdict != Verdict::Allow;
                }
                _ => {}
            }
        }
        Self {
            policy,
            tool,
            on_ask,
            outside,
            words,
            closes_paths,
        }
    }

    /// Weighs rules about tools, hosts and paths against where a part stands.
    pub(super) fn part(&self, action: Action, standing: &Standing) -> Judged {
        let matches = matching(self.policy, self.tool, &action, standing.lift);
        weigh(self.policy, &action, standing, &matches, self.on_ask)
    }

    /// The verdict on the words of a simple command.
    pub(super) fn words(&self, facts: &Facts<'_, 'a>) -> Words<'a> {
        let standing = of_words(self, facts);
        let action = run_words(facts.arguments);
        let mut matches = matching(self.policy, self.tool, &action, standing.lift);
        let mut lifting = Vec::new();
        for (rule, words) in &self.words {
            if rule.verdict == Verdict::Allow {
                self.allow(facts, &standing, (rule, words), &mut matches, &mut lifting);
                continue;
            }
            let anywhere = rule.verdict == Verdict::Deny && is_on(Safeguard::AnyFolder);
            match fits_generously(words, facts.arguments, anywhere) {
                Fit::No => {}
                Fit::Maybe => matches.push(Match::unsure(rule)),
                Fit::Yes => matches.push(Match::sure(rule)),
            }
        }
        for spelled in facts.spelled {
            let spelled = (spelled.rule, spelled.words);
            self.allow(facts, &standing, spelled, &mut matches, &mut lifting);
        }
        let judged = weigh(self.policy, &action, &standing, &matches, self.on_ask);
        let by_rule = matches
            .iter()
            .any(|one| one.lifts && one.rule.source == judged.rule);
        let is_allowed = judged.verdict == Verdict::Allow && by_rule;
        // A rule may allow what stands allowed anyway: what else it covers goes by it all the same.
        let covering = matches.iter().find(|one| one.lifts && one.is_words());
        let allowed_by = (judged.verdict == Verdict::Allow)
            .then(|| {
                if is_allowed {
                    Some(judged.rule.clone())
                } else {
                    covering.map(|one| one.rule.source.clone())
                }
            })
            .flatten();
        Words {
            judged,
            allowed_by,
            lifting,
        }
    }

    fn allow(
        &self,
        facts: &Facts<'_, 'a>,
        standing: &Standing,
        (rule, words): (&'a Rule, &'a [String]),
        matches: &mut Vec<Match<'a>>,
        lifting: &mut Vec<Spelled<'a>>,
    ) {
        let arguments = if is_on(Safeguard::BareNames) {
            facts.arguments
        } else {
            facts.named
        };
        let Some(covered) = fits_narrowly(words, arguments) else {
            return;
        };
        let may_loosen =
            rule.may_loosen(&self.policy.trust) && standing.lift.from(rule.source.layer);
        let lifts = may_loosen && facts.is_literal && covers(facts, words, covered);
        matches.push(Match {
            rule,
            says: Verdict::Allow,
            is_sure: true,
            lifts,
        });
        if may_loosen {
            lifting.push(Spelled { rule, words });
        }
    }

    /// The use of a path.
    pub(super) fn path(&self, path: PathFact, access: Access) -> Judged {
        match access {
            Access::Read => {
                let standing = built_in::of_read(self.policy, &path);
                self.part(Action::ReadPath { path }, &standing)
            }
            Access::Written | Access::Redirected => {
                // Whether a command may write at all is said by its words' verdict.
                let mode = match self.policy.mode {
                    Mode::ReadOnly | Mode::Ask if access == Access::Written => Mode::Edit,
                    mode => mode,
                };
                let standing = built_in::of_write(self.policy, mode, &path);
                self.part(Action::WritePath { path }, &standing)
            }
        }
    }

    /// Text that runs no command: only the shell's own words.
    pub(super) fn nothing(&self) -> Judged {
        let why = "it runs no command, reads and writes nothing";
        let standing = Standing::new(Verdict::Allow, "It".to_owned(), "shell-syntax", why);
        self.part(plain(":"), &standing)
    }

    /// A path that is not known; none where it does not matter.
    pub(super) fn unknown_path(&self, written: &str, is_write: bool) -> Option<Judged> {
        if self.policy.mode == Mode::Full && !self.closes_paths {
            return None;
        }
        let what = if is_write { "Writing" } else { "Reading" };
        let standing = Standing::new(
            Verdict::Ask,
            format!("{what} `{written}`"),
            "unknown-path",
            "which path that is cannot be known, and it may be protected or lie outside the \
             workspace; name it",
        );
        let standing = standing.lifted_by(Lift::NoRule);
        Some(self.part(plain(written), &standing))
    }

    /// A command whose name is not known.
    pub(super) fn unknown_command(&self, arguments: &[Argument]) -> Option<Judged> {
        let what = format!("`{}`", shown(arguments));
        let why = "which command that is cannot be known before it runs; name it";
        self.unclear(run_words(arguments), &what, "unknown-command", why)
    }

    /// Something that is not followed; none where it does not matter.
    pub(super) fn obscure(&self, what: &str, why: &str) -> Option<Judged> {
        self.unclear(plain(what), what, "not-followed", why)
    }

    fn unclear(&self, action: Action, what: &str, rule: &str, why: &str) -> Option<Judged> {
        let is_closing = |rule: &&Rule| rule.verdict != Verdict::Allow;
        let mut closing = self.words.iter().map(|(rule, _)| *rule).filter(is_closing);
        let closing = closing.next();
        if self.policy.mode == Mode::Full && closing.is_none() {
            return None;
        }
        let standing = Standing::new(Verdict::Ask, what.to_owned(), rule, why);
        Some(self.part(action, &standing.lifted_by(Lift::NoRule)))
    }

    /// Text that is not understood: asks in every mode.
    pub(super) fn not_understood(&self, what: &str, why: &str) -> Judged {
        let standing = Standing::new(Verdict::Ask, what.to_owned(), "not-understood", why);
        self.part(plain(what), &standing.lifted_by(Lift::NoRule))
    }

    /// A variable that is set and not known to be harmless.
    pub(super) fn sets(&self, name: &str, word: String, why: &str) -> Judged {
        let what = format!("Setting `{name}`");
        let action = Action::RunWords { words: vec![word] };
        let standing = if self.policy.mode == Mode::Full {
            Standing::new(Verdict::Allow, what, "mode:full", "mode full lets it")
        } else {
            let why = format!("it {why}; leave it out, or set it in a script of the project");
            Standing::new(Verdict::Ask, what, "environment", &why)
        };
        self.part(action, &standing)
    }

    /// What shows a secret without reading a file.
    pub(super) fn discloses(&self, what: &str, why: &str) -> Option<Judged> {
        if self.policy.mode == Mode::Full {
            return None;
        }
        let what = what.to_owned();
        let standing = Standing::new(
            Verdict::Ask,
            what.clone(),
            "protected-read:environment",
            why,
        );
        Some(self.part(plain(&what), &standing.lifted_by(Lift::NoRule)))
    }

    /// `cd` to a place outside, or to one that is not known.
    pub(super) fn goes_out(&self, to: &str) -> Option<Judged> {
        if self.policy.mode == Mode::Full {
            return None;
        }
        let standing = Standing::new(
            Verdict::Ask,
            format!("Going to `{to}`"),
            "outside-workspace",
            "it lies outside the workspace or is not known; adding its folder to the workspace \
             (--add-dir) lets it",
        );
        let action = Action::RunWords {
            words: vec!["cd".to_owned(), to.to_owned()],
        };
        Some(self.part(action, &standing.lifted_by(Lift::NoRule)))
    }

    /// `/dev/tcp/HOST/PORT`.
    pub(super) fn opens_connection(&self, host: &str) -> Judged {
        let what = format!("Opening a connection to `{host}`");
        let standing = if self.policy.mode == Mode::Full {
            Standing::new(Verdict::Allow, what, "mode:full", "mode full lets it")
        } else {
            let why = "the shell itself opens it; only an answer lets it";
            Standing::new(Verdict::Ask, what, "network", why).lifted_by(Lift::NoRule)
        };
        self.part(Action::reach(host), &standing)
    }

    /// A host that a command reaches. `is_ruled`: an allow rule speaks of the command.
    pub(super) fn reaches(&self, host: &str, is_ruled: bool) -> Judged {
        let what = format!("Reaching `{host}`");
        let mode = self.policy.mode;
        let is_own = is_loopback(host);
        let standing = if mode == Mode::Full || !is_on(Safeguard::OtherMachines) {
            Standing::new(Verdict::Allow, what, "mode:full", "mode full lets it")
        } else if !is_own && let Some(from) = self.outside {
            // What a rule lets a command do was not said with that content in mind.
            Standing::new(
                Verdict::Ask,
                what,
                "outside-content",
                &built_in::marked(from),
            )
            .lifted_by(Lift::NamedHost)
        } else if is_ruled {
            Standing::new(
                Verdict::Allow,
                what,
                "command-rule",
                "the command is allowed by a rule",
            )
        } else if is_own {
            Standing::new(Verdict::Allow, what, "loopback", "it is this machine")
        } else {
            let why = "it leaves this machine; mode full, an allow rule `host(NAME)` or one for \
                       the command lets it";
            Standing::new(Verdict::Ask, what, "network", why)
        };
        self.part(Action::reach(host), &standing)
    }

    /// A command that needs the network, where the profile has none.
    pub(super) fn needs_network(&self, arguments: &[Argument], why: &str) -> Option<Judged> {
        if self.policy.mode != Mode::Auto || !is_on(Safeguard::OtherMachines) {
            return None;
        }
        let why = format!(
            "it {why}, and mode auto has no network; an allow rule for the command lets it"
        );
        let what = format!("`{}`", shown(arguments));
        let standing = Standing::new(Verdict::Ask, what, "network", &why);
        Some(self.part(run_words(arguments), &standing))
    }

    /// What publishes through a script.
    pub(super) fn publishes(&self, arguments: &[Argument], why: &str) -> Judged {
        let what = format!("`{}`", shown(arguments));
        let why = format!(
            "it publishes: {why}; only an answer, or an allow rule that spells the whole command, lets it"
        );
        let standing = Standing::new(Verdict::Ask, what, "publish-class", &why);
        self.part(run_words(arguments), &standing.lifted_by(Lift::NoRule))
    }

    /// Whether a name means a command already.
    pub(super) fn is_known_name(&self, name: &str) -> bool {
        let named = [super::argument::Argument {
            value: super::argument::Value::Known(name.to_owned()),
            span: super::tree::Span::default(),
        }];
        let is_ruled = |(_, words): &(&Rule, &[String])| {
            words
                .first()
                .is_some_and(|first| super::words::word_fits(first, name) && first != "*")
        };
        let found = effect(&named, Lines::Unknown);
        !matches!(found.class, Class::Other)
            || !found.inner.is_empty()
            || self.words.iter().any(is_ruled)
            || super::known::is_common(name)
    }
}

/// Whether an allow rule's words cover what its trailing `*` never does.
fn covers(facts: &Facts<'_, '_>, words: &[String], covered: usize) -> bool {
    let literal = words
        .iter()
        .take(covered)
        .take_while(|word| !word.contains('*'))
        .count();
    let effect_of = facts.effect;
    let spells = |at: usize| {
        let option = words.get(at).filter(|_| at < covered);
        option.is_some_and(|word| match word.split_once('*') {
            None => true,
            // `--name=*` spells the option and leaves its value open.
            Some((head, _)) => head.starts_with('-') && head.ends_with('='),
        })
    };
    let hazards = !is_on(Safeguard::Hazards) || effect_of.hazards.iter().all(|one| spells(one.at));
    let publishes = effect_of.publishes.is_none()
        || !is_on(Safeguard::Publishes)
        || effect(
            facts.named.get(..literal).unwrap_or_default(),
            Lines::Unknown,
        )
        .publishes
        .is_some();
    let is_open = words.last().is_some_and(|last| last == "*");
    let discloses = effect_of.discloses.is_none() || (literal == facts.named.len() && !is_open);
    let inner = effect_of.inner.iter().all(|inner| match &inner.what {
        _ if inner.by == Wrapper::Transparent => true,
        InnerCommand::Arguments(arguments) => {
            offset_of(facts.named, arguments).is_some_and(|at| literal > at)
        }
        InnerCommand::Script { arguments } => arguments.iter().all(|argument| {
            let at = facts.named.iter().position(|one| one == argument);
            at.is_some_and(|at| at < literal)
        }),
    });
    hazards && publishes && discloses && inner && !facts.is_planted
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_v4 = host.strip_prefix("127.").is_some_and(|rest| {
        rest.split('.').count() == 3 && rest.split('.').all(|part| part.parse::<u8>().is_ok())
    });
    is_v4 || host == "localhost" || host == "::1" || host.ends_with(".localhost")
}

/// A part that is no command of its own.
fn plain(text: &str) -> Action {
    Action::RunWords {
        words: vec![text.trim_matches('`').to_owned()],
    }
}

fn run_words(arguments: &[Argument]) -> Action {
    Action::RunWords {
        words: arguments.iter().map(Argument::shown).collect(),
    }
}

/// Arguments in a line, cut.
fn shown(arguments: &[Argument]) -> String {
    let words: Vec<String> = arguments.iter().map(Argument::shown).collect();
    let line = words.join(" ").replace('\n', " ");
    let mut cut: String = line.chars().take(80).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// Whether a command runs within a sandbox that bounds it.
fn is_confined(policy: &Policy) -> bool {
    policy.mode == Mode::Auto && policy.sandbox == Sandbox::Namespaces
}
