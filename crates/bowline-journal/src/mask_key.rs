//! The key that the ids of mask tokens come from: random, one for each session, in a file of its
//! own beside the journal. It is no fact: it is in no record and in no export, so whoever has only
//! those cannot try out what a token stands for, and it goes with the session.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::edge::Edges;
use crate::error::At as _;
use crate::layout::{SessionDir, sync_folder};

/// Random bytes of a session.
pub type MaskKey = [u8; 32];

/// Where no record is: what derived salts of a key are numbered by.
const PLACE: u64 = u64::MAX - 1;

/// Makes the key of a new session. Its name is durable once the folder is synced.
pub(crate) fn make(dir: &SessionDir, edges: &Edges) -> Result<MaskKey, Error> {
    write(&dir.mask_key(), edges)
}

/// Gives the key of an existing session; makes one where there is none, as in sessions from
/// elsewhere and of older versions, or where power was lost before it was whole.
pub(crate) fn of_existing(dir: &SessionDir, edges: &Edges) -> Result<MaskKey, Error> {
    if let Some(key) = read(&dir.mask_key()) {
        return Ok(key);
    }
    let fresh = unfinished(dir);
    // Left by an owner that was killed half-way; the lock says that it is gone.
    let _absent = std::fs::remove_file(&fresh);
    let key = write(&fresh, edges)?;
    let path = dir.mask_key();
    edges.disk.rename(&fresh, &path).at("rename", &fresh)?;
    sync_folder(edges.disk.as_ref(), dir.path())?;
    Ok(key)
}

/// Reads the key; `None` when there is none that is whole.
pub(crate) fn read(path: &Path) -> Option<MaskKey> {
    let file = std::fs::File::open(path).ok()?;
    let mut bytes = Vec::with_capacity(33);
    file.take(33).read_to_end(&mut bytes).ok()?;
    let key: MaskKey = bytes.try_into().ok()?;
    // A file that lost its content with the power reads as zeros.
    (key != [0; 32]).then_some(key)
}

fn unfinished(dir: &SessionDir) -> PathBuf {
    dir.path().join("mask-key.new")
}

fn write(path: &Path, edges: &Edges) -> Result<MaskKey, Error> {
    let halves = edges.salts.take(PLACE, 2).at("draw a key for", path)?;
    let mut key = MaskKey::default();
    key.copy_from_slice(halves.as_flattened());
    let disk = edges.disk.as_ref();
    let file = disk.create_new(path).at("create", path)?;
    disk.write_at(&file, &key, 0).at("write", path)?;
    disk.sync(&file).at("sync", path)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
