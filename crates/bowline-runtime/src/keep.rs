//! What rules keep to local models, as a session that is driven holds to it: what it holds already,
//! and whether its next request may be sent.

use std::path::Path;

use bowline_core::event::ContentKept;
use bowline_core::{Confinement, Decision, Fact, Input, Kept, Origin, State};
use bowline_model::Provider;
use bowline_policy::{Policy, Recipient, hides, keeps, keeps_by};

use crate::Session;
use crate::instructions::place;

/// What the session holds that a rule of `policy` keeps to local models, if anything. Rules are those
/// in force now: content that came in before its rule stood is found by the paths that were read.
#[must_use]
pub fn held(policy: &Policy, state: &State) -> Option<Kept> {
    if !keeps_anything(policy) {
        return None;
    }
    let kept = |rule: &bowline_policy::Rule, what: &str| Kept {
        rule: rule.source.rule.clone(),
        what: what.to_owned(),
    };
    let recorded = state.kept().find(|kept| keeps_by(policy, &kept.rule));
    recorded
        .cloned()
        .or_else(|| {
            let mut reads = state.reads().iter();
            reads.find_map(|path| Some(kept(keeps(policy, path)?, path)))
        })
        .or_else(|| {
            let mut files = state.inputs().filter_map(|input| file(input, state.cwd()));
            files.find_map(|path| Some(kept(keeps(policy, &path)?, &path)))
        })
}

/// Whether any rule keeps something to local models.
pub(crate) fn keeps_anything(policy: &Policy) -> bool {
    let mut rules = policy.rules.iter();
    rules.any(|rule| matches!(rule.pattern, bowline_policy::Pattern::Send(_)))
}

/// The file that words come from, absolute.
fn file(input: &Input, cwd: &str) -> Option<String> {
    match input.text.origin() {
        Origin::File(name) => Some(place(Path::new(cwd), name).display().to_string()),
        _ => None,
    }
}

/// Why nothing that the session holds may be sent to `provider`, in a sentence; `None` where it may.
/// Counting its tokens there sends it, too.
#[must_use]
pub fn withheld(policy: &Policy, state: &State, provider: &dyn Provider) -> Option<String> {
    let place = provider.place();
    if place.is_local() {
        return None;
    }
    let held = held(policy, state)?;
    let source = keeps_source(policy, &held.rule);
    Some(format!(
        "not sent: the rule {source} keeps to local models what this session holds ({}), and {} is \
         asked at {place}; go on with a local model, or begin a new session",
        held.what,
        provider.name(),
    ))
}

fn keeps_source(policy: &Policy, text: &str) -> String {
    let mut rules = policy.rules.iter();
    let rule = rules.find(|rule| rule.source.rule == text);
    rule.map_or_else(|| format!("`{text}`"), |rule| rule.source.place())
}

/// What is to be recorded of a file that a person or Bowline itself puts into a session: nothing
/// where no rule keeps it.
///
/// # Errors
/// A sentence for people where the model is not local.
pub fn taking(
    policy: &Policy,
    path: &Path,
    provider: &dyn Provider,
) -> Result<Option<Kept>, String> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let names = [path, &real].map(|path| path.display().to_string());
    let found = names
        .iter()
        .find_map(|path| Some((keeps(policy, path)?, path)));
    let Some((rule, path)) = found else {
        return Ok(None);
    };
    let place = provider.place();
    if !place.is_local() {
        return Err(format!(
            "{path} is not sent: the rule {} keeps it to local models, and {} is asked at {place}",
            rule.source.place(),
            provider.name()
        ));
    }
    Ok(Some(Kept {
        rule: rule.source.rule.clone(),
        what: path.clone(),
    }))
}

impl Session {
    /// Notes that content came in which rules keep to local models.
    pub fn keep_local(&mut self, kept: impl IntoIterator<Item = Kept>) {
        let known: Vec<String> = self.state().kept().map(|kept| kept.rule.clone()).collect();
        for kept in kept.into_iter().filter(|kept| !known.contains(&kept.rule)) {
            self.stage(Fact::ContentKept(ContentKept { kept }));
        }
    }
}

/// Whom the result of a call goes to, for its judgement.
pub(crate) fn recipient<'a>(
    is_local: bool,
    held: Option<&'a Kept>,
    confinement: Option<&'a Confinement>,
) -> Recipient<'a> {
    Recipient {
        is_local,
        held,
        hidden: confinement.map(|one| one.profile.hidden.as_slice()),
    }
}

/// The same as it was recorded with a decision.
pub(crate) fn recorded(decision: &Decision) -> Recipient<'_> {
    let keeping = decision.keeping.as_deref();
    let held = keeping.and_then(|keeping| keeping.held.as_ref());
    let is_local = keeping.is_some_and(|keeping| keeping.is_local);
    recipient(is_local, held, decision.confinement.as_deref())
}

/// The places that a shell command of this session must not read, beside those that none reads: all
/// that is kept, where the model is not local or the command reaches somebody.
pub(crate) fn hidden(policy: &Policy, is_local: bool, reaches: bool) -> Vec<String> {
    match is_local && !reaches {
        true => Vec::new(),
        false => hides(policy),
    }
}
