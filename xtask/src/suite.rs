//! `cargo xtask test`: the command of the README. The whole suite, then a small sample of the crash check.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::repo::{Repo, is_installed, succeeds};
use crate::{Outcome, crash, say};

/// Programs that tests start, or that building them needs.
const NEEDED: [&str; 3] = ["bash", "cc", "git"];

/// Runs the suite. Arguments go to `cargo test`; with any, the crash sample is left out.
///
/// # Errors
/// When a needed program is missing, cargo cannot be started, or the crash sample fails.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Outcome> {
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|name| !is_installed(name))
        .collect();
    if !missing.is_empty() {
        bail!(
            "the tests need {} and do not find it; install it (Debian: `apt-get install bash gcc git`)",
            missing.join(", ")
        );
    }
    let started = Instant::now();
    let mut command = repo.cargo();
    command.args(["test", "--locked", "--no-fail-fast"]);
    // Cargo lets `--workspace` win over a chosen package.
    if !arguments
        .iter()
        .any(|argument| argument == "-p" || argument.starts_with("--package"))
    {
        command.arg("--workspace");
    }
    if !succeeds(command.args(arguments))? {
        say::line(format!(
            "test: failed after {:.0} s; cargo lists above what failed",
            seconds(started)
        ));
        return Ok(Outcome::Found);
    }
    if arguments.is_empty() {
        crash::run(repo, &["--sample".to_owned()])?;
        say::line(format!(
            "test: passed, the suite and the crash sample, in {:.0} s",
            seconds(started)
        ));
    } else {
        say::line(format!(
            "test: passed in {:.0} s what `{}` chose, without the crash sample",
            seconds(started),
            arguments.join(" ")
        ));
    }
    Ok(Outcome::Clean)
}

fn seconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64()
}
