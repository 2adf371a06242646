//! Opening a journal for writing: check everything, settle the tail.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bowline_core::commit::door;
use bowline_core::{Committed, Event, Seq, SessionId};

use super::writer::Writer;
use crate::Error;
use crate::edge::Edges;
use crate::error::At as _;
use crate::layout::{SessionDir, open_or_create, sync_folder};
use crate::lock::Lock;
use crate::read::{damage, parse_events, read_head};
use crate::record::{Chain, Fault, Finding, Head, Record, Tail, Verified, verify};

/// What was found when a journal was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The last record.
    pub last_seq: Seq,
    /// Bytes of an unacknowledged batch that were dropped; 0 in all but crashed sessions.
    pub dropped_bytes: u64,
    /// Whole records beyond the last one known to be synced; they were written anew and synced.
    pub resynced_records: u64,
}

/// A journal that was checked and can be written.
pub(super) struct Found {
    pub(super) chain: Chain,
    pub(super) writer: Writer,
    pub(super) events: Vec<Committed<Event>>,
    pub(super) opened: Opened,
}

pub(super) fn open(
    dir: &SessionDir,
    session: SessionId,
    edges: &Edges,
    lock: Arc<Lock>,
    witness: Option<Head>,
) -> Result<Found, Error> {
    let path = dir.journal();
    let head = read_head(dir, session)?;
    let bytes = read_bytes(&path)?;
    let verified = verify(session, &bytes, head);
    refuse_damage(&path, &verified)?;
    refuse_witness(&path, &verified, witness)?;
    let events = vouch_records(&path, &verified.records)?;

    let chain = verified.end;
    let synced = head.map_or(Seq(0), |head| head.seq);
    let opened = Opened {
        last_seq: chain.seq,
        dropped_bytes: (bytes.len() - verified.intact_bytes) as u64,
        resynced_records: chain.seq.0 - synced.0,
    };
    let settled = opened.dropped_bytes == 0 && opened.resynced_records == 0;
    let intact = &bytes[..verified.intact_bytes];
    let journal = if settled {
        open_or_create(&path).at("open", &path)?
    } else {
        rewrite(dir, intact, edges)?
    };
    let end = intact.len() as u64;
    let writer = Writer::at_end(dir, session, journal, end, edges, lock)?;
    if !settled && chain.seq > Seq(0) {
        let head = Head {
            seq: chain.seq,
            hash: chain.hash,
        };
        writer.set_head(head).at("write", &dir.head())?;
    }
    Ok(Found {
        chain,
        writer,
        events,
        opened,
    })
}

/// Writes what is intact to a new file and gives it the journal's name once it is durable: pages
/// that an earlier failed sync left behind are not trusted.
fn rewrite(dir: &SessionDir, intact: &[u8], edges: &Edges) -> Result<File, Error> {
    let path = dir.rewritten();
    let file = open_or_create(&path).at("create", &path)?;
    file.set_len(0).at("empty", &path)?;
    edges.disk.write_at(&file, intact, 0).at("write", &path)?;
    edges.disk.sync(&file).at("sync", &path)?;
    std::fs::rename(&path, dir.journal()).at("rename", &path)?;
    sync_folder(dir.path())?;
    Ok(file)
}

/// Reads a journal's bytes. A session folder without one has lost it.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Damaged {
            path: path.to_owned(),
            at_seq: Seq(1),
            intact_seq: Seq(0),
            what: "the file is missing".to_owned(),
            next: "Bring it back from a backup, or delete the session".to_owned(),
        }),
        read => read.at("read", path),
    }
}

pub(super) fn refuse_damage(path: &Path, verified: &Verified<'_>) -> Result<(), Error> {
    match &verified.tail {
        Tail::Damaged(finding) => Err(damage(path, finding)),
        Tail::Clean | Tail::Torn { .. } => Ok(()),
    }
}

/// Holds the journal against the last record that the index has seen.
fn refuse_witness(
    path: &Path,
    verified: &Verified<'_>,
    witness: Option<Head>,
) -> Result<(), Error> {
    let Some(witness) = witness.filter(|witness| witness.seq > Seq(0)) else {
        return Ok(());
    };
    let at = verified
        .records
        .binary_search_by_key(&witness.seq, |record| record.receipt.seq);
    let (at_seq, fault) = match at {
        Ok(at) if verified.records[at].receipt.hash == witness.hash => return Ok(()),
        Ok(_) => (witness.seq, Fault::Head),
        Err(_) => (
            verified.end.seq.next(),
            Fault::Cut {
                synced: witness.seq,
            },
        ),
    };
    let next = "The index has seen a longer or another journal: if you brought this one back from \
                a backup, delete index.db in the state folder; otherwise read what is intact with \
                `bowline events`"
        .to_owned();
    Err(match damage(path, &Finding { at_seq, fault }) {
        Error::Damaged {
            path,
            at_seq,
            intact_seq,
            what,
            ..
        } => Error::Damaged {
            path,
            at_seq,
            intact_seq,
            what,
            next,
        },
        other => other,
    })
}

pub(super) fn vouch_records(
    path: &Path,
    records: &[Record<'_>],
) -> Result<Vec<Committed<Event>>, Error> {
    let events = parse_events(path, records)?;
    let vouched = records.iter().zip(events);
    Ok(vouched
        .map(|(record, event)| door::vouch(record.receipt, event))
        .collect())
}
