//! Appending to the stream: lock, look at the tail, mend it if need be, write, sync.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::Duration;

use bowline_core::system::{LogDamaged, LogRotated};
use bowline_core::{Epoch, RunId, SystemEvent, SystemFact};
use rustix::fs::{FallocateFlags, fallocate};

use super::{Installation, RECENT_BYTES, RESERVE_BYTES, SystemRecorded};
use crate::Error;
use crate::chained::name;
use crate::error::At as _;
use crate::record::{Chain, Finding, Head, Record, Tail, verify_from};

/// Bytes that are read to find the end of the chain when nothing else is asked.
const LITTLE_BYTES: u64 = 16 << 10;
/// How long the lock is tried: appends hold it for a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);

/// The end of the stream as it was found under the lock.
struct Found {
    file: File,
    /// Where the next record goes.
    end_bytes: u64,
    /// The size of the file, torn bytes included.
    file_bytes: u64,
    chain: Chain,
    recent: Vec<SystemRecorded>,
    /// The first words of a new file, if this one is new.
    opens_with: Option<SystemFact>,
}

impl Found {
    /// An empty file that was just begun, on which `chain` goes on.
    const fn empty(file: File, chain: Chain) -> Self {
        Self {
            file,
            end_bytes: 0,
            file_bytes: 0,
            chain,
            recent: Vec::new(),
            opens_with: None,
        }
    }
}

impl Installation {
    /// Appends system events; they are durable on return. Blocks on the disk, and for at most a
    /// second on others who append.
    ///
    /// # Errors
    /// [`Error::Io`] when the state folder is missing or cannot be written, or when somebody keeps
    /// the lock. What was there before is untouched.
    pub fn append(&self, events: Vec<SystemEvent>) -> Result<Vec<SystemRecorded>, Error> {
        self.append_in(LITTLE_BYTES, |_recent| events)
    }

