//! `cargo xtask endure`: one session of very many steps, and whether it stays as quick and as small.
//!
//! A model server on loopback asks for a file in every step; the binary reads it and asks again, in
//! a window that is full again and again, so that the conversation is made shorter many times. At
//! each request the server notes what the binary has used so far: time on the processors, memory,
//! bytes of requests. Bytes have to be written whatever the harness does, so time is compared net of
//! them (see [`measure`]). Counts CPU, not time on a clock; other work on the machine does little.

mod measure;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::repo::{Repo, succeeds};
use crate::{Outcome, say};
use measure::{Sample, Verdict};

const USAGE: &str = "usage: cargo xtask endure [--steps N] [--window TOKENS] [--program PATH]";
/// Files of the workspace.
const FILES: usize = 200;

/// What is asked for.
struct Asked {
    steps: usize,
    window: u64,
    program: Option<PathBuf>,
}

impl Asked {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut asked = Self {
            steps: 5_000,
            window: 200_000,
            program: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let value = arguments.next().context(USAGE)?;
            match argument.as_str() {
                "--steps" => asked.steps = value.parse().context(USAGE)?,
                "--window" => asked.window = value.parse().context(USAGE)?,
                "--program" => asked.program = Some(PathBuf::from(value)),
                _ => bail!(USAGE),
            }
        }
        Ok(asked)
    }
}

/// Plays the session and judges it. `--program` takes a binary that is there instead of building one.
///
/// # Errors
/// When the binary cannot be built or run, or the session does not come to its end.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Outcome> {
    let asked = Asked::parse(arguments)?;
    let program = match &asked.program {
        Some(program) => program.canonicalize()?,
        None => build(repo)?,
    };
    let scratch = target(repo).join("endure");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    prepare(&scratch, asked.window)?;
    let samples = play(&program, &scratch, asked.steps)?;
    if samples.len() <= asked.steps {
        bail!("only {} of {} steps were made", samples.len(), asked.steps);
    }
    let verdict = Verdict::of(&samples[..=asked.steps]).context("too few steps to judge")?;
    for part in measure::parts(&samples[..=asked.steps]) {
        say::line(format!("endure: {part}"));
    }
    say::line(format!("endure: {verdict}"));
    Ok(Outcome::clean_if(verdict.is_good()))
}

fn build(repo: &Repo) -> Result<PathBuf> {
    let mut command = repo.cargo();
    command.args([
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "bowline",
    ]);
    if !succeeds(&mut command)? {
        bail!("the binary cannot be built");
    }
    Ok(target(repo).join("release/bowline"))
}

fn target(repo: &Repo) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| repo.root().join("target"), PathBuf::from)
}

/// A workspace with files of many sizes, and a configuration with the window.
fn prepare(scratch: &Path, window: u64) -> Result<()> {
    fs::create_dir_all(scratch.join("work"))?;
    fs::create_dir_all(scratch.join("config/bowline"))?;
    for file in 0..FILES {
        let line = format!("{file}: the harness waits until what it began is done, and says so\n");
        let text = line.repeat(10 + file % 60);
        fs::write(scratch.join(format!("work/f{file}.txt")), text)?;
    }
    let config = format!("[context]\nwindow = {window}\nsummary = \"outline\"\n");
    fs::write(scratch.join("config/bowline/config.toml"), config)?;
    Ok(())
}

/// Runs the session against the server; gives what was used at each request.
fn play(program: &Path, scratch: &Path, steps: usize) -> Result<Vec<Sample>> {
    let server = server::Server::start(steps, FILES)?;
    let mut command = Command::new(program);
    command
        .args(["exec", "--model", "openai-chat/m", "--base-url"])
        .arg(server.base_url())
        .args(["--mode", "full", "--max-steps", &(steps + 10).to_string()])
        .args(["--max-tokens", "1000000000000", "--output", "json", "go on"])
        .current_dir(scratch.join("work"))
        .env("BOWLINE_HOME", scratch.join("home"))
        .env("XDG_CONFIG_HOME", scratch.join("config"))
        .env("HOME", scratch)
        .stdin(Stdio::null())
        .stdout(fs::File::create(scratch.join("out"))?)
        .stderr(fs::File::create(scratch.join("err"))?);
    let mut child = command.spawn().context("the binary cannot be started")?;
    let samples = server.serve(child.id());
    if samples.is_err() {
        // It waits for an answer that nobody gives.
        child.kill()?;
    }
    let status = child.wait()?;
    let samples = samples?;
    if !status.success() {
        let said = fs::read_to_string(scratch.join("err"))?;
        bail!(
            "the session ended with {status} after {} requests: {said}",
            samples.len()
        );
    }
    Ok(samples)
}
