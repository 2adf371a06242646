//! `cargo xtask fuzz`: builds the fuzz targets with the instrumentation of libFuzzer and runs each for a while.
//!
//! The stable compiler can instrument by itself, so nothing has to be installed: the flags below are what a nightly
//! `-Zsanitizer` would set, without the sanitizer. A build with a planted fault must be caught by the same run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::repo::{Repo, succeeds};
use crate::{Outcome, say};

/// Every target with the folders its seeds come from; of a `.jsonl` file, each record's `command`
/// or `text` is one.
const TARGETS: [(&str, &[&str]); 18] = [
    (
        "sse",
        &["wire/openai-chat", "wire/openai", "wire/anthropic"],
    ),
    ("chat", &["wire/openai-chat"]),
    ("responses", &["wire/openai"]),
    ("anthropic", &["wire/anthropic"]),
    ("journal", &["journals/v1"]),
    ("proofs", &["fuzz/proofs"]),
    ("config", &["fuzz/config"]),
    ("rules", &["fuzz/rules"]),
    ("settings", &["fuzz/settings"]),
    ("keeper", &["fuzz/keeper"]),
    ("tools", &["fuzz/tools"]),
    ("prices", &["fuzz/prices"]),
    ("usage", &["fuzz/usage"]),
    (
        "shell_parse",
        &["corpora/shell-permission.jsonl", "fuzz/shell"],
    ),
    ("policy", &["corpora/shell-permission.jsonl", "fuzz/shell"]),
    ("page", &["fuzz/page"]),
    ("secrets", &["corpora/secrets.jsonl"]),
    ("recap", &["fuzz/recap"]),
];

/// Coverage counters for libFuzzer. A target triple is named so that build scripts go without.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table -Clink-dead-code";

const SECONDS: u32 = 20;
/// How long the planted fault may stay hidden.
const CONTROL_SECONDS: u32 = 180;

/// What was asked for.
struct Asked {
    seconds: u32,
    targets: Vec<&'static str>,
}

/// Runs `--seconds N` (20 by default) of each target that is named, or of all.
///
/// # Errors
/// When an argument is not understood, the build fails, or the planted fault is not found.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Outcome> {
    let asked = parse(arguments)?;
    let folder = repo.root().join("target").join("fuzz");
    let program = build(repo, &folder, &[], "sound")?;
    let mut clean = true;
    for name in &asked.targets {
        clean &= fuzz(repo, &folder, &program, name, asked.seconds)?;
    }
    let planted = build(repo, &folder, &["--features", "planted"], "planted")?;
    let found = attempt(repo, &folder, &planted, "sse", CONTROL_SECONDS)?;
    if found.ended_well {
        bail!("the planted fault was not found: this run sees nothing");
    }
    say::line(format!(
        "fuzz: the planted fault was found after {} executions",
        found.executions
    ));
    Ok(Outcome::clean_if(clean))
}

fn parse(arguments: &[String]) -> Result<Asked> {
    let mut asked = Asked {
        seconds: SECONDS,
        targets: Vec::new(),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().context("`--seconds` wants a number")?;
            asked.seconds = number
                .parse()
                .with_context(|| format!("`{number}` is no number of seconds"))?;
        } else if let Some((name, _)) = TARGETS.iter().find(|(name, _)| name == argument) {
            asked.targets.push(name);
        } else {
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            bail!(
                "no fuzz target is called `{argument}`; there are {}",
                names.join(", ")
            );
        }
    }
    if asked.targets.is_empty() {
        asked.targets = TARGETS.iter().map(|(name, _)| *name).collect();
    }
    Ok(asked)
}

