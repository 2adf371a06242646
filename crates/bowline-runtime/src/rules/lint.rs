//! Finds rules that do nothing, and rules that do more than they should.

use std::collections::HashMap;

use bowline_core::configured::RuleInForce;
use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{Mode, Verdict};
use bowline_policy::{Pattern, Policy, Rule, hides};
use serde::Serialize;

use super::cover::Covers;
use crate::config::{FileRule, ProjectTrust};

/// What is wrong with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Its time is over.
    Expired,
    /// The same rule is there before.
    Duplicate,
    /// A stricter rule names all that it names.
    Shadowed,
    /// Another rule of the same verdict names all that it names.
    Redundant,
    /// It names a tool that does not exist.
    NoSuchTool,
    /// It stands where it cannot loosen anything.
    CannotLoosen,
    /// It allows more than anybody can mean.
    TooWide,
    /// Its own examples need less.
    WiderThanExamples,
    /// It keeps paths to local models that no sandbox can hide from a command.
    CannotHide,
}

/// One thing that is wrong with one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintFinding {
    /// What.
    pub fault: Fault,
    /// What the rule says.
    pub verdict: Verdict,
    /// The rule and where it stands.
    pub rule: RuleSource,
    /// Why it is wrong, in one sentence.
    pub why: String,
    /// What to do.
    pub fix: String,
}

/// A rule with what its file says beside it.
#[derive(Debug, Clone)]
pub struct Linted {
    rule: Rule,
    expires_at_ms: Option<u64>,
    /// The examples under `allows`.
    allows: Vec<String>,
}

impl From<FileRule> for Linted {
    fn from(one: FileRule) -> Self {
        Self {
            rule: one.rule,
            expires_at_ms: one.expires_at_ms,
            allows: one.allows,
        }
    }
}

impl Linted {
    /// A rule of a list in the configuration, if it can be read.
    #[must_use]
    pub fn listed(rule: &RuleInForce) -> Option<Self> {
        Some(Self {
            rule: Rule::parse(rule.verdict, rule.source.clone()).ok()?,
            expires_at_ms: None,
            allows: Vec::new(),
        })
    }
}

/// Looks at the rules of all layers, in any order, as they are at `now_ms`. `tools` are the names of
/// all tools; `trust` is that in the project whose rules are among them.
#[must_use]
pub fn lint(
    rules: &[Linted],
    tools: &[&str],
    trust: ProjectTrust,
    now_ms: u64,
) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    let mut in_force: Vec<&Linted> = Vec::new();
    for one in rules {
        if one.expires_at_ms.is_some_and(|expires| now_ms >= expires) {
            let why = "it has expired and is out of force".to_owned();
            let fix = "Remove it, or give it a later day.";
            findings.push(finding(Fault::Expired, one, why, fix));
        } else {
            in_force.push(one);
        }
    }
    // Of equal rules the one of the strongest layer counts.
    in_force.sort_by_key(|one| one.rule.source.layer);
    dead(&in_force, &mut findings);
    for one in in_force {
        findings.extend(no_such_tool(one, tools));
        findings.extend(cannot_hide(one));
        if one.rule.verdict == Verdict::Allow {
            findings.extend(cannot_loosen(one, trust));
            findings.extend(too_wide(one));
        }
    }
    findings.sort_by(|one, other| place(one).cmp(&place(other)));
    findings
}

fn place(finding: &LintFinding) -> (Layer, &Option<String>, Option<u32>, Fault) {
    let source = &finding.rule;
    (source.layer, &source.file, source.line, finding.fault)
}

fn finding(fault: Fault, one: &Linted, why: String, fix: &str) -> LintFinding {
    LintFinding {
        fault,
        verdict: one.rule.verdict,
        rule: one.rule.source.clone(),
        why,
        fix: fix.to_owned(),
    }
}

