//! `--scope always`: an approval that later sessions know, as a rule in the user's configuration.

use std::io;
use std::path::{Path, PathBuf};

use bowline_core::decision::{Layer, RuleSource};

use bowline_core::{Action, OnAsk, PathFact, RuleInForce, Tier, ToolSpec, Verdict};
use bowline_policy::{Surroundings, ToolFacts, decide};
use bowline_runtime::Disk;
use bowline_runtime::config::with_allow_rule;

use crate::args::Force;
use crate::command::find::Open;
use crate::config_folder;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;
use crate::wire::{self, in_force};

/// The rules that have this very request run unasked from now on.
///
/// # Errors
/// When no rule says just that, or when another rule would still ask.
pub fn rules(places: &Places, open: &Open) -> Result<Vec<String>, Failure> {
    let id = open.decision.id.short();
    let cannot = |why: &str| {
        Failure::usage(format!(
            "this cannot be allowed for always: {why}. Allow it for this session with `bowline \
             approve {id} --scope session`"
        ))
    };
    let asking = open
        .decision
        .actions
        .iter()
        .filter(|judged| judged.verdict == Verdict::Ask);
    let mut rules = Vec::new();
    for judged in asking {
        let rule = rule(&open.tool, &judged.action).map_err(|why| cannot(&why))?;
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if rules.is_empty() {
        return Err(cannot("it asks for another reason than a rule or the mode"));
    }
    would_allow(places, open, &rules)
        .and_then(|why| why.map_or(Ok(()), |why| Err(cannot(&why))))
        .map(|()| rules)
}

/// The narrowest rule that names an action.
fn rule(tool: &str, action: &Action) -> Result<String, String> {
    match action {
        Action::ReadPath { path } => literal("read", path),
        Action::WritePath { path } => literal("write", path),
        Action::Run { .. } | Action::RunWords { .. } => Err(
            "a rule cannot name one shell command before shell text is analysed, and `tool(NAME)` \
             would allow every other one too"
                .to_owned(),
        ),
        Action::Reach { .. } | Action::CallMcp { .. } | Action::Note => Ok(format!("tool({tool})")),
        Action::AskPerson { .. } | Action::AwaitParty { .. } => {
            Err("only a person can answer it, each time".to_owned())
        }
    }
}

/// A rule that spells out one path.
fn literal(kind: &str, path: &PathFact) -> Result<String, String> {
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

/// Why the request would not run unasked with these rules in the user's configuration; `None` when
/// it would.
fn would_allow(places: &Places, open: &Open, rules: &[String]) -> Result<Option<String>, Failure> {
    let specs: Vec<ToolSpec> = bowline_tools::builtin::specs();
    let Some(spec) = specs.iter().find(|spec| spec.name == open.tool) else {
        return Ok(Some(format!("the tool `{}` is not known here", open.tool)));
    };
    let Some(settings) = open.state.settings() else {
        return Ok(Some("its session has no settings".to_owned()));
    };
    let file = places.user_config().display().to_string();
    let in_force = |rule: &String| RuleInForce {
        verdict: Verdict::Allow,
        source: RuleSource {
            layer: Layer::User,
            tier: Tier::BuiltIn,
            rule: rule.clone(),
            file: Some(file.clone()),
            line: None,
        },
        reason: None,
        expires_at_ms: None,
    };
    let rules = rules.iter().map(in_force).collect();
    let cwd = Path::new(open.state.cwd());
    let config = wire::configure(places, cwd, &Force::default())?;
    let configured = in_force::configured(&config, places, &settings.model, rules);
    let roots: Vec<PathBuf> = open.state.roots().iter().map(PathBuf::from).collect();
    let policy = wire::policy(&configured, open.decision.mode, &roots)?;
    // The parts of a shell command are found again.
    let asked = open.decision.actions.iter();
    let asked = asked.filter(|one| one.segment.is_none());
    let actions: Vec<Action> = asked.map(|one| one.action.clone()).collect();
    let cx = Surroundings {
        cwd: open.state.cwd(),
        look: &Disk,
    };
    let judgement = decide(&policy, ToolFacts::from(spec), &actions, OnAsk::Park, &cx);
    let still = judgement.verdict != Verdict::Allow;
    Ok(still.then(|| judgement.reason.trim_end_matches('.').to_owned()))
}

/// Writes the rules to the user's configuration and says where they stand.
///
/// # Errors
/// When the file cannot be read, changed or written; it is as it was then.
pub fn remember(places: &Places, rules: &[String]) -> Result<(), Failure> {
    for rule in rules {
        let file = places.user_config();
        let cannot = |error: io::Error| {
            Failure::stopped(format!(
                "the call is allowed for this session, but the rule `{rule}` was not written: {}: \
                 {error}. Add it to `permissions.allow` by hand",
                file.display()
            ))
        };
        let _held = config_folder::hold(&places.config).map_err(cannot)?;
        let text = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(cannot)?,
        };
        let name = file.display().to_string();
        let remembered = with_allow_rule(&name, &text, rule)?;
        let word = match &remembered.text {
            Some(text) => {
                config_folder::replace(&file, text).map_err(cannot)?;
                "added"
            }
            None => "there already",
        };
        let line = remembered
            .line
            .map_or_else(String::new, |line| format!(":{line}"));
        print::line(&print::clean(&format!(
            "rule {word}: {rule}  ({name}{line}). Sessions begun from now on do not ask about it"
        )));
    }
    Ok(())
}