/// Builds the program and keeps it under a name of its own.
fn build(repo: &Repo, folder: &Path, more: &[&str], name: &str) -> Result<PathBuf> {
    let host = host(repo)?;
    let mut command = repo.cargo();
    command
        .current_dir(repo.root().join("fuzz"))
        .args(["build", "--quiet", "--locked", "--target", &host])
        .args(more)
        .env("CARGO_TARGET_DIR", folder)
        .env("RUSTFLAGS", FLAGS);
    if !succeeds(&mut command)? {
        bail!("the fuzz targets cannot be built; cargo says why above");
    }
    let kept = folder.join(format!("bowline-fuzz-{name}"));
    let built = folder.join(host).join("debug").join("bowline-fuzz");
    std::fs::copy(&built, &kept).with_context(|| format!("cannot keep {}", built.display()))?;
    Ok(kept)
}

/// The triple of this machine, as the compiler names it.
fn host(repo: &Repo) -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .current_dir(repo.root())
        .output()
        .context("rustc cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

/// Runs one target and says how it went.
fn fuzz(repo: &Repo, folder: &Path, program: &Path, name: &str, seconds: u32) -> Result<bool> {
    let run = attempt(repo, folder, program, name, seconds)?;
    if run.ended_well {
        say::line(format!(
            "fuzz: {name}: {} executions in {seconds} s, {} edges covered, nothing found",
            run.executions, run.covered
        ));
    } else {
        say::line(format!(
            "fuzz: {name}: FOUND something after {} executions:\n{}\n  the input is kept in {}",
            run.executions,
            run.said,
            folder.join("found").display()
        ));
    }
    Ok(run.ended_well)
}

/// How a run of libFuzzer ended.
struct Run {
    ended_well: bool,
    executions: u64,
    /// Edges of the program that some input went through.
    covered: u64,
    /// The lines that say what was found.
    said: String,
}

/// The folder with the seeds; those of a `.jsonl` file are written to one first.
fn seed_folder(repo: &Repo, folder: &Path, seed: &str) -> Result<PathBuf> {
    let path = repo.root().join("fixtures").join(seed);
    if !seed.ends_with(".jsonl") {
        return Ok(path);
    }
    let made = folder.join("seeds").join(seed);
    std::fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
    let records = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    for (index, record) in records.lines().enumerate() {
        let record: serde_json::Value = serde_json::from_str(record)
            .with_context(|| format!("{}:{}", path.display(), index + 1))?;
        let seed = record["command"].as_str().or(record["text"].as_str());
        if let Some(seed) = seed {
            let file = made.join(index.to_string());
            std::fs::write(&file, seed)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(made)
}

fn attempt(repo: &Repo, folder: &Path, program: &Path, name: &str, seconds: u32) -> Result<Run> {
    let seeds = TARGETS.iter().find(|(known, _)| *known == name);
    let seeds = seeds.map_or(&[][..], |(_, seeds)| seeds);
    // A build's own: what another kept may be the very input that is to be found.
    let build = program.file_name().unwrap_or_default();
    let corpus = folder.join("corpus").join(build).join(name);
    let found = folder.join("found");
    for made in [&corpus, &found] {
        std::fs::create_dir_all(made).with_context(|| format!("cannot make {}", made.display()))?;
    }
    let seeds = seeds
        .iter()
        .map(|seed| seed_folder(repo, folder, seed))
        .collect::<Result<Vec<_>>>()?;
    let mut command = Command::new(program);
    command
        .env("BOWLINE_FUZZ_TARGET", name)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{name}-", found.display()))
        .args([
            "-print_final_stats=1",
            "-max_len=16384",
            "-timeout=10",
            "-rss_limit_mb=2048",
        ])
        .arg(corpus)
        .args(seeds);
    let output = command
        .output()
        .context("the fuzz program cannot be started")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let executions = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0);
    let covered = text
        .lines()
        .rev()
        .find_map(|line| line.split_once(" cov: ")?.1.split(' ').next()?.parse().ok())
        .unwrap_or(0);
    let telling = |line: &&str| {
        [
            "panicked", "ERROR:", "SUMMARY:", "left:", "right:", "whole:", "split:",
        ]
        .iter()
        .any(|mark| line.contains(mark))
    };
    let said: Vec<&str> = text.lines().filter(telling).collect();
    Ok(Run {
        ended_well: output.status.success(),
        executions,
        covered,
        said: said.join("\n"),
    })
}