/// Rules that change nothing, because another one says as much.
fn dead(in_force: &[&Linted], findings: &mut Vec<LintFinding>) {
    let rules: Vec<&Rule> = in_force.iter().map(|one| &one.rule).collect();
    let of = |verdict| Covers::of(&rules, verdict);
    let (allow, ask, deny) = (of(Verdict::Allow), of(Verdict::Ask), of(Verdict::Deny));
    let mut seen: HashMap<(Verdict, &str), usize> = HashMap::new();
    for (at, one) in in_force.iter().enumerate() {
        let rule = &one.rule;
        if matches!(rule.pattern, Pattern::Spend(_)) {
            continue;
        }
        if let Some(first) = seen.get(&(rule.verdict, rule.source.rule.as_str())) {
            let why = format!("it stands a second time: {}", stands(rules[*first]));
            findings.push(finding(Fault::Duplicate, one, why, "Remove one of them."));
            continue;
        }
        seen.insert((rule.verdict, &rule.source.rule), at);
        let stricter: &[&Covers] = match rule.verdict {
            Verdict::Allow => &[&deny, &ask],
            Verdict::Ask => &[&deny],
            Verdict::Deny => &[],
        };
        let own = usize::MAX;
        if let Some(over) = stricter.iter().find_map(|all| all.find(&rule.pattern, own)) {
            let why = format!(
                "it never decides: the stricter {} {} names all that it names",
                rules[over].verdict.name(),
                stands(rules[over])
            );
            let fix = "Remove it, or narrow the stricter one.";
            findings.push(finding(Fault::Shadowed, one, why, fix));
            continue;
        }
        let same = match rule.verdict {
            Verdict::Allow => &allow,
            Verdict::Ask => &ask,
            Verdict::Deny => &deny,
        };
        // Where rules allow, spelling something out allows what a pattern does not.
        let spells = rule.verdict == Verdict::Allow && spells_out(&rule.pattern);
        if !spells && let Some(over) = same.find(&rule.pattern, at) {
            let why = format!("{} says the same of more", stands(rules[over]));
            findings.push(finding(Fault::Redundant, one, why, "Remove it."));
        }
    }
}

fn spells_out(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Argv(_) => true,
        Pattern::Read(glob) | Pattern::Write(glob) => glob.is_literal(),
        _ => false,
    }
}

/// A rule as people look it up.
fn stands(rule: &Rule) -> String {
    rule.source.place()
}

fn no_such_tool(one: &Linted, tools: &[&str]) -> Option<LintFinding> {
    let Pattern::Tool(name) = &one.rule.pattern else {
        return None;
    };
    let fits = |tool: &&str| bowline_policy::name_fits(name, tool);
    if tools.iter().any(fits) {
        return None;
    }
    let near = tools
        .iter()
        .map(|tool| (strsim::damerau_levenshtein(tool, name), tool))
        .filter(|(distance, _)| *distance <= 3)
        .min();
    let fix = match near {
        Some((_, near)) => format!("Did you mean `tool({near})`?"),
        None => "`bowline tools list` has every tool.".to_owned(),
    };
    let why = format!("there is no tool `{name}`, so it never matches");
    Some(finding(Fault::NoSuchTool, one, why, &fix))
}

fn cannot_loosen(one: &Linted, trust: ProjectTrust) -> Option<LintFinding> {
    if one.rule.source.layer != Layer::Project || trust == ProjectTrust::Trusted {
        return None;
    }
    let why = "it stands in the project's own file, which loosens nothing where the project is \
               not trusted"
        .to_owned();
    let fix = "Put it into your own rules, or trust the project with `bowline trust`.";
    Some(finding(Fault::CannotLoosen, one, why, fix))
}

/// A glob that names no folder or file as a whole: what it means is found out by looking, and a
/// sandbox is made before.
fn cannot_hide(one: &Linted) -> Option<LintFinding> {
    let Pattern::Send(glob) = &one.rule.pattern else {
        return None;
    };
    let policy = Policy {
        rules: vec![one.rule.clone()],
        home: Some("/home/you".to_owned()),
        ..Policy::new(Mode::Auto, vec!["/workspace".to_owned()])
    };
    if !hides(&policy).is_empty() {
        return None;
    }
    let why = format!(
        "no sandbox can hide what `{}` means, so while a model elsewhere is asked no command runs \
         whose reads cannot be told",
        glob.text()
    );
    let fix = "Name folders as `FOLDER/**`, or files one by one, if such commands are to run.";
    Some(finding(Fault::CannotHide, one, why, fix))
}

