//! The state folder: sessions by id, one owner each.

mod check;
pub(crate) mod folder;
mod network;
mod resolve;
#[cfg(test)]
mod tests;

pub use check::FolderCheck;

use std::path::{Path, PathBuf};

use bowline_core::{Digest, Seq, SessionId};

use crate::Error;
use crate::edge::Edges;
use crate::error::At as _;
use crate::file::{FileJournal, Opened};
use crate::index::Index;
use crate::installation::Installation;
use crate::layout::{self, SessionDir, make_folder, make_folders, sync_folder};
use crate::ledger::Ledger;
use crate::lock::{self, Held, Holder, Lock, Owner};
use crate::mask_key::{self, MaskKey};
use crate::read::ReadOnly;
use crate::record::Head;

/// A state folder. Making one touches nothing; only methods that say so write.
#[derive(Debug, Clone)]
pub struct Store {
    home: PathBuf,
    edges: Edges,
}

/// A session that this process owns until its journal is dropped.
#[derive(Debug)]
pub struct OwnedSession {
    /// The journal; it holds the lock.
    pub journal: FileJournal,
    /// The session's folders.
    pub dir: SessionDir,
    /// What was found when it was opened.
    pub opened: Opened,
    /// What the ids of its mask tokens come from.
    pub mask_key: MaskKey,
}

impl Store {
    /// The store at the folder `home`, which need not exist.
    #[must_use]
    pub fn at(home: impl Into<PathBuf>) -> Self {
        Self {
            home: home.into(),
            edges: Edges::default(),
        }
    }

    /// The same store with other edges.
    #[must_use]
    pub fn with_edges(mut self, edges: Edges) -> Self {
        self.edges = edges;
        self
    }

    /// Its edges.
    #[must_use]
    pub const fn edges(&self) -> &Edges {
        &self.edges
    }

    /// Its folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The system events of this state folder. Touches nothing.
    #[must_use]
    pub fn installation(&self) -> Installation {
        Installation::new(self.home.clone(), self.edges.clone())
    }

