//! Reading a session without owning it.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bowline_core::{Event, Receipt, Seq, SessionId, State, apply};

use crate::Error;
use crate::blob;
use crate::error::At as _;
use crate::layout::SessionDir;
use crate::record::{Chain, Finding, Head, Line, Record, Tail, Verified, parts, verify_from};
use crate::scan::{fold, refuse_damage};

/// The longest line read on the word of an index, which may be wrong.
const MOST_LINE_BYTES: usize = 64 << 20;

/// An event as a reader finds it. It is no proof: only the owner's journal gives one.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Where it lies.
    pub receipt: Receipt,
    /// What happened.
    pub event: Event,
    /// Where its line begins in the journal file.
    pub offset_bytes: u64,
    /// How long its line is, line end included.
    pub line_bytes: u64,
}

/// What can be trusted of a journal, and what is wrong with the rest.
#[derive(Debug)]
pub struct Intact {
    /// The intact events, in order.
    pub events: Vec<Recorded>,
    /// Where the chain stands after them.
    pub end: Chain,
    /// Where the last of them ends in the file.
    pub end_bytes: u64,
    /// The last record that is known to be synced; later ones may have been written and never
    /// acknowledged. 0 when nothing vouches for any.
    pub synced_seq: Seq,
    /// Bytes of a batch that was never acknowledged, or that is being written right now.
    pub torn_bytes: u64,
    /// Why the journal cannot be opened for writing, if it cannot.
    pub finding: Option<Error>,
}

impl Intact {
    /// The state that the intact events fold to.
    #[must_use]
    pub fn state(&self) -> State {
        self.events.iter().fold(State::new(), |state, recorded| {
            apply(state, &recorded.event)
        })
    }
}

/// A session opened for reading. Takes no lock, writes nothing.
#[derive(Debug, Clone)]
pub struct ReadOnly {
    session: SessionId,
    dir: SessionDir,
}

