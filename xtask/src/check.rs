//! `cargo xtask check`: every check that runs no tests, one after the other, none left out after a failure.

use std::time::Instant;

use anyhow::Result;

use crate::finding::Findings;
use crate::repo::{Repo, succeeds};
use crate::{Outcome, deps, duplicates, licences, say, tidy};

/// One check of the sequence.
struct Step {
    name: &'static str,
    run: fn(&Repo) -> Result<Findings>,
}

const STEPS: [Step; 7] = [
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "tidy",
        run: tidy::step,
    },
    Step {
        name: "deps",
        run: deps::step,
    },
    Step {
        name: "licences",
        run: licences::step,
    },
    Step {
        name: "duplicates",
        run: duplicates::step,
    },
    Step {
        name: "rustdoc",
        run: rustdoc,
    },
];

/// Runs all checks and prints a line for each.
///
/// # Errors
/// Never: a check that cannot run is a failed check.
pub(crate) fn run(repo: &Repo) -> Result<Outcome> {
    let mut failed = Vec::new();
    for Step { name, run } in STEPS {
        let started = Instant::now();
        let findings = run(repo).unwrap_or_else(|error| {
            let mut findings = Findings::default();
            findings.fault(name, format!("could not run: {error:#}"), "mend that first");
            findings
        });
        let clean = findings.faults.is_empty();
        let verdict = if clean {
            "ok".to_owned()
        } else {
            format!("{} found", findings.faults.len())
        };
        say::line(format!(
            "check {name:<11} {verdict:<9} {:>6.1} s",
            started.elapsed().as_secs_f64()
        ));
        findings.print();
        if !clean {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        say::line("check: clean");
    } else {
        say::line(format!("check: failed in {}", failed.join(", ")));
    }
    Ok(Outcome::clean_if(failed.is_empty()))
}

/// Prints what one check found when it was asked for alone.
///
/// # Errors
/// Never; the signature is that of a chore.
pub(crate) fn alone(name: &str, findings: Findings) -> Result<Outcome> {
    findings.print();
    let count = findings.faults.len();
    let verdict = if count == 0 {
        "clean".to_owned()
    } else {
        format!("{count} found")
    };
    say::line(format!("{name}: {verdict}"));
    Ok(Outcome::clean_if(count == 0))
}

fn format(repo: &Repo) -> Result<Findings> {
    let mut command = repo.cargo();
    let passed = succeeds(command.args(["fmt", "--all", "--check"]))?;
    Ok(cargo_findings(
        passed,
        "the sources",
        "are not formatted (see above)",
        "run `cargo fmt --all`",
    ))
}

fn clippy(repo: &Repo) -> Result<Findings> {
    let mut command = repo.cargo();
    command.args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
    ]);
    let passed = succeeds(command.args(["--", "-D", "warnings"]))?;
    Ok(cargo_findings(
        passed,
        "the sources",
        "do not compile without warnings (see above)",
        "mend each, or `#[expect(.., reason = \"..\")]` it where the lint is wrong",
    ))
}

fn rustdoc(repo: &Repo) -> Result<Findings> {
    let metadata = repo.metadata()?;
    let mut command = repo.cargo();
    command
        .args(["doc", "--quiet", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings");
    for package in metadata.members().filter(|package| package.has_kind("lib")) {
        command.args(["--package", &package.name]);
    }
    let passed = succeeds(&mut command)?;
    Ok(cargo_findings(
        passed,
        "the documentation",
        "does not build without warnings (see above)",
        "mend the links and headings that rustdoc names",
    ))
}

fn cargo_findings(passed: bool, place: &str, what: &str, next: &str) -> Findings {
    let mut findings = Findings::default();
    if !passed {
        findings.fault(place, what, next);
    }
    findings
}
