//! What leaves the workspace: hosts, and publish-class commands in scripts that would run.

use bowline_core::decision::RuleSource;

use super::Walk;
use super::command::{Run, shown};
use crate::place::is_within;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::{Argument, Value};
use crate::shell::effect::{Effect, Language, Program};
use crate::shell::git_config;
use crate::shell::path::follow;
use crate::shell::publish;
use crate::shell::scope::Scope;
use crate::shell::words::{base_name, plain_name};

/// Programs that run code among their arguments.
const INTERPRETERS: [&str; 11] = [
    "python", "python3", "node", "perl", "ruby", "php", "deno", "bun", "awk", "gawk", "lua",
];

impl<'a> Walk<'a> {
    /// Judges the network that a command needs.
    pub(super) fn reaches(&mut self, run: &Run<'a>, effect: &Effect, is_ruled: bool) {
        for host in &effect.hosts {
            let part = self.judge.reaches(host, is_ruled);
            self.keep(part, run.span);
        }
        if let Some(why) = &effect.network
            && !is_ruled
            && let Some(part) = self.judge.needs_network(&run.arguments, why)
        {
            self.keep(part, run.span);
        }
        if let Some(why) = &effect.discloses
            && !is_ruled
            && is_on(Safeguard::SecretVariables)
        {
            let what = format!("`{}`", shown(&run.arguments));
            if let Some(part) = self.judge.discloses(&what, why) {
                self.keep(part, run.span);
            }
        }
    }

    /// Looks into what a command would run.
    pub(super) fn programs(
        &mut self,
        run: &Run<'a>,
        effect: &Effect,
        rule: Option<&RuleSource>,
        scope: &mut Scope,
    ) {
        for program in &effect.programs {
            match program {
                Program::File { path, .. } => {
                    let text = path.text.clone().or_else(|| {
                        let argument = run.arguments.get(path.at);
                        argument.and_then(Argument::known).map(str::to_owned)
                    });
                    if let Some(text) = text {
                        self.script_file(run, &text, "", rule, scope);
                    }
                }
                Program::Task { file, name } => self.script_file(run, file, name, rule, scope),
                Program::StandardInput { language } => {
                    let Some(text) = scope.input_text.clone() else {
                        continue;
                    };
                    match language {
                        Language::Shell => {
                            let mut fresh = scope.fresh();
                            fresh.input_text = None;
                            self.text(&text, run.span, &mut fresh);
                        }
                        Language::Other => self.code(run, &text, rule),
                    }
                }
            }
        }
        let Some(name) = run.arguments.first().and_then(Argument::known) else {
            return;
        };
        if plain_name(name).contains('/') {
            let name = name.to_owned();
            self.script_file(run, &name, "", rule, scope);
        }
        let base = base_name(name);
        let is_interpreter = INTERPRETERS.contains(&base) || base.starts_with("python3.");
        if is_interpreter {
            let texts: Vec<String> = run
                .arguments
                .iter()
                .skip(1)
                .filter_map(Argument::known)
                .filter(|text| text.contains(char::is_whitespace) || text.contains('('))
                .map(str::to_owned)
                .collect();
            for text in texts {
                self.code(run, &text, rule);
            }
        }
    }

    /// Code that is given as text.
    fn code(&mut self, run: &Run<'a>, text: &str, rule: Option<&RuleSource>) {
        if let Some(found) = publish::in_text(text) {
            self.publishes(run, &format!("its code holds `{found}`"), rule);
        }
    }

    fn script_file(
        &mut self,
        run: &Run<'a>,
        text: &str,
        part: &str,
        rule: Option<&RuleSource>,
        scope: &Scope,
    ) {
        for place in scope.places.clone().unwrap_or_default() {
            let roots = &self.judge.policy.roots;
            let fact = follow(&place.real, text, roots, &mut self.eyes);
            if !roots.iter().any(|root| is_within(&fact.resolved, root)) {
                continue;
            }
            let name = base_name(&fact.resolved).to_owned();
            let found = self.eyes.script(&fact.resolved, part, |content| {
                publish::in_file(&name, part, content)
            });
            if let Some(found) = found {
                let what = if part.is_empty() {
                    format!("`{text}` holds `{found}`")
                } else {
                    format!("the task `{part}` of `{text}` holds `{found}`")
                };
                self.publishes(run, &what, rule);
            }
        }
    }

    fn publishes(&mut self, run: &Run<'a>, why: &str, rule: Option<&RuleSource>) {
        // A rule that spells the whole command out speaks of it as it is.
        let is_spelled = rule.is_some_and(|rule| !rule.rule.contains('*'));
        if !is_spelled && is_on(Safeguard::ScriptsThatPublish) {
            let part = self.judge.publishes(&run.arguments, why);
            self.keep(part, run.span);
        }
    }

    /// Whether git would stand in a repository that does not belong to the workspace itself: one
    /// that lies in a folder of it, or the bare repository that a folder looks like.
    pub(super) fn is_planted(&mut self, arguments: &[Argument], scope: &Scope) -> bool {
        if !is_on(Safeguard::PlantedRepositories) {
            return false;
        }
        for place in scope.places.clone().unwrap_or_default() {
            let mut folder = place.real;
            let mut rest = arguments.iter().skip(1);
            while let Some(argument) = rest.next() {
                match argument.known() {
                    Some("-C") => match rest.next().map(|one| &one.value) {
                        Some(Value::Known(to)) => {
                            let roots = &self.judge.policy.roots;
                            folder = follow(&folder, to, roots, &mut self.eyes).resolved;
                        }
                        _ => return true,
                    },
                    Some(text) if text.starts_with('-') => {}
                    _ => break,
                }
            }
            let roots = self.judge.policy.roots.clone();
            let Some(root) = roots.iter().find(|root| is_within(&folder, root)) else {
                continue;
            };
            let mut at = folder.as_str();
            loop {
                let is_root = at == root.trim_end_matches('/');
                if is_root && self.names_programs(at) {
                    return true;
                }
                if (!is_root && self.holds(at, ".git"))
                    || (self.holds(at, "HEAD") && self.holds(at, "objects"))
                    || (self.holds(at, "HEAD") && self.holds(at, "config"))
                {
                    return true;
                }
                if is_root {
                    break;
                }
                at = at.rfind('/').map_or("", |slash| &at[..slash]);
                if !is_within(at, root) {
                    break;
                }
            }
        }
        false
    }

    /// Whether the configuration of the repository in this folder names a program that git starts
    /// although it only reads, and that the environment of commands does not keep it from.
    fn names_programs(&mut self, folder: &str) -> bool {
        let git = format!("{folder}/.git");
        let roots = self.judge.policy.roots.clone();
        // A work tree elsewhere has its repository outside; one within was put there.
        let leads_within = |text: &str| {
            let to = text.strip_prefix("gitdir:").map(str::trim);
            let is_outside = to.is_some_and(|to| {
                to.starts_with('/') && !roots.iter().any(|root| is_within(to, root))
            });
            (!is_outside).then(|| "gitdir".to_owned())
        };
        self.eyes.git_config(&git, leads_within).is_some()
            || self.holds(&git, "commondir")
            || ["config", "config.worktree"].iter().any(|name| {
                let path = format!("{git}/{name}");
                let found = self.eyes.git_config(&path, git_config::starts);
                found.is_some()
            })
    }

    fn holds(&mut self, folder: &str, name: &str) -> bool {
        let names = self.eyes.names(folder, name);
        names.is_some_and(|names| !names.is_empty())
    }
}
