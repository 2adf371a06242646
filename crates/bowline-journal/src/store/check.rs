//! What can be said of a state folder without making one: for `doctor`.

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access, statvfs};

use super::{Store, network};
use crate::Error;
use crate::blob::temporary;
use crate::error::At as _;
use crate::layout::create_new;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderCheck {
    /// The state folder, or the nearest folder above it that is there.
    pub place: PathBuf,
    /// Whether the state folder itself is there.
    pub exists: bool,
    /// Its permission bits.
    pub mode: u32,
    /// The user that owns it.
    pub owner: u32,
    /// Whether this process may write there.
    pub writable: bool,
    /// The network file system it is on, if it is on one.
    pub network: Option<String>,
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// How long writing and syncing 4 KiB took; only measured in a state folder that is there.
    pub sync: Option<Duration>,
}

impl Store {
    /// Looks at the state folder. Makes none; in one that is there a small file is written, synced
    /// and removed again.
    ///
    /// # Errors
    /// [`Error::StateFolder`] when what is there cannot serve, [`Error::Io`] when it cannot be
    /// looked at or written.
    pub fn check_folder(&self) -> Result<FolderCheck, Error> {
        super::folder::inspect(self.home())?;
        let exists = self.home().is_dir();
        let place = self
            .home()
            .ancestors()
            .find(|folder| folder.is_dir())
            .unwrap_or(Path::new("/"))
            .to_owned();
        let meta = std::fs::metadata(&place).at("look at", &place)?;
        let space = statvfs(&place)
            .map_err(io::Error::from)
            .at("look at", &place)?;
        let sync = match exists {
            true => Some(time_sync(&place).at("write and sync a file in", &place)?),
            false => None,
        };
        Ok(FolderCheck {
            exists,
            mode: meta.mode() & 0o7777,
            owner: meta.uid(),
            writable: access(&place, Access::WRITE_OK).is_ok(),
            network: network::kind_of(&place).at("look at", &place)?,
            free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
            sync,
            place,
        })
    }
}

fn time_sync(folder: &Path) -> io::Result<Duration> {
    let path = temporary(folder, "doctor");
    let began = Instant::now();
    let written = create_new(&path).and_then(|mut file| {
        file.write_all(&[0; 4096])?;
        file.sync_data()
    });
    let took = began.elapsed();
    let removed = std::fs::remove_file(&path);
    written.and(removed).map(|()| took)
}
