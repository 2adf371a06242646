//! Words to a kept command: a FIFO in its attempt folder that its keeper reads.
//!
//! Whoever owns the session may write, so it works after a restart too. Each word is one JSON
//! line between two newlines: what a writer that died left behind spoils no later word. The keeper
//! never waits for a writer and never for the command to read. Only a command in the background is
//! given input; every command can be stopped.

use std::collections::VecDeque;
use std::io::{self, PipeWriter};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

const CONTROL: &str = "control";

/// Longest word believed, in bytes.
const WORD_BYTES_MAX: usize = 1 << 20;

/// Most input kept for a command that does not read, in bytes.
const PENDING_BYTES_MAX: usize = 1 << 20;

/// Bytes read at once: the usual capacity of a FIFO.
const READ_BYTES: usize = 64 << 10;

/// Time a keeper has to take a word.
const TELL_MAX: Duration = Duration::from_secs(5);

/// What a harness tells the keeper of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Give this to the command's stdin.
    Input(String),
    /// End the command's stdin.
    Close,
    /// End the command; a second one skips the grace.
    Stop,
}

/// Tells the keeper of the attempt in `dir`. Blocks for 5 s at most.
///
/// # Errors
/// `NotConnected` when no keeper listens, `TimedOut` when it did not take the word; then part of
/// the word may have been taken.
pub fn tell(dir: &Path, word: &Word) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fifo = match rustix::fs::open(path(dir), flags, Mode::empty()) {
        Ok(fifo) => fifo,
        Err(Errno::NXIO | Errno::NOENT) => return Err(io::ErrorKind::NotConnected.into()),
        Err(error) => return Err(error.into()),
    };
    if FileType::from_raw_mode(rustix::fs::fstat(&fifo)?.st_mode) != FileType::Fifo {
        return Err(io::Error::other("it is no FIFO"));
    }
    let mut line = vec![b'\n'];
    serde_json::to_writer(&mut line, word)?;
    line.push(b'\n');
    let ends = Instant::now() + TELL_MAX;
    let mut left = line.as_slice();
    while !left.is_empty() {
        match rustix::io::write(&fifo, left) {
            Ok(count) => left = &left[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if Instant::now() < ends => wait_for_room(&fifo, ends),
            Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::PIPE) => return Err(io::ErrorKind::NotConnected.into()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_for_room(fifo: &OwnedFd, ends: Instant) {
    let pause = ends.saturating_duration_since(Instant::now());
    let pause = Timespec {
        tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(pause.subsec_nanos()),
    };
    // An interrupted or failed wait only means to try earlier.
    let _woken = rustix::event::poll(&mut [PollFd::new(fifo, PollFlags::OUT)], Some(&pause));
}

fn path(dir: &Path) -> PathBuf {
    dir.join(CONTROL)
}

/// What a keeper heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// How often it was asked to stop.
    pub(super) stops: usize,
    /// Bytes of input that the command will not get.
    pub(super) refused_bytes: usize,
}

/// The keeper's end: the FIFO, and what it brings on its way to the command's stdin.
#[derive(Debug)]
pub(super) struct Inlet {
    fifo: OwnedFd,
    line: Vec<u8>,
    is_overlong: bool,
    stdin: Option<PipeWriter>,
    pending: VecDeque<u8>,
    is_ending: bool,
}

impl Inlet {
    /// Makes the FIFO in `dir`. Opened for both directions it never reports an end, whoever
    /// comes and goes.
    pub(super) fn make(dir: &Path) -> io::Result<Self> {
        rustix::fs::mkfifoat(CWD, path(dir), Mode::RUSR | Mode::WUSR)?;
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fifo = rustix::fs::open(path(dir), flags, Mode::empty())?;
        Ok(Self {
            fifo,
            line: Vec::new(),
            is_overlong: false,
            stdin: None,
            pending: VecDeque::new(),
            is_ending: false,
        })
    }

    /// Takes the end of the pipe that the command reads from.
    pub(super) fn feeds(&mut self, stdin: PipeWriter) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&stdin, true)?;
        self.stdin = Some(stdin);
        Ok(())
    }

    /// The FIFO to wait for.
    pub(super) fn fifo(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }

    /// The pipe to wait for while there is input that the command has not taken.
    pub(super) fn unfed(&self) -> Option<BorrowedFd<'_>> {
        let stdin = self.stdin.as_ref().filter(|_| !self.pending.is_empty());
        stdin.map(|stdin| stdin.as_fd())
    }

    /// Reads once from the FIFO and gives the command what it takes.
    pub(super) fn tend(&mut self) -> Heard {
        let mut heard = Heard::default();
        let mut chunk = vec![0; READ_BYTES];
        if let Ok(count) = rustix::io::read(&self.fifo, &mut chunk[..]) {
            self.hear(&chunk[..count], &mut heard);
        }
        self.feed();
        heard
    }

    fn hear(&mut self, bytes: &[u8], heard: &mut Heard) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + part.len() > WORD_BYTES_MAX {
                self.is_overlong = true;
                self.line.clear();
            }
            if !self.is_overlong {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                if !std::mem::take(&mut self.is_overlong) {
                    self.obey(&line, heard);
                }
            }
        }
    }

    /// A line that is no word is what a dying writer left, or not meant for us.
    fn obey(&mut self, line: &[u8], heard: &mut Heard) {
        match serde_json::from_slice(line) {
            Ok(Word::Stop) => heard.stops += 1,
            Ok(Word::Close) => self.is_ending = true,
            Ok(Word::Input(text)) => {
                let fits = self.pending.len() + text.len() <= PENDING_BYTES_MAX;
                if self.stdin.is_some() && !self.is_ending && fits {
                    self.pending.extend(text.as_bytes());
                } else {
                    heard.refused_bytes += text.len();
                }
            }
            Err(_) => {}
        }
    }

    fn feed(&mut self) {
        while let (Some(stdin), false) = (&self.stdin, self.pending.is_empty()) {
            match rustix::io::write(stdin, self.pending.as_slices().0) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    // Nobody reads any more.
                    self.stdin = None;
                    self.pending.clear();
                }
            }
        }
        if self.is_ending {
            self.stdin = None;
        }
    }
}
