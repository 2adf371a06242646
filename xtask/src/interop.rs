//! `cargo xtask interop`: model servers that others wrote, installed into `target/interop`, started on loopback and
//! spoken to by the built `bowline exec`. Each conversation has at least three turns with tools.

mod aimock;
mod litellm;
mod play;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::repo::{Repo, is_installed, succeeds};
use crate::{Outcome, say};

/// One conversation and what became of it.
pub(crate) struct Verdict {
    /// Who was spoken to, and how.
    name: String,
    /// What is wrong; nothing if all is well.
    faults: Vec<String>,
    /// What was seen, in a line.
    seen: String,
}

/// Runs the servers that are named (`aimock`, `litellm`), or both.
///
/// # Errors
/// When a server is not known, cannot be installed or does not start.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Outcome> {
    let known = ["aimock", "litellm"];
    if let Some(other) = arguments
        .iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        bail!(
            "no server is called `{other}`; there are {}",
            known.join(", ")
        );
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|given| given == name);
    for program in ["node", "npm", "python3"] {
        if !is_installed(program) {
            bail!("interop needs {program}, and does not find it");
        }
    }
    let bench = build(repo)?;
    std::fs::create_dir_all(&bench.folder)?;
    let mut verdicts = Vec::new();
    if wanted("aimock") {
        verdicts.extend(aimock::run(&bench)?);
    }
    if wanted("litellm") {
        verdicts.extend(litellm::run(&bench)?);
    }
    let mut clean = true;
    for verdict in &verdicts {
        clean &= verdict.faults.is_empty();
        let word = if verdict.faults.is_empty() {
            "fine"
        } else {
            "FAULTS"
        };
        say::line(format!(
            "interop: {}: {word}; {}",
            verdict.name, verdict.seen
        ));
        for fault in &verdict.faults {
            say::line(format!("  {fault}"));
        }
    }
    Ok(Outcome::clean_if(clean && !verdicts.is_empty()))
}

/// What conversations need.
pub(crate) struct Bench {
    /// Where the servers are installed.
    folder: PathBuf,
    /// The binary.
    bowline: PathBuf,
    /// The scripted server, for servers that need a model behind them.
    serve: PathBuf,
}

fn build(repo: &Repo) -> Result<Bench> {
    let ours: [&[&str]; 2] = [
        &["-p", "bowline"],
        &["-p", "bowline-testkit", "--example", "serve"],
    ];
    for package in ours {
        let mut command = repo.cargo();
        if !succeeds(command.args(["build", "--quiet", "--locked"]).args(package))? {
            bail!(
                "`{}` cannot be built; cargo says why above",
                package.join(" ")
            );
        }
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repo.root().join("target"), PathBuf::from);
    Ok(Bench {
        folder: target.join("interop"),
        bowline: target.join("debug").join("bowline"),
        serve: target.join("debug").join("examples").join("serve"),
    })
}
