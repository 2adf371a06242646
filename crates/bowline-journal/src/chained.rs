//! A chained file that several processes append to: its names, its lock, its witness, and how it
//! is begun anew. What its records say is for those who use it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bowline_core::{Epoch, SessionId};
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use crate::Error;
use crate::edge::Disk;
use crate::error::At as _;
use crate::layout::sync_folder;
use crate::lock::is_named;
use crate::record::{Chain, Head, Line};

/// The first pause between two tries of the lock, and the longest: it doubles in between.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// The files of one stream in a state folder. Making one touches nothing.
#[derive(Debug, Clone)]
pub(crate) struct ChainedFile {
    home: PathBuf,
    stem: &'static str,
    stream: SessionId,
}

impl ChainedFile {
    /// The files that begin with `stem` in `home`. The chain is bound to `stream`, in the place of
    /// a session's id: every installation has the same.
    pub(crate) const fn new(home: PathBuf, stem: &'static str, stream: [u8; 16]) -> Self {
        Self {
            home,
            stem,
            stream: SessionId::from_uuid(Uuid::from_bytes(stream)),
        }
    }

    /// The state folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The file that is appended to.
    pub(crate) fn path(&self) -> PathBuf {
        self.home.join(format!("{}.jsonl", self.stem))
    }

    /// Where a full file is kept.
    pub(crate) fn old(&self) -> PathBuf {
        self.home.join(format!("{}.old.jsonl", self.stem))
    }

    /// Where a damaged file is kept.
    pub(crate) fn damaged(&self) -> PathBuf {
        self.home.join(format!("{}.damaged.jsonl", self.stem))
    }

    /// The last synced record.
    pub(crate) fn head(&self) -> PathBuf {
        self.home.join(format!("{}.head", self.stem))
    }

    /// The chain before the first record there ever was.
    pub(crate) fn start(&self) -> Chain {
        Chain::start(self.stream)
    }

    /// The chain right after the record that the witness names.
    pub(crate) const fn standing_on(&self, head: Head) -> Chain {
        Chain {
            session: self.stream,
            seq: head.seq,
            epoch: Epoch(0),
            hash: head.hash,
        }
    }

    /// The chain before the first line, on that line's own word.
    pub(crate) fn first_line(&self, bytes: &[u8]) -> Option<Chain> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let line = Line::parse(&bytes[..end]).ok()?;
        Some(Chain::before(self.stream, &line))
    }

    /// Opens the file, empty if there is none, and takes its lock; tries for at most `patience`.
    pub(crate) fn lock(&self, disk: &dyn Disk, patience: Duration) -> Result<File, Error> {
        let path = self.path();
        let until = Instant::now() + patience;
        loop {
            let file = disk.open_or_create(&path).at("open", &path)?;
            if self.lock_opened(disk, &file, until)? {
                return Ok(file);
            }
        }
    }

    /// Takes the lock of an opened file until `until`; `false` when the file bears its name no
    /// longer: another process has begun it anew.
    pub(crate) fn lock_opened(
        &self,
        disk: &dyn Disk,
        file: &File,
        until: Instant,
    ) -> Result<bool, Error> {
        let path = self.path();
        let mut pause = FIRST_PAUSE;
        while !disk.try_lock(file).at("lock", &path)? {
            if Instant::now() >= until {
                let busy =
                    io::Error::new(io::ErrorKind::TimedOut, "another process keeps its lock");
                return Err(busy).at("lock", &path);
            }
            std::thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        Ok(is_named(file, &path))
    }

    /// Gives the locked file the name `kept` and its own to one that holds `bytes`, locked too and
    /// durable. The name is never free in between, so nobody else can begin a file of their own.
    pub(crate) fn begin_anew(
        &self,
        disk: &dyn Disk,
        locked: File,
        kept: &Path,
        bytes: &[u8],
    ) -> Result<File, Error> {
        let path = self.path();
        let fresh = self.home.join(format!("{}.jsonl.new", self.stem));
        let file = disk.open_or_create(&fresh).at("create", &fresh)?;
        file.set_len(0).at("empty", &fresh)?;
        flock(&file, FlockOperation::LockExclusive).at("lock", &fresh)?;
        if !bytes.is_empty() {
            disk.write_at(&file, bytes, 0).at("write", &fresh)?;
            disk.sync(&file).at("sync", &fresh)?;
        }
        match std::fs::remove_file(kept) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).at("remove", kept);
            }
            _ => {}
        }
        disk.link(&path, kept).at("keep", kept)?;
        disk.rename(&fresh, &path).at("rename", &fresh)?;
        sync_folder(disk, &self.home)?;
        drop(locked);
        Ok(file)
    }

    /// The last record that is known to be synced.
    pub(crate) fn read_head(&self) -> Option<Head> {
        Head::parse(self.stream, &std::fs::read(self.head()).ok()?)
    }

    /// Names the last synced record: a witness, so failing to write it harms nothing.
    pub(crate) fn set_head(&self, disk: &dyn Disk, chain: &Chain) {
        let _witness = disk
            .open_or_create(&self.head())
            .and_then(|file| disk.write_at(&file, &self.render_head(chain), 0));
    }

    /// The bytes of the witness that names the last record of `chain`.
    pub(crate) fn render_head(&self, chain: &Chain) -> Vec<u8> {
        let head = Head {
            seq: chain.seq,
            hash: chain.hash,
        };
        head.render(self.stream)
    }
}

/// How many bytes to skip to the next line that is a record by itself, the first line left out.
pub(crate) fn next_record(bytes: &[u8]) -> Option<usize> {
    let mut at = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    loop {
        let rest = &bytes[at..];
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        if Line::parse(&rest[..end]).is_ok_and(|line| line.commitment_holds()) {
            return Some(at);
        }
        at += end + 1;
    }
}

/// The name of a file without its folder.
pub(crate) fn name(path: &Path) -> String {
    path.file_name()
        .map_or(String::new(), |name| name.to_string_lossy().into_owned())
}
