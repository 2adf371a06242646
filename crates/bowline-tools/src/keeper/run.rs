//! The keeper process from its order to its exit record.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::MARK_VARIABLE;
use super::control::Inlet;
use super::flow::{Flow, Outlet};
use super::proc;
use super::record::{
    self, Claim, Ended, Exit, Note, Order, Record, Started, StdinKind, VERSION, now_ms,
};
use super::scrub::Scrub;
use super::spool::Spool;
use super::watch::Watch;
use crate::confine::{self, Held, Lookout, Placeholders, Prepared};
use crate::proxy::{self, Limits, Proxy, Resolve};
use crate::sandbox::{self, Restrict};

/// Largest order accepted, in bytes.
const ORDER_BYTES_MAX: usize = 16 << 20;

/// Bytes asked of a pipe at once: its usual capacity.
const READ_BYTES: usize = 64 << 10;

/// Time that what a command sent last has to arrive once the command is over.
const PROXY_GRACE: Duration = Duration::from_millis(200);

/// Why a keeper process leaves; the number is its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Leave {
    /// The attempt is over and its exit record is in place.
    Done = 0,
    /// It was not called as `keeper DIR`; nothing ran.
    Usage = 2,
    /// Its stdin ended before a whole order; nothing ran.
    NoOrder = 10,
    /// The order does not parse, is newer or asks for what is not known; nothing ran.
    BadOrder = 11,
    /// A recovering harness revoked the attempt; nothing ran.
    Revoked = 12,
    /// Another keeper has the attempt; this one ran nothing.
    Taken = 13,
    /// Session, lock or claim failed; nothing ran.
    Unready = 14,
    /// The command was started, but the keeper failed to record how it ended.
    Untold = 15,
}

impl Leave {
    /// Finds the reason for the exit code of a keeper process.
    pub fn from_code(code: i32) -> Option<Self> {
        use Leave::{BadOrder, Done, NoOrder, Revoked, Taken, Unready, Untold, Usage};
        [
            Done, Usage, NoOrder, BadOrder, Revoked, Taken, Unready, Untold,
        ]
        .into_iter()
        .find(|leave| *leave as i32 == code)
    }

    /// Tells whether this exit proves that the attempt's command never ran.
    pub fn proves_not_started(self) -> bool {
        matches!(
            self,
            Self::Usage | Self::NoOrder | Self::BadOrder | Self::Revoked | Self::Unready
        )
    }
}

impl fmt::Display for Leave {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Done => "the attempt is over",
            Self::Usage => "it was not called as `keeper DIR`",
            Self::NoOrder => "it did not receive a whole order",
            Self::BadOrder => "it does not understand the order; is it of another version?",
            Self::Revoked => "a recovery revoked the attempt before it started",
            Self::Taken => "another keeper has the attempt",
            Self::Unready => "it could not take session, lock and claim; is the disk full?",
            Self::Untold => "it could not record how the command ended",
        })
    }
}

/// Runs `bowline keeper DIR` given what follows `keeper`; returns the process exit code.
pub fn keeper_main(arguments: impl IntoIterator<Item = OsString>, scrub: Box<dyn Scrub>) -> i32 {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next()) {
        (Some(dir), None) => run(&PathBuf::from(dir), scrub),
        _ => Leave::Usage as i32,
    }
}

/// Is the whole keeper process for the attempt folder `dir`, which must exist.
///
/// Takes over stdin (the order, then control), stdout (notes) and the process session; call it
/// first thing in `main`, with no other thread running. Returns the exit code, a [`Leave`].
pub fn run(dir: &Path, scrub: Box<dyn Scrub>) -> i32 {
    run_resolving(dir, scrub, proxy::system_resolver())
}

/// As [`run`], with a way of its own to look up the hosts that a confined command may reach.
pub fn run_resolving(dir: &Path, scrub: Box<dyn Scrub>, resolve: Arc<Resolve>) -> i32 {
    keep(dir, scrub, resolve).unwrap_or_else(|leave| leave) as i32
}

