//! Counting again from the journals of all sessions, after the ledger lost records.

use std::collections::BTreeMap;

use bowline_core::amounts::Amounts;
use bowline_core::{Event, Fact, SessionId};

use super::evidence::{read_through, taken};
use super::fold::{Fold, day_of};
use super::{ClaimKey, Ledger, OpenClaim};
use crate::Error;
use crate::layout::SessionDir;
use crate::store::folder;

/// What was counted again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Sessions whose journals were counted.
    pub sessions: usize,
    /// Claims that the ledger had lost and that have no outcome yet.
    pub found_open: usize,
    /// Sessions of which only a part could be counted, or nothing.
    pub in_part: Vec<SessionId>,
}

/// What one journal says.
#[derive(Default)]
struct Counted {
    project: String,
    open: BTreeMap<ClaimKey, (u64, Amounts)>,
    settled: Vec<(ClaimKey, u64, Amounts)>,
}

impl Ledger {
    /// Counts again what every journal of the state folder says was spent or is under way, and lets
    /// claims under caps go on. Of each total the larger one holds, this or what the ledger still
    /// said, so a session that was removed counts as far as that did. Nobody claims meanwhile.
    ///
    /// # Errors
    /// [`Error::StateFolder`], [`Error::Io`]; nothing has changed then.
    pub fn rebuild(&self, at_ms: u64) -> Result<Rebuilt, Error> {
        self.with_lock(at_ms, |known| {
            let mut rebuilt = Rebuilt::default();
            let mut counted = Fold::default();
            for session in folder::list(self.file.home())? {
                let (journal, is_whole) =
                    count(session, &SessionDir::of(self.file.home(), session));
                rebuilt.sessions += 1;
                if !is_whole {
                    rebuilt.in_part.push(session);
                }
                rebuilt.found_open += add(&mut counted, &mut known.fold, session, journal);
            }
            let fold = &mut known.fold;
            for (project, amounts) in &counted.projects {
                let total = fold.projects.entry(project.clone()).or_default();
                *total = total.at_least(amounts);
            }
            for (day, amounts) in &counted.days {
                let total = fold.days.entry(*day).or_default();
                *total = total.at_least(amounts);
            }
            fold.uncertain = None;
            self.begin_anew(known, at_ms, &self.file.old())?;
            Ok(rebuilt)
        })
    }
}

/// Adds one journal to what is `counted`; claims that are under way go to `fold`.
fn add(counted: &mut Fold, fold: &mut Fold, session: SessionId, journal: Counted) -> usize {
    let project = journal.project;
    for (key, at_ms, took) in journal.settled {
        // One that is set aside still counts whole until it is settled here.
        if fold.is_open(&key) {
            continue;
        }
        let day = counted.days.entry(day_of(at_ms)).or_default();
        *day = day.plus(&took);
        let total = counted.projects.entry(project.clone()).or_default();
        *total = total.plus(&took);
    }
    let mut found = 0;
    for (key, (at_ms, amounts)) in journal.open {
        fold.open.entry(key).or_insert_with(|| {
            found += 1;
            OpenClaim {
                key,
                session,
                project: project.clone(),
                at_ms,
                amounts,
                end_found_ms: None,
            }
        });
    }
    found
}

/// Reads a journal; `false` when only a part of it could be read.
fn count(session: SessionId, dir: &SessionDir) -> (Counted, bool) {
    let mut counted = Counted::default();
    let is_whole = read_through(session, dir, &mut |event| counted.take(event));
    (counted, is_whole)
}

impl Counted {
    fn take(&mut self, event: &Event) {
        match &event.fact {
            Fact::SessionStarted(started) => {
                let project = started.roots.first().unwrap_or(&started.cwd);
                self.project.clone_from(project);
            }
            Fact::AttemptReserved(reserved) => {
                let key = ClaimKey::Attempt(reserved.attempt());
                let amounts = Amounts {
                    steps: 1,
                    ..reserved.worst()
                };
                self.open.insert(key, (event.at_ms, amounts));
            }
            Fact::ModelReplied(replied) => {
                self.settle(ClaimKey::Attempt(replied.attempt), &event.fact);
            }
            Fact::AttemptFailed(failed) => {
                self.settle(ClaimKey::Attempt(failed.attempt), &event.fact);
            }
            Fact::CallStarted(started) => {
                let amounts = Amounts {
                    tool_calls: 1,
                    ..Amounts::ZERO
                };
                let key = ClaimKey::Call(started.call());
                self.settled.push((key, event.at_ms, amounts));
            }
            _ => {}
        }
    }

    fn settle(&mut self, key: ClaimKey, outcome: &Fact) {
        if let Some((at_ms, reserved)) = self.open.remove(&key) {
            self.settled.push((key, at_ms, taken(outcome, &reserved)));
        }
    }
}
