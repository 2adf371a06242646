//! What was reached and what was refused, with the bytes that went out and came in.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_core::Connection;
use bowline_core::contact::CONNECTIONS_MAX;

/// The connections of one command.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
    is_closed: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Pages {
    lines: Vec<Arc<Line>>,
    left_out: u64,
}

/// One connection. Bytes are counted before they are passed on, so that none passes uncounted.
#[derive(Debug)]
pub(super) struct Line {
    connection: Connection,
    sent: AtomicU64,
    received: AtomicU64,
    is_closed: Arc<AtomicBool>,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the host.
    Out,
    /// From the host.
    In,
}

/// What a closed book holds.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// At most [`CONNECTIONS_MAX`], in the order they were asked for.
    pub(crate) connections: Vec<Connection>,
    /// How many more there were.
    pub(crate) left_out: u64,
}

impl Book {
    /// Writes down a connection that is made; `None` once the book is closed: then it must not be.
    pub(super) fn open(&self, connection: Connection) -> Option<Arc<Line>> {
        let mut pages = self.pages();
        if self.is_closed.load(Ordering::SeqCst) {
            return None;
        }
        let line = self.line(connection);
        pages.add(Arc::clone(&line));
        Some(line)
    }

    /// Writes down a connection that was refused or failed.
    pub(super) fn refuse(&self, connection: Connection) {
        let line = self.line(connection);
        self.pages().add(line);
    }

    /// Ends all writing: from now on nothing more passes.
    pub(super) fn close(&self) -> Written {
        let mut pages = self.pages();
        self.is_closed.store(true, Ordering::SeqCst);
        Written {
            connections: pages.lines.drain(..).map(|line| line.told()).collect(),
            left_out: pages.left_out,
        }
    }

    fn line(&self, connection: Connection) -> Arc<Line> {
        Arc::new(Line {
            connection,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            is_closed: Arc::clone(&self.is_closed),
        })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Where there is no more room, what was made takes the place of what was refused.
    fn add(&mut self, line: Arc<Line>) {
        if self.lines.len() >= CONNECTIONS_MAX {
            self.left_out += 1;
            let is_refused = |line: &Arc<Line>| line.connection.refused.is_some();
            match self.lines.iter().rposition(is_refused) {
                Some(at) if !is_refused(&line) => drop(self.lines.remove(at)),
                _ => return,
            }
        }
        self.lines.push(line);
    }
}

impl Line {
    /// Counts bytes that are about to pass; false if they must not any more.
    pub(super) fn passes(&self, way: Way, bytes: usize) -> bool {
        let count = match way {
            Way::Out => &self.sent,
            Way::In => &self.received,
        };
        // Counted first and looked at second: whoever closes the book does it the other way round.
        count.fetch_add(bytes as u64, Ordering::SeqCst);
        !self.is_closed.load(Ordering::SeqCst)
    }

    fn told(&self) -> Connection {
        Connection {
            sent_bytes: self.sent.load(Ordering::SeqCst),
            received_bytes: self.received.load(Ordering::SeqCst),
            ..self.connection.clone()
        }
    }
}
