//! The one place that writes a journal: is it still ours, bytes, sync, head.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bowline_core::SessionId;

use crate::Error;
use crate::edge::Edges;
use crate::error::{At as _, OPEN_ANEW, advice};
use crate::layout::SessionDir;
use crate::lock::Lock;
use crate::record::Head;

/// The open files of a journal, at its end.
#[derive(Debug)]
pub(super) struct Writer {
    session: SessionId,
    path: PathBuf,
    journal: File,
    head: File,
    end: u64,
    edges: Edges,
    /// Held as long as a write may be under way, even one that nobody awaits any more.
    lock: Arc<Lock>,
}

/// Why a journal writes no more, and what to do next; both are sentences.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) why: String,
    pub(super) next: String,
}

impl Stop {
    /// The journal itself is as it should be.
    pub(super) fn of(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            next: OPEN_ANEW.to_owned(),
        }
    }

    fn failed(what: &str, error: &io::Error) -> Self {
        Self {
            why: format!("{what} failed: {}", advice::told(error)),
            next: advice::of(error).next.to_owned(),
        }
    }
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
        let journal = edges.disk.create_new(&path).at("create", &path)?;
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
        let head = edges.disk.open_or_create(&path).at("open", &path)?;
        Ok(Self {
            session,
            path: dir.journal(),
            journal,
            head,
            end,
            edges: edges.clone(),
            lock,
        })
    }

    /// Writes a batch, syncs it, names it in the head file. The sentence of an error says which
    /// of these failed; the journal must not be written again then, because a failed sync may
    /// have dropped pages that a later one would report as written.
    ///
    /// Nothing is written when the session is another's by now: see [`Self::refuse_if_not_ours`].
    pub(super) fn append(&mut self, bytes: &[u8], head: Head) -> Result<(), Stop> {
        let Edges { disk, probe, .. } = &self.edges;
        probe.at("append.begin");
        self.refuse_if_not_ours()?;
        disk.write_at(&self.journal, bytes, self.end)
            .map_err(|error| Stop::failed("a write", &error))?;
        probe.at("append.written");
        disk.sync(&self.journal)
            .map_err(|error| Stop::failed("a sync", &error))?;
        self.end += bytes.len() as u64;
        probe.at("append.synced");
        self.set_head(head)
            .map_err(|error| Stop::failed("the write of `head`", &error))?;
        self.edges.probe.at("append.headed");
        Ok(())
    }

    /// Names the last synced record; not synced itself.
    pub(super) fn set_head(&self, head: Head) -> io::Result<()> {
        self.edges
            .disk
            .write_at(&self.head, &head.render(self.session), 0)
    }

    /// The fence: an owner whose lock file is no longer the one in the folder, or whose journal is
    /// no longer the file of that name or has another length than this owner left it at, appends
    /// nothing. Three looks at the file system, no reading.
    fn refuse_if_not_ours(&self) -> Result<(), Stop> {
        if !self.lock.holds() {
            return Err(Stop::of(
                "its lock file was removed or replaced, so the session may have another owner",
            ));
        }
        let looked = std::fs::metadata(&self.path)
            .and_then(|named| Ok((named, self.journal.metadata()?)))
            .map_err(|error| Stop::failed("a look at it", &error))?;
        let (named, held) = looked;
        if (named.dev(), named.ino()) != (held.dev(), held.ino()) {
            return Err(Stop::of("the file was replaced by another one"));
        }
        if held.len() != self.end {
            return Err(Stop::of(format!(
                "the file has {} bytes where this owner left it at {}: another program wrote to it",
                held.len(),
                self.end
            )));
        }
        Ok(())
    }
}
