//! Reading the stream without a lock: everything that is intact, and what is wrong with the rest.

use std::io;
use std::path::{Path, PathBuf};

use bowline_core::{Seq, SystemEvent};

use super::{Installation, SystemRecorded};
use crate::Error;
use crate::chained::{ChainedFile, next_record};
use crate::error::At as _;
use crate::record::{Chain, Fault, Finding, Head, Tail, Verified, verify_from};

/// What can be read of the stream.
#[derive(Debug, Default)]
pub struct SystemLog {
    /// The intact events, in order.
    pub events: Vec<SystemRecorded>,
    /// Bytes of an append that was never acknowledged, or that is under way right now.
    pub torn_bytes: u64,
    /// What is wrong, in order; empty when the whole chain holds.
    pub damage: Vec<Error>,
}

impl Installation {
    /// Reads everything that is intact, in every file there is. Takes no lock, writes nothing.
    ///
    /// # Errors
    /// [`Error::Io`] when a file is there and cannot be read; damage is in [`SystemLog::damage`].
    pub fn read(&self) -> Result<SystemLog, Error> {
        let head = self.file.read_head();
        // The current file first: should it be rotated meanwhile, it is found again as the old one.
        let mut files = Vec::new();
        for (path, head) in [
            (self.path(), head),
            (self.file.old(), None),
            (self.file.damaged(), None),
        ] {
            if let Some(bytes) = read_file(&path)? {
                files.push((path, bytes, head));
            }
        }
        files.sort_by_key(|(_, bytes, _)| self.file.first_line(bytes).map(|chain| chain.seq));
        let mut log = SystemLog::default();
        let mut end: Option<Chain> = None;
        for (path, bytes, head) in &files {
            let start = self.file.first_line(bytes);
            if let Some(start) = start {
                log.damage.extend(hole(
                    &self.file,
                    path,
                    end.as_ref(),
                    &start,
                    log.events.is_empty(),
                ));
            }
            end = read_bytes(&mut log, &self.file, path, bytes, *head).or(end);
        }
        log.events.sort_by_key(|recorded| recorded.receipt.seq);
        log.events.dedup_by_key(|recorded| recorded.receipt.seq);
        let last = log
            .events
            .last()
            .map_or(Seq(0), |recorded| recorded.receipt.seq);
        if let Some(synced) = head.map(|head| head.seq)
            && !self.path().exists()
            && synced > last
        {
            let fault = Fault::Cut { synced };
            log.damage
                .push(damage(&self.path(), last.next(), fault.to_string()));
        }
        Ok(log)
    }

    /// Follows the stream from its end on.
    #[must_use]
    pub fn follow(&self, after: Seq) -> SystemFollower {
        SystemFollower {
            installation: self.clone(),
            after,
        }
    }
}

/// Reads a growing stream piece by piece.
#[derive(Debug)]
pub struct SystemFollower {
    installation: Installation,
    after: Seq,
}

impl SystemFollower {
    /// The events recorded since the last call; empty when there are none.
    ///
    /// # Errors
    /// As [`Installation::read`].
    pub fn poll(&mut self) -> Result<Vec<SystemRecorded>, Error> {
        let head = self.installation.file.read_head();
        if head.is_none_or(|head| head.seq <= self.after) {
            return Ok(Vec::new());
        }
        let mut events = self.installation.read()?.events;
        events.retain(|recorded| recorded.receipt.seq > self.after);
        if let Some(last) = events.last() {
            self.after = last.receipt.seq;
        }
        Ok(events)
    }
}

fn read_file(path: &PathBuf) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at("read", path),
    }
}

/// What is missing between two files. Before the first, everything up to a full file that was
/// replaced by a later one may be gone: that is how the stream stays bounded.
fn hole(
    file: &ChainedFile,
    path: &Path,
    end: Option<&Chain>,
    start: &Chain,
    first: bool,
) -> Option<Error> {
    let Some(end) = end.filter(|_| !first) else {
        let forged = start.seq == Seq(0) && *start != file.start();
        return forged.then(|| damage(path, Seq(1), Fault::Prev.to_string()));
    };
    let follows = start.seq == end.seq && start.hash == end.hash;
    // The new file after a damaged one says so in its first record, and the old one has been
    // reported; what remains is a stretch that is in neither.
    (!follows && start.seq > end.seq).then(|| {
        let what = format!(
            "records {} to {} are in no file: they were cut off or removed",
            end.seq.next(),
            start.seq
        );
        damage(path, end.seq.next(), what)
    })
}

/// Reads one file; after damage it goes on at the next record that holds by itself.
fn read_bytes(
    log: &mut SystemLog,
    file: &ChainedFile,
    path: &Path,
    bytes: &[u8],
    head: Option<Head>,
) -> Option<Chain> {
    let mut rest = bytes;
    let mut end = None;
    loop {
        let Some(start) = file
            .first_line(rest)
            .or_else(|| rest.is_empty().then_some(end).flatten())
        else {
            match next_record(rest) {
                Some(skip) => {
                    let at_seq = end.map_or(Seq(1), |end: Chain| end.seq.next());
                    log.damage
                        .push(damage(path, at_seq, "a line is not a record".to_owned()));
                    rest = &rest[skip..];
                    continue;
                }
                None => {
                    log.torn_bytes += rest.len() as u64;
                    return end;
                }
            }
        };
        let Verified {
            records,
            end: stands,
            intact_bytes,
            tail,
        } = verify_from(start, rest, head);
        for record in &records {
            match serde_json::from_slice::<SystemEvent>(record.body) {
                Ok(event) => log.events.push(SystemRecorded {
                    receipt: record.receipt,
                    event,
                }),
                Err(error) => {
                    let what = format!("it cannot be understood: {error}");
                    log.damage.push(damage(path, record.receipt.seq, what));
                }
            }
        }
        end = Some(stands);
        rest = &rest[intact_bytes..];
        match tail {
            Tail::Clean => return end,
            Tail::Torn { bytes } => {
                log.torn_bytes += bytes as u64;
                return end;
            }
            Tail::Damaged(Finding { at_seq, fault }) => {
                log.damage.push(damage(path, at_seq, fault.to_string()));
                let skip = next_record(rest)?;
                rest = &rest[skip..];
            }
        }
    }
}

fn damage(path: &Path, at_seq: Seq, what: String) -> Error {
    let set_aside = path.to_string_lossy().ends_with(".damaged.jsonl");
    let next = if set_aside {
        "It was set aside and recording goes on in a new file; remove it when you have seen enough"
    } else {
        "Everything else in the system log is shown; recording goes on"
    };
    Error::Damaged {
        path: path.to_owned(),
        at_seq,
        intact_seq: Seq(at_seq.0.saturating_sub(1)),
        what,
        next: next.to_owned(),
    }
}
