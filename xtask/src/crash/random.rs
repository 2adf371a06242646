//! Kills at random moments: the harness, a keeper, or both, again and again until the session ends.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::chance::Chance;
use super::play::{Arena, Ended, Run, Task};
use super::side_by_side;
use super::sweep::SIDE_BY_SIDE;
use super::verdict::{self, Cut};
use crate::say;

/// How long a reply of the model takes here: kills must fall into it, too.
const PACE_MS: u64 = 60;
/// The longest time before a kill, in ms.
const REACH_MS: usize = 350;
/// Pause between two looks at a process.
const PAUSE: Duration = Duration::from_millis(1);
/// Kills in one session; then it may end in peace.
const KILLS_MAX: usize = 12;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Harness,
    Keeper,
    Both,
}

/// What a session was at when it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    BeforeStart,
    ModelCall,
    Command,
    Between,
    Recovery,
    AfterEnd,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BeforeStart => "before the start",
            Self::ModelCall => "in a model call",
            Self::Command => "in a command",
            Self::Between => "between",
            Self::Recovery => "in recovery",
            Self::AfterEnd => "after the turn's end",
        })
    }
}

/// What was killed, and what was wrong afterwards.
#[derive(Default)]
pub(super) struct Tally {
    kills: BTreeMap<(Target, Phase), usize>,
    pub(super) sessions: usize,
    /// Calls that ended in doubt.
    pub(super) doubts: usize,
    pub(super) faults: Vec<String>,
}

impl Tally {
    /// How often somebody was killed.
    pub(super) fn total(&self) -> usize {
        self.kills.values().sum()
    }

    fn sum(&self, fits: impl Fn(Target, Phase) -> bool) -> usize {
        let fitting = self
            .kills
            .iter()
            .filter(|((target, phase), _)| fits(*target, *phase));
        fitting.map(|(_, count)| count).sum()
    }

    /// Whether at least four of five kills came before the turn's end.
    pub(super) fn is_early(&self) -> bool {
        let late = self.sum(|_, phase| phase == Phase::AfterEnd);
        late * 5 <= self.total()
    }

    /// Kills by who was killed and by phase, as a sentence.
    pub(super) fn text(&self) -> String {
        use Phase::{AfterEnd, BeforeStart, Between, Command, ModelCall, Recovery};
        let phases = [BeforeStart, ModelCall, Command, Between, Recovery, AfterEnd];
        let phases: Vec<String> = phases
            .iter()
            .map(|phase| format!("{} {phase}", self.sum(|_, other| other == *phase)))
            .collect();
        format!(
            "{} of the harness, {} of a keeper, {} of both; {}",
            self.sum(|target, _| target == Target::Harness),
            self.sum(|target, _| target == Target::Keeper),
            self.sum(|target, _| target == Target::Both),
            phases.join(", ")
        )
    }
}

