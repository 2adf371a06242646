//! What the bytes of the ledger's file say, and whether they can be trusted.

use bowline_core::Seq;

use super::Ledger;
use super::facts::{Entry, LedgerFact, Uncertain};
use super::fold::Fold;
use crate::Error;
use crate::chained::next_record;
use crate::record::{Chain, Finding, Head, Record, Tail, Verified, verify_from};

/// What a whole file says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) chain: Chain,
    pub(super) fold: Fold,
    pub(super) end_bytes: u64,
    pub(super) carried_bytes: u64,
    /// Why it cannot be trusted, if it cannot.
    pub(super) damage: Option<Uncertain>,
}

impl Ledger {
    /// Reads a whole file; `head` is the last record known to be synced. Of a file that cannot be
    /// trusted: whatever its records still say.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub(super) fn read(&self, bytes: &[u8], head: Option<Head>) -> Result<Read, Error> {
        let first = self.file.first_line(bytes);
        // Nothing, or a torn first record: there was nothing before it.
        let start = first.unwrap_or(self.file.start());
        let begins = start == self.file.start() || begins_with_all(start, bytes);
        let Verified {
            records,
            end,
            intact_bytes,
            tail,
        } = verify_from(start, bytes, head);
        let mut read = Read {
            chain: end,
            fold: Fold::default(),
            end_bytes: intact_bytes as u64,
            carried_bytes: records.first().map_or(0, |first| first.line_bytes as u64),
            damage: match tail {
                Tail::Damaged(Finding { at_seq, fault }) => Some(Uncertain {
                    at_seq,
                    what: fault.to_string(),
                }),
                Tail::Clean | Tail::Torn { .. } if begins => None,
                Tail::Clean | Tail::Torn { .. } => Some(Uncertain {
                    at_seq: Seq(1),
                    what: format!("everything before record {} is gone", start.seq.next()),
                }),
            },
        };
        if read.damage.is_none() {
            self.take_in(&mut read.fold, &records)?;
            return Ok(read);
        }
        // What this file begins with may be what is damaged: the file before it says the same.
        let old = std::fs::read(self.file.old()).unwrap_or_default();
        let (mut end, mut fold) = self.salvage(Fold::default(), self.file.start(), &old);
        if first.is_some_and(|first| first.seq != end.seq) {
            (end, fold) = (self.file.start(), Fold::default());
        }
        (read.chain, read.fold) = self.salvage(fold, end, bytes);
        if let Some(head) = head.filter(|head| head.seq > read.chain.seq) {
            read.chain = self.file.standing_on(head);
        }
        Ok(read)
    }

    /// Takes in what records say.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub(super) fn take_in(&self, fold: &mut Fold, records: &[Record<'_>]) -> Result<(), Error> {
        for record in records {
            let entry = Entry::read(record.body).map_err(|what| Error::Unreadable {
                path: self.path(),
                at_seq: record.receipt.seq,
                what,
            })?;
            fold.apply(entry);
        }
        Ok(())
    }

    /// Folds every record of a file that holds by itself, after `fold`.
    fn salvage(&self, mut fold: Fold, mut end: Chain, bytes: &[u8]) -> (Chain, Fold) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = self.file.first_line(rest).unwrap_or(end);
            let verified = verify_from(start, rest, None);
            for record in &verified.records {
                if let Ok(entry) = Entry::read(record.body) {
                    fold.apply(entry);
                }
            }
            if !verified.records.is_empty() {
                end = verified.end;
            }
            rest = &rest[verified.intact_bytes..];
            let Some(skip) = next_record(rest) else { break };
            rest = &rest[skip..];
        }
        (end, fold)
    }
}

/// Whether the first record carries all that was before it, so that nothing before it is needed.
fn begins_with_all(start: Chain, bytes: &[u8]) -> bool {
    let verified = first_record(start, bytes);
    verified.is_some_and(|entry| matches!(entry.fact, LedgerFact::Carried(_)))
}

fn first_record(start: Chain, bytes: &[u8]) -> Option<Entry> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let mut chain = start;
    let record = chain.follow(&bytes[..end]).ok()?;
    Entry::read(record.body).ok()
}
