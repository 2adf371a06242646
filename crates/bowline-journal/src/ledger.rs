//! The installation's ledger: what all processes have spent and set aside, so that caps over a day
//! and a project and limits on rates hold over all of them.
//!
//! One chained file, in the record format of journals. Whoever wants to spend claims first: under
//! the file's lock, what is spent, what is claimed and the claim itself must fit every cap and
//! limit, else nothing is written. A claim stays counted whole until it is settled by its owner, by
//! evidence or by a person, never by expiry.

mod evidence;
mod facts;
mod file;
mod fold;
mod judge;
mod read;
mod rebuild;
#[cfg(test)]
mod tests;
mod view;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bowline_core::amounts::{Amounts, Cap, CapScope, Excess, RateLimits};
use bowline_core::{AttemptId, CallId, SessionId};
use serde::{Deserialize, Serialize};

pub use evidence::Reconciled;
pub use judge::{NeverFits, RateSpan, RateWait, WAIT_POLL_MS};
pub use rebuild::Rebuilt;
pub use view::{LedgerView, Total};

use crate::Error;
use crate::chained::ChainedFile;
use crate::edge::Edges;
use facts::{Entry, LedgerFact, Reserved, Settled};
use file::{Known, Sync};
use judge::Judged;

/// A file of more bytes than this is rotated before the next append: reading it anew takes less
/// than a millisecond.
const MOST_BYTES: u64 = 128 << 10;

/// What a claim is for. A key is claimed once: its settlement ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKey {
    /// One try of a model call.
    Attempt(AttemptId),
    /// One tool call.
    Call(CallId),
}

/// What is to be set aside, and what it must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What for.
    pub key: ClaimKey,
    /// Whose.
    pub session: SessionId,
    /// The folder of the session, absolute: its project.
    pub project: String,
    /// When, in milliseconds since 1970, read right before: limits on rates are judged at this
    /// time. The claim counts in this day, by UTC, also when it is settled on a later one.
    pub at_ms: u64,
    /// The worst case.
    pub amounts: Amounts,
    /// The most for the project, over all time.
    pub project_cap: Cap,
    /// The most for the day.
    pub day_cap: Cap,
    /// The most in any minute and hour.
    pub rates: RateLimits,
}

impl Claim {
    /// Whether anything limits it here.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !(self.project_cap.is_empty() && self.day_cap.is_empty() && self.rates.is_empty())
    }
}

/// The answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Grant {
    /// It is set aside. Under a cap or limit it is durable.
    Reserved,
    /// A limit on the rate does not allow it now. Nothing was written.
    Wait(RateWait),
    /// It would pass a cap. Nothing was written.
    Exceeds {
        /// Which.
        scope: CapScope,
        /// By what.
        excess: Excess,
        /// What is set aside in this scope and not settled yet: some of it may come back.
        set_aside: Amounts,
    },
    /// It is larger than a limit on the rate: no wait helps. Nothing was written.
    NeverFits(NeverFits),
}

/// A claim that is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenClaim {
    /// What for.
    pub key: ClaimKey,
    /// Whose.
    pub session: SessionId,
    /// The folder of the session.
    pub project: String,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: u64,
    /// What is set aside.
    pub amounts: Amounts,
    /// When its owner was found gone without an outcome. It stays counted in caps; limits on rates
    /// take it for ended then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_found_ms: Option<u64>,
}

/// The ledger of one state folder. Making one touches nothing; clones share what was read. Every
/// method blocks: on the disk, and for at most ten seconds on others who write.
#[derive(Debug, Clone)]
pub struct Ledger {
    file: ChainedFile,
    edges: Edges,
    most_bytes: u64,
    /// What this process has read; empty before the first use and after a fault.
    known: Arc<Mutex<Option<Known>>>,
    looked: Arc<Mutex<evidence::Looked>>,
}

impl Ledger {
    pub(crate) fn new(home: PathBuf, edges: Edges) -> Self {
        Self {
            file: ChainedFile::new(home, "ledger", *b"spending--ledger"),
            edges,
            most_bytes: MOST_BYTES,
            known: Arc::default(),
            looked: Arc::default(),
        }
    }

    /// The same ledger, whose file goes on in a new one from so many bytes on (128 KiB otherwise).
    #[must_use]
    pub const fn rotated_at(mut self, bytes: u64) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// Its files.
    pub(crate) const fn chained(&self) -> &ChainedFile {
        &self.file
    }

    /// The file that is appended to.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    /// Sets a claim aside if what is spent, what is set aside and the claim fit every cap and
    /// limit, to the last token and millionth, whatever other processes do meanwhile. Where they do
    /// not, claims of owners that are gone are settled by evidence and it is tried once more.
    ///
    /// A claim that is set aside already, the same in every part, is granted again.
    ///
    /// # Errors
    /// Nothing is granted then: [`Error::Io`], [`Error::Unreadable`] when a newer version wrote the
    /// ledger, [`Error::Damaged`] when a cap cannot be held because the ledger lost records,
    /// [`Error::Invalid`] when the key is set aside for something else.
    pub fn reserve(&self, claim: &Claim) -> Result<Grant, Error> {
        let first = self.try_reserve(claim)?;
        if !matches!(first, Grant::Wait(_) | Grant::Exceeds { .. }) {
            return Ok(first);
        }
        let reconciled = self.reconcile(claim.at_ms)?;
        if reconciled.is_nothing() {
            return Ok(first);
        }
        self.try_reserve(claim)
    }

    fn try_reserve(&self, claim: &Claim) -> Result<Grant, Error> {
        self.with_lock(claim.at_ms, |known| {
            self.refuse_uncertain(known, claim)?;
            match judge::judge(&known.fold, claim) {
                Judged::Fits => {}
                Judged::Held => {
                    // The first grant may have been without a sync, or its sync may have failed.
                    self.append(known, &[], Sync::of(claim))?;
                    return Ok(Grant::Reserved);
                }
                Judged::Taken => {
                    return Err(Error::Invalid {
                        what: format!("{} is set aside for something else already", claim.key),
                        next: "Settle it first, or claim under a key of its own".to_owned(),
                    });
                }
                Judged::Refused(grant) => return Ok(grant),
            }
            let reserved = LedgerFact::Reserved(Reserved {
                key: claim.key,
                session: claim.session,
                project: claim.project.clone(),
                amounts: claim.amounts,
            });
            let entry = Entry::new(claim.at_ms, reserved);
            self.append(known, &[entry], Sync::of(claim))?;
            Ok(Grant::Reserved)
        })
    }

    /// Settles a claim with what it really took, which may be more than was set aside. Not synced:
    /// if it is lost with a power cut the claim stays counted whole until evidence settles it.
    /// `false` when the claim is not open; nothing is written then.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Unreadable`]; the claim stays counted whole then.
    pub fn settle(&self, key: ClaimKey, amounts: Amounts, at_ms: u64) -> Result<bool, Error> {
        self.with_lock(at_ms, |known| {
            if !known.fold.is_open(&key) {
                return Ok(false);
            }
            let settled = LedgerFact::Settled(Settled { key, amounts });
            self.append(known, &[Entry::new(at_ms, settled)], Sync::No)?;
            Ok(true)
        })
    }
}

impl std::fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Attempt(attempt) => write!(f, "attempt {attempt}"),
            Self::Call(call) => write!(f, "call {call}"),
        }
    }
}