    /// Appends what `decide` makes of the most recent events (those in the last 128 KiB); nobody
    /// else appends meanwhile.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_after(
        &self,
        decide: impl FnOnce(&[SystemRecorded]) -> Vec<SystemEvent>,
    ) -> Result<Vec<SystemRecorded>, Error> {
        self.append_in(RECENT_BYTES, decide)
    }

    fn append_in(
        &self,
        window_bytes: u64,
        decide: impl FnOnce(&[SystemRecorded]) -> Vec<SystemEvent>,
    ) -> Result<Vec<SystemRecorded>, Error> {
        let mut found = self.lock_and_look(window_bytes)?;
        let mut events = decide(&found.recent);
        let Some(first) = events.first() else {
            return Ok(Vec::new());
        };
        if let Some(fact) = found.opens_with.take() {
            let opening = SystemEvent::new(first.at_ms, first.run, None, fact);
            events.insert(0, opening);
        }
        let path = self.path();
        let mut chain = found.chain;
        let (bytes, mut recorded) = self.stage(&mut chain, events)?;
        let full = found.end_bytes + bytes.len() as u64 > self.most_bytes && found.end_bytes > 0;
        let (bytes, chain) = if full {
            let events = recorded.drain(..).map(|recorded| recorded.event).collect();
            found = self.rotate(found)?;
            let (bytes, chain, again) = self.stage_after_rotation(&found, events)?;
            recorded = again;
            (bytes, chain)
        } else {
            (bytes, chain)
        };
        self.write(&found, &bytes).at("write", &path)?;
        self.file.set_head(self.edges.disk.as_ref(), &chain);
        reserve(&found.file, found.end_bytes + bytes.len() as u64);
        Ok(recorded)
    }

    fn stage(
        &self,
        chain: &mut Chain,
        events: Vec<SystemEvent>,
    ) -> Result<(Vec<u8>, Vec<SystemRecorded>), Error> {
        let path = self.path();
        let salts = self.edges.salts.take(chain.seq.0 + 1, events.len());
        let salts = salts.at("take random bytes for", &path)?;
        let mut bytes = Vec::new();
        let mut recorded = Vec::with_capacity(events.len());
        for (event, salt) in events.into_iter().zip(salts) {
            let body = serde_json::to_vec(&event)
                .map_err(io::Error::from)
                .at("write", &path)?;
            let receipt = chain.extend_body(&body, Epoch(0), salt, &mut bytes);
            recorded.push(SystemRecorded { receipt, event });
        }
        Ok((bytes, recorded))
    }

    /// Stages `events` anew in a file that was just begun, after the record that says so.
    fn stage_after_rotation(
        &self,
        found: &Found,
        mut events: Vec<SystemEvent>,
    ) -> Result<(Vec<u8>, Chain, Vec<SystemRecorded>), Error> {
        let mut chain = found.chain;
        let (at_ms, run) = events.first().map_or((0, nobody()), |e| (e.at_ms, e.run));
        let fact = SystemFact::LogRotated(LogRotated {
            before_seq: chain.seq,
            kept_as: name(&self.file.old()),
        });
        events.insert(0, SystemEvent::new(at_ms, run, None, fact));
        let (bytes, recorded) = self.stage(&mut chain, events)?;
        Ok((bytes, chain, recorded))
    }

    /// Writes over whatever was torn, syncs, and cuts off what is left of it.
    fn write(&self, found: &Found, bytes: &[u8]) -> io::Result<()> {
        let disk = &self.edges.disk;
        disk.write_at(&found.file, bytes, found.end_bytes)?;
        let end = found.end_bytes + bytes.len() as u64;
        if found.file_bytes > end {
            found.file.set_len(end)?;
        }
        disk.sync(&found.file)
    }

    fn lock_and_look(&self, window_bytes: u64) -> Result<Found, Error> {
        let file = self.file.lock(self.edges.disk.as_ref(), PATIENCE)?;
        self.look(file, window_bytes)
    }

    fn look(&self, file: File, window_bytes: u64) -> Result<Found, Error> {
        let path = self.path();
        let file_bytes = file.metadata().at("look at", &path)?.len();
        let head = self.file.read_head();
        if file_bytes == 0 {
            return self.look_at_empty(file, head);
        }
        let mut from = file_bytes.saturating_sub(window_bytes);
        loop {
            let mut bytes = vec![0; usize::try_from(file_bytes - from).unwrap_or_default()];
            file.read_exact_at(&mut bytes, from).at("read", &path)?;
            match self.tail(&bytes, from, head) {
                Some((chain, intact, recent)) => {
                    return Ok(Found {
                        file,
                        end_bytes: from + intact as u64,
                        file_bytes,
                        chain,
                        recent,
                        opens_with: None,
                    });
                }
                None if from > 0 => from = 0,
                None => return self.set_aside(file, &bytes, head),
            }
        }
    }

    /// A file without records: the first there ever was, or one whose predecessor was removed.
    fn look_at_empty(&self, file: File, head: Option<Head>) -> Result<Found, Error> {
        let old = std::fs::read(self.file.old()).unwrap_or_default();
        let (chain, recent) = match self.tail(&old, 0, None) {
            Some((chain, _, recent)) if !old.is_empty() => (chain, recent),
            _ => (self.file.start(), Vec::new()),
        };
        let lost = head.filter(|head| head.seq > chain.seq);
        Ok(Found {
            file,
            end_bytes: 0,
            file_bytes: 0,
            chain: lost.map_or(chain, |head| self.file.standing_on(head)),
            recent,
            opens_with: lost.map(|head| {
                SystemFact::LogDamaged(LogDamaged {
                    what: format!("records {} to {} are gone", chain.seq.next(), head.seq),
                    kept_as: "nothing".to_owned(),
                })
            }),
        })
    }

    /// Keeps a file whose end cannot be trusted under another name and begins a new one.
    fn set_aside(&self, file: File, bytes: &[u8], head: Option<Head>) -> Result<Found, Error> {
        let verified = self.file.first_line(bytes);
        let verified = verified.map(|start| verify_from(start, bytes, head));
        let (chain, what) = match &verified {
            Some(verified) => (
                verified.end,
                match &verified.tail {
                    Tail::Damaged(Finding { at_seq, fault }) => {
                        format!("record {at_seq} is damaged: {fault}")
                    }
                    _ => "its end cannot be read".to_owned(),
                },
            ),
            None => (
                self.file.start(),
                "it does not begin with a record".to_owned(),
            ),
        };
        let chain = head
            .filter(|head| head.seq > chain.seq)
            .map_or(chain, |head| self.file.standing_on(head));
        let kept = self.file.damaged();
        let disk = self.edges.disk.as_ref();
        let file = self.file.begin_anew(disk, file, &kept, b"")?;
        let mut found = Found::empty(file, chain);
        found.recent = verified
            .map(|verified| parse(&verified.records))
            .unwrap_or_default();
        found.opens_with = Some(SystemFact::LogDamaged(LogDamaged {
            what,
            kept_as: name(&kept),
        }));
        Ok(found)
    }

    fn rotate(&self, full: Found) -> Result<Found, Error> {
        let disk = self.edges.disk.as_ref();
        let file = self
            .file
            .begin_anew(disk, full.file, &self.file.old(), b"")?;
        Ok(Found::empty(file, full.chain))
    }

    /// Where the chain stands after the last records of `bytes`, which begin at `from`; how many
    /// bytes are intact; and the events. `None` when the end cannot be trusted or no record is
    /// whole.
    fn tail(
        &self,
        bytes: &[u8],
        from: u64,
        head: Option<Head>,
    ) -> Option<(Chain, usize, Vec<SystemRecorded>)> {
        let skipped = match from {
            0 => 0,
            _ => bytes.iter().position(|byte| *byte == b'\n')? + 1,
        };
        let rest = &bytes[skipped..];
        // Nothing but a torn first record: there was nothing before it.
        let start = match self.file.first_line(rest) {
            Some(start) => start,
            None if from == 0 && head.is_none() && !rest.contains(&b'\n') => self.file.start(),
            None => return None,
        };
        let verified = verify_from(start, rest, head);
        if matches!(verified.tail, Tail::Damaged(_)) {
            return None;
        }
        let intact = skipped + verified.intact_bytes;
        Some((verified.end, intact, parse(&verified.records)))
    }
}

fn parse(records: &[Record<'_>]) -> Vec<SystemRecorded> {
    let event = |record: &Record<'_>| {
        let event = serde_json::from_slice(record.body).ok()?;
        let receipt = record.receipt;
        Some(SystemRecorded { receipt, event })
    };
    records.iter().filter_map(event).collect()
}

const fn nobody() -> RunId {
    RunId::from_uuid(uuid::Uuid::nil())
}

/// Keeps room beyond `end_bytes`. Where a file system cannot, there is none, and nothing is lost.
fn reserve(file: &File, end_bytes: u64) {
    let Ok(found) = file.metadata() else { return };
    let allocated_bytes = found.blocks() * 512;
    if allocated_bytes < end_bytes + RESERVE_BYTES / 2 {
        let _unsupported = fallocate(file, FallocateFlags::KEEP_SIZE, end_bytes, RESERVE_BYTES);
    }
}
