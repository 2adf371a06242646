//! The seam behind which the truth lies.

use std::path::PathBuf;

use bowline_core::call::BlobRef;
use bowline_core::{BoxFuture, Committed, Digest, Epoch, Event, Seq, SessionId, State};

use crate::Error;

/// The journal of one session, held by its one owner.
///
/// Contract, kept by every implementation through one conformance suite:
/// - `append` is durable on return and keeps the order given; on an error nothing of the batch may
///   be acted upon, and every later append fails too ([`Error::Stopped`]) until the journal is
///   opened anew;
/// - what `append` returns and what `read` gives are byte-for-byte the same events;
/// - seq numbers count from 1 without a hole.
pub trait Journal: Send {
    /// The session.
    fn session(&self) -> SessionId;

    /// The last durable place and its chain hash; `Seq(0)` and the session's seed hash when empty.
    fn head(&self) -> (Seq, Digest);

    /// Appends a batch under `epoch` and returns its receipts in order.
    fn append(
        &mut self,
        epoch: Epoch,
        batch: Vec<Event>,
    ) -> BoxFuture<'_, Result<Vec<Committed<Event>>, Error>>;

    /// Every event from `from` on, verified.
    fn read(&self, from: Seq) -> BoxFuture<'_, Result<Vec<Committed<Event>>, Error>>;

    /// The state that all its events fold to, verified. Right after opening it costs nothing: the
    /// events were folded while they were checked, and are not kept.
    fn fold(&self) -> BoxFuture<'_, Result<State, Error>>;

    /// Stores a large body and returns its reference once it is durable.
    fn put_blob(&mut self, body: Vec<u8>) -> BoxFuture<'_, Result<BlobRef, Error>>;

    /// Finds a stored body by the first digits of its hash (at least 8).
    fn find_blob(&self, prefix: &str) -> Result<Option<(PathBuf, BlobRef)>, Error>;
}
