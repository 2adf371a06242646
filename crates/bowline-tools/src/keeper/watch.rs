//! Waits for a command: one thread, one `poll`, until no descendant is left or none can be ended.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use bowline_core::Backend;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};

use super::control::Inlet;
use super::flow::{Flow, Outlet};
use super::proc;
use super::record::{Ended, Exit, Order, Process, VERSION, now_ms};
use crate::confine::Lookout;

/// Control byte that cancels the command; a second one skips the grace.
pub(super) const CANCEL: u8 = b'c';

/// Time that processes left by an exited shell have to finish and to write.
const DRAIN: Duration = Duration::from_millis(300);

/// Time to end processes by force before they are reported as survivors.
const FORCE: Duration = Duration::from_secs(2);

/// Pauses between two looks at processes being ended: grow with the time it takes.
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(1);
const LOOK_PAUSE_MAX: Duration = Duration::from_millis(20);

/// Longest sleep while the command runs, so that orphans it left are reaped.
const REAP_EVERY: Duration = Duration::from_secs(5);

/// Most processes listed in a record.
const LISTED_MAX: usize = 64;

/// How far the end of the command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The shell runs.
    Running,
    /// The shell has exited, descendants have not.
    Draining,
    /// Everything left was asked to end.
    Asking,
    /// Everything left is being killed.
    Forcing,
    /// Nothing is left, or nothing that can be ended.
    Over,
}

/// A running command and what is known about its end.
pub(super) struct Watch<'a> {
    order: &'a Order,
    keeper: i32,
    shell: i32,
    shell_handle: OwnedFd,
    status: Option<WaitStatus>,
    is_childless: bool,
    is_control_open: bool,
    cancels: usize,
    began: Instant,
    phase: Phase,
    phase_began: Instant,
    phase_ends: Option<Instant>,
    ended_by: Ended,
    asked: BTreeMap<i32, Process>,
    survivors: Vec<Process>,
    flow: Flow,
    inlet: Option<Inlet>,
    lookout: Option<Lookout>,
}

impl<'a> Watch<'a> {
    /// Watches process `shell`, started at `began` by this process.
    pub(super) fn new(
        order: &'a Order,
        shell: i32,
        began: Instant,
        flow: Flow,
        inlet: Option<Inlet>,
    ) -> io::Result<Self> {
        let pid = Pid::from_raw(shell).ok_or(io::ErrorKind::InvalidInput)?;
        let limit = Some(order.timeout_ms)
            .filter(|ms| *ms > 0)
            .map(Duration::from_millis);
        Ok(Self {
            order,
            keeper: rustix::process::getpid().as_raw_nonzero().get(),
            shell,
            shell_handle: rustix::process::pidfd_open(pid, PidfdFlags::empty())?,
            status: None,
            is_childless: false,
            is_control_open: true,
            cancels: 0,
            began,
            phase: Phase::Running,
            phase_began: began,
            phase_ends: limit.and_then(|limit| began.checked_add(limit)),
            ended_by: Ended::ItsOwn,
            asked: BTreeMap::new(),
            survivors: Vec::new(),
            flow,
            inlet,
            lookout: None,
        })
    }

    /// Looks after the names that `lookout` watches as well.
    pub(super) fn watched_by(self, lookout: Option<Lookout>) -> Self {
        Self { lookout, ..self }
    }

    /// Waits until the command is over; `early` are control bytes read before.
    pub(super) fn until_over(mut self, early: &[u8], outlet: &mut Outlet) -> Exit {
        self.obey(early);
        while self.phase != Phase::Over {
            self.wait();
            self.reap();
            self.listen_in_time();
            self.step(Instant::now());
            self.flow.tend(Instant::now(), outlet);
        }
        self.flow.finish();
        self.exit()
    }

