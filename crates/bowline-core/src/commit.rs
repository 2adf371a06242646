//! Proof that something is durable.

use crate::Digest;
use crate::event::{AttemptReserved, CallStarted, Event, Fact};
use crate::id::{Epoch, Seq, SessionId};

/// Where a durable record lies: which session, at which place, under which owner, with which
/// chain hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The session whose journal holds the record.
    pub session: SessionId,
    /// The record's place, counted from 1.
    pub seq: Seq,
    /// The owner's tenure in which it was written.
    pub epoch: Epoch,
    /// The chain hash up to and including this record.
    pub hash: Digest,
}

/// A value that is durable in a journal. Only a journal makes one, and it cannot be cloned: each
/// proof is spent at most once.
///
/// ```compile_fail
/// use bowline_core::{Committed, Event, Fact};
/// let forged = Committed { receipt: todo!(), value: Event::new(0, Fact::notice("x")) };
/// ```
#[derive(Debug)]
pub struct Committed<T> {
    receipt: Receipt,
    value: T,
}

impl<T> Committed<T> {
    /// Where the record lies.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// What was recorded.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// What was recorded, giving up the proof.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// What a durable event lets its holder do.
#[derive(Debug)]
pub enum Spendable {
    /// A started call: makes one permit.
    Call(Committed<CallStarted>),
    /// A reserved attempt: makes one reservation.
    Attempt(Committed<AttemptReserved>),
    /// Any other fact: nothing to start.
    Nothing(Committed<Event>),
}

impl Committed<Event> {
    /// Gives up the event for what it lets its holder do.
    #[must_use]
    pub fn spend(self) -> Spendable {
        let Self {
            receipt,
            value: Event { at_ms, fact },
        } = self;
        match fact {
            Fact::CallStarted(value) => Spendable::Call(Committed { receipt, value }),
            Fact::AttemptReserved(value) => Spendable::Attempt(Committed { receipt, value }),
            fact => Spendable::Nothing(Committed {
                receipt,
                value: Event { at_ms, fact },
            }),
        }
    }
}

/// The one door through which durability is vouched for. `cargo xtask deps` allows it only in the
/// named journal modules: nothing else can know that bytes are on disk.
#[doc(hidden)]
pub mod door {
    use super::{Committed, Receipt};

    /// States that `value` is durable at `receipt`.
    #[doc(hidden)]
    pub const fn vouch<T>(receipt: Receipt, value: T) -> Committed<T> {
        Committed { receipt, value }
    }
}
