//! `bowline policy check`: what would be decided about a shell command, here or as described.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bowline_core::decision::RuleSource;
use bowline_core::{Action, Mode, OnAsk, Sandbox, Verdict};
use bowline_policy::{Judgement, Policy, Recipient, Surroundings, ToolFacts, decide, hides};
use bowline_runtime::trial::{self, Trial};
use bowline_runtime::{Disk, resolve_folders};
use serde_json::{Value, json};

use crate::args::{Case, Force};

use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};
use crate::wire::{self, in_force};

/// Most bytes of a file of described calls.
const RECORDS_BYTES_MAX: u64 = 256 << 20;

/// Runs the command.
pub fn run(places: &Places, case: &Case) -> Result<u8, Failure> {
    if let Some(file) = &case.jsonl {
        return described(file);
    }
    let tried = Tried::here(places, case)?;
    let judgement = &tried.judgement;
    if case.json {
        print::line(&tried.as_json().to_string());
    } else {
        let look = Look::of_stdout();
        print::line(&head(&look, judgement.verdict, &tried.command));
        // That every part may run is said once; what does not, part by part.
        let reasons = match judgement.verdict {
            Verdict::Allow => vec![judgement.reason.as_str()],
            Verdict::Ask | Verdict::Deny => trial::reasons(judgement),
        };
        for reason in reasons {
            for line in look.wrap(reason, 2) {
                print::line(&format!("  {line}"));
            }
        }
    }
    Ok(exit(judgement.verdict))
}

/// A command with what would be decided about it in this folder.
pub struct Tried {
    /// Its text.
    pub command: String,
    /// The policy in force.
    pub policy: Policy,
    /// What was decided.
    pub judgement: Judgement,
}

impl Tried {
    /// Judges the command of `case` by what is in force in this folder.
    pub fn here(places: &Places, case: &Case) -> Result<Self, Failure> {
        let (cwd, roots) = resolve_folders(&PathBuf::from("."), &case.add_dir)?;
        let command = text(&case.command);
        let policy = policy(places, case, &cwd, &roots)?;
        let specs = bowline_tools::builtin::specs();
        let shell = specs.iter().find(|spec| spec.name == "shell");
        let tool = shell.map_or_else(|| ToolFacts::unknown("shell"), ToolFacts::from);
        let run = Action::Run {
            command: command.clone(),
            understood: false,
        };
        let cwd = cwd.display().to_string();
        // As for a model elsewhere: what rules keep from it is hidden where it would run in a sandbox.
        let is_confined = policy.mode == Mode::Auto && policy.sandbox == Sandbox::Namespaces;
        let hidden = is_confined.then(|| hides(&policy));
        let cx = Surroundings {
            recipient: Recipient {
                hidden: hidden.as_deref(),
                ..Recipient::default()
            },
            ..Surroundings::new(&cwd, &Disk)
        };
        let judgement = decide(&policy, tool, &[run], OnAsk::Park, &cx);
        Ok(Self {
            command,
            policy,
            judgement,
        })
    }

    /// The whole as one object.
    pub fn as_json(&self) -> Value {
        json!({
            "command": self.command,
            "mode": self.policy.mode,
            "decision": self.judgement.verdict.name(),
            "reasons": trial::reasons(&self.judgement),
            "actions": self.judgement.judged,
            "looked": self.judgement.looked,
        })
    }
}

/// The policy of this folder with what the command line adds.
fn policy(places: &Places, case: &Case, cwd: &Path, roots: &[PathBuf]) -> Result<Policy, Failure> {
    // Rules do not depend on the model, so none has to be set up.
    let force = Force {
        mode: case.mode.clone(),
        model: Some(format!("scripted/{}", wire::ONE_CALL)),
        ..Force::default()
    };
    let config = wire::configure(places, cwd, &force)?;
    let settings = wire::scripted_settings(&config, places)?;
    let rules = wire::rules_by_hand(&case.allow, &case.deny)?;
    let configured = in_force::configured(&config, places, &settings.model, rules);
    let mut policy = wire::policy(&configured, settings.mode, roots)?;
    policy.sandbox = bowline_runtime::sandbox(&wire::confiner(&policy));
    Ok(policy)
}

/// The text of a command: one argument is shell text, several are its words.
fn text(words: &[String]) -> String {
    match words {
        [text] => text.clone(),
        words => {
            let quoted: Vec<String> = words.iter().map(|word| print::quoted(word)).collect();
            quoted.join(" ")
        }
    }
}

/// Judges described calls, one a line.
fn described(file: &Path) -> Result<u8, Failure> {
    let cannot = |error: std::io::Error| Failure::usage(format!("{}: {error}", file.display()));
    let mut text = String::new();
    let source: Box<dyn std::io::Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(cannot)?)
    };
    source
        .take(RECORDS_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(cannot)?;
    let mut unread = 0;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match Trial::parse(line) {
            Ok(trial) => {
                let judgement = trial.judge();
                let answer = json!({
                    "id": trial.id,
                    "decision": judgement.verdict.name(),
                    "reasons": trial::reasons(&judgement),
                });
                print::line(&answer.to_string());
            }
            Err(why) => {
                unread += 1;
                print::err_line(&format!("{}:{}: {why}", file.display(), number + 1));
            }
        }
    }
    Ok(u8::from(unread > 0))
}

/// The exit code of a verdict: as a turn would end.
pub const fn exit(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Ask => 3,
        Verdict::Deny => 5,
    }
}

/// The first line: the verdict and the command.
pub fn head(look: &Look, verdict: Verdict, command: &str) -> String {
    let shown = look.fit(command, 7);
    format!("{}  {shown}", painted(look, verdict))
}

/// A verdict in its colour, five characters wide.
pub fn painted(look: &Look, verdict: Verdict) -> String {
    let colour = match verdict {
        Verdict::Allow => Colour::Green,
        Verdict::Ask => Colour::Yellow,
        Verdict::Deny => Colour::Red,
    };
    look.paint(colour, &format!("{:<5}", verdict.name()))
}

/// A rule for people: what it is and where it stands.
pub fn placed(rule: &RuleSource) -> String {
    let place = rule.place();
    match rule.file {
        Some(_) => place,
        None => format!("{place} ({})", rule.layer.words()),
    }
}