impl ReadOnly {
    pub(crate) const fn new(session: SessionId, dir: SessionDir) -> Self {
        Self { session, dir }
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Its folder.
    #[must_use]
    pub const fn dir(&self) -> &SessionDir {
        &self.dir
    }

    /// Reads everything that is intact, whatever the state of the rest.
    ///
    /// # Errors
    /// Only when the files cannot be read at all; damage is in [`Intact::finding`].
    pub fn read_intact(&self) -> Result<Intact, Error> {
        read_intact_from(&self.dir, Chain::start(self.session), 0)
    }

    /// The state that its events fold to; none of them is kept.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the journal does not verify, [`Error::Unreadable`], [`Error::Io`].
    pub fn state(&self) -> Result<State, Error> {
        let (path, head) = (self.dir.journal(), read_head(&self.dir, self.session)?);
        let folded = fold(&path, self.session, head, None)?;
        refuse_damage(&path, &folded.scanned.tail)?;
        Ok(folded.state)
    }

    /// Follows a session that another process may be writing.
    #[must_use]
    pub fn follow(&self) -> Follower {
        Follower {
            dir: self.dir.clone(),
            chain: Chain::start(self.session),
            offset: 0,
        }
    }

    /// Finds a stored body by the first digits of its hash (at least 8).
    ///
    /// # Errors
    /// As [`crate::Journal::find_blob`].
    pub fn find_blob(
        &self,
        prefix: &str,
    ) -> Result<Option<(std::path::PathBuf, bowline_core::call::BlobRef)>, Error> {
        blob::find_blob(&self.dir.blobs(), prefix)
    }
}

/// Reads a growing journal piece by piece.
#[derive(Debug, Clone)]
pub struct Follower {
    dir: SessionDir,
    chain: Chain,
    offset: u64,
}

impl Follower {
    /// The events synced since the last call; empty when there are none.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unreadable`] when the next event cannot be trusted or
    /// understood, [`Error::Io`] when the files cannot be read.
    pub fn poll(&mut self) -> Result<Vec<Recorded>, Error> {
        let path = self.dir.journal();
        let head = read_head(&self.dir, self.chain.session)?;
        let Some(head) = head.filter(|head| head.seq > self.chain.seq) else {
            return Ok(Vec::new());
        };
        let bytes = read_bytes_from(&path, self.offset)?;
        let Verified {
            mut records, tail, ..
        } = verify_from(self.chain, &bytes, Some(head));
        if let Tail::Damaged(finding) = &tail {
            return Err(damage(&path, finding));
        }
        records.retain(|record| record.receipt.seq <= head.seq);
        let found = pair(&records, parse_events(&path, &records)?, self.offset);
        if let Some(last) = found.last() {
            self.offset = last.offset_bytes + last.line_bytes;
            self.chain = standing_on(&last.receipt);
        }
        Ok(found)
    }
}

/// Reads what is intact after the record on which `chain` stands and which ends at `offset`.
pub(crate) fn read_intact_from(
    dir: &SessionDir,
    chain: Chain,
    offset: u64,
) -> Result<Intact, Error> {
    let path = dir.journal();
    // The head is read first: the journal read after it holds at least what the head names.
    let head = read_head(dir, chain.session)?;
    let bytes = read_bytes_from(&path, offset)?;
    let Verified {
        records, end, tail, ..
    } = verify_from(chain, &bytes, head);
    let (torn_bytes, mut finding) = match &tail {
        Tail::Clean => (0, None),
        Tail::Torn { bytes } => (*bytes as u64, None),
        Tail::Damaged(found) => (0, Some(damage(&path, found))),
    };
    let mut events = Vec::with_capacity(records.len());
    for record in &records {
        match record.event() {
            Ok(event) => events.push(event),
            Err(what) => {
                finding = Some(unreadable(&path, record, what));
                break;
            }
        }
    }
    let all = events.len() == records.len();
    let events = pair(&records, events, offset);
    let last = events.last();
    let end = if all {
        end
    } else {
        last.map_or(chain, |last| standing_on(&last.receipt))
    };
    let end_bytes = last.map_or(offset, |last| last.offset_bytes + last.line_bytes);
    Ok(Intact {
        events,
        end,
        end_bytes,
        synced_seq: head.map_or(Seq(0), |head| head.seq),
        torn_bytes,
        finding,
    })
}

const fn standing_on(receipt: &Receipt) -> Chain {
    let Receipt {
        session,
        seq,
        epoch,
        hash,
    } = *receipt;
    Chain {
        session,
        seq,
        epoch,
        hash,
    }
}

/// Pairs records with their events; the first record's line begins at `offset_bytes`.
fn pair(records: &[Record<'_>], events: Vec<Event>, mut offset_bytes: u64) -> Vec<Recorded> {
    let paired = records.iter().zip(events);
    let recorded = paired.map(|(record, event)| {
        let line_bytes = record.line_bytes as u64;
        let recorded = Recorded {
            receipt: record.receipt,
            event,
            offset_bytes,
            line_bytes,
        };
        offset_bytes += line_bytes;
        recorded
    });
    recorded.collect()
}

/// Reads the head file; `None` when there is none or it does not hold what we wrote.
pub(crate) fn read_head(dir: &SessionDir, session: SessionId) -> Result<Option<Head>, Error> {
    let path = dir.head();
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Head::parse(session, &bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at("read", &path),
    }
}

/// Reads a file from `offset` to its end; a missing one is empty.
fn read_bytes_from(path: &Path, offset: u64) -> Result<Vec<u8>, Error> {
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("open", path),
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).at("read", path)?;
    file.read_to_end(&mut bytes).at("read", path)?;
    Ok(bytes)
}

/// So many records are parsed on several processors.
const MANY_RECORDS: usize = 2_000;

/// Reads every record's event, in order.
pub(crate) fn parse_events(path: &Path, records: &[Record<'_>]) -> Result<Vec<Event>, Error> {
    let parse = |records: &[Record<'_>]| -> Result<Vec<Event>, Error> {
        let events = records.iter().map(|record| {
            let event = record.event();
            event.map_err(|what| unreadable(path, record, what))
        });
        events.collect()
    };
    if records.len() < MANY_RECORDS {
        return parse(records);
    }
    let pieces = records
        .chunks(records.len().div_ceil(parts::parts()))
        .collect();
    let mut events = Vec::with_capacity(records.len());
    for piece in parts::at_once(pieces, parse) {
        events.extend(piece?);
    }
    Ok(events)
}

fn unreadable(path: &Path, record: &Record<'_>, what: String) -> Error {
    Error::Unreadable {
        path: path.to_owned(),
        at_seq: record.receipt.seq,
        what,
    }
}

/// Reads one event again from where an index says it lies; `None` when it is not there.
pub(crate) fn read_event(dir: &SessionDir, offset_bytes: u64, line_bytes: u64) -> Option<Event> {
    let file = std::fs::File::open(dir.journal()).ok()?;
    let mut line = vec![
        0;
        usize::try_from(line_bytes)
            .ok()
            .filter(|&n| n <= MOST_LINE_BYTES)?
    ];
    file.read_exact_at(&mut line, offset_bytes).ok()?;
    let line = Line::parse(line.strip_suffix(b"\n")?).ok()?;
    line.commitment_holds()
        .then(|| serde_json::from_slice(line.body).ok())
        .flatten()
}

/// The error for a finding.
pub(crate) fn damage(path: &Path, finding: &Finding) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        at_seq: finding.at_seq,
        intact_seq: Seq(finding.at_seq.0.saturating_sub(1)),
        what: finding.fault.to_string(),
        next: "Read what is intact with `bowline events`, bring the file back from a backup, or \
               keep what is intact with `bowline sessions repair`"
            .to_owned(),
    }
}
