//! The journal on disk: a chained JSON Lines file, synced batch by batch.

mod open;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bowline_core::call::BlobRef;
use bowline_core::commit::door;
use bowline_core::{
    BoxFuture, Committed, Digest, Epoch, Event, Receipt, Seq, SessionId, State, apply,
};

use crate::Error;
use crate::blob;
use crate::edge::Edges;
use crate::journal::Journal;
use crate::layout::SessionDir;
use crate::lock::Lock;
use crate::record::{Chain, Head};
use crate::scan::{refuse_damage, scan};
use crate::stage::{Staged, stage};
use writer::{Stop, Writer};

pub use open::Opened;
pub(crate) use open::rewrite;

/// The journal of one session on disk, held by its owner. It keeps the session's lock until it is
/// dropped and its last write has returned.
///
/// Writes and syncs run on a thread of the runtime's blocking pool, so an append may be awaited on
/// a current-thread runtime without holding up other sessions. Without a runtime they run on the
/// calling thread.
///
/// An append that is dropped before it returns leaves the outcome unknown: the journal is stopped
/// then.
#[derive(Debug)]
pub struct FileJournal {
    dir: SessionDir,
    chain: Chain,
    edges: Edges,
    writer: Option<Writer>,
    stopped: Option<Stop>,
    /// What all that was read at open folds to, until the first `fold` or `append` comes for it.
    fresh: Mutex<Option<State>>,
}

impl FileJournal {
    /// Starts the journal of a new session in its existing, empty folder. The names made are
    /// durable once the folder has been synced.
    pub(crate) fn start(
        dir: SessionDir,
        session: SessionId,
        edges: Edges,
        lock: Lock,
    ) -> Result<Self, Error> {
        let writer = Writer::start(&dir, session, &edges, Arc::new(lock))?;
        Ok(Self::with(
            dir,
            Chain::start(session),
            edges,
            writer,
            State::new(),
        ))
    }

    /// Opens an existing journal: checks the whole chain and folds every event in one pass, piece
    /// by piece.
    pub(crate) fn open(
        dir: SessionDir,
        session: SessionId,
        edges: Edges,
        lock: Lock,
        witness: Option<Head>,
    ) -> Result<(Self, Opened), Error> {
        let found = open::open(&dir, session, &edges, Arc::new(lock), witness)?;
        let journal = Self::with(dir, found.chain, edges, found.writer, found.state);
        Ok((journal, found.opened))
    }

    fn with(dir: SessionDir, chain: Chain, edges: Edges, writer: Writer, state: State) -> Self {
        let fresh = Mutex::new(Some(state));
        Self {
            dir,
            chain,
            edges,
            writer: Some(writer),
            stopped: None,
            fresh,
        }
    }

    /// The session's folder.
    #[must_use]
    pub const fn dir(&self) -> &SessionDir {
        &self.dir
    }

    /// The epoch in force after the last record.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.chain.epoch
    }

    fn take_fresh(&self) -> Option<State> {
        self.fresh
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Takes the writer for one batch; whoever takes it must bring it back.
    fn take_writer(&mut self) -> Result<Writer, Error> {
        let abandoned = || Stop::of("an append was given up before it returned");
        match (self.stopped.clone(), self.writer.take()) {
            (None, Some(writer)) => Ok(writer),
            (stop, _) => Err(self.stopped_error(stop.unwrap_or_else(abandoned))),
        }
    }

    fn stopped_error(&self, stop: Stop) -> Error {
        Error::Stopped {
            path: self.dir.journal(),
            why: stop.why,
            safe_seq: self.chain.seq,
            next: stop.next,
        }
    }

    async fn append_batch(
        &mut self,
        epoch: Epoch,
        batch: Vec<Event>,
    ) -> Result<Vec<Committed<Event>>, Error> {
        let mut writer = self.take_writer()?;
        if batch.is_empty() {
            self.writer = Some(writer);
            return Ok(Vec::new());
        }
        drop(self.take_fresh());
        let staged = match stage(self.chain, epoch, &batch, self.edges.salts) {
            Ok(staged) => staged,
            Err(why) => return Err(self.stop(Stop::of(why))),
        };
        let Staged {
            chain,
            receipts,
            bytes,
        } = staged;
        let written = off_thread(move || {
            let written = writer.append(
                &bytes,
                Head {
                    seq: chain.seq,
                    hash: chain.hash,
                },
            );
            (writer, written)
        })
        .await;
        match written {
            Ok((writer, Ok(()))) => {
                self.writer = Some(writer);
                self.chain = chain;
                Ok(vouch_all(receipts, batch))
            }
            Ok((_, Err(stop))) => Err(self.stop(stop)),
            Err(why) => Err(self.stop(Stop::of(why))),
        }
    }

    fn stop(&mut self, stop: Stop) -> Error {
        self.stopped = Some(stop.clone());
        self.stopped_error(stop)
    }
}

