//! `cargo xtask crash`: end a scripted session in every way it can end, recover it, and verify what
//! is left.
//!
//! `--sweep` kills it at every system call that matters, found by following it from call to call.
//! `--power` lays out what a disk may hold when the power goes. `--random` kills harness and keepers
//! at random moments. A build that is broken on purpose must be caught by the same checks.

mod act;
mod chance;
mod play;
mod point;
mod power;
mod random;
mod scenario;
mod sweep;
#[cfg(test)]
mod tests;
mod trace;
mod verdict;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::power::Bounds;
use self::sweep::Place;
use crate::repo::{Repo, succeeds};
use crate::say;

/// In a sample, one point in this many is tried. A prime, so that every kind of point comes up.
const SAMPLE_EVERY: usize = 23;

/// Random kills when nobody says how many.
const RANDOM_KILLS: usize = 200;
/// Random kills in a sample.
const SAMPLE_KILLS: usize = 12;
/// The seed when nobody says which.
const SEED: u64 = 1;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    sweep: bool,
    power: bool,
    random: Option<usize>,
    seed: u64,
    sample: bool,
}

/// Runs the crash checks that the arguments name; all of them without any.
///
/// # Errors
/// When an argument is not understood, or when a crash left something that must not be.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<()> {
    let asked = parse(arguments)?;
    let binaries = Binaries::build(repo)?;
    if asked.sweep {
        sweep(&binaries, asked.sample)?;
    }
    if asked.power {
        power(&binaries, asked.sample, asked.seed)?;
    }
    if let Some(count) = asked.random {
        random(&binaries, count, asked.seed)?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Asked> {
    let mut asked = Asked {
        sweep: false,
        power: false,
        random: None,
        seed: SEED,
        sample: false,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let text = words
                .next()
                .with_context(|| format!("{word} wants a number"))?;
            text.parse()
                .with_context(|| format!("{word} wants a number, not `{text}`"))
        };
        match word.as_str() {
            "--sweep" => asked.sweep = true,
            "--power" => asked.power = true,
            "--random" => asked.random = Some(usize::try_from(number()?)?),
            "--seed" => asked.seed = number()?,
            "--sample" => asked.sample = true,
            other => {
                bail!(
                    "`crash` takes --sweep, --power, --random N, --seed N and --sample, not `{other}`"
                )
            }
        }
    }
    if !asked.sweep && !asked.power && asked.random.is_none() {
        asked.sweep = true;
        asked.power = true;
        asked.random = Some(if asked.sample {
            SAMPLE_KILLS
        } else {
            RANDOM_KILLS
        });
    }
    Ok(asked)
}

/// The builds that are compared.
struct Binaries {
    good: PathBuf,
    /// Broken in three ways that are told apart by what goes wrong: tells before it appends, takes a
    /// missing claim as proof, syncs nothing.
    broken: PathBuf,
}

/// Every way in which the broken build is broken.
const BROKEN: &str = "broken-ack-before-append,broken-no-claim,broken-no-sync";
/// What telling before appending comes to when the harness is killed.
const LOST: &str = "was told and is lost";
/// What a missing claim comes to when a keeper is late.
const TWICE: &str = "stands 2 times";
/// What syncing nothing comes to without power: even the session's name is gone.
const GONE: &str = "no session";

impl Binaries {
    fn build(repo: &Repo) -> Result<Self> {
        Ok(Self {
            good: build(repo, "crash-points", "bowline-crash-points")?,
            broken: build(repo, BROKEN, "bowline-crash-broken")?,
        })
    }
}

/// Builds the binary with features and keeps it under its own name.
fn build(repo: &Repo, features: &str, name: &str) -> Result<PathBuf> {
    let mut command = repo.cargo();
    command.args([
        "build",
        "--quiet",
        "--locked",
        "-p",
        "bowline",
        "--features",
        features,
    ]);
    if !succeeds(&mut command)? {
        bail!("the build with the features {features} failed; cargo says why above");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repo.root().join("target"), PathBuf::from);
    let kept = target.join("debug").join(name);
    // Under a name of its own first: another check may be running what is there.
    let fresh = kept.with_extension("new");
    std::fs::copy(target.join("debug").join("bowline"), &fresh)
        .and_then(|_| std::fs::rename(&fresh, &kept))
        .with_context(|| format!("cannot keep the build as {}", kept.display()))?;
    Ok(kept)
}