fn keep(dir: &Path, mut scrub: Box<dyn Scrub>, resolve: Arc<Resolve>) -> Result<Leave, Leave> {
    let (mut order, early) = read_order()?;
    if let Some(words) = order.scrub.take() {
        scrub.told(&words.0);
    }
    sandbox::hear_of_children();
    // A session of its own: no terminal, no group of the harness whose signals would arrive here.
    let session = rustix::process::setsid().map_err(|_| Leave::Unready)?;
    rustix::process::set_child_subreaper(Some(session)).map_err(|_| Leave::Unready)?;
    // Held until the process ends: dropping it would tell the world that this keeper is dead.
    let _lock = take_lock(dir)?;
    let started = started(&order, session);
    let mut inlet = match order.stdin {
        StdinKind::Told => Some(Inlet::make(dir).map_err(|_| Leave::Unready)?),
        // Where no FIFO can be, nobody but the harness that started the command can stop it.
        StdinKind::Null | StdinKind::Pty { .. } => Inlet::make(dir).ok(),
    };
    claim(dir, &started)?;

    let mut outlet = Outlet::new();
    let began = Instant::now();
    let exit = match spawn(&order, dir, &started.mark, session, inlet.as_mut()) {
        Ok(Spawned {
            shell,
            output,
            lookout,
            door,
            held: _held,
            placeholders: _placeholders,
        }) => {
            let shell_pid = i32::try_from(shell.id()).map_err(|_| Leave::Untold)?;
            let proxy = door.and_then(|door| proxy_behind(door, &order, resolve));
            outlet.send(&Note::Started { shell_pid });
            let spool = Spool::new(dir, order.spool_head_bytes, order.spool_tail_bytes);
            let flow = Flow::new(output, spool, scrub).map_err(|_| Leave::Untold)?;
            let watch =
                Watch::new(&order, shell_pid, began, flow, inlet).map_err(|_| Leave::Untold)?;
            let watch = watch.watched_by(lookout);
            let exit = watch.until_over(&early, &mut outlet);
            with_connections(exit, proxy)
        }
        Err(error) => not_started(why_not(&order, &error)),
    };
    let written = record::write_exit(dir, &exit);
    outlet.send(&Note::Exit(Box::new(exit)));
    Ok(if written.is_ok() {
        Leave::Done
    } else {
        Leave::Untold
    })
}

/// Begins to serve a command that may reach named hosts. Where that cannot be, it reaches nobody.
fn proxy_behind(door: OwnedFd, order: &Order, resolve: Arc<Resolve>) -> Option<Proxy> {
    let hosts = order.confinement.as_ref()?.profile.network.hosts();
    let proxy = Proxy::new(hosts, resolve, Limits::default()).ok()?;
    proxy.serve_from(door).ok()?;
    Some(proxy)
}

/// Adds whom the command reached to how it ended.
fn with_connections(exit: Exit, proxy: Option<Proxy>) -> Exit {
    let Some(proxy) = proxy else { return exit };
    let written = proxy.close(PROXY_GRACE);
    Exit {
        connections: written.connections,
        connections_left_out: written.left_out,
        ..exit
    }
}

/// Reads one line from stdin; returns the order and the control bytes that came along with it.
fn read_order() -> Result<(Order, Vec<u8>), Leave> {
    let stdin = io::stdin();
    let mut bytes = Vec::with_capacity(READ_BYTES);
    let mut chunk = vec![0; READ_BYTES];
    loop {
        let searched = bytes.len();
        match rustix::io::read(&stdin, &mut chunk[..]) {
            Ok(0) => return Err(Leave::NoOrder),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Err(Leave::NoOrder),
        }
        if let Some(end) = bytes[searched..].iter().position(|byte| *byte == b'\n') {
            let early = bytes.split_off(searched + end + 1);
            let order: Order = record::parse(&bytes).map_err(|_| Leave::BadOrder)?;
            let is_known = matches!(order.stdin, StdinKind::Null | StdinKind::Told);
            let known = is_known && !order.shell.is_empty();
            return known.then_some((order, early)).ok_or(Leave::BadOrder);
        }
        if bytes.len() > ORDER_BYTES_MAX {
            return Err(Leave::BadOrder);
        }
    }
}

fn take_lock(dir: &Path) -> Result<File, Leave> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(record::lock_path(dir))
        .map_err(|_| Leave::Unready)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Leave::Taken),
        Err(std::fs::TryLockError::Error(_)) => Err(Leave::Unready),
    }
}

fn claim(dir: &Path, started: &Started) -> Result<(), Leave> {
    match record::create_claim(dir, &Claim::Started(started.clone())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let revoked = matches!(
                record::read_claim(dir),
                Record::Whole(Claim::Revoked { .. })
            );
            Err(if revoked {
                Leave::Revoked
            } else {
                Leave::Taken
            })
        }
        Err(_) => Err(Leave::Unready),
    }
}

