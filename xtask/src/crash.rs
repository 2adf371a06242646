//! `cargo xtask crash`: kill a scripted session at every boundary, recover it, and verify what is left.
//!
//! A build with named points between every append and act stops at the n-th point and says so; this parent kills
//! it there with SIGKILL, resumes the session and kills it a second time during recovery, then lets it finish.
//! A deliberately broken build, which tells before it appends, must be caught by the same check.

mod play;
mod scenario;
mod verdict;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::play::{Arena, Ended};
use crate::repo::{Repo, succeeds};
use crate::say;

/// In a sample, one point in this many is tried. A prime, so that every kind of point comes up.
const SAMPLE_EVERY: u64 = 23;
/// How many points recovery runs through before it is killed a second time, in turn.
const SECOND_KILLS: u64 = 17;

/// Runs the crash check, with `--sample` on a few boundaries only.
///
/// # Errors
/// When an argument is not understood, or when a crash left something that must not be.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<()> {
    let every = match arguments {
        [] => 1,
        [flag] if flag == "--sample" => SAMPLE_EVERY,
        other => bail!(
            "`crash` takes nothing or --sample, not `{}`",
            other.join(" ")
        ),
    };
    let started = Instant::now();
    let good = build(repo, "crash-points", "bowline-crash-points")?;
    let broken = build(repo, "broken-ack-before-append", "bowline-crash-broken")?;
    let points = sweep(&good, every)?;
    let caught = first_fault(&broken, SAMPLE_EVERY.min(every * 3))?;
    say::line(format!(
        "crash: {points} points killed, each again in recovery: nothing acknowledged was lost, no finished call ran \
         again, every chain verified; the broken build was caught at point {} ({}); {:.0} s",
        caught.0,
        caught.1,
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Builds the binary with a feature and keeps it under its own name.
fn build(repo: &Repo, feature: &str, name: &str) -> Result<PathBuf> {
    let mut command = repo.cargo();
    command.args([
        "build",
        "--quiet",
        "--locked",
        "-p",
        "bowline",
        "--features",
        feature,
    ]);
    if !succeeds(&mut command)? {
        bail!("the build with feature {feature} failed; cargo says why above");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repo.root().join("target"), PathBuf::from);
    let kept = target.join("debug").join(name);
    std::fs::copy(target.join("debug").join("bowline"), &kept)
        .with_context(|| format!("cannot keep the build as {}", kept.display()))?;
    Ok(kept)
}

/// Kills at every `every`-th point until a run passes its last one; the number of points killed.
fn sweep(binary: &Path, every: u64) -> Result<u64> {
    let mut killed = 0;
    let mut number = 1;
    loop {
        match try_point(binary, number)? {
            None => return Ok(killed),
            Some((_, faults)) if faults.is_empty() => killed += 1,
            Some((point, faults)) => {
                bail!("killed at point {number} ({point}): {}", faults.join("; "))
            }
        }
        if killed.is_multiple_of(50) {
            say::line(format!("crash: {killed} points so far"));
        }
        number += every;
    }
}

/// The first point at which a broken build shows a fault.
fn first_fault(binary: &Path, every: u64) -> Result<(u64, String)> {
    let mut number = 1;
    while let Some((point, faults)) = try_point(binary, number)? {
        if let Some(fault) = faults.into_iter().next() {
            return Ok((number, format!("{point}: {fault}")));
        }
        number += every;
    }
    bail!("the deliberately broken build was not caught: this check sees nothing")
}

/// Kills at one point, kills recovery too, finishes, and says what is wrong; `None` when the run passed no such
/// point.
fn try_point(binary: &Path, number: u64) -> Result<Option<(String, Vec<String>)>> {
    let arena = Arena::new(binary)?;
    let first = arena.begin(number)?;
    let Ended::Killed { point } = &first.ended else {
        return Ok(None);
    };
    let point = point.clone();
    let Some(session) = first.session().or_else(|| arena.only_session()) else {
        // Killed before the session existed: nothing was told, so nothing may be lost.
        let faults = first.told.is_empty().then(Vec::new);
        return Ok(Some((
            point,
            faults.unwrap_or_else(|| vec!["told without a session".to_owned()]),
        )));
    };
    let second = arena.resume(&session, 1 + number % SECOND_KILLS)?;
    let third = arena.resume(&session, 0)?;
    let faults = verdict::faults(&arena, &session, &[first, second], &third)?;
    Ok(Some((point, faults)))
}
