//! `cargo xtask bench`: the benchmarks of every crate that has some.

use anyhow::Result;

use crate::repo::{Repo, succeeds};
use crate::{Outcome, say};

/// Runs all benchmarks, package by package. Arguments go to the benchmark programs, for instance a filter.
///
/// # Errors
/// When cargo cannot be asked or started.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Outcome> {
    let metadata = repo.metadata()?;
    let mut failed = Vec::new();
    let mut ran = 0_usize;
    for package in metadata.members() {
        let mut command = repo.cargo();
        command.args(["bench", "--quiet", "--locked", "--package", &package.name]);
        let benches = package
            .targets
            .iter()
            .filter(|target| target.is_kind("bench"));
        let before = ran;
        for target in benches {
            command.args(["--bench", &target.name]);
            ran += 1;
        }
        if ran > before && !succeeds(command.arg("--").args(arguments))? {
            failed.push(package.name.as_str());
        }
    }
    if failed.is_empty() {
        say::line(format!("bench: ran {ran} benchmark programs"));
    } else {
        say::line(format!(
            "bench: failed in {}; what each said is above",
            failed.join(", ")
        ));
    }
    Ok(Outcome::clean_if(failed.is_empty()))
}
