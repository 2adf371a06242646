//! Looks at processes through `/proc` and ends them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::MARK_VARIABLE;
use super::record::Process;

#[cfg(test)]
mod tests;

/// Clock ticks per second in `/proc`, the same on every architecture Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// Bounds of one sweep over leftovers of a dead keeper.
const SWEEP_LIMIT: Duration = Duration::from_secs(1);
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

/// The flag of a process that is exiting, in the ninth field of `/proc/PID/stat`
/// (include/linux/sched.h of the kernel).
const PF_EXITING: u64 = 0x4;

/// SIGKILL in the masks of `/proc/PID/status`.
const KILL_BIT: u64 = 1 << (9 - 1);

/// What `/proc/PID/stat` tells about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) name: String,
    pub(super) is_zombie: bool,
    /// Whether it is on its way out: nothing of it runs any more.
    is_exiting: bool,
    pub(super) parent: i32,
    pub(super) session: i32,
    /// Processor time of reaped descendants, user and system.
    pub(super) reaped_cpu_ms: u64,
    /// Start in clock ticks since boot.
    pub(super) start_ticks: u64,
}

/// Reads the state of process `pid`; `None` if it is gone.
pub(super) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Parses `PID (NAME) STATE PARENT GROUP SESSION ...`; the name may hold blanks and parentheses.
fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(bytes);
    let (front, back) = text.rsplit_once(") ")?;
    let (_, name) = front.split_once('(')?;
    let fields: Vec<&str> = back.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name: name.to_owned(),
        is_zombie: matches!(fields.first(), Some(&("Z" | "X"))),
        is_exiting: number(6)? & PF_EXITING != 0,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        reaped_cpu_ms: (number(13)? + number(14)?).saturating_mul(1000 / TICKS_PER_SECOND),
        start_ticks: number(19)?,
    })
}

/// The kernel's id of this boot; empty if it does not tell.
pub(super) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim_end().to_owned()
}

/// Lists every living descendant of `root`, parents first, zombies included.
///
/// A snapshot of something that moves: callers repeat it until they have no child left.
pub(super) fn descent(root: i32) -> Vec<i32> {
    let Some(mut found) = children(root) else {
        return descent_by_scan(root);
    };
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children(*pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Lists the children of all threads of `pid`; `None` if the kernel does not tell.
fn children(pid: i32) -> Option<Vec<i32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let list = fs::read_to_string(task.path().join("children")).ok()?;
        found.extend(
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<i32>().ok()),
        );
    }
    Some(found)
}

/// Does the work of [`descent`] on kernels without lists of children.
fn descent_by_scan(root: i32) -> Vec<i32> {
    let mut by_parent: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in all() {
        if let Some(stat) = stat(pid) {
            by_parent.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = by_parent.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(by_parent.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Lists every process id this process can see.
fn all() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Names a process for a message.
pub(super) fn describe(pid: i32) -> Process {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    Process {
        pid,
        name: String::from_utf8_lossy(name.trim_ascii_end()).into_owned(),
    }
}

/// Sends `signal`; a process that is gone or may not be signalled is left alone.
pub(super) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // Whoever ends processes looks again afterwards: that, not this answer, decides.
        let _unsent = rustix::process::kill_process(pid, signal);
    }
}

/// Whether `pid` is killed already: a keeper's death kills its command, which is listed as living
/// until it gets a processor to die on.
fn is_dying(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let masks = ["SigPnd:", "ShdPnd:"].map(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
    });
    masks.into_iter().flatten().any(|mask| mask & KILL_BIT != 0)
        || stat(pid).is_none_or(|stat| stat.is_exiting)
}

/// Kills what a dead keeper left behind and lists it, but for what dies with the keeper anyway.
///
/// `mark` is the value its command carried in the environment. `session` may be given only while
/// the keeper's process id cannot have been reused, that is before it is reaped.
pub(super) fn end_leftovers(session: Option<i32>, mark: Option<&str>) -> Vec<Process> {
    let until = Instant::now() + SWEEP_LIMIT;
    let mut ended: BTreeMap<i32, Process> = BTreeMap::new();
    loop {
        let left = leftovers(session, mark);
        if left.is_empty() || Instant::now() >= until {
            return ended.into_values().collect();
        }
        for pid in left {
            if !is_dying(pid) {
                ended.entry(pid).or_insert_with(|| describe(pid));
            }
            send(pid, Signal::KILL);
        }
        std::thread::sleep(SWEEP_PAUSE);
    }
}

/// Lists living processes of a session or with a mark, and their descent.
fn leftovers(session: Option<i32>, mark: Option<&str>) -> BTreeSet<i32> {
    let entry = mark.map(|mark| format!("{MARK_VARIABLE}={mark}"));
    let marked = |pid: i32| {
        let Some(entry) = &entry else { return false };
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|each| each == entry.as_bytes())
    };
    let lives = |pid: i32| stat(pid).filter(|stat| !stat.is_zombie);
    let roots = all().into_iter().filter(|pid| {
        lives(*pid).is_some_and(|stat| Some(stat.session) == session || marked(*pid))
    });
    let found: BTreeSet<i32> = roots
        .flat_map(|root| std::iter::once(root).chain(descent(root)))
        .collect();
    found
        .into_iter()
        .filter(|pid| lives(*pid).is_some())
        .collect()
}
