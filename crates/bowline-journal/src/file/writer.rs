//! The one place that writes a journal: bytes, sync, head.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bowline_core::SessionId;

use crate::Error;
use crate::edge::Edges;
use crate::error::At as _;
use crate::layout::{SessionDir, create_new, open_or_create};
use crate::lock::Lock;
use crate::record::Head;

/// The open files of a journal, at its end.
#[derive(Debug)]
pub(super) struct Writer {
    session: SessionId,
    journal: File,
    head: File,
    end: u64,
    edges: Edges,
    /// Held as long as a write may be under way, even one that nobody awaits any more.
    _lock: Arc<Lock>,
}

impl Writer {
    /// Creates the files of a new session.
    pub(super) fn start(
        dir: &SessionDir,
        session: SessionId,
        edges: &Edges,
        lock: Arc<Lock>,
    ) -> Result<Self, Error> {
        let path = dir.journal();
        let journal = create_new(&path).at("create", &path)?;
        Self::at_end(dir, session, journal, 0, edges, lock)
    }

    /// Goes on at the end of a checked journal.
    pub(super) fn at_end(
        dir: &SessionDir,
        session: SessionId,
        journal: File,
        end: u64,
        edges: &Edges,
        lock: Arc<Lock>,
    ) -> Result<Self, Error> {
        let path = dir.head();
        let head = open_or_create(&path).at("open", &path)?;
        Ok(Self {
            session,
            journal,
            head,
            end,
            edges: edges.clone(),
            _lock: lock,
        })
    }

    /// Writes a batch, syncs it, names it in the head file. The sentence of an error says which
    /// of these failed; the journal must not be written again then, because a failed sync may
    /// have dropped pages that a later one would report as written.
    pub(super) fn append(&mut self, bytes: &[u8], head: Head) -> Result<(), String> {
        let Edges { disk, probe, .. } = &self.edges;
        let failed = |what: &str, error: io::Error| format!("{what} failed: {error}");
        probe.at("append.begin");
        disk.write_at(&self.journal, bytes, self.end)
            .map_err(|error| failed("a write", error))?;
        probe.at("append.written");
        disk.sync(&self.journal)
            .map_err(|error| failed("a sync", error))?;
        self.end += bytes.len() as u64;
        probe.at("append.synced");
        self.set_head(head)
            .map_err(|error| failed("the write of `head`", error))?;
        self.edges.probe.at("append.headed");
        Ok(())
    }

    /// Names the last synced record; not synced itself.
    pub(super) fn set_head(&self, head: Head) -> io::Result<()> {
        self.edges
            .disk
            .write_at(&self.head, &head.render(self.session), 0)
    }
}
