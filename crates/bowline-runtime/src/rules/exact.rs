//! The narrowest rule that names one action: what an answer for always writes, and what suggestions
//! begin with.

use bowline_core::decision::Judged;
use bowline_core::{Action, Decision, PathFact, Verdict};
use bowline_policy::Rule;

/// The actions of a decision that wait for a person: the parts of a shell command where it has some.
pub fn asking(decision: &Decision) -> impl Iterator<Item = &Judged> {
    let has_parts = decision
        .actions
        .iter()
        .any(|judged| judged.segment.is_some());
    decision.actions.iter().filter(move |judged| {
        let is_whole = has_parts && matches!(judged.action, Action::Run { .. });
        judged.verdict == Verdict::Ask && !is_whole
    })
}

/// The narrowest rule that names `action`, which a call of `tool` would take.
///
/// # Errors
/// Why no rule names just this, as the end of a sentence.
pub fn exact_rule(tool: &str, action: &Action) -> Result<String, String> {
    let rule = spelled(tool, action)?;
    match Rule::on_command_line(Verdict::Allow, &rule) {
        Ok(_) => Ok(rule),
        Err(error) => Err(format!("no rule spells it out: {error}")),
    }
}

fn spelled(tool: &str, action: &Action) -> Result<String, String> {
    match action {
        Action::ReadPath { path } => path_rule("read", path),
        Action::WritePath { path } => path_rule("write", path),
        Action::RunWords { words } => words_rule(words),
        Action::Run { command, .. } => Err(format!(
            "`{}` was not understood as a whole, and a rule names the words of one simple command",
            first_line(command)
        )),
        Action::Reach { host, .. } => plain("host", host),
        Action::CallMcp { server, tool } => plain("mcp", &format!("{server}/{tool}")),
        Action::Note => plain("tool", tool),
        Action::AskPerson { .. } | Action::AwaitParty { .. } => {
            Err("only a person can answer it, each time".to_owned())
        }
    }
}

fn plain(kind: &str, name: &str) -> Result<String, String> {
    if name.contains(['*', '(', ')']) || name.contains(char::is_control) || name.trim() != name {
        return Err(format!("a rule cannot spell out `{name}`"));
    }
    Ok(format!("{kind}({name})"))
}

/// A rule that spells out one path.
fn path_rule(kind: &str, path: &PathFact) -> Result<String, String> {
    let path = &path.resolved;
    let is_plain = !path.contains(['*', '?', '[', '{', '\\'])
        && !path.contains(char::is_control)
        && path.trim() == path
        && !path.ends_with('/');
    if !is_plain {
        return Err(format!("a rule cannot spell out the path `{path}`"));
    }
    Ok(format!("{kind}({path})"))
}

/// A rule that spells out the words of one simple command.
fn words_rule(words: &[String]) -> Result<String, String> {
    if words.is_empty() {
        return Err("it runs no program".to_owned());
    }
    match words.iter().find(|word| !is_known(word)) {
        None => Ok(words.join(" ")),
        Some(word) => Err(format!(
            "`{word}` cannot be spelled out in a rule: it is not known before it runs, or holds \
             what separates words"
        )),
    }
}

/// Whether a word stands for itself in a rule.
pub(super) fn is_known(word: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-./:=@%+,^".contains(letter);
    !word.is_empty() && word.chars().all(is_plain)
}

fn first_line(command: &str) -> String {
    command
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests;