    /// The ledger of this state folder. Touches nothing. Keep it: what it has read it need not read
    /// again.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.home.clone(), self.edges.clone())
    }

    /// The folder of one session, whether it exists or not.
    #[must_use]
    pub fn session_dir(&self, session: SessionId) -> SessionDir {
        SessionDir::of(&self.home, session)
    }

    /// Creates a session and takes ownership. Makes the state folder if there is none; all names
    /// are durable on return. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::StateFolder`] when the folder cannot serve, [`Error::Exists`] when the id is
    /// taken, [`Error::Io`].
    pub fn create(&self, session: SessionId, owner: &Owner) -> Result<OwnedSession, Error> {
        let disk = self.edges.disk.as_ref();
        folder::prepare(disk, &self.home)?;
        let dir = self.session_dir(session);
        make_folders(disk, &layout::sessions(&self.home))?;
        if !make_folder(disk, dir.path())? {
            return Err(Error::Exists {
                session,
                path: dir.path().to_owned(),
            });
        }
        let lock = Lock::take(session, &dir, owner, disk)?;
        for folder in [dir.mailbox(), dir.blobs(), dir.spool()] {
            make_folder(disk, &folder)?;
        }
        let mask_key = mask_key::make(&dir, &self.edges)?;
        let journal = FileJournal::start(dir.clone(), session, self.edges.clone(), lock)?;
        sync_folder(disk, dir.path())?;
        sync_folder(disk, &layout::sessions(&self.home))?;
        let opened = Opened {
            last_seq: Seq(0),
            dropped_bytes: 0,
            resynced_records: 0,
        };
        Ok(OwnedSession {
            journal,
            dir,
            opened,
            mask_key,
        })
    }

    /// Takes ownership of an existing session: checks its whole journal, drops what was never
    /// acknowledged. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Owned`], [`Error::Damaged`], [`Error::Unreadable`],
    /// [`Error::StateFolder`], [`Error::Io`]. Nothing was changed then.
    pub fn open(&self, session: SessionId, owner: &Owner) -> Result<OwnedSession, Error> {
        let dir = self.existing(session)?;
        self.refuse_network()?;
        let lock = Lock::take(session, &dir, owner, self.edges.disk.as_ref())?;
        let (journal, opened) = FileJournal::open(
            dir.clone(),
            session,
            self.edges.clone(),
            lock,
            self.witness(session),
        )?;
        let mask_key = mask_key::of_existing(&dir, &self.edges)?;
        Ok(OwnedSession {
            journal,
            dir,
            opened,
            mask_key,
        })
    }

    /// Opens a session for reading, owned or not. Writes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::StateFolder`].
    pub fn read_only(&self, session: SessionId) -> Result<ReadOnly, Error> {
        Ok(ReadOnly::new(session, self.existing(session)?))
    }

    /// What the ids of a session's mask tokens come from; `None` when it has no key yet. Writes
    /// nothing.
    #[must_use]
    pub fn mask_key(&self, session: SessionId) -> Option<MaskKey> {
        mask_key::read(&self.session_dir(session).mask_key())
    }

    /// Who owns a session right now; `None` when nobody does. Writes nothing.
    ///
    /// # Errors
    /// [`Error::Io`] when its lock file cannot be asked.
    pub fn owner(&self, session: SessionId) -> Result<Option<Held>, Error> {
        lock::owner_of(&self.session_dir(session))
    }

    /// The process that holds a session's lock, proven by the kernel; `None` when nobody does.
    /// Changes nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the lock is held by a process that cannot be seen from here,
    /// [`Error::NotFound`], [`Error::StateFolder`], [`Error::Io`].
    pub fn holder(&self, session: SessionId) -> Result<Option<Holder>, Error> {
        Holder::find(&self.existing(session)?)
    }

    /// Every session in the folder, oldest first; none when there is no folder. Writes nothing.
    ///
    /// # Errors
    /// [`Error::StateFolder`] when the folder cannot be read as one.
    pub fn list(&self) -> Result<Vec<SessionId>, Error> {
        folder::list(&self.home)
    }

    /// The session whose id begins or ends with `text` (hyphens and case do not matter).
    ///
    /// # Errors
    /// [`Error::NotFound`] when none does, [`Error::Ambiguous`] when several do, and as
    /// [`Self::list`].
    pub fn resolve(&self, text: &str) -> Result<SessionId, Error> {
        resolve::resolve(&self.home, &self.list()?, text)
    }

    /// Deletes a session that nobody owns, for good. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Owned`], [`Error::Io`].
    pub fn delete(&self, session: SessionId, owner: &Owner) -> Result<(), Error> {
        let dir = self.existing(session)?;
        let disk = self.edges.disk.as_ref();
        let _held = Lock::take(session, &dir, owner, disk)?;
        self.remove_owned(session, &dir)
    }

    /// Removes a session whose lock is held.
    pub(crate) fn remove_owned(&self, session: SessionId, dir: &SessionDir) -> Result<(), Error> {
        let disk = self.edges.disk.as_ref();
        // Under another name it is gone from every list even if the process ends half-way.
        let leaving = layout::sessions(&self.home).join(format!("{}{session}", folder::DELETED));
        disk.rename(dir.path(), &leaving).at("remove", dir.path())?;
        sync_folder(disk, &layout::sessions(&self.home))?;
        folder::sweep(&self.home)?;
        if let Some(mut index) = Index::open_existing(&self.home) {
            // The index is derived, and no list shows a session that has no folder.
            let _stale = index.forget(session);
        }
        Ok(())
    }

    /// Refuses a state folder whose locks and syncs cannot be relied on.
    pub(crate) fn refuse_network(&self) -> Result<(), Error> {
        folder::refuse_network(&self.home)
    }

    /// The session's folder, if it exists in a folder we can use.
    pub(crate) fn existing(&self, session: SessionId) -> Result<SessionDir, Error> {
        folder::inspect(&self.home)?;
        let dir = self.session_dir(session);
        if dir.is_session() {
            return Ok(dir);
        }
        Err(Error::NotFound {
            asked: session.to_string(),
            path: layout::sessions(&self.home),
        })
    }

    /// The last record that the index has seen of a session.
    pub(crate) fn witness(&self, session: SessionId) -> Option<Head> {
        let (seq, hash): (Seq, Digest) = Index::open_read_only(&self.home)?.last_seen(session)?;
        Some(Head { seq, hash })
    }
}
