//! What one run says to the installation's log of system events.
//!
//! Facts of sessions are watched as they become durable ([`Watched`]); how the process began and
//! ended is said by whoever runs it. A log that cannot be written stops nobody: the first failure
//! is kept for whoever asks.

mod begin;
#[cfg(test)]
mod tests;
mod watched;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bowline_core::state::CallPhase;
use bowline_core::system::{Recovered, StorageFailed};
use bowline_core::{RunId, SessionId, SystemEvent, SystemFact};
use bowline_journal::{Installation, Opened};

pub use begin::{Beginning, identity};
pub use watched::Watched;

use crate::{Clock, Session};

/// One run's side of the log.
pub struct RunLog {
    installation: Installation,
    run: RunId,
    clock: Clock,
    session: OnceLock<SessionId>,
    kept: Mutex<Kept>,
}

/// What waits to be said or asked for.
#[derive(Default)]
struct Kept {
    /// Said together with the beginning.
    facts: Vec<SystemFact>,
    /// Why the log could first not be written.
    failure: Option<String>,
}

impl RunLog {
    /// The log of a run that begins now. Touches nothing yet.
    #[must_use]
    pub fn new(installation: Installation, clock: Clock) -> Self {
        let run = RunId::from_uuid(clock.new_id());
        Self {
            installation,
            run,
            clock,
            session: OnceLock::new(),
            kept: Mutex::default(),
        }
    }

    /// The session that the run drives, once it has begun.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session.get().copied()
    }

    /// The file that is written.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.installation.path()
    }

    /// Records a fact about the session that the run drives; durable on return unless
    /// [`Self::failure`] says otherwise. Blocks on the disk.
    pub fn record(&self, fact: SystemFact) {
        self.record_about(self.session(), fact);
    }

    /// Records a fact about any session, or about none.
    pub fn record_about(&self, session: Option<SessionId>, fact: SystemFact) {
        let event = SystemEvent::new(self.clock.now_ms(), self.run, session, fact);
        if let Err(error) = self.installation.append(vec![event]) {
            self.keep_failure(&error);
        }
    }

    /// Records that a session could not be opened or created, unless that is nobody's fault: it
    /// is owned by another process, or there is none.
    pub fn could_not_open(&self, session: Option<SessionId>, error: &bowline_journal::Error) {
        use bowline_journal::Error;
        if let Error::Owned { .. } | Error::NotFound { .. } | Error::Ambiguous { .. } = error {
            return;
        }
        let safe = match error {
            Error::Damaged { intact_seq, .. } => format!("records 1 to {intact_seq}"),
            _ => "everything that was recorded before; nothing was begun".to_owned(),
        };
        let message = error.to_string();
        self.record_about(
            session,
            SystemFact::StorageFailed(StorageFailed { message, safe }),
        );
    }

    /// Takes note of how an existing session was found; said when the run begins.
    pub fn opened(&self, session: &Session, opened: &Opened) {
        self.kept().facts.extend(recovered(session, opened));
    }

    /// Why the log could first not be written, if so; given once.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.kept().failure.take()
    }

    fn keep_failure(&self, error: &bowline_journal::Error) {
        self.kept().failure.get_or_insert_with(|| error.to_string());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the last owner of a session left open; `None` when nothing.
fn recovered(session: &Session, opened: &Opened) -> Option<SystemFact> {
    let state = session.state();
    let epoch = state.epoch();
    let interrupted_calls: Vec<_> = state
        .step()
        .into_iter()
        .flat_map(|step| &step.calls)
        .filter(|open| matches!(&open.phase, CallPhase::Started(_, s) if s.epoch() < epoch))
        .map(|open| open.call.id)
        .collect();
    let interrupted_attempt = state
        .attempt()
        .is_some_and(|attempt| attempt.reserved.epoch() < epoch);
    let clean = opened.dropped_bytes == 0
        && opened.resynced_records == 0
        && interrupted_calls.is_empty()
        && !interrupted_attempt;
    (!clean).then(|| {
        SystemFact::Recovered(Recovered {
            dropped_bytes: opened.dropped_bytes,
            resynced_records: opened.resynced_records,
            interrupted_calls,
            interrupted_attempt,
        })
    })
}
