//! Runs a short program that a person configured and gives what it printed: a key command.
//!
//! Not a tool: no model can ask for it, so no permit is taken. It runs in a process group of its
//! own, which is ended with it.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// How far a program may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// The most it may print, in bytes.
    pub bytes: usize,
}

/// Why a program gave nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It could not be started.
    #[error("`{program}` cannot be started: {why}")]
    Unstartable {
        /// Its name.
        program: String,
        /// What the system says.
        why: String,
    },
    /// It ran too long and was ended.
    #[error("`{program}` was not done after {seconds} s and was ended{said}")]
    TooSlow {
        /// Its name.
        program: String,
        /// The time it had.
        seconds: u64,
        /// What it wrote to standard error.
        said: String,
    },
    /// It failed.
    #[error("`{program}` failed ({status}){said}")]
    Failed {
        /// Its name.
        program: String,
        /// How it ended.
        status: String,
        /// What it wrote to standard error.
        said: String,
    },
    /// It printed more than allowed, or what is no text.
    #[error("what `{program}` printed cannot be used: {why}")]
    Unusable {
        /// Its name.
        program: String,
        /// Why not.
        why: String,
    },
}

/// Most of standard error that is shown, in bytes.
const SAID_BYTES_MAX: usize = 500;

/// How long pipes are drained that something left behind still holds.
const DRAIN: Duration = Duration::from_millis(500);

/// Runs `argv` without standard input and gives what it printed to standard output.
///
/// # Errors
/// [`ProgramError`]; none of them holds what the program printed to standard output.
pub fn printed(argv: &[String], bounds: Bounds) -> Result<String, ProgramError> {
    let (name, arguments) = argv.split_first().ok_or(ProgramError::Unstartable {
        program: String::new(),
        why: "no program is named".to_owned(),
    })?;
    let unstartable = |why: String| ProgramError::Unstartable {
        program: name.clone(),
        why,
    };
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| unstartable(error.to_string()))?;
    let output = read(child.stdout.take(), bounds.bytes.saturating_add(1));
    let said = read(child.stderr.take(), SAID_BYTES_MAX);
    let ended = await_end(&mut child, bounds.time).map_err(|error| unstartable(error.to_string()));
    end_group(&child);
    let ended = ended?;
    let until = Instant::now() + DRAIN;
    let said = quoted(&received(&said, until));
    let Some(status) = ended else {
        return Err(ProgramError::TooSlow {
            program: name.clone(),
            seconds: bounds.time.as_secs(),
            said,
        });
    };
    if !status.success() {
        return Err(ProgramError::Failed {
            program: name.clone(),
            status: status.to_string(),
            said,
        });
    }
    let output = received(&output, until);
    let unusable = |why: String| ProgramError::Unusable {
        program: name.clone(),
        why,
    };
    if output.len() > bounds.bytes {
        return Err(unusable(format!("it is over {} bytes", bounds.bytes)));
    }
    String::from_utf8(output).map_err(|_| unusable("it is not UTF-8".to_owned()))
}

/// Reads up to `most` bytes on a thread of its own, then swallows the rest so that the program is
/// not held up.
fn read(pipe: Option<impl Read + Send + 'static>, most: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut bytes = Vec::new();
        // What was read before an error counts.
        let _broken = pipe.by_ref().take(most as u64).read_to_end(&mut bytes);
        let _gone = sender.send(bytes);
        let _rest = std::io::copy(&mut pipe, &mut std::io::sink());
    });
    receiver
}

fn received(pipe: &Receiver<Vec<u8>>, until: Instant) -> Vec<u8> {
    let left = until.saturating_duration_since(Instant::now());
    pipe.recv_timeout(left).unwrap_or_default()
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Waits for the end; `None` when the time is over, and then the group was killed.
fn await_end(child: &mut Child, time: Duration) -> std::io::Result<Option<ExitStatus>> {
    let pid = pid(child).ok_or_else(|| std::io::Error::other("it has no id"))?;
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = [PollFd::new(&handle, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => break,
            Ok(_) => return child.wait().map(Some),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    end_group(child);
    child.wait()?;
    Ok(None)
}

/// Ends what is left of the group; nothing may be.
fn end_group(child: &Child) {
    if let Some(pid) = pid(child) {
        let _none_left = kill_process_group(pid, Signal::KILL);
    }
}

fn quoted(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(": {}", words.join(" "))
    }
}

#[cfg(test)]
mod tests;
