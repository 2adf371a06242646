//! Takes permission rules over from a `.claude/settings.json`, as far as they can be: what an
//! imported rule allows, the original one allows by its published documentation, never more. Where
//! a rule asks or denies, a little more is taken rather than less.

mod paths;
mod words;

use bowline_core::Verdict;
use bowline_policy::Rule;
use serde::Serialize;
use serde_json::Value;

/// The largest settings file that is read, in bytes.
pub const SETTINGS_BYTES_MAX: usize = 1 << 20;

/// What came of a settings file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Rules that say what entries of the file say, in the order written.
    pub rules: Vec<ImportedRule>,
    /// Entries that could not be carried over.
    pub left_out: Vec<LeftOut>,
}

/// One rule made of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedRule {
    /// What it says.
    pub verdict: Verdict,
    /// The rule.
    pub rule: String,
    /// The entry.
    pub entry: String,
    /// How it differs from the entry, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One entry that no rule was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The list it stands in, or the key.
    pub list: String,
    /// The entry.
    pub entry: String,
    /// Why.
    pub why: String,
}

/// What one entry comes to: rules with notes, or why there is none.
type Made = Result<Vec<(String, Option<&'static str>)>, String>;

/// Reads the text of a settings file. `folder` is the absolute folder of the project that it belongs
/// to; `None` for a person's own settings, which hold in every folder.
///
/// # Errors
/// Why the file cannot be read, as the end of a sentence.
pub fn import(text: &str, folder: Option<&str>) -> Result<Imported, String> {
    if text.len() > SETTINGS_BYTES_MAX {
        return Err("it is larger than 1 MiB: that is no settings file".to_owned());
    }
    let settings: Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let settings = settings.as_object().ok_or("it is no JSON object")?;
    let mut imported = Imported::default();
    let permissions = match settings.get("permissions") {
        None => return Ok(imported),
        Some(Value::Object(permissions)) => permissions,
        Some(_) => return Err("its `permissions` are no object".to_owned()),
    };
    for (name, value) in permissions {
        let verdict = match name.as_str() {
            "allow" => Verdict::Allow,
            "ask" => Verdict::Ask,
            "deny" => Verdict::Deny,
            _ => {
                imported.left_out.push(other_key(name, value));
                continue;
            }
        };
        let entries = value
            .as_array()
            .ok_or_else(|| format!("its `permissions.{name}` is no list"))?;
        for entry in entries {
            let entry = entry
                .as_str()
                .ok_or_else(|| format!("`permissions.{name}` holds what is no text"))?;
            imported.take(verdict, name, entry, folder);
        }
    }
    Ok(imported)
}

fn other_key(name: &str, value: &Value) -> LeftOut {
    let entry = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let why = match (name, entry.as_str()) {
        ("defaultMode", "acceptEdits") => {
            "a mode is no rule: `mode = \"edit\"` in config.toml is the like of it"
        }
        ("defaultMode", "plan") => {
            "a mode is no rule: `mode = \"read-only\"` in config.toml is the like of it"
        }
        ("defaultMode", _) => "a mode is no rule: set `mode` in config.toml",
        ("additionalDirectories", _) => "folders are added by hand, with --add-dir",
        _ => "it is no list of rules",
    };
    LeftOut {
        list: name.to_owned(),
        entry: entry.chars().take(200).collect(),
        why: why.to_owned(),
    }
}

impl Imported {
    fn take(&mut self, verdict: Verdict, list: &str, entry: &str, folder: Option<&str>) {
        let made = made(verdict, entry.trim(), folder).and_then(|rules| {
            // What cannot be read here is none.
            let wrong = rules
                .iter()
                .find_map(|(rule, _)| Rule::on_command_line(verdict, rule).err());
            wrong.map_or(Ok(rules), |error| Err(error.to_string()))
        });
        match made {
            Ok(rules) => {
                for (rule, note) in rules {
                    let is_there = |one: &ImportedRule| one.verdict == verdict && one.rule == rule;
                    if !self.rules.iter().any(is_there) {
                        self.rules.push(ImportedRule {
                            verdict,
                            rule,
                            entry: entry.to_owned(),
                            note: note.map(str::to_owned),
                        });
                    }
                }
            }
            Err(why) => self.left_out.push(LeftOut {
                list: list.to_owned(),
                entry: entry.to_owned(),
                why,
            }),
        }
    }
}

fn made(verdict: Verdict, entry: &str, folder: Option<&str>) -> Made {
    if let Some(rest) = entry.strip_prefix("mcp__") {
        return of_server(verdict, rest);
    }
    let (tool, inside) = match entry.split_once('(') {
        None => (entry, None),
        Some((tool, rest)) => {
            let inside = rest
                .strip_suffix(')')
                .ok_or("its closing parenthesis is missing")?;
            (
                tool,
                Some(inside.trim()).filter(|inside| !matches!(*inside, "" | "*")),
            )
        }
    };
    match (tool, inside) {
        ("Bash", None) if verdict == Verdict::Allow => Err(
            "it allows every command; mode auto runs commands unasked within a sandbox".to_owned(),
        ),
        ("Bash", None) => Ok(vec![("tool(shell)".to_owned(), None)]),
        ("Bash", Some(command)) => words::rules(verdict, command),
        ("Read", path) => paths::rules(verdict, "read", path, folder),
        ("Edit" | "MultiEdit" | "NotebookEdit", path) => paths::rules(verdict, "write", path, folder),
        ("Write", Some(_)) if verdict == Verdict::Allow => Err(
            "by its documentation a path under Write allows nothing: Edit(..) is what allows writing"
                .to_owned(),
        ),
        ("Write", path) => paths::rules(verdict, "write", path, folder),
        ("WebFetch", Some(site)) => of_site(verdict, site),
        ("WebFetch", None) if verdict == Verdict::Allow => {
            Err("it allows any host: name hosts, as in `allow = \"host(docs.rs)\"`".to_owned())
        }
        ("WebFetch", None) => Ok(vec![(
            "host(*)".to_owned(),
            Some("a rule for hosts speaks of every tool that reaches them"),
        )]),
        ("", _) => Err("it names no tool".to_owned()),
        _ => Err(format!("there is no tool here that does what `{tool}` does")),
    }
}

fn of_server(verdict: Verdict, rest: &str) -> Made {
    let (server, tool) = rest.split_once("__").unwrap_or((rest, "*"));
    if verdict == Verdict::Allow && server.contains('*') {
        return Err("it allows several servers at once: name each".to_owned());
    }
    Ok(vec![(format!("mcp({server}/{tool})"), None)])
}

fn of_site(verdict: Verdict, site: &str) -> Made {
    let Some(domain) = site.strip_prefix("domain:") else {
        return Err("only `domain:` is known".to_owned());
    };
    let domain = domain.trim();
    if verdict == Verdict::Allow && domain.contains('*') {
        return Err(
            "what its star stands for is not documented for every version: name hosts".to_owned(),
        );
    }
    Ok(vec![(format!("host({domain})"), None)])
}

#[cfg(test)]
mod tests;