/// Kills `count` times in as many sessions as that takes.
pub(super) fn kill_at_random(binary: &Path, count: usize, seed: u64) -> Result<Tally> {
    let tally = Mutex::new(Tally::default());
    let next = AtomicUsize::new(0);
    side_by_side(SIDE_BY_SIDE, |slot| {
        work(binary, slot, (count, seed), &tally, &next)
    })?;
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn work(
    binary: &Path,
    slot: usize,
    (count, seed): (usize, u64),
    tally: &Mutex<Tally>,
    next: &AtomicUsize,
) -> Result<()> {
    loop {
        let locked = || tally.lock().unwrap_or_else(PoisonError::into_inner);
        if locked().total() >= count {
            return Ok(());
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        let chance = Chance::new(seed, u64::try_from(number)?);
        let mut victim = Victim {
            arena: Arena::new(binary, slot, PACE_MS)?,
            chance,
            kills: Vec::new(),
            runs: Vec::new(),
            cut: Cut::default(),
        };
        let faults = victim
            .live()
            .with_context(|| format!("in session {number} of seed {seed}"))?;
        let mut tally = locked();
        let before = tally.total() / 100;
        tally.sessions += 1;
        tally.doubts += victim.doubts();
        for kill in victim.kills {
            *tally.kills.entry(kill).or_default() += 1;
        }
        let named = faults
            .into_iter()
            .map(|fault| format!("session {number}: {fault}"));
        tally.faults.extend(named);
        if tally.total() / 100 > before {
            say::line(format!("crash: {} kills so far", tally.total()));
        }
    }
}

/// A session that is killed again and again.
struct Victim {
    arena: Arena,
    chance: Chance,
    kills: Vec<(Target, Phase)>,
    runs: Vec<Run>,
    cut: Cut,
}

/// A process that runs, and what it has told so far.
struct Running {
    child: Child,
    told: Arc<Mutex<Vec<u8>>>,
    reading: std::thread::JoinHandle<()>,
}

impl Running {
    fn told(&self) -> String {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&told).into_owned()
    }

    /// Waits for its end and for all that it told.
    fn end(mut self) -> Result<Run> {
        let code = self.child.wait()?.code();
        if self.reading.join().is_err() {
            bail!("the reader of standard output broke");
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = match code {
            None => Ended::Killed,
            code => Ended::Exited {
                code,
                said: String::new(),
            },
        };
        Ok(Run::new(ended, &String::from_utf8_lossy(&told)))
    }
}

impl Victim {
    /// Lives through its kills to the end; what is wrong then.
    fn live(&mut self) -> Result<Vec<String>> {
        let mut task = Task::Begin;
        while self.kills.len() < KILLS_MAX {
            let run = self.run(&task)?;
            let code = run.code();
            self.runs.push(run);
            let Some(session) = self.session() else {
                continue;
            };
            let awaited = self.runs.last().map(|run| run.awaited(&session));
            for task in awaited.unwrap_or_default() {
                let run = self.arena.run(&task)?;
                self.runs.push(run);
            }
            task = Task::Resume(session);
            if code == Some(0) {
                break;
            }
        }
        let Some(session) = self.session() else {
            return Ok(self.without_session());
        };
        if !self.told().any(|line| line["event"]["kind"] == "TurnEnded") {
            self.runs.extend(self.arena.finish(&session)?);
        }
        verdict::faults(&self.arena, &session, &self.runs, &self.cut)
    }

    fn without_session(&self) -> Vec<String> {
        let told = self.runs.iter().any(|run| !run.told.is_empty());
        let fault = "told without a session".to_owned();
        told.then_some(fault).into_iter().collect()
    }

    /// The session, told or only begun. Only one can have begun: nothing begins anew after that.
    fn session(&self) -> Option<String> {
        let told = self.runs.iter().find_map(Run::session);
        told.or_else(|| self.arena.sessions().into_iter().next())
    }

    fn told(&self) -> impl Iterator<Item = &Value> {
        self.runs.iter().flat_map(|run| &run.told)
    }

    fn doubts(&self) -> usize {
        self.told()
            .filter(|line| line["event"]["kind"] == "CallInDoubt")
            .count()
    }

    /// Runs a task until it ends or is killed.
    fn run(&mut self, task: &Task) -> Result<Run> {
        let mut running = self.start(task)?;
        while let Some(target) = self.pick(&mut running)? {
            let keepers = self.arena.keepers();
            if target == Target::Keeper && keepers.is_empty() {
                continue;
            }
            let phase = self.phase(task, &running.told());
            if target != Target::Keeper {
                running.child.kill().context("cannot kill the harness")?;
            }
            if target != Target::Harness {
                self.kill_keepers(&keepers);
            }
            let target = if keepers.is_empty() {
                Target::Harness
            } else {
                target
            };
            self.kills.push((target, phase));
            if target != Target::Keeper {
                break;
            }
        }
        running.end()
    }

    fn start(&mut self, task: &Task) -> Result<Running> {
        let mut command = self.arena.command(task);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the harness")?;
        let mut stdout = child.stdout.take().context("no standard output")?;
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let reading = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut piece) {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.extend_from_slice(&piece[..count]);
            }
        });
        Ok(Running {
            child,
            told,
            reading,
        })
    }

    /// Waits for a random moment, and gives who is killed then; `None` when the process ended
    /// before. One that is after a keeper waits until there is one.
    fn pick(&mut self, running: &mut Running) -> Result<Option<Target>> {
        if self.kills.len() >= KILLS_MAX {
            running.child.wait()?;
            return Ok(None);
        }
        let target = match self.chance.below(3) {
            0 => Target::Harness,
            1 => Target::Keeper,
            _ => Target::Both,
        };
        let most_ms = if target == Target::Harness {
            REACH_MS
        } else {
            REACH_MS / 2
        };
        let mut wait_ms = self.chance.below(most_ms);
        let mut until = Instant::now() + Duration::from_millis(u64::try_from(wait_ms)?);
        loop {
            if running.child.try_wait()?.is_some() {
                return Ok(None);
            }
            let has_come = Instant::now() >= until;
            let finds_it = target == Target::Harness || !self.arena.keepers().is_empty();
            if has_come && finds_it {
                return Ok(Some(target));
            }
            if has_come {
                // A keeper lives for some milliseconds: wherever in them.
                wait_ms = self.chance.below(8);
                until = Instant::now() + Duration::from_millis(u64::try_from(wait_ms)?);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn kill_keepers(&mut self, keepers: &[(Pid, String)]) {
        for (keeper, call) in keepers {
            // One that is gone already was not cut; being called so only makes the check milder.
            if kill(*keeper, Signal::SIGKILL).is_ok() {
                self.cut.keepers.insert(call.clone());
            }
        }
    }

    /// What the session is at, by what it has told.
    fn phase(&self, task: &Task, now: &str) -> Phase {
        let now = Run::new(Ended::Killed, now);
        let is_resumed = matches!(task, Task::Resume(_));
        let events = |told: &[Value]| told.iter().any(|line| line["type"] == "event");
        if is_resumed && !events(&now.told) {
            return Phase::Recovery;
        }
        let mut asking = false;
        let mut open: BTreeMap<&str, bool> = BTreeMap::new();
        let before = self.told().map(|line| (line, false));
        for (line, is_now) in before.chain(now.told.iter().map(|line| (line, true))) {
            let (kind, data) = (&line["event"]["kind"], &line["event"]["data"]);
            let call = data["call"].as_str().unwrap_or_default();
            match kind.as_str().unwrap_or_default() {
                "TurnEnded" => return Phase::AfterEnd,
                "AttemptReserved" => asking = true,
                "AttemptFailed" | "ModelReplied" => asking = false,
                "CallStarted" => drop(open.insert(call, is_now)),
                "CallFinished" | "CallFailed" | "CallInDoubt" | "CallFoundUnstarted" => {
                    open.remove(call);
                }
                _ => {}
            }
        }
        match () {
            () if open.values().any(|is_now| !is_now) => Phase::Recovery,
            () if !open.is_empty() => Phase::Command,
            () if asking => Phase::ModelCall,
            () if !events(&now.told) => Phase::BeforeStart,
            () => Phase::Between,
        }
    }
}
