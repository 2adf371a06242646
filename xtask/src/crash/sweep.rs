//! Every point of a session: listed by dry runs, then each killed in a session of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::play::{Arena, Run, Task};
use super::point::{Edge, Point};
use super::side_by_side;
use super::trace::{Next, Stop};
use super::verdict::{self, Cut};
use crate::say;

/// Sessions that are tried side by side: most of a session's time is waiting.
pub(super) const SIDE_BY_SIDE: usize = 6;
/// How many points a recovery runs through before it is killed a second time, in turn.
const SECOND_KILLS: usize = 29;
/// How often a point is tried that a run did not come to.
const TRIES: usize = 3;

/// A point and the process of the session in which it lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    process: usize,
    task: &'static str,
    point: Point,
    /// Whether the keeper whose order was just written is held up until everything is over.
    late_keeper: bool,
}

impl Place {
    fn text(&self) -> String {
        let late = if self.late_keeper {
            ", its keeper late"
        } else {
            ""
        };
        format!(
            "process {} ({}): {}{late}",
            self.process + 1,
            self.task,
            self.point
        )
    }

    /// What kind of place it is, wherever in its process.
    fn kind(&self) -> (String, bool) {
        (self.point.kind(), self.late_keeper)
    }

    /// Whether events are about to be appended there: a build that has told them is found out.
    pub(super) fn tells(&self) -> bool {
        self.point.is_append()
    }

    /// Whether a keeper comes late there: where the claim file alone keeps an effect from
    /// happening twice.
    pub(super) fn has_late_keeper(&self) -> bool {
        self.late_keeper
    }
}

/// What a sweep found.
pub(super) struct Swept {
    /// Points killed.
    pub(super) killed: usize,
    /// Kinds of points among them: a call on a file, wherever in its process.
    pub(super) kinds: usize,
    /// How many recoveries were killed, too.
    pub(super) killed_again: usize,
    /// Where something was wrong, and what.
    pub(super) faults: Vec<String>,
}

/// Lists every point of a whole session, none killed; it must be flawless.
pub(super) fn list(binary: &Path, slot: usize) -> Result<Vec<Place>> {
    let (places, faults) = dry_run(binary, slot)?;
    if !faults.is_empty() {
        bail!(
            "a session that nobody killed is wrong: {}",
            faults.join("; ")
        );
    }
    Ok(places)
}

/// The same for a build that is broken on purpose.
pub(super) fn list_unchecked(binary: &Path, slot: usize) -> Result<Vec<Place>> {
    Ok(dry_run(binary, slot)?.0)
}

fn dry_run(binary: &Path, slot: usize) -> Result<(Vec<Place>, Vec<String>)> {
    let mut arena = Arena::new(binary, slot, 0)?;
    let mut places = Vec::new();
    let played = play(&mut arena, |process, task, point, _| {
        let place = Place {
            process,
            task: task.name(),
            point,
            late_keeper: false,
        };
        if place.point.is_order(Edge::After) {
            places.push(Place {
                late_keeper: true,
                ..place.clone()
            });
        }
        places.push(place);
        Next::GoOn
    })?;
    let session = played
        .session
        .context("a session that nobody killed did not begin")?;
    let faults = verdict::faults(&arena, &session, &played.runs, &Cut::default())?;
    places.sort();
    Ok((places, faults))
}

/// Fails where two lists of points differ.
pub(super) fn compare(first: &[Place], second: &[Place]) -> Result<()> {
    let (first, second): (BTreeSet<_>, BTreeSet<_>) =
        (first.iter().collect(), second.iter().collect());
    let differing: Vec<String> = first
        .symmetric_difference(&second)
        .map(|place| place.text())
        .collect();
    if differing.is_empty() {
        return Ok(());
    }
    bail!(
        "two runs of the same session pass different points, so they cannot be named: {}",
        differing.join("; ")
    )
}

/// Kills at every place of `places`; stops early at a fault that
/// `until_fault` is part of.
pub(super) fn sweep(binary: &Path, places: &[Place], until_fault: Option<&str>) -> Result<Swept> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Swept {
        killed: 0,
        kinds: 0,
        killed_again: 0,
        faults: Vec::new(),
    });
    let kinds: BTreeSet<_> = places.iter().map(Place::kind).collect();
    side_by_side(SIDE_BY_SIDE, |slot| {
        work(binary, slot, places, &next, &found, until_fault)
    })?;
    let Ok(mut found) = found.into_inner() else {
        bail!("a worker of the sweep broke")
    };
    found.kinds = kinds.len();
    Ok(found)
}

fn work(
    binary: &Path,
    slot: usize,
    places: &[Place],
    next: &AtomicUsize,
    found: &Mutex<Swept>,
    until_fault: Option<&str>,
) -> Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(place) = places.get(number) else {
            return Ok(());
        };
        let tried = try_place(binary, slot, place, number)
            .with_context(|| format!("while killing at {}", place.text()))?;
        let Ok(mut found) = found.lock() else {
            bail!("another worker of the sweep broke")
        };
        found.killed += 1;
        found.killed_again += usize::from(tried.killed_again);
        for fault in tried.faults {
            found.faults.push(format!("{}: {fault}", place.text()));
        }
        if found.killed.is_multiple_of(100) {
            say::line(format!(
                "crash: {} of {} points so far",
                found.killed,
                places.len()
            ));
        }
        let is_it = |fault: &String| until_fault.is_some_and(|wanted| fault.contains(wanted));
        if found.faults.iter().any(is_it) {
            next.store(places.len(), Ordering::Relaxed);
        }
    }
}

