//! What rules keep to local models: `send(GLOB)`. While a model is asked that is not local, nothing
//! that lies there is brought into the session; content that is in a session is not carried out.
//!
//! A path is judged where it is named. A shell command can read what it does not name: it must run
//! where those places are hidden, or be one whose text says all that it reads.

use bowline_core::action::PathKind;
use bowline_core::decision::{Judged, Layer, RuleSource, Segment};
use bowline_core::{Action, Kept, PathFact, Tier, Verdict};

use crate::carry::carries_out;
use crate::glob::PathGlob;
use crate::judge::place_of;
use crate::judge::standing::first_line;
use crate::look::Surroundings;
use crate::place::is_within;
use crate::policy::Policy;
use crate::rule::{Pattern, Rule};
use crate::widen::{Extent, extent};

/// Commands that tell names and kinds of what lies in a folder, and nothing that is in it.
const NAMES_ONLY: [&str; 12] = [
    "ls", "find", "tree", "du", "stat", "cd", "pwd", "test", "[", "realpath", "basename", "dirname",
];

/// Commands of git that show nothing of a file's content. What git has recorded of a file is a copy
/// of it that no path names.
const GIT_WITHOUT_CONTENT: [&str; 17] = [
    "add",
    "branch",
    "commit",
    "config",
    "describe",
    "fetch",
    "init",
    "ls-files",
    "mv",
    "pull",
    "push",
    "remote",
    "rev-parse",
    "rm",
    "status",
    "tag",
    "version",
];

/// Why such commands are refused.
const GIT_SHOWS: &str = "git shows what it has recorded of files, which no sandbox hides";

/// Options of git that stand before its command and take a word.
const GIT_TAKES_A_WORD: [&str; 2] = ["-C", "-c"];

/// Options of `git log` that show nothing of a file's content.
const GIT_LOG_OPTIONS: [&str; 18] = [
    "--",
    "-n",
    "--all",
    "--author",
    "--date",
    "--decorate",
    "--format",
    "--graph",
    "--grep",
    "--max-count",
    "--merges",
    "--name-only",
    "--name-status",
    "--no-merges",
    "--oneline",
    "--pretty",
    "--since",
    "--stat",
];

/// The rules that keep paths to local models.
pub(crate) fn rules(policy: &Policy) -> impl Iterator<Item = (&Rule, &PathGlob)> {
    policy.rules.iter().filter_map(|rule| match &rule.pattern {
        Pattern::Send(glob) => Some((rule, glob)),
        _ => None,
    })
}

/// Whether a rule means a path, by either of its names.
pub(crate) fn means(glob: &PathGlob, path: &PathFact, policy: &Policy) -> bool {
    let mut names = [&path.resolved, &path.by_name].into_iter();
    names.any(|path| glob.may_mean(path, policy))
}

/// The rule that keeps what lies at `path` (absolute) to local models, if one does.
#[must_use]
pub fn keeps<'p>(policy: &'p Policy, path: &str) -> Option<&'p Rule> {
    let mut all = rules(policy);
    all.find_map(|(rule, glob)| glob.may_mean(path, policy).then_some(rule))
}

/// Whether the rule of this text is one that keeps something to local models.
#[must_use]
pub fn keeps_by(policy: &Policy, text: &str) -> bool {
    rules(policy).any(|(rule, _)| rule.source.rule == text)
}

/// The places, absolute, that a sandbox hides where the model is not local, sorted. A rule whose
/// glob names no folder or file as a whole is not among them: commands that it holds do not run.
#[must_use]
pub fn hides(policy: &Policy) -> Vec<String> {
    let places = rules(policy).flat_map(|(_, glob)| glob.places(policy));
    let whole = places.filter_map(|(place, is_whole)| is_whole.then_some(place));
    let mut whole: Vec<String> = whole.collect();
    whole.sort();
    whole.dedup();
    whole
}

/// What a call that was judged so brings into the session when it runs, or may bring.
#[must_use]
pub fn brings(policy: &Policy, judged: &[Judged], cx: &Surroundings<'_>) -> Vec<Kept> {
    let mut found = Vec::new();
    for (rule, glob) in rules(policy) {
        let kept = |what: String| Kept {
            rule: rule.source.rule.clone(),
            what,
        };
        let read = judged
            .iter()
            .find_map(|one| named(&one.action, glob, policy));
        let below = || {
            // For another model, searches leave out what is kept.
            let tool_reads = judged.iter().filter(|one| one.segment.is_none());
            let mut folders = tool_reads.filter_map(|one| folder(&one.action));
            let over = folders.find(|path| lies_over(glob, path, policy));
            over.map(|path| format!("a search of {}", path.resolved))
        };
        let run = || {
            let command = command(judged)?;
            let why = unseen(policy, glob, judged, cx)?;
            Some(format!("`{}` ({why})", first_line(command)))
        };
        let below = || cx.recipient.is_local.then(below).flatten();
        found.extend(read.or_else(below).or_else(run).map(kept));
    }
    found
}

