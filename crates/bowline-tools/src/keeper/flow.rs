//! The way of the output: pipe, scrubber, spool, and word of it to the harness.

use std::io::{self, PipeReader};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::record::{self, Note};
use super::scrub::Scrub;
use super::spool::Spool;

/// Bytes read at once: the usual capacity of a pipe.
const READ_BYTES: usize = 64 << 10;

/// Quiet time after which the scrubber may let go of what it holds back.
const IDLE_AFTER: Duration = Duration::from_millis(100);

/// Shortest time between two notes about the amount of output.
const NOTE_EVERY: Duration = Duration::from_millis(50);

/// Bounds of reading what is left in the pipe at the end: a survivor may never stop writing.
const REST_READS_MAX: usize = 256;

/// Notes to the harness on stdout; never waits for it and never minds its absence.
#[derive(Debug)]
pub(super) struct Outlet {
    is_open: bool,
}

impl Outlet {
    /// Takes over stdout.
    pub(super) fn new() -> Self {
        Self {
            is_open: rustix::io::ioctl_fionbio(io::stdout(), true).is_ok(),
        }
    }

    /// Sends `note` if the pipe has room for it. A note cut short by a full pipe ends the notes:
    /// the harness finds the outcome in the folder.
    pub(super) fn send(&mut self, note: &Note) {
        let Ok(line) = record::line(note) else { return };
        if !self.is_open {
            return;
        }
        self.is_open = match rustix::io::write(io::stdout(), &line) {
            Ok(count) => count == line.len(),
            Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
        };
    }
}

/// The output of one command on its way into the spool.
pub(super) struct Flow {
    pipe: Option<PipeReader>,
    spool: Spool,
    scrub: Box<dyn Scrub>,
    chunk: Vec<u8>,
    scrubbed: Vec<u8>,
    idle_at: Option<Instant>,
    noted_bytes: u64,
    note_at: Option<Instant>,
}

impl Flow {
    /// Makes `pipe` non-blocking and readies the buffers.
    pub(super) fn new(pipe: PipeReader, spool: Spool, scrub: Box<dyn Scrub>) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self {
            pipe: Some(pipe),
            spool,
            scrub,
            chunk: vec![0; READ_BYTES],
            scrubbed: Vec::new(),
            idle_at: None,
            noted_bytes: 0,
            note_at: None,
        })
    }

    /// The pipe to wait for, until its writers are gone.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(|pipe| pipe.as_fd())
    }

    /// What was written.
    pub(super) fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Next moment at which [`Flow::tend`] has something to do.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let note_at = self
            .note_at
            .filter(|_| self.spool.total() > self.noted_bytes);
        self.idle_at.into_iter().chain(note_at).min()
    }

    /// Reads once from the pipe; false when there is nothing to read now or ever.
    pub(super) fn read_some(&mut self) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        match rustix::io::read(pipe, &mut self.chunk[..]) {
            Ok(count) if count > 0 => {
                self.scrub.push(&self.chunk[..count], &mut self.scrubbed);
                self.store();
                self.idle_at = Some(Instant::now() + IDLE_AFTER);
                true
            }
            Err(Errno::INTR) => true,
            Err(Errno::AGAIN) => false,
            Ok(_) | Err(_) => {
                self.pipe = None;
                false
            }
        }
    }

    /// Does what is due at `now`: idle word to the scrubber, a note to the harness.
    pub(super) fn tend(&mut self, now: Instant, outlet: &mut Outlet) {
        if self.idle_at.is_some_and(|at| now >= at) {
            self.idle_at = None;
            self.scrub.idle(&mut self.scrubbed);
            self.store();
        }
        let total = self.spool.total();
        if total > self.noted_bytes && self.note_at.is_none_or(|at| now >= at) {
            outlet.send(&Note::Out(total));
            self.noted_bytes = total;
            self.note_at = Some(now + NOTE_EVERY);
        }
    }

    /// Reads what the pipe still holds, within bounds, and closes the books.
    pub(super) fn finish(&mut self) {
        let mut reads = 0;
        while reads < REST_READS_MAX && self.read_some() {
            reads += 1;
        }
        self.pipe = None;
        self.scrub.finish(&mut self.scrubbed);
        self.store();
    }

    /// Puts a line of the keeper's own into the output.
    pub(super) fn remark(&mut self, line: &str) {
        self.spool.push(line.as_bytes());
    }

    fn store(&mut self) {
        self.spool.push(&self.scrubbed);
        self.scrubbed.clear();
    }
}
