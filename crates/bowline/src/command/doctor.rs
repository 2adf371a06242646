//! `bowline doctor`: looks at everything a run needs, stage by stage, and says how to mend what is
//! wrong. Starts local probes only (`bash`, `git`, a keeper, bubblewrap) and opens no socket but to
//! ports of this machine, unless `--online` is given; makes no state folder.

mod machine;
mod model;
mod retention;
mod state;

use std::path::PathBuf;

use serde_json::json;

use crate::args::Doctor;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Ok,
    /// A run works, with something missing.
    Warning,
    /// A run cannot work, or something was lost.
    Problem,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    const fn colour(self) -> Colour {
        match self {
            Self::Ok => Colour::Green,
            Self::Warning => Colour::Yellow,
            Self::Problem => Colour::Red,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    level: Level,
    name: &'static str,
    found: String,
    fix: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            name,
            found: found.into(),
            fix: None,
        }
    }

    /// Something is missing that a run can do without.
    pub fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            name,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }

    /// Something a run needs is wrong.
    pub fn problem(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            level: Level::Problem,
            ..Self::warning(name, found, fix)
        }
    }
}

/// Runs the command: exit 0 when there is no problem, else 1.
pub fn run(args: &Doctor) -> Result<u8, Failure> {
    let places = Places::find()?;
    let cwd = args.cd.clone().unwrap_or_else(|| PathBuf::from("."));
    let cwd = std::path::absolute(&cwd)
        .map_err(|error| Failure::usage(format!("{}: {error}", cwd.display())))?;
    let mut teller = Teller {
        json: args.json,
        look: Look::of_stdout(),
        checks: Vec::new(),
    };
    teller.tell(machine::program());
    teller.tell(state::folder(&places));
    let config = state::configuration(&places, &cwd);
    let effective = match config {
        Ok((effective, checks)) => {
            teller.tell(checks);
            Some(effective)
        }
        Err(check) => {
            teller.tell(vec![check]);
            None
        }
    };
    teller.tell(state::sessions(&places));
    teller.tell(machine::keeper());
    teller.tell(machine::sandbox());
    teller.tell(machine::shell());
    teller.tell(machine::git());
    teller.tell(machine::terminal());
    if let Some(config) = effective {
        teller.tell(retention::check(&config, &places));
        teller.tell(model::check(&config, &places, args.online));
    }
    Ok(teller.end())
}

/// Tells checks as they are made; JSON comes as one object at the end.
struct Teller {
    json: bool,
    look: Look,
    checks: Vec<Check>,
}

/// The width of the longest name of a check.
const NAME_WIDTH: usize = 13;

/// Where what was found begins.
const INDENT: usize = 9 + NAME_WIDTH + 2;

impl Teller {
    fn tell(&mut self, checks: Vec<Check>) {
        if !self.json {
            for check in &checks {
                self.line(check);
            }
        }
        self.checks.extend(checks);
    }

    fn line(&self, check: &Check) {
        let level = self
            .look
            .paint(check.level.colour(), &format!("{:<7}", check.level.name()));
        for (index, line) in self.look.wrap(&check.found, INDENT).iter().enumerate() {
            if index == 0 {
                print::line(&format!("{level}  {:<NAME_WIDTH$}  {line}", check.name));
            } else {
                print::line(&format!("{:INDENT$}{line}", ""));
            }
        }
        let fix = check
            .fix
            .iter()
            .flat_map(|fix| self.look.wrap(fix, INDENT + 3));
        for (index, line) in fix.enumerate() {
            let arrow = if index == 0 { "->" } else { "" };
            print::line(&format!("{:INDENT$}{arrow:<2} {line}", ""));
        }
    }

    fn end(self) -> u8 {
        let count = |level| self.checks.iter().filter(|one| one.level == level).count();
        let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
        if self.json {
            let checks: Vec<_> = self
                .checks
                .iter()
                .map(|check| {
                    json!({ "name": check.name, "level": check.level.name(),
                        "found": check.found, "fix": check.fix })
                })
                .collect();
            let all = json!({ "checks": checks, "problems": problems, "warnings": warnings });
            print::line(&all.to_string());
        } else {
            print::line(&match (problems, warnings) {
                (0, 0) => "\nall well".to_owned(),
                (0, warnings) => format!("\nno problem, {warnings} to look at"),
                (problems, _) => format!("\n{problems} to mend before a run works as it should"),
            });
        }
        u8::from(problems > 0)
    }
}