/// Refuses shell commands that may read what rules keep from the model in force, and acts that could
/// carry out what is kept.
pub(crate) fn hold(policy: &Policy, judged: &mut [Judged], cx: &Surroundings<'_>) {
    if rules(policy).next().is_none() {
        return;
    }
    if !cx.recipient.is_local {
        for (rule, glob) in rules(policy) {
            if let Some(command) = command(judged)
                && let Some(why) = unseen(policy, glob, judged, cx)
            {
                let hint = if why == GIT_SHOWS {
                    ""
                } else {
                    "; mode auto runs it in a sandbox that hides folders that are named as \
                     `FOLDER/**`"
                };
                let reason = format!(
                    "Running `{}`: refused by the rule `{}` ({}); {why}, and what lies there goes \
                     to local models only{hint}.",
                    first_line(command),
                    rule.source.rule,
                    place_of(&rule.source)
                );
                deny(judged, &rule.source.clone(), &reason, |one| {
                    matches!(one.action, Action::Run { .. })
                });
            }
        }
    }
    let brought = brings(policy, judged, cx).into_iter().next();
    let Some(held) = cx.recipient.held.cloned().or(brought) else {
        return;
    };
    let mut all = rules(policy);
    let rule = all.find(|(rule, _)| rule.source.rule == held.rule);
    let source = rule.map_or_else(
        || RuleSource {
            layer: Layer::BuiltIn,
            tier: Tier::BuiltIn,
            rule: held.rule.clone(),
            file: None,
            line: None,
        },
        |(rule, _)| rule.source.clone(),
    );
    let reason = format!(
        "Refused by the rule `{}` ({}): this could carry data out, and {} is kept to local models.",
        held.rule,
        place_of(&source),
        held.what
    );
    deny(judged, &source, &reason, |one| {
        carries_out(&policy.roots, one)
    });
}

/// Refuses every action that `which` names and that was not refused before.
fn deny(judged: &mut [Judged], source: &RuleSource, reason: &str, which: impl Fn(&Judged) -> bool) {
    for one in judged {
        if one.verdict == Verdict::Deny || !which(one) {
            continue;
        }
        one.verdict = Verdict::Deny;
        reason.clone_into(&mut one.reason);
        let lost = std::mem::replace(&mut one.rule, source.clone());
        one.runner_up.push(lost);
    }
}

/// The shell command that was judged, if it was one.
fn command(judged: &[Judged]) -> Option<&str> {
    judged.iter().find_map(|one| match &one.action {
        Action::Run { command, .. } => Some(command.as_str()),
        _ => None,
    })
}

fn named(action: &Action, glob: &PathGlob, policy: &Policy) -> Option<String> {
    match action {
        Action::ReadPath { path } | Action::WritePath { path } => {
            means(glob, path, policy).then(|| path.resolved.clone())
        }
        _ => None,
    }
}

/// What is read, if it may be a folder.
fn folder(action: &Action) -> Option<&PathFact> {
    match action {
        Action::ReadPath { path } if path.kind != PathKind::File => Some(path),
        _ => None,
    }
}

/// Whether something that the rule means may lie below a folder.
fn lies_over(glob: &PathGlob, path: &PathFact, policy: &Policy) -> bool {
    let places = glob.places(policy);
    places.iter().any(|(place, is_whole)| {
        is_within(place, &path.resolved) || !is_whole && is_within(&path.resolved, place)
    })
}

/// Why a shell command may read what a rule keeps although its text does not name it; `None` where
/// it cannot.
fn unseen(
    policy: &Policy,
    glob: &PathGlob,
    judged: &[Judged],
    cx: &Surroundings<'_>,
) -> Option<String> {
    let words = judged.iter().filter_map(|one| match &one.action {
        Action::RunWords { words } => Some(words),
        _ => None,
    });
    if words.clone().any(|words| shows_recorded(words)) {
        return Some(GIT_SHOWS.to_owned());
    }
    if let Some(hidden) = cx.recipient.hidden
        && glob
            .places(policy)
            .iter()
            .all(|(place, is_whole)| *is_whole && hidden.contains(place))
    {
        return None;
    }
    if extent(policy, command(judged)?, cx) == Extent::Unknown {
        return Some("what it reads cannot be told from its text".to_owned());
    }
    let parts = judged.iter().filter(|one| one.segment.is_some());
    let mut folders = parts.filter_map(|one| Some((folder(&one.action)?, one.segment?)));
    let over = folders.find(|(path, segment)| {
        lies_over(glob, path, policy) && !is_by_name_only(judged, *segment)
    });
    over.map(|(path, _)| format!("it may read all that lies below {}", path.resolved))
}

/// Whether the command that a path belongs to tells names only.
fn is_by_name_only(judged: &[Judged], segment: Segment) -> bool {
    let encloses = |one: &Segment| one.start <= segment.start && segment.end <= one.end;
    let mut commands = judged.iter().filter_map(|one| match &one.action {
        Action::RunWords { words } if one.segment.as_ref().is_some_and(encloses) => words.first(),
        _ => None,
    });
    let is_plain = |word: &String| NAMES_ONLY.contains(&base_name(word));
    commands.next().is_some_and(is_plain) && commands.all(is_plain)
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Whether words run git with a command that shows content of files.
fn shows_recorded(words: &[String]) -> bool {
    let Some(at) = words.iter().position(|word| base_name(word) == "git") else {
        return false;
    };
    let mut rest = words[at + 1..].iter();
    while let Some(word) = rest.next() {
        if GIT_TAKES_A_WORD.contains(&word.as_str()) {
            rest.next();
        } else if word == "log" {
            return rest.any(|option| shows_patches(option));
        } else if !word.starts_with('-') {
            let is_verbose = |option: &String| {
                ["-v", "-p", "-i", "--v", "--p", "--i"]
                    .iter()
                    .any(|it| option.starts_with(it))
            };
            return !GIT_WITHOUT_CONTENT.contains(&word.as_str()) || rest.any(is_verbose);
        }
    }
    false
}

/// Whether an option of `git log` may show content.
fn shows_patches(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or(option);
    let is_count = || name.len() > 1 && name[1..].bytes().all(|byte| byte.is_ascii_digit());
    name.starts_with('-') && !GIT_LOG_OPTIONS.contains(&name) && !is_count()
}

#[cfg(test)]
mod tests;
