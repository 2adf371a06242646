//! Every chore of the Bowline repository: checks, tests, generated documents, measurements.
//!
//! `cargo xtask help` lists them. Nothing has to be installed first: the chores need cargo, git and bash, and
//! compile with two small dependencies. Not here: anything a release or a user of Bowline needs.
//! Start at [`dispatch`]; a chore is one file.

#![forbid(unsafe_code)]

mod bench;
mod check;
mod crash;
mod deps;
mod docs;
mod duplicates;
mod endure;
mod finding;
mod fuzz;
mod interop;
mod licences;
mod metadata;
mod repo;
mod rust_text;
mod say;
mod spdx;
mod suite;
mod tidy;
mod tree;

use std::process::ExitCode;

use anyhow::Result;

use crate::repo::Repo;

const HELP: &str = "\
The chores of the Bowline repository.

Usage: cargo xtask CHORE [ARGUMENT...]

  check         everything below that needs no test run: format, clippy, tidy, deps, licences, duplicates, rustdoc
  test          the whole test suite, then a small sample of the crash check; arguments go to `cargo test`
  crash         kill a scripted session in every way and verify what is left: --sweep (at every system call that
                matters), --power (what the disk may hold without power), --random N --seed N; --sample: a little of all
  bench         the benchmarks of every crate that has some; arguments go to the benchmarks
  endure        one session of 5,000 steps (--steps N) in a window that fills up (--window TOKENS): CPU and memory stay flat
  docs          write docs/{cli,events,config}.md, the schemas and the list of event names (--check: only compare)
  tidy          file length, headers, forgotten files, ARCHITECTURE.md, event names, machine paths, manifests
  deps          which crate may know which, who alone may use a library, where `unsafe` and the commit door may stand
  licences      every dependency's licence is on the list
  duplicates    runs of identical lines in the Rust sources
  fuzz          the fuzz targets, each for a while (--seconds N, names of targets), and a planted fault that must be found
  interop       installs model servers that others wrote and runs `bowline exec` against them (names of servers)
  evals         evaluations with a model (not built yet)
  help          this text

Exit codes: 0 done, 1 something was found, 2 wrong usage or a chore that is not built yet.
";

/// How a chore ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to complain about.
    Clean,
    /// Something was found, and was printed.
    Found,
    /// The chore could not be understood, or does not exist yet.
    Unusable,
}

impl Outcome {
    /// `Clean` when `clean`, else `Found`.
    pub(crate) fn clean_if(clean: bool) -> Self {
        if clean { Self::Clean } else { Self::Found }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Unusable) => ExitCode::from(2),
        Err(error) => {
            say::error(format!("xtask: {error:#}"));
            ExitCode::from(1)
        }
    }
}

/// Runs the chore that the first argument names.
fn dispatch(arguments: &[String]) -> Result<Outcome> {
    let Some((chore, rest)) = arguments.split_first() else {
        say::error(HELP);
        return Ok(Outcome::Unusable);
    };
    if matches!(chore.as_str(), "help" | "--help" | "-h") {
        say::line(HELP);
        return Ok(Outcome::Clean);
    }
    if !TAKES_ARGUMENTS.contains(&chore.as_str()) && !rest.is_empty() {
        say::error(format!(
            "xtask: `{chore}` takes no arguments, got `{}`.",
            rest.join(" ")
        ));
        return Ok(Outcome::Unusable);
    }
    let repo = Repo::find()?;
    match chore.as_str() {
        "check" => check::run(&repo),
        "test" => suite::run(&repo, rest),
        "crash" => crash::run(&repo, rest).map(|()| Outcome::Clean),
        "bench" => bench::run(&repo, rest),
        "docs" => docs::run(&repo, rest),
        "tidy" => check::alone("tidy", tidy::step(&repo)?),
        "deps" => check::alone("deps", deps::step(&repo)?),
        "licences" => check::alone("licences", licences::step(&repo)?),
        "duplicates" => check::alone("duplicates", duplicates::step(&repo)?),
        "evals" => Ok(not_built(
            "evals",
            "evaluations with a model in the loop",
            "cargo xtask test",
        )),
        "fuzz" => fuzz::run(&repo, rest),
        "interop" => interop::run(&repo, rest),
        "endure" => endure::run(&repo, rest),
        other => {
            say::error(format!(
                "xtask: no chore is called `{other}`. `cargo xtask help` lists them."
            ));
            Ok(Outcome::Unusable)
        }
    }
}

const TAKES_ARGUMENTS: [&str; 7] = [
    "test", "crash", "bench", "docs", "fuzz", "interop", "endure",
];

/// Every chore's name, so that documents may cite one.
pub(crate) const CHORES: [&str; 13] = [
    "check",
    "test",
    "crash",
    "bench",
    "docs",
    "tidy",
    "deps",
    "licences",
    "duplicates",
    "fuzz",
    "evals",
    "interop",
    "endure",
];

fn not_built(chore: &str, what: &str, instead: &str) -> Outcome {
    say::error(format!(
        "xtask: `{chore}` ({what}) is not built yet: it arrives with a later issue, and nothing was run.\n       \
         What exists today: `{instead}`."
    ));
    Outcome::Unusable
}
