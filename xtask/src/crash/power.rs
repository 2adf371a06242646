//! The power goes: disks as they may be left at every step of a recorded session.
//!
//! Every image must open and hold every event that was told by then; from some of them the session
//! is brought to its end, under another boot, and no finished call may run again.

pub(super) mod disk;
mod record;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde_json::Value;

use self::disk::{Image, Step, Survive};
use self::record::{Recording, WORK, record};
use super::chance::Chance;
use super::play::{Arena, Ended, Run};
use super::side_by_side;
use super::verdict::{self, Cut};
use crate::say;

/// Sessions that are recorded and taken apart side by side.
const SIDE_BY_SIDE: usize = 4;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) seed: u64,
    /// Random subsets at each step, beside the four plain ones.
    pub(super) subsets: usize,
    /// One step in so many is looked at.
    pub(super) every: usize,
    /// From one image in so many the session is brought to its end.
    pub(super) finish_every: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Powered {
    pub(super) steps: usize,
    /// Different images that were opened.
    pub(super) images: usize,
    /// Images from which the session was brought to its end.
    pub(super) finished: usize,
    /// Calls that ended in doubt there.
    pub(super) doubts: usize,
    pub(super) faults: Vec<String>,
}

/// Records a session and cuts its power; stops at a fault that `until_fault` is part
/// of.
pub(super) fn check(binary: &Path, bounds: Bounds, until_fault: Option<&str>) -> Result<Powered> {
    let found = Mutex::new(Powered::default());
    side_by_side(SIDE_BY_SIDE, |slot| {
        work(binary, slot, bounds, &found, until_fault)
    })?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Records a session of its own, since it must lie where it was recorded, and takes its share of
/// the steps.
fn work(
    binary: &Path,
    slot: usize,
    bounds: Bounds,
    found: &Mutex<Powered>,
    until_fault: Option<&str>,
) -> Result<()> {
    let mut arena = Arena::new(binary, slot, 0)?;
    let recording = record(&mut arena)?;
    let locked = || found.lock().unwrap_or_else(PoisonError::into_inner);
    if slot == 0 {
        locked().steps = recording.steps.len();
    }
    let mut seen = BTreeSet::new();
    let cuts = (1..=recording.steps.len()).step_by(bounds.every).skip(slot);
    for at in cuts.step_by(SIDE_BY_SIDE) {
        let step = u64::try_from(at)?;
        let mut chance = Chance::new(bounds.seed, step);
        let plain = [
            Survive::All,
            Survive::Nothing,
            Survive::Names,
            Survive::Bytes,
        ];
        let random = (0..bounds.subsets).map(|_| Survive::Some(chance.next()));
        for survive in plain.into_iter().chain(random.collect::<Vec<_>>()) {
            let is_it = |fault: &String| until_fault.is_some_and(|wanted| fault.contains(wanted));
            if locked().faults.iter().any(is_it) {
                return Ok(());
            }
            let image = Image::after(&[("work", WORK)], &recording.steps[..at], survive);
            if !seen.insert((image.fingerprint(), recording.marks_bytes[at - 1])) {
                continue;
            }
            let cut = PowerCut {
                recording: &recording,
                at,
                image: &image,
            };
            cut.restore(&arena)?;
            let mut faults = cut.opens(&arena)?;
            let finishes = faults.is_empty() && seen.len().is_multiple_of(bounds.finish_every);
            let mut doubts = 0;
            if finishes {
                let (more, doubtful) = cut.finish(&mut arena)?;
                faults.extend(more);
                doubts = doubtful;
            }
            let mut found = locked();
            found.images += 1;
            found.finished += usize::from(finishes);
            found.doubts += doubts;
            let named = faults.into_iter().map(|fault| {
                format!(
                    "power lost after step {at} of {}, {survive:?} survives: {fault}",
                    recording.steps.len()
                )
            });
            found.faults.extend(named);
            if found.images.is_multiple_of(250) {
                say::line(format!("crash: {} images so far", found.images));
            }
        }
    }
    Ok(())
}

/// A disk as it was left.
struct PowerCut<'a> {
    recording: &'a Recording,
    /// How many steps were made.
    at: usize,
    image: &'a Image,
}

impl PowerCut<'_> {
    /// Puts the image in the place of what is there. Marks are kept, synced or not: each that comes
    /// twice then is a command that ran twice.
    fn restore(&self, arena: &Arena) -> Result<()> {
        for folder in [arena.state(), arena.work()] {
            if folder.exists() {
                std::fs::remove_dir_all(&folder).context("cannot empty a scratch folder")?;
            }
        }
        self.image
            .lay_out(arena.root())
            .context("cannot lay an image out")?;
        let marks_bytes = self.recording.marks_bytes[self.at - 1];
        if marks_bytes > 0 {
            let marks = &self.recording.marks[..marks_bytes];
            std::fs::write(arena.work().join("marks.txt"), marks)?;
        }
        Ok(())
    }

    /// What was told by then.
    fn told(&self) -> Run {
        let mut told = String::new();
        for step in &self.recording.steps[..self.at] {
            if let Step::Told(text) = step {
                told.push_str(text);
            }
        }
        Run::new(Ended::Killed, &told)
    }

    /// What is wrong with the image as it lies there.
    fn opens(&self, arena: &Arena) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        if let Err(error) = arena.ask(&["sessions", "list", "--json"]) {
            faults.push(error.to_string());
        }
        let told = self.told();
        if told.session().is_none() {
            return Ok(faults);
        }
        match arena.events(&self.recording.session) {
            Ok(events) => verdict::lost_events(&told.told, &events, &mut faults),
            Err(error) => faults.push(format!("the session does not open: {error}")),
        }
        Ok(faults)
    }

    /// Brings the session to its end; what is wrong then, and how many calls are in doubt.
    fn finish(&self, arena: &mut Arena) -> Result<(Vec<String>, usize)> {
        let told = self.told();
        if told.session().is_none() {
            return Ok((Vec::new(), 0));
        }
        let session = &self.recording.session;
        // Every keeper is gone with the power, and what it noted may be.
        let started = arena.events(session)?;
        let started = started
            .iter()
            .filter(|record| record["event"]["kind"] == "CallStarted");
        let calls = started.filter_map(|record| record["event"]["data"]["call"].as_str());
        let cut = Cut {
            keepers: calls.map(str::to_owned).collect(),
        };
        arena.boot_again();
        let mut runs = vec![told];
        runs.extend(arena.finish(session)?);
        let faults = verdict::faults(arena, session, &runs, &cut)?;
        let is_doubt = |line: &&Value| line["event"]["kind"] == "CallInDoubt";
        let told = runs.iter().skip(1).flat_map(|run| &run.told);
        Ok((faults, told.filter(is_doubt).count()))
    }
}
