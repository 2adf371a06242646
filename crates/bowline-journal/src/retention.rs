//! What sessions take on the disk, and taking away what may go.

use std::path::Path;

use bowline_core::{SessionId, State};

use crate::Error;
use crate::error::At as _;
use crate::layout::sync_folder;
use crate::lock::{Lock, Owner};
use crate::mailbox;
use crate::read::ReadOnly;
use crate::store::Store;

/// What a session takes on the disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Its journal and whatever lies beside it.
    pub journal: u64,
    /// Large bodies.
    pub blobs: u64,
    /// Keeper records and the output of commands.
    pub spool: u64,
}

impl Sizes {
    /// All of it.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.journal + self.blobs + self.spool
    }
}

/// What can be taken away of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The whole session.
    Session,
    /// Its large bodies: what the model was shown of them stays in the journal.
    Blobs,
    /// The output of its commands, as their keepers wrote it.
    Spool,
}

impl Part {
    /// The spelling used in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Blobs => "blobs",
            Self::Spool => "spool",
        }
    }
}

/// What became of something that was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pruned {
    /// It is gone.
    Gone,
    /// It is kept, for this reason.
    Kept(String),
}

impl Store {
    /// What a session takes on the disk. What vanishes meanwhile is not counted.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::StateFolder`].
    pub fn sizes(&self, session: SessionId) -> Result<Sizes, Error> {
        let dir = self.existing(session)?;
        let (blobs, spool) = (size_of(&dir.blobs()), size_of(&dir.spool()));
        Ok(Sizes {
            journal: size_of(dir.path()).saturating_sub(blobs + spool),
            blobs,
            spool,
        })
    }

    /// Takes `part` of a session away for good, unless something waits in its mailbox or `may_go`
    /// gives a reason to keep it. The session is owned meanwhile, so what `may_go` is asked about is
    /// what is taken away. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Owned`], [`Error::Damaged`] (a damaged journal does not tell
    /// whether it may go), [`Error::Unreadable`], [`Error::StateFolder`], [`Error::Io`].
    pub fn prune(
        &self,
        session: SessionId,
        owner: &Owner,
        part: Part,
        may_go: &dyn Fn(&State) -> Result<(), String>,
    ) -> Result<Pruned, Error> {
        let dir = self.existing(session)?;
        self.refuse_network()?;
        let _held = Lock::take(session, &dir, owner, self.edges().disk.as_ref())?;
        if !mailbox::is_empty(&dir.mailbox())? {
            return Ok(Pruned::Kept("a command waits in its mailbox".to_owned()));
        }
        if let Err(why) = may_go(&ReadOnly::new(session, dir.clone()).state()?) {
            return Ok(Pruned::Kept(why));
        }
        match part {
            Part::Session => self.remove_owned(session, &dir)?,
            Part::Blobs => self.empty(&dir.blobs())?,
            Part::Spool => self.empty(&dir.spool())?,
        }
        Ok(Pruned::Gone)
    }

    /// Removes all that lies in a folder of a session.
    fn empty(&self, folder: &Path) -> Result<(), Error> {
        for entry in std::fs::read_dir(folder).at("list", folder)? {
            let entry = entry.at("list", folder)?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_folder {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            removed.at("remove", &path)?;
        }
        sync_folder(self.edges().disk.as_ref(), folder)
    }
}

/// Bytes of all files below `path`, links not followed.
fn size_of(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
