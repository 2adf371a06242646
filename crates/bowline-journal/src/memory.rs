//! The same journal in memory: same records, same chain, gone with the process.

use std::path::PathBuf;

use bowline_core::call::BlobRef;
use bowline_core::commit::door;
use bowline_core::{BoxFuture, Committed, Digest, Epoch, Event, Seq, SessionId, State, apply};

use crate::Error;
use crate::blob;
use crate::edge::{RealDisk, Salts};
use crate::error::OPEN_ANEW;
use crate::journal::Journal;
use crate::read::{damage, parse_events};
use crate::record::{Chain, Head, Tail, verify};
use crate::stage::stage;

/// A journal whose records live in memory. Large bodies are still files, in the folder given,
/// because tools read them by path.
#[derive(Debug)]
pub struct MemoryJournal {
    chain: Chain,
    bytes: Vec<u8>,
    blobs: PathBuf,
    salts: Salts,
    stopped: Option<String>,
}

impl MemoryJournal {
    /// An empty journal. `blobs` is made when the first body is stored.
    #[must_use]
    pub fn new(session: SessionId, blobs: PathBuf) -> Self {
        let chain = Chain::start(session);
        Self {
            chain,
            bytes: Vec::new(),
            blobs,
            salts: Salts::Kernel,
            stopped: None,
        }
    }

    /// The same journal with other salts.
    #[must_use]
    pub const fn with_salts(mut self, salts: Salts) -> Self {
        self.salts = salts;
        self
    }

    /// A journal that holds `bytes` already, as if reopened.
    ///
    /// # Errors
    /// [`Error::Damaged`] when they are no intact journal.
    pub fn reopen(session: SessionId, bytes: Vec<u8>, blobs: PathBuf) -> Result<Self, Error> {
        let mut journal = Self::new(session, blobs);
        let verified = verify(session, &bytes, None);
        if let Tail::Damaged(finding) = &verified.tail {
            return Err(damage(&journal.name(), finding));
        }
        let (chain, intact) = (verified.end, verified.intact_bytes);
        journal.chain = chain;
        journal.bytes = bytes;
        journal.bytes.truncate(intact);
        Ok(journal)
    }

    /// The records as a journal file would hold them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The epoch in force after the last record.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.chain.epoch
    }

    /// What the head file of a journal with these records would hold; `None` when it is empty.
    #[must_use]
    pub fn synced(&self) -> Option<Head> {
        let head = Head {
            seq: self.chain.seq,
            hash: self.chain.hash,
        };
        (head.seq > Seq(0)).then_some(head)
    }

    fn name(&self) -> PathBuf {
        PathBuf::from(format!("memory:{}", self.chain.session))
    }

    fn append_now(
        &mut self,
        epoch: Epoch,
        batch: Vec<Event>,
    ) -> Result<Vec<Committed<Event>>, Error> {
        if let Some(why) = &self.stopped {
            return Err(Error::Stopped {
                path: self.name(),
                why: why.clone(),
                safe_seq: self.chain.seq,
                next: OPEN_ANEW.to_owned(),
            });
        }
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let staged = stage(self.chain, epoch, &batch, self.salts).map_err(|why| {
            self.stopped = Some(why.clone());
            Error::Stopped {
                path: self.name(),
                why,
                safe_seq: self.chain.seq,
                next: OPEN_ANEW.to_owned(),
            }
        })?;
        self.chain = staged.chain;
        self.bytes.extend_from_slice(&staged.bytes);
        let vouched = staged.receipts.into_iter().zip(batch);
        Ok(vouched
            .map(|(receipt, event)| door::vouch(receipt, event))
            .collect())
    }

    fn read_now(&self, from: Seq) -> Result<Vec<Committed<Event>>, Error> {
        let verified = verify(self.chain.session, &self.bytes, self.synced());
        if let Tail::Damaged(finding) = &verified.tail {
            return Err(damage(&self.name(), finding));
        }
        let mut records = verified.records;
        records.retain(|record| record.receipt.seq >= from);
        let events = parse_events(&self.name(), &records)?;
        let vouched = records.iter().zip(events);
        Ok(vouched
            .map(|(record, event)| door::vouch(record.receipt, event))
            .collect())
    }
}

impl Journal for MemoryJournal {
    fn session(&self) -> SessionId {
        self.chain.session
    }

    fn head(&self) -> (Seq, Digest) {
        (self.chain.seq, self.chain.hash)
    }

    fn append(
        &mut self,
        epoch: Epoch,
        batch: Vec<Event>,
    ) -> BoxFuture<'_, Result<Vec<Committed<Event>>, Error>> {
        Box::pin(async move { self.append_now(epoch, batch) })
    }

    fn read(&self, from: Seq) -> BoxFuture<'_, Result<Vec<Committed<Event>>, Error>> {
        Box::pin(async move { self.read_now(from) })
    }

    fn fold(&self) -> BoxFuture<'_, Result<State, Error>> {
        Box::pin(async move {
            let events = self.read_now(Seq(1))?;
            let fold = |state, event: &Committed<Event>| apply(state, event.value());
            Ok(events.iter().fold(State::new(), fold))
        })
    }

    fn put_blob(&mut self, body: Vec<u8>) -> BoxFuture<'_, Result<BlobRef, Error>> {
        Box::pin(async move { blob::put_blob(&RealDisk, &self.blobs, &body) })
    }

    fn find_blob(&self, prefix: &str) -> Result<Option<(PathBuf, BlobRef)>, Error> {
        blob::find_blob(&self.blobs, prefix)
    }
}
