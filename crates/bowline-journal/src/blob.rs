//! Large bodies beside the journal, named by the hash of their content.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_core::Digest;
use bowline_core::call::BlobRef;
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::edge::Disk;
use crate::error::At as _;
use crate::layout::{make_folder, sync_folder};

/// The fewest digits by which a blob can be asked for.
pub const LEAST_PREFIX_DIGITS: usize = 8;

/// Stores `body` in `folder` under its hash; durable on return. Storing it again changes nothing.
///
/// # Errors
/// [`Error::Io`] when it cannot be written; no half-written body ever bears a hash as its name.
pub(crate) fn put_blob(disk: &dyn Disk, folder: &Path, body: &[u8]) -> Result<BlobRef, Error> {
    let blob = BlobRef {
        digest: Digest::of(body),
        bytes: body.len() as u64,
    };
    let path = folder.join(blob.digest.to_hex());
    if std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.size() == blob.bytes) {
        return Ok(blob);
    }
    if make_folder(disk, folder)?
        && let Some(parent) = folder.parent()
    {
        sync_folder(disk, parent)?;
    }
    let temporary = temporary(folder, &blob.digest.to_hex());
    let written = disk.create_new(&temporary).and_then(|file| {
        disk.write_at(&file, body, 0)?;
        disk.sync(&file)?;
        disk.rename(&temporary, &path)
    });
    if written.is_err() {
        // What is left of a failed try bears no hash as its name, so nobody reads it.
        let _gone = std::fs::remove_file(&temporary);
    }
    written.at("write", &path)?;
    sync_folder(disk, folder)?;
    Ok(blob)
}

/// A name that no other writer uses, next to the final one.
pub(crate) fn temporary(folder: &Path, name: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!(".{name}.{}.{count}.tmp", std::process::id()))
}

/// Finds a body in `folder` by the first digits of its hash, at least [`LEAST_PREFIX_DIGITS`].
///
/// # Errors
/// [`Error::Invalid`] for a prefix that is too short or not lower-case hexadecimal,
/// [`Error::Ambiguous`] when several bodies match.
pub(crate) fn find_blob(folder: &Path, prefix: &str) -> Result<Option<(PathBuf, BlobRef)>, Error> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if prefix.len() < LEAST_PREFIX_DIGITS || !prefix.bytes().all(is_digit) {
        return Err(Error::Invalid {
            what: format!("`{prefix}` does not name a stored body"),
            next: format!("Give at least {LEAST_PREFIX_DIGITS} lower-case hexadecimal digits"),
        });
    }
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("list", folder),
    };
    for entry in entries {
        let name = entry.at("list", folder)?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) else {
            continue;
        };
        found.extend(Digest::from_hex(name));
    }
    found.sort_unstable();
    match found.as_slice() {
        [] => Ok(None),
        [digest] => {
            let path = folder.join(digest.to_hex());
            let bytes = std::fs::metadata(&path).at("look at", &path)?.size();
            Ok(Some((
                path,
                BlobRef {
                    digest: *digest,
                    bytes,
                },
            )))
        }
        several => Err(Error::Ambiguous {
            asked: prefix.to_owned(),
            candidates: several.iter().map(Digest::to_hex).collect(),
        }),
    }
}

/// Checks that the file at `path` holds the body that `blob` names.
///
/// # Errors
/// [`Error::Invalid`] when its content was changed, [`Error::Io`] when it cannot be read.
pub fn verify_blob(path: &Path, blob: &BlobRef) -> Result<(), Error> {
    let mut file = File::open(path).at("open", path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece).at("read", path)? {
            0 => break,
            length => hasher.update(&piece[..length]),
        }
    }
    if Digest::from_bytes(hasher.finalize().into()) == blob.digest {
        return Ok(());
    }
    Err(Error::Invalid {
        what: format!(
            "the stored body {} is damaged: its content was changed",
            path.display()
        ),
        next: "Run the call that made it again, or bring the file back from a backup".to_owned(),
    })
}