impl Journal for FileJournal {
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
        Box::pin(self.append_batch(epoch, batch))
    }

    fn read(&self, from: Seq) -> BoxFuture<'_, Result<Vec<Committed<Event>>, Error>> {
        Box::pin(async move {
            let (path, chain) = (self.dir.journal(), self.chain);
            let read = off_thread(move || {
                let mut events = Vec::new();
                read_back(&path, chain, &mut |receipt, event| {
                    if receipt.seq >= from {
                        events.push(door::vouch(receipt, event));
                    }
                })?;
                Ok(events)
            });
            let read = read.await;
            read.unwrap_or_else(|why| Err(self.stopped_error(Stop::of(why))))
        })
    }

    fn fold(&self) -> BoxFuture<'_, Result<State, Error>> {
        Box::pin(async move {
            if let Some(state) = self.take_fresh() {
                return Ok(state);
            }
            let (path, chain) = (self.dir.journal(), self.chain);
            let folded = off_thread(move || {
                let mut state = State::new();
                read_back(&path, chain, &mut |_, event| {
                    state = apply(std::mem::take(&mut state), &event);
                })?;
                Ok(state)
            });
            let folded = folded.await;
            folded.unwrap_or_else(|why| Err(self.stopped_error(Stop::of(why))))
        })
    }

    fn put_blob(&mut self, body: Vec<u8>) -> BoxFuture<'_, Result<BlobRef, Error>> {
        let (folder, disk) = (self.dir.blobs(), Arc::clone(&self.edges.disk));
        Box::pin(async move {
            let put = off_thread(move || blob::put_blob(disk.as_ref(), &folder, &body)).await;
            put.unwrap_or_else(|why| Err(self.stopped_error(Stop::of(why))))
        })
    }

    fn find_blob(&self, prefix: &str) -> Result<Option<(PathBuf, BlobRef)>, Error> {
        blob::find_blob(&self.dir.blobs(), prefix)
    }
}

/// Reads the journal up to the record on which `chain` stands; all of it was synced.
fn read_back(
    path: &Path,
    chain: Chain,
    visit: &mut dyn FnMut(Receipt, Event),
) -> Result<(), Error> {
    let head = Some(Head {
        seq: chain.seq,
        hash: chain.hash,
    })
    .filter(|head| head.seq > Seq(0));
    let start = Chain::start(chain.session);
    let scanned = scan(path, start, head, &mut |receipt, event| {
        if receipt.seq <= chain.seq {
            visit(receipt, event);
        }
    })?;
    refuse_damage(path, &scanned.tail)
}

fn vouch_all(receipts: Vec<Receipt>, batch: Vec<Event>) -> Vec<Committed<Event>> {
    receipts
        .into_iter()
        .zip(batch)
        .map(|(receipt, event)| door::vouch(receipt, event))
        .collect()
}

/// Runs blocking work off the async thread; the error says that it did not come back.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime
            .spawn_blocking(work)
            .await
            .map_err(|error| error.to_string()),
        Err(_) => Ok(work()),
    }
}
