//! Where the words of a command stand before any rule is held against them.

use bowline_core::{Mode, Sandbox, Verdict};

use super::{Facts, Judge, is_confined, shown};
use crate::judge::standing::{Lift, Standing};
use crate::policy::Catalogue;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::Argument;
use crate::shell::effect::{Class, InnerCommand, Wrapper};

/// Commands that every policy lets run: they do nothing.
const NOTHING: [&str; 4] = ["true", ":", "test", "["];

/// Where a simple command stands in this mode.
pub(super) fn of_words(judge: &Judge<'_>, facts: &Facts<'_, '_>) -> Standing {
    let policy = judge.policy;
    let what = format!("`{}`", shown(facts.arguments));
    if let Some(why) = &facts.effect.publishes
        && is_on(Safeguard::Publishes)
    {
        let why = format!(
            "it publishes ({why}); answer it, or an allow rule that spells these words lets it"
        );
        return Standing::new(Verdict::Ask, what, "publish-class", &why).lifted_by(Lift::NoRule);
    }
    if policy.mode == Mode::Full {
        return Standing::new(
            Verdict::Allow,
            what,
            "mode:full",
            "mode full runs it unasked",
        );
    }
    if let Some(standing) = of_dangers(judge, facts, &what) {
        return standing;
    }
    if is_catalogued(judge, facts) {
        let why = "it only reads, in every mode";
        return Standing::new(Verdict::Allow, what, "read-only-command", why);
    }
    if is_transparent(facts) {
        let why = "what it runs is judged by itself";
        return Standing::new(Verdict::Allow, what, "wrapper", why);
    }
    of_mode(judge, facts, what)
}

/// What asks in every mode but `full`.
fn of_dangers(judge: &Judge<'_>, facts: &Facts<'_, '_>, what: &str) -> Option<Standing> {
    let ask = |rule: &str, why: &str| Standing::new(Verdict::Ask, what.to_owned(), rule, why);
    if !facts.is_literal && is_on(Safeguard::UnknownCommands) {
        let why = "the command's name does not stand in the text as it is; name it";
        return Some(ask("unknown-command", why).lifted_by(Lift::NoRule));
    }
    if facts.is_planted {
        let why = "the repository there is one of its own, or its configuration names programs that \
                   git starts; only an answer lets it";
        return Some(ask("planted-repository", why).lifted_by(Lift::NoRule));
    }
    if let Class::Asks { why } = &facts.effect.class {
        let why = format!("{why}; an allow rule that spells it lets it");
        return Some(ask("outside-the-sandbox", &why));
    }
    // Deleting what is found below a folder of the workspace is bounded like any other writing.
    let is_confined = is_confined(judge.policy);
    let mut hazards = facts.effect.hazards.iter();
    if let Some(hazard) = hazards.find(|one| !(is_confined && one.why.starts_with("deletes")))
        && is_on(Safeguard::Hazards)
    {
        let option = facts.arguments.get(hazard.at).map(Argument::shown);
        let why = format!(
            "`{}` {}; an allow rule that spells it lets it",
            option.unwrap_or_default(),
            hazard.why
        );
        return Some(ask("hazard", &why));
    }
    None
}

/// Whether it only reads, so that no rule is needed.
fn is_catalogued(judge: &Judge<'_>, facts: &Facts<'_, '_>) -> bool {
    let name = facts.named.first().and_then(Argument::known).unwrap_or("");
    if judge.policy.catalogue == Catalogue::None && !NOTHING.contains(&name) {
        return false;
    }
    if !facts.is_standard && is_on(Safeguard::BareNames) {
        return false;
    }
    match &facts.effect.class {
        Class::ReadOnly { any_arguments } => {
            *any_arguments || facts.by != Some(Wrapper::Each) || !is_on(Safeguard::XargsAndFind)
        }
        Class::Limited { .. } => !is_on(Safeguard::Limits),
        Class::Other | Class::Asks { .. } => false,
    }
}

/// Whether it does nothing but run a command that is judged by itself.
fn is_transparent(facts: &Facts<'_, '_>) -> bool {
    let inner = &facts.effect.inner;
    let runs = |inner: &crate::shell::effect::Inner| {
        inner.by == Wrapper::Transparent && matches!(inner.what, InnerCommand::Arguments(_))
    };
    let is_limited = matches!(facts.effect.class, Class::Limited { .. });
    facts.is_standard
        && !inner.is_empty()
        && inner.iter().all(runs)
        && !is_limited
        && facts.by != Some(Wrapper::Each)
}

fn of_mode(judge: &Judge<'_>, facts: &Facts<'_, '_>, what: String) -> Standing {
    let policy = judge.policy;
    if is_confined(policy) {
        let why = "mode auto runs it unasked within a sandbox: the workspace writable, no network, \
                   secrets out of sight";
        return Standing::new(Verdict::Allow, what, "mode:auto", why);
    }
    let mode = policy.mode;
    let rule = format!("mode:{mode}");
    if let (Mode::Auto, Sandbox::Lacking { why }) = (mode, &policy.sandbox) {
        let why = format!(
            "mode auto runs it unasked only within namespaces, and {why}. Until then mode full or \
             an allow rule lets it"
        );
        return Standing::new(Verdict::Ask, what, &rule, &why);
    }
    let why = match &facts.effect.class {
        Class::Limited { why } => {
            format!("it is more than a command that only reads: {why}; an allow rule lets it")
        }
        _ if facts.by == Some(Wrapper::Each) => {
            "xargs and find run it with what they find, and only commands that read whatever they \
             get are run so unasked; an allow rule that spells it lets it"
                .to_owned()
        }
        _ if !facts.is_standard => {
            "it is a program of its own; mode auto, mode full or an allow rule for it lets it"
                .to_owned()
        }
        _ if policy.catalogue == Catalogue::None => "no allow rule names it".to_owned(),
        _ => "it is not among the commands that only read; mode auto, mode full or an allow rule \
              for it lets it"
            .to_owned(),
    };
    Standing::new(Verdict::Ask, what, &rule, &why)
}
