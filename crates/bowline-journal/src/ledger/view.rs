//! Reading the ledger without its lock: totals and open claims. Writes nothing.

use std::io;

use bowline_core::amounts::Amounts;

use super::fold::{Fold, day_of};
use super::{Ledger, OpenClaim};
use crate::Error;
use crate::error::At as _;

/// What a scope has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// What is settled.
    pub spent: Amounts,
    /// What is set aside and not settled.
    pub set_aside: Amounts,
}

impl Total {
    /// Both together: what caps are held against.
    #[must_use]
    pub fn taken(&self) -> Amounts {
        self.spent.plus(&self.set_aside)
    }
}

/// The ledger at one moment.
#[derive(Debug, Clone)]
pub struct LedgerView {
    fold: Fold,
    damage: Option<String>,
}

impl Ledger {
    /// Reads the whole ledger; empty when there is none. Takes no lock and writes nothing: what is
    /// being written right now may be missing.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Unreadable`] when a newer version wrote it. Damage is in
    /// [`LedgerView::damage`].
    pub fn view(&self) -> Result<LedgerView, Error> {
        let path = self.path();
        // The head is read first: the file read after it holds at least what the head names.
        let head = self.file.read_head();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).at("read", &path),
        };
        let read = self.read(&bytes, head)?;
        Ok(LedgerView {
            damage: read
                .damage
                .or_else(|| read.fold.uncertain.clone())
                .map(|uncertain| uncertain.what),
            fold: read.fold,
        })
    }
}

impl LedgerView {
    /// What a project has used, over all time.
    #[must_use]
    pub fn project(&self, project: &str) -> Total {
        Total {
            spent: self.fold.project_spent(project),
            set_aside: self.fold.set_aside(|open| open.project == project),
        }
    }

    /// What the day of `at_ms` (milliseconds since 1970) has used, by UTC.
    #[must_use]
    pub fn day(&self, at_ms: u64) -> Total {
        let day = day_of(at_ms);
        Total {
            spent: self.fold.day_spent(day),
            set_aside: self.fold.set_aside(|open| day_of(open.at_ms) == day),
        }
    }

    /// Every claim that is not settled, by key.
    pub fn open(&self) -> impl Iterator<Item = &OpenClaim> {
        self.fold.open.values()
    }

    /// Why totals may be too low; `None` when they can be trusted.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }
}