fn started(order: &Order, keeper: Pid) -> Started {
    let keeper_pid = keeper.as_raw_nonzero().get();
    let keeper_start_ticks = proc::stat(keeper_pid).map_or(0, |stat| stat.start_ticks);
    let at_ms = now_ms();
    Started {
        version: VERSION,
        call: order.call.clone(),
        at_ms,
        keeper_pid,
        keeper_start_ticks,
        boot_id: proc::boot_id(),
        mark: format!("{keeper_pid}.{keeper_start_ticks}.{at_ms}"),
        cwd: order.cwd.clone(),
        shell: order.shell.clone(),
        timeout_ms: order.timeout_ms,
        grace_ms: order.grace_ms,
        stdin: order.stdin,
    }
}

/// Why a command was not started.
enum Unstarted {
    /// Its limits could not be put in place.
    Unconfined(io::Error),
    /// Its shell could not be executed.
    Unexecuted(io::Error),
}

impl From<io::Error> for Unstarted {
    fn from(error: io::Error) -> Self {
        Self::Unexecuted(error)
    }
}

/// A command that was started.
struct Spawned {
    shell: Child,
    output: PipeReader,
    lookout: Option<Lookout>,
    /// Where its proxy's listening socket comes out, if it is to have one.
    door: Option<OwnedFd>,
    held: Option<Held>,
    placeholders: Placeholders,
}

/// Starts the shell with stdout and stderr in one pipe, so that their order is kept.
fn spawn(
    order: &Order,
    dir: &Path,
    mark: &str,
    keeper: Pid,
    inlet: Option<&mut Inlet>,
) -> Result<Spawned, Unstarted> {
    let (reader, writer) = io::pipe()?;
    let stdin = match inlet.filter(|_| order.stdin == StdinKind::Told) {
        Some(inlet) => {
            let (stdin, feed) = io::pipe()?;
            inlet.feeds(feed)?;
            Stdio::from(stdin)
        }
        None => Stdio::null(),
    };
    let Prepared {
        wrapper,
        env,
        restrict,
        lookout,
        door,
        held,
        placeholders,
    } = match &order.confinement {
        Some(confinement) => {
            confine::prepare(confinement, &order.cwd, dir).map_err(Unstarted::Unconfined)?
        }
        None => Prepared {
            wrapper: Vec::new(),
            env: Vec::new(),
            restrict: Restrict::default(),
            lookout: None,
            door: None,
            held: None,
            placeholders: Placeholders::default(),
        },
    };
    let is_confined = order.confinement.is_some();
    let given = order.env.iter().map(|(name, value)| (name, value));
    let given = given.filter(|(name, _)| !(is_confined && confine::is_unset(name)));
    let mut words = wrapper
        .into_iter()
        .chain(order.shell.iter().map(OsString::from));
    let program = words
        .next()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut command = Command::new(program);
    command
        .args(words)
        .arg(&order.command)
        .current_dir(&order.cwd)
        .env_clear()
        .envs(given)
        .envs(env)
        .env(MARK_VARIABLE, mark)
        .stdin(stdin)
        .stdout(writer.try_clone()?)
        .stderr(writer)
        // `kill 0` in a command must not reach its keeper.
        .process_group(0);
    sandbox::tie_to_keeper(&mut command, keeper, restrict);
    let shell = command.spawn()?;
    Ok(Spawned {
        shell,
        output: reader,
        lookout,
        door,
        held,
        placeholders,
    })
}

fn why_not(order: &Order, error: &Unstarted) -> String {
    if !order.cwd.is_dir() {
        return format!("the working folder {} is not there", order.cwd.display());
    }
    let shell = order.shell.first().map_or("", String::as_str);
    match error {
        Unstarted::Unconfined(error) => format!("its sandbox could not be made: {error}"),
        Unstarted::Unexecuted(error) => format!("the shell {shell} could not be started: {error}"),
    }
}

fn not_started(why: String) -> Exit {
    Exit {
        version: VERSION,
        ended_by: Ended::NotStarted,
        code: None,
        signal: None,
        why: Some(why),
        at_ms: now_ms(),
        duration_ms: 0,
        cpu_ms: None,
        output_bytes_total: 0,
        output_lines: 0,
        output_lost: None,
        ended_descendants: Vec::new(),
        survivors: Vec::new(),
        set_aside: Vec::new(),
        connections: Vec::new(),
        connections_left_out: 0,
    }
}