    /// Sleeps until there is something to do; takes one read of output and of control.
    fn wait(&mut self) {
        let mut descriptors = Vec::with_capacity(6);
        let stdin = io::stdin();
        let output = self.flow.pipe();
        descriptors.extend(output.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let has_output = descriptors.len();
        if self.is_control_open {
            descriptors.push(PollFd::new(&stdin, PollFlags::IN));
        }
        let has_control = descriptors.len();
        let inlet = self.inlet.as_ref();
        let words = inlet.map(|inlet| PollFd::from_borrowed_fd(inlet.fifo(), PollFlags::IN));
        let unfed = inlet.and_then(Inlet::unfed);
        let unfed = unfed.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::OUT));
        descriptors.extend(words.into_iter().chain(unfed));
        let has_inlet = descriptors.len();
        let news = self.lookout.as_ref().and_then(Lookout::news);
        descriptors.extend(news.map(|news| PollFd::from_borrowed_fd(news, PollFlags::IN)));
        let has_news = descriptors.len();
        if self.status.is_none() {
            descriptors.push(PollFd::new(&self.shell_handle, PollFlags::IN));
        }
        let pause = self.next_wake().saturating_duration_since(Instant::now());
        let pause = Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(pause.subsec_nanos()),
        };
        // An interrupted or failed wait only means to look around earlier.
        let _woken = rustix::event::poll(&mut descriptors, Some(&pause));
        let is_ready = |part: &[PollFd<'_>]| part.iter().any(|each| !each.revents().is_empty());
        let output_ready = is_ready(&descriptors[..has_output]);
        let control_ready = is_ready(&descriptors[has_output..has_control]);
        let inlet_ready = is_ready(&descriptors[has_control..has_inlet]);
        let news_ready = is_ready(&descriptors[has_inlet..has_news]);
        if output_ready {
            self.flow.read_some();
        }
        if control_ready {
            self.read_control();
        }
        if inlet_ready {
            self.tend_inlet();
        }
        if news_ready && let Some(lookout) = &mut self.lookout {
            lookout.look();
        }
    }

    /// Obeys what an owner of the session tells, and gives a command in the background its input.
    fn tend_inlet(&mut self) {
        let Some(inlet) = &mut self.inlet else { return };
        let heard = inlet.tend();
        self.cancels += heard.stops;
        if heard.refused_bytes > 0 {
            let bytes = heard.refused_bytes;
            self.flow.remark(&format!(
                "[{bytes} bytes of input were not taken: the command does not read them]\n"
            ));
        }
    }

    /// Has protected names listened to once the command has run for a moment.
    fn listen_in_time(&mut self) {
        if let Some(lookout) = &mut self.lookout
            && lookout.listens_at().is_some_and(|at| Instant::now() >= at)
        {
            lookout.listen();
        }
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let look = match self.phase {
            Phase::Running => now + REAP_EVERY,
            _ => now + ((now - self.phase_began) / 4).clamp(LOOK_PAUSE_MIN, LOOK_PAUSE_MAX),
        };
        let listens = self.lookout.as_ref().and_then(Lookout::listens_at);
        let wakes = self.phase_ends.into_iter().chain(self.flow.next_wake());
        let wakes = wakes.chain(listens);
        wakes.fold(look, Instant::min)
    }

    fn read_control(&mut self) {
        let mut bytes = [0; 64];
        match rustix::io::read(io::stdin().as_fd(), &mut bytes) {
            // The harness is gone. Its command is not.
            Ok(0) => self.is_control_open = false,
            Ok(count) => self.obey(&bytes[..count]),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => self.is_control_open = false,
        }
    }

    fn obey(&mut self, control: &[u8]) {
        self.cancels += control.iter().filter(|byte| **byte == CANCEL).count();
    }

    /// Collects exited children. As a subreaper this process is the parent of every orphan below
    /// it, so being childless proves that no descendant is left.
    fn reap(&mut self) {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid.as_raw_nonzero().get() == self.shell => {
                    self.status = Some(status);
                }
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return,
                Err(_) => {
                    self.is_childless = true;
                    return;
                }
            }
        }
    }

    fn step(&mut self, now: Instant) {
        if self.is_childless {
            return self.enter(Phase::Over, now, None);
        }
        let time_is_up = self.phase_ends.is_some_and(|end| now >= end);
        let grace = Duration::from_millis(self.order.grace_ms);
        match self.phase {
            Phase::Running if self.status.is_some() => {
                self.enter(Phase::Draining, now, Some(DRAIN));
            }
            Phase::Running if self.cancels > 0 || time_is_up => {
                self.ended_by = if self.cancels > 0 {
                    Ended::Cancelled
                } else {
                    Ended::TimedOut
                };
                self.enter(Phase::Asking, now, Some(grace));
                self.ask();
            }
            Phase::Draining if self.cancels > 0 || time_is_up => {
                self.enter(Phase::Asking, now, Some(grace));
                self.ask();
            }
            Phase::Asking if self.cancels > 1 || time_is_up => {
                self.enter(Phase::Forcing, now, Some(FORCE));
                self.force();
            }
            Phase::Forcing if time_is_up => {
                let left = proc::descent(self.keeper);
                let alive = |pid: &i32| proc::stat(*pid).is_some_and(|stat| !stat.is_zombie);
                self.survivors = left.into_iter().filter(alive).map(proc::describe).collect();
                self.enter(Phase::Over, now, None);
            }
            Phase::Asking => self.ask(),
            Phase::Forcing => self.force(),
            Phase::Running | Phase::Draining | Phase::Over => {}
        }
    }

    fn enter(&mut self, phase: Phase, now: Instant, limit: Option<Duration>) {
        self.phase = phase;
        self.phase_began = now;
        self.phase_ends = limit.and_then(|limit| now.checked_add(limit));
    }

    /// Asks every descendant once to end; a stopped one is woken so that it can.
    fn ask(&mut self) {
        for pid in self.descent() {
            if let Entry::Vacant(entry) = self.asked.entry(pid) {
                entry.insert(proc::describe(pid));
                proc::send(pid, Signal::TERM);
                proc::send(pid, Signal::CONT);
            }
        }
    }

    fn force(&mut self) {
        for pid in self.descent() {
            self.asked.entry(pid).or_insert_with(|| proc::describe(pid));
        }
        for pid in proc::descent(self.keeper) {
            proc::send(pid, Signal::KILL);
        }
    }

    /// Whether what runs as the shell is a sandbox around it.
    fn is_wrapped(&self) -> bool {
        let confinement = self.order.confinement.as_ref();
        confinement.is_some_and(|confinement| confinement.backend == Backend::Namespaces)
    }

    /// Every descendant but the two processes of a sandbox, which end by themselves with the
    /// command and before it would take away its time to end.
    fn descent(&self) -> Vec<i32> {
        let mut all = proc::descent(self.keeper);
        if self.is_wrapped() {
            let parents = [self.keeper, self.shell];
            let is_sandbox =
                |pid: i32| proc::stat(pid).is_some_and(|stat| parents.contains(&stat.parent));
            all.retain(|pid| !is_sandbox(*pid));
        }
        all
    }

    fn exit(mut self) -> Exit {
        self.asked.remove(&self.shell);
        self.survivors
            .iter()
            .for_each(|survivor| drop(self.asked.remove(&survivor.pid)));
        self.survivors.truncate(LISTED_MAX);
        let set_aside = self.lookout.map(Lookout::end).unwrap_or_default();
        let spool = self.flow.spool();
        Exit {
            version: VERSION,
            ended_by: self.ended_by,
            code: self.status.and_then(WaitStatus::exit_status),
            signal: self.status.and_then(WaitStatus::terminating_signal),
            why: None,
            at_ms: now_ms(),
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            cpu_ms: proc::stat(self.keeper).map(|stat| stat.reaped_cpu_ms),
            output_bytes_total: spool.total(),
            output_lines: spool.lines(),
            output_lost: spool.lost(),
            ended_descendants: self.asked.into_values().take(LISTED_MAX).collect(),
            survivors: self.survivors,
            set_aside,
            connections: Vec::new(),
            connections_left_out: 0,
        }
    }
}