struct Tried {
    killed_again: bool,
    faults: Vec<String>,
}

/// Kills at one place, kills what recovers, too, finishes, and says what is wrong.
fn try_place(binary: &Path, slot: usize, place: &Place, number: usize) -> Result<Tried> {
    for _ in 0..TRIES {
        let mut arena = Arena::new(binary, slot, 0)?;
        let mut killer = Killer::new(place);
        let played = play(&mut arena, |process, _, point, stop| {
            killer.at(process, &point, stop)
        })?;
        if !killer.reached {
            continue;
        }
        let mut runs = played.runs;
        let Some(session) = played
            .session
            .or_else(|| arena.sessions().into_iter().next())
        else {
            return before_it_began(&mut arena, &runs);
        };
        let again = recover(&mut arena, &session, number, killer.held_up)?;
        let killed_again = again.code().is_none();
        runs.push(again);
        runs.extend(arena.finish(&session)?);
        let faults = verdict::faults(&arena, &session, &runs, &Cut::default())?;
        return Ok(Tried {
            killed_again,
            faults,
        });
    }
    Ok(Tried {
        killed_again: false,
        faults: vec![format!("not reached in {TRIES} runs")],
    })
}

/// Resumes a session. It is killed, too, at a point that goes round with `number`; but where a
/// keeper was held up, that one goes on once the recovery starts a command, and nobody is killed.
fn recover(
    arena: &mut Arena,
    session: &str,
    number: usize,
    mut held_up: Option<Pid>,
) -> Result<Run> {
    let second = held_up.map_or(1 + number % SECOND_KILLS, |_| usize::MAX);
    let mut passed = 0;
    let run = arena.run_followed(&Task::Resume(session.to_owned()), |point, _| {
        passed += 1;
        if point.is_spawned()
            && let Some(keeper) = held_up.take()
        {
            let_go(keeper);
        }
        if passed == second {
            Next::Kill
        } else {
            Next::GoOn
        }
    })?;
    // A recovery that had nothing to start has waited for nobody.
    if let Some(keeper) = held_up {
        let_go(keeper);
    }
    Ok(run)
}

/// Kills at one place.
struct Killer<'a> {
    place: &'a Place,
    reached: bool,
    /// The keeper that was started last.
    keeper: Option<Pid>,
    /// The keeper that was stopped before its order came.
    held_up: Option<Pid>,
}

impl<'a> Killer<'a> {
    const fn new(place: &'a Place) -> Self {
        Self {
            place,
            reached: false,
            keeper: None,
            held_up: None,
        }
    }

    fn at(&mut self, process: usize, point: &Point, stop: &Stop) -> Next {
        if point.is_spawned() {
            let child = stop.result.and_then(|child| i32::try_from(child).ok());
            self.keeper = child.map(Pid::from_raw);
        }
        if process != self.place.process {
            return Next::GoOn;
        }
        if self.place.late_keeper
            && *point == self.place.point.on(Edge::Before)
            && let Some(keeper) = self.keeper
        {
            // Stopped before the order is written, it cannot have read it.
            self.held_up = kill(keeper, Signal::SIGSTOP).ok().map(|()| keeper);
        }
        self.reached |= *point == self.place.point;
        if *point == self.place.point {
            Next::Kill
        } else {
            Next::GoOn
        }
    }
}

/// Lets a keeper go on that was held up, and waits until it is gone; for a while, since one that was
/// not revoked may keep a command that lives longer.
fn let_go(keeper: Pid) {
    const PAUSE: Duration = Duration::from_millis(2);
    const LOOKS: u32 = 1_000;
    // One that is gone already need not be told.
    let _told = kill(keeper, Signal::SIGCONT);
    for _ in 0..LOOKS {
        let stat = std::fs::read_to_string(format!("/proc/{keeper}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        if state.is_empty() || state.starts_with('Z') {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Killed before the session held anything: nothing was told, and the next one begins as if there
/// had been none.
fn before_it_began(arena: &mut Arena, runs: &[Run]) -> Result<Tried> {
    let mut faults = Vec::new();
    if runs.iter().any(|run| !run.told.is_empty()) {
        faults.push("told without a session".to_owned());
    }
    let begun = arena.run(&Task::Begin)?;
    match begun.session() {
        None => faults.push(format!(
            "no session can begin afterwards: {:?}",
            begun.ended
        )),
        Some(session) => {
            let mut runs = vec![begun];
            runs.extend(arena.finish(&session)?);
            faults.extend(verdict::faults(arena, &session, &runs, &Cut::default())?);
        }
    }
    Ok(Tried {
        killed_again: false,
        faults,
    })
}

/// What came of playing a session process by process.
struct Played {
    session: Option<String>,
    runs: Vec<Run>,
}

/// Plays a session from its beginning, process by process, until it ends or one is killed.
fn play(
    arena: &mut Arena,
    mut at: impl FnMut(usize, &Task, Point, &Stop) -> Next,
) -> Result<Played> {
    let mut played = Played {
        session: None,
        runs: Vec::new(),
    };
    let mut tasks = vec![Task::Begin];
    while let Some(task) = tasks.pop() {
        let process = played.runs.len();
        let run = arena.run_followed(&task, |point, stop| at(process, &task, point, stop))?;
        played.session = played.session.or_else(|| run.session());
        if let Some(session) = &played.session {
            let awaited = run.awaited(session);
            if !awaited.is_empty() {
                tasks.push(Task::Resume(session.clone()));
                tasks.extend(awaited);
            }
        }
        let is_killed = run.code().is_none();
        played.runs.push(run);
        if is_killed {
            break;
        }
    }
    Ok(played)
}
