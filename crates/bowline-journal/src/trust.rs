//! Which folders a person trusts, and with which content: one small file a folder, `trust/HASH.json`.
//!
//! What was said when stands in the stream of system events too. Trust is given only once that event
//! is durable, and is gone before it is said to be. A record that cannot be read is no trust.

use std::io;
use std::path::{Path, PathBuf};

use bowline_core::{Digest, SystemEvent};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::At as _;
use crate::layout::{make_folders, sync_folder};
use crate::store::{Store, folder};

/// The largest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 1 << 20;

/// One of the files whose content was trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedFile {
    /// Its path in the folder.
    pub path: String,
    /// SHA-256 of what it held.
    pub sha256: Digest,
}

/// What a person said of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRecord {
    /// The absolute folder, links resolved.
    pub folder: String,
    /// The hash of names and bytes of everything that was trusted.
    pub content: Digest,
    /// The files that it is the hash of, so that a later change can be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<TrustedFile>,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who said so.
    pub by: String,
    /// When it was taken back, in milliseconds since 1970, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<u64>,
}

impl TrustRecord {
    /// Whether a folder with this content is trusted.
    #[must_use]
    pub fn holds_for(&self, content: &Digest) -> bool {
        self.revoked_at_ms.is_none() && self.content == *content
    }
}

impl Store {
    /// What was last said of `folder` (absolute, links resolved), taken back or not. Writes nothing.
    ///
    /// # Errors
    /// [`Error::StateFolder`], [`Error::Invalid`] when its record holds something else,
    /// [`Error::Io`]. None of them is trust.
    pub fn trust(&self, folder: &str) -> Result<Option<TrustRecord>, Error> {
        folder::inspect(self.home())?;
        let record = read(&self.trust_record(folder))?;
        Ok(record.filter(|record| record.folder == folder))
    }

    /// What was last said of every folder, by its path, taken back or not. Writes nothing.
    ///
    /// # Errors
    /// As [`Self::trust`]: one record that cannot be read hides no other, but is not passed over.
    pub fn trust_records(&self) -> Result<Vec<TrustRecord>, Error> {
        folder::inspect(self.home())?;
        let path = self.trust_folder();
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).at("list", &path),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.at("list", &path)?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                found.extend(read(&path)?);
            }
        }
        found.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(found)
    }

    /// Records that a person trusts a folder, `event` first. Makes the state folder if there is none;
    /// durable on return. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::StateFolder`], [`Error::Io`]. The folder is trusted as it was before then.
    pub fn give_trust(&self, record: &TrustRecord, event: SystemEvent) -> Result<(), Error> {
        folder::prepare(self.edges().disk.as_ref(), self.home())?;
        self.installation().append(vec![event])?;
        self.write_trust(record)
    }

    /// Takes the trust in a folder back, and records `event` afterwards. Blocks on the disk.
    ///
    /// # Errors
    /// As [`Self::give_trust`]. Should only the event be missing, the trust is gone nevertheless.
    pub fn revoke_trust(
        &self,
        record: &TrustRecord,
        at_ms: u64,
        event: SystemEvent,
    ) -> Result<(), Error> {
        self.write_trust(&TrustRecord {
            revoked_at_ms: Some(at_ms),
            ..record.clone()
        })?;
        self.installation().append(vec![event]).map(|_recorded| ())
    }

    fn trust_folder(&self) -> PathBuf {
        self.home().join("trust")
    }

    fn trust_record(&self, folder: &str) -> PathBuf {
        let name = format!("{}.json", Digest::of(folder.as_bytes()));
        self.trust_folder().join(name)
    }

    /// Replaces a record as a whole.
    fn write_trust(&self, record: &TrustRecord) -> Result<(), Error> {
        let disk = self.edges().disk.as_ref();
        let path = self.trust_record(&record.folder);
        make_folders(disk, &self.trust_folder())?;
        let text = serde_json::to_vec(record)
            .map_err(io::Error::from)
            .at("write", &path)?;
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        // What a process of this number left that was killed half-way.
        let _absent = std::fs::remove_file(&temporary);
        let file = disk.create_new(&temporary).at("create", &temporary)?;
        let written = disk
            .write_at(&file, &text, 0)
            .and_then(|()| disk.sync(&file))
            .and_then(|()| disk.rename(&temporary, &path));
        if written.is_err() {
            let _gone = std::fs::remove_file(&temporary);
        }
        written.at("write", &path)?;
        sync_folder(disk, &self.trust_folder())
    }
}

fn read(path: &Path) -> Result<Option<TrustRecord>, Error> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("read", path),
        Ok(found) if found.len() > RECORD_BYTES_MAX => {
            return Err(unreadable(path, "it is too long"));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).at("read", path)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| unreadable(path, &error.to_string()))
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::Invalid {
        what: format!(
            "{} is no record of trust ({why}): that folder counts as untrusted",
            path.display()
        ),
        next: "Remove the file, and trust the folder again".to_owned(),
    }
}
