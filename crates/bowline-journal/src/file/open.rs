//! Opening a journal for writing: check everything, settle the tail.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use bowline_core::{Digest, Seq, SessionId, State};

use super::writer::Writer;
use crate::Error;
use crate::edge::Edges;
use crate::error::At as _;
use crate::layout::{SessionDir, sync_folder};
use crate::lock::Lock;
use crate::read::{damage, read_head};
use crate::record::{Chain, Fault, Finding, Head};
use crate::scan::{Folded, Scanned, fold, refuse_damage};

/// How much is copied at a time when a journal is rewritten.
const PIECE_BYTES: u64 = 1 << 20;

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
    pub(super) state: State,
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
    let Folded {
        scanned,
        state,
        seen,
    } = fold(&path, session, head, witness)?;
    refuse_damage(&path, &scanned.tail)?;
    refuse_witness(&path, &scanned, witness, seen)?;

    let chain = scanned.end;
    let synced = head.map_or(Seq(0), |head| head.seq);
    let opened = Opened {
        last_seq: chain.seq,
        dropped_bytes: scanned.file_bytes - scanned.intact_bytes,
        resynced_records: chain.seq.0 - synced.0,
    };
    let settled = opened.dropped_bytes == 0 && opened.resynced_records == 0;
    let end = scanned.intact_bytes;
    let journal = if settled {
        edges.disk.open_or_create(&path).at("open", &path)?
    } else {
        rewrite(dir, end, &[], edges)?
    };
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
        state,
        opened,
    })
}

/// Writes what is intact, the first `intact_bytes` of the journal, and `more` after it to a new file
/// and gives it the journal's name once it is durable: pages that an earlier failed sync left behind
/// are not trusted.
pub(crate) fn rewrite(
    dir: &SessionDir,
    intact_bytes: u64,
    more: &[u8],
    edges: &Edges,
) -> Result<File, Error> {
    let (old, path) = (dir.journal(), dir.rewritten());
    let disk = &edges.disk;
    let mut from = File::open(&old).at("open", &old)?.take(intact_bytes);
    let file = disk.open_or_create(&path).at("create", &path)?;
    file.set_len(0).at("empty", &path)?;
    let mut piece = Vec::new();
    let mut at = 0;
    loop {
        piece.clear();
        let read = from.by_ref().take(PIECE_BYTES).read_to_end(&mut piece);
        if read.at("read", &old)? == 0 {
            break;
        }
        disk.write_at(&file, &piece, at).at("write", &path)?;
        at += piece.len() as u64;
    }
    disk.write_at(&file, more, at).at("write", &path)?;
    disk.sync(&file).at("sync", &path)?;
    disk.rename(&path, &old).at("rename", &path)?;
    sync_folder(disk.as_ref(), dir.path())?;
    Ok(file)
}

/// Holds the journal against the last record that the index has seen; `seen` is the hash of the
/// record in that place.
fn refuse_witness(
    path: &Path,
    scanned: &Scanned,
    witness: Option<Head>,
    seen: Option<Digest>,
) -> Result<(), Error> {
    let Some(witness) = witness.filter(|witness| witness.seq > Seq(0)) else {
        return Ok(());
    };
    let (at_seq, fault) = match seen {
        Some(hash) if hash == witness.hash => return Ok(()),
        Some(_) => (witness.seq, Fault::Head),
        None => (
            scanned.end.seq.next(),
            Fault::Cut {
                synced: witness.seq,
            },
        ),
    };
    let next = "The index has seen a longer or another journal: if you brought this one back from \
                a backup, delete index.db in the state folder; otherwise read what is intact with \
                `bowline events`, and keep it with `bowline sessions repair`"
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