/// Programs that run whatever their arguments say.
const RUNNERS: &[&str] = &[
    "ash",
    "awk",
    "bash",
    "bun",
    "busybox",
    "chroot",
    "csh",
    "dash",
    "deno",
    "doas",
    "docker",
    "env",
    "eval",
    "exec",
    "fish",
    "gawk",
    "ksh",
    "lua",
    "make",
    "nix-shell",
    "node",
    "nohup",
    "npx",
    "osascript",
    "perl",
    "php",
    "podman",
    "pwsh",
    "python",
    "python2",
    "python3",
    "rsync",
    "ruby",
    "runuser",
    "screen",
    "script",
    "setsid",
    "sh",
    "source",
    "ssh",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "tcsh",
    "tclsh",
    "tmux",
    "unshare",
    "uvx",
    "watch",
    "xargs",
    "zsh",
];

/// Programs of which some subcommands publish, delete or change what other machines hold.
const MANY_SIDED: &[&str] = &[
    "aws",
    "az",
    "cargo",
    "gcloud",
    "gem",
    "gh",
    "git",
    "glab",
    "go",
    "helm",
    "kubectl",
    "npm",
    "pip",
    "pnpm",
    "poetry",
    "terraform",
    "twine",
    "uv",
    "yarn",
];

/// Whether a program runs whatever its arguments say.
pub(super) fn is_runner(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    RUNNERS.contains(&name)
}

/// Whether some subcommands of a program do much more than others.
pub(super) fn is_many_sided(program: &str) -> bool {
    MANY_SIDED.contains(&program)
}

fn too_wide(one: &Linted) -> Option<LintFinding> {
    let wide = |why: &str, fix: &str| Some(finding(Fault::TooWide, one, why.to_owned(), fix));
    match &one.rule.pattern {
        Pattern::Argv(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["*", ..] => wide(
                    "it allows any program",
                    "Name the programs; mode auto runs commands unasked within a sandbox.",
                ),
                [program, "*"] if is_runner(program) => wide(
                    &format!("`{program}` runs whatever it is told, so it allows any program"),
                    "Spell out what it is to run.",
                ),
                [program, "*"] if is_many_sided(program) => wide(
                    &format!("`{program}` has subcommands that publish or delete"),
                    "Name the subcommand.",
                ),
                _ => wider_than_examples(one, &words),
            }
        }
        Pattern::Tool(name) if name == "*" => wide("it allows every tool", "Name the tools."),
        Pattern::Tool(name) if bowline_policy::name_fits(name, "shell") => wide(
            "it allows every command that is no hazard",
            "Write rules for commands, such as allow = \"npm test *\".",
        ),
        Pattern::Write(glob) if is_everything(glob.text()) => wide(
            "it allows writing everywhere",
            "Name folders; mode edit writes in the workspace unasked.",
        ),
        Pattern::Read(glob) if matches!(glob.text(), "/**" | "/" | "~" | "~/**" | "~/") => {
            wide("it allows reading everywhere", "Name folders.")
        }
        Pattern::Host(name) if name.as_str().trim_matches(['*', '.']).len() < 4 => {
            wide("it allows reaching any host", "Name the hosts.")
        }
        Pattern::Mcp { server, .. } if server.trim_matches('*').is_empty() => {
            wide("it allows every server", "Name the server.")
        }
        _ => None,
    }
}

fn is_everything(glob: &str) -> bool {
    matches!(
        glob,
        "**" | "/**" | "/" | "./" | "./**" | "~" | "~/" | "~/**" | "**/*"
    )
}

/// Whether all the examples begin with more words than the rule.
fn wider_than_examples(one: &Linted, words: &[&str]) -> Option<LintFinding> {
    let (last, fixed) = words.split_last()?;
    if *last != "*" || one.allows.len() < 2 {
        return None;
    }
    let examples: Vec<Vec<&str>> = one
        .allows
        .iter()
        .map(|text| text.split_whitespace().collect())
        .collect();
    let mut common = examples.first()?.clone();
    for example in &examples {
        let same = common.iter().zip(example).take_while(|(a, b)| a == b);
        let length = same.count();
        common.truncate(length);
    }
    let is_longer = common.len() > fixed.len() && common.starts_with(fixed);
    let next = common.get(fixed.len())?;
    if !is_longer || next.starts_with('-') {
        return None;
    }
    let needed = format!("{} *", common[..=fixed.len()].join(" "));
    let why = format!("its examples need only `{needed}`");
    Some(finding(
        Fault::WiderThanExamples,
        one,
        why,
        "Write the narrower rule, or an example that needs the wider one.",
    ))
}

#[cfg(test)]
mod tests;
