//! Names inside the state folder, and folders that survive power loss.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bowline_core::SessionId;

use crate::Error;
use crate::edge::Disk;
use crate::error::At as _;

/// Mode of every folder we make: only its owner may look inside.
pub(crate) const FOLDER_MODE: u32 = 0o700;
/// Mode of every file we make.
pub(crate) const FILE_MODE: u32 = 0o600;

/// The folder of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDir(PathBuf);

impl SessionDir {
    /// The folder of `session` below a state folder.
    #[must_use]
    pub fn of(home: &Path, session: SessionId) -> Self {
        Self(sessions(home).join(session.to_string()))
    }

    /// A folder that does not bear its session's name yet.
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a session lies here. A folder with neither file is what a creation left that never
    /// returned.
    pub(crate) fn is_session(&self) -> bool {
        self.journal().exists() || self.head().exists()
    }

    /// The truth: one record a line.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    /// Where a journal is rewritten before it takes the journal's name.
    pub(crate) fn rewritten(&self) -> PathBuf {
        self.0.join("journal.jsonl.new")
    }

    /// Where a damaged journal is kept once it was repaired.
    pub(crate) fn damaged(&self, number: u32) -> PathBuf {
        self.0.join(format!("journal.jsonl.damaged-{number}"))
    }

    /// The last synced record.
    #[must_use]
    pub fn head(&self) -> PathBuf {
        self.0.join("head")
    }

    /// What the ids of its mask tokens come from.
    #[must_use]
    pub fn mask_key(&self) -> PathBuf {
        self.0.join("mask-key")
    }

    /// Held by the owner.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// There while the session is one from elsewhere that nobody has taken on.
    pub(crate) fn imported(&self) -> PathBuf {
        self.0.join("imported")
    }

    /// Commands from others.
    #[must_use]
    pub fn mailbox(&self) -> PathBuf {
        self.0.join("mailbox")
    }

    /// Large bodies by hash.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// Keeper records.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }
}

/// Where the sessions of a state folder lie.
pub(crate) fn sessions(home: &Path) -> PathBuf {
    home.join("sessions")
}

/// The index of a state folder.
pub(crate) fn index(home: &Path) -> PathBuf {
    home.join("index.db")
}

/// Makes one folder. `Ok(false)` when it was there.
pub(crate) fn make_folder(disk: &dyn Disk, path: &Path) -> Result<bool, Error> {
    match disk.make_folder(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error).at("make the folder", path),
    }
}

/// Makes a folder and its missing parents; each new name is durable on return.
pub(crate) fn make_folders(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folders(disk, parent)?;
    }
    if make_folder(disk, path)? {
        sync_folder(disk, parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    disk.sync_folder(path).at("sync the folder", path)
}

/// Makes one folder that only its owner may enter.
pub(crate) fn make_one_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)
}

/// Creates a file that must not exist.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

/// Opens a file for reading and writing, creating it empty if it is missing.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
}