/// Does `work` in so many slots at once; each slot has an arena of its own.
fn side_by_side(slots: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..slots)
            .map(|slot| scope.spawn(move || work(slot)))
            .collect();
        // All are waited for, even when the first of them fails.
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        ends.into_iter()
            .try_for_each(|end| end.unwrap_or_else(|_| bail!("a worker broke")))
    })
}

/// Kills at every point, or at a few of them; then sees to it that the broken builds are caught.
fn sweep(binaries: &Binaries, sample: bool) -> Result<()> {
    let started = Instant::now();
    let places = sweep::list(&binaries.good, 0)?;
    if !sample {
        sweep::compare(&places, &sweep::list(&binaries.good, 0)?)?;
    }
    let every = if sample { SAMPLE_EVERY } else { 1 };
    let tried: Vec<Place> = places.iter().step_by(every).cloned().collect();
    let swept = sweep::sweep(&binaries.good, &tried, None)?;
    if !swept.faults.is_empty() {
        bail!("{}", swept.faults.join("\n"));
    }
    let told = caught(&binaries.broken, Place::tells, LOST)?;
    let claimed = caught(&binaries.broken, Place::has_late_keeper, TWICE)?;
    say::line(format!(
        "crash: sweep: {} of {} points of {} kinds killed, {} of them again in recovery: 0 acknowledged events lost, \
         0 effects twice, 0 sessions that do not open, every doubt listed and true; caught: telling before it \
         appends ({told}), no claim file ({claimed}); {:.0} s",
        swept.killed,
        places.len(),
        swept.kinds,
        swept.killed_again,
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// The first fault of a kind that a broken build shows at those of its places that can show it.
fn caught(broken: &Path, can_show: fn(&Place) -> bool, fault: &str) -> Result<String> {
    let places: Vec<Place> = sweep::list_unchecked(broken, 0)?
        .into_iter()
        .filter(can_show)
        .collect();
    let swept = sweep::sweep(broken, &places, Some(fault))?;
    let found = swept.faults.into_iter().find(|found| found.contains(fault));
    found.with_context(|| {
        format!(
            "a build that is broken on purpose was not caught ({fault}): this check sees nothing"
        )
    })
}

/// Kills at random moments.
fn random(binaries: &Binaries, count: usize, seed: u64) -> Result<()> {
    let started = Instant::now();
    let tally = random::kill_at_random(&binaries.good, count, seed)?;
    if !tally.faults.is_empty() {
        bail!("{}", tally.faults.join("\n"));
    }
    if !tally.is_early() {
        bail!("too many kills came after the turn's end: {}", tally.text());
    }
    say::line(format!(
        "crash: random, seed {seed}: {} kills in {} sessions: {}; 0 acknowledged events lost, 0 effects twice, \
         0 sessions that do not open, {} doubts, all true; {:.0} s",
        tally.total(),
        tally.sessions,
        tally.text(),
        tally.doubts,
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Cuts the power at every step of a session, or at a few.
fn power(binaries: &Binaries, sample: bool, seed: u64) -> Result<()> {
    let started = Instant::now();
    let bounds = if sample {
        Bounds {
            seed,
            subsets: 1,
            every: 29,
            finish_every: 11,
        }
    } else {
        Bounds {
            seed,
            subsets: 4,
            every: 1,
            finish_every: 17,
        }
    };
    let found = power::check(&binaries.good, bounds, None)?;
    if !found.faults.is_empty() {
        bail!("{}", found.faults.join("\n"));
    }
    let broken = power::check(&binaries.broken, bounds, Some(GONE))?;
    let caught = broken.faults.iter().find(|fault| fault.contains(GONE));
    let caught = caught.with_context(|| {
        "a build that syncs nothing was not caught: this check sees nothing".to_owned()
    })?;
    say::line(format!(
        "crash: power, seed {seed}: {} steps, {} images open and verify, {} of them brought to the end: 0 \
         acknowledged events lost, 0 finished calls ran again, {} doubts, all true; caught: syncing nothing \
         ({caught}); {:.0} s",
        found.steps,
        found.images,
        found.finished,
        found.doubts,
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}
