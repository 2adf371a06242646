//! Tries a policy on described calls: nothing is looked at on this machine, nothing is run.
//!
//! A record is one JSON object: `id`, `cwd_context` (`workspace`, `cwd`, `home` and perhaps `fs`),
//! and either `command` with `policy` (`mode`, `allow`, `ask`, `deny`), or `tool` with `input` and
//! `mode`. Other fields are not read.

use std::sync::LazyLock;

use bowline_core::decision::JudgedTool;
use bowline_core::{Action, Mode, OnAsk, Sandbox, ToolSpec, Verdict};
use bowline_policy::{
    Catalogue, Described, Judgement, Policy, Rule, Surroundings, ToolFacts, decide, located,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// One described call, ready to be judged.
#[derive(Debug)]
pub struct Trial {
    /// The record's `id`, as it stands there.
    pub id: Value,
    policy: Policy,
    tool: JudgedTool,
    actions: Vec<Action>,
    cwd: String,
    look: Described,
}

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    id: Value,
    cwd_context: Place,
    command: Option<String>,
    policy: Option<Rules>,
    tool: Option<String>,
    #[serde(default)]
    input: Map<String, Value>,
    mode: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    workspace: String,
    cwd: String,
    home: Option<String>,
    #[serde(default)]
    fs: Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct Rules {
    mode: String,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    ask: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
}

impl Trial {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence without a full stop.
    pub fn parse(line: &str) -> Result<Self, String> {
        let record: Record = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let Place {
            workspace,
            cwd,
            home,
            fs,
        } = &record.cwd_context;
        let entries = fs.iter();
        let entries: Vec<(&str, &str)> = entries
            .filter_map(|(path, what)| Some((path.as_str(), what.as_str()?)))
            .collect();
        let look = Described::new(workspace, &entries);
        let rules = match (record.policy, record.mode) {
            (Some(rules), _) => rules,
            (None, Some(mode)) => Rules {
                mode,
                ..Rules::default()
            },
            (None, None) => return Err("it has neither `policy` nor `mode`".to_owned()),
        };
        let mut policy = policy(&rules)?;
        policy.roots = vec![workspace.clone()];
        policy.home.clone_from(home);
        let (tool, actions) = match (record.command, record.tool) {
            (Some(command), _) => ("shell".to_owned(), vec![run(command)]),
            (None, Some(tool)) => {
                let actions = actions(&tool, &record.input, cwd, &policy, &look)?;
                (tool, actions)
            }
            (None, None) => return Err("it has neither `command` nor `tool`".to_owned()),
        };
        Ok(Self {
            id: record.id,
            policy,
            tool: known(tool),
            actions,
            cwd: cwd.clone(),
            look,
        })
    }

    /// Judges the call.
    #[must_use]
    pub fn judge(&self) -> Judgement {
        let JudgedTool { name, tier, risk } = &self.tool;
        let (risk, tier) = (*risk, *tier);
        let tool = ToolFacts { name, risk, tier };
        let cx = Surroundings::new(&self.cwd, &self.look);
        decide(&self.policy, tool, &self.actions, OnAsk::Park, &cx)
    }
}

/// What is known of a tool by its name: that of a built-in one, or the worst.
fn known(name: String) -> JudgedTool {
    // Their schemas are made from types: once, not for every record.
    static SPECS: LazyLock<Vec<ToolSpec>> = LazyLock::new(bowline_tools::builtin::specs);
    let spec = SPECS.iter().find(|spec| spec.name == name);
    let ToolFacts { risk, tier, .. } =
        spec.map_or_else(|| ToolFacts::unknown(&name), ToolFacts::from);
    JudgedTool { name, tier, risk }
}

/// The reasons of the parts that gave a judgement its verdict.
#[must_use]
pub fn reasons(judgement: &Judgement) -> Vec<&str> {
    let strictest = judgement.judged.iter();
    let mut reasons: Vec<&str> = Vec::new();
    for judged in strictest.filter(|judged| judged.verdict == judgement.verdict) {
        if !reasons.contains(&judged.reason.as_str()) {
            reasons.push(&judged.reason);
        }
    }
    reasons
}

/// The policy of a record. Its modes are those of records: `rules-only` has nothing built in.
fn policy(rules: &Rules) -> Result<Policy, String> {
    let (mode, catalogue) = match rules.mode.as_str() {
        "rules-only" => (Mode::Ask, Catalogue::None),
        "read-only" => (Mode::Ask, Catalogue::ReadOnly),
        "workspace-write" => (Mode::Edit, Catalogue::ReadOnly),
        other => {
            let mode = other.parse().map_err(|_| {
                format!(
                    "mode `{other}` is not known: use rules-only, read-only, workspace-write, \
                     auto or full"
                )
            })?;
            (mode, Catalogue::ReadOnly)
        }
    };
    let mut read = Vec::new();
    for (verdict, texts) in [
        (Verdict::Allow, &rules.allow),
        (Verdict::Ask, &rules.ask),
        (Verdict::Deny, &rules.deny),
    ] {
        for text in texts {
            read.push(Rule::on_command_line(verdict, text).map_err(|error| error.to_string())?);
        }
    }
    Ok(Policy {
        rules: read,
        sandbox: Sandbox::Namespaces,
        catalogue,
        ..Policy::new(mode, Vec::new())
    })
}

fn run(command: String) -> Action {
    Action::Run {
        command,
        understood: false,
    }
}

/// What a tool's input means, without looking anywhere but at the description.
fn actions(
    tool: &str,
    input: &Map<String, Value>,
    cwd: &str,
    policy: &Policy,
    look: &Described,
) -> Result<Vec<Action>, String> {
    let text = |key: &str| input.get(key).and_then(Value::as_str);
    let needed = |key: &str| text(key).ok_or_else(|| format!("`{tool}` needs `{key}`"));
    let path = |text: &str| located(cwd, text, &policy.roots, look);
    Ok(match tool {
        "shell" => vec![run(needed("command")?.to_owned())],
        "read" => vec![Action::ReadPath {
            path: path(needed("path")?),
        }],
        "list" | "grep" | "glob" => vec![Action::ReadPath {
            path: path(text("path").unwrap_or(".")),
        }],
        "write" => vec![Action::WritePath {
            path: path(needed("path")?),
        }],
        "edit" => {
            let path = path(needed("path")?);
            vec![
                Action::ReadPath { path: path.clone() },
                Action::WritePath { path },
            ]
        }
        "fetch" => vec![Action::reach(host(needed("url")?).to_owned())],
        other => return Err(format!("the tool `{other}` is not known")),
    })
}

/// The host of an address, without user, port and path.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split_once(':').map_or(host, |(host, _)| host)
}
