//! Reads a journal file piece by piece: each piece is checked, understood and handed on before the
//! next one is read, so that memory does not grow with the journal.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use bowline_core::{Digest, Event, Receipt, Seq, SessionId, State, apply};

use crate::Error;
use crate::error::At as _;
use crate::read::{damage, parse_events};
use crate::record::{Chain, Head, Tail, verify_from, verify_large};

/// How much is read at a time; a longer line makes a larger piece.
const PIECE_BYTES: usize = 4 << 20;

/// What was found in a whole journal.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// Where the chain stands after the last record that can be trusted.
    pub(crate) end: Chain,
    /// Bytes of the records that can be trusted.
    pub(crate) intact_bytes: u64,
    /// Bytes of the file.
    pub(crate) file_bytes: u64,
    /// What comes after those records.
    pub(crate) tail: Tail,
}

/// Checks the journal at `path` from `start` on (the chain before its first byte) and hands every
/// event to `visit`, in order. `head` is the last record known to be synced.
///
/// # Errors
/// [`Error::Unreadable`] when a record that can be trusted is not understood, [`Error::Io`],
/// [`Error::Damaged`] when there is no file. Damage inside the file is in [`Scanned::tail`].
pub(crate) fn scan(
    path: &Path,
    start: Chain,
    head: Option<Head>,
    visit: &mut dyn FnMut(Receipt, Event),
) -> Result<Scanned, Error> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(lost(path)),
        opened => opened.at("open", path)?,
    };
    let mut scanned = Scanned {
        end: start,
        intact_bytes: 0,
        file_bytes: 0,
        tail: Tail::Clean,
    };
    let mut piece = Vec::new();
    loop {
        let mut at_end = read_more(&mut file, &mut piece, PIECE_BYTES).at("read", path)?;
        let whole = if at_end {
            piece.len()
        } else {
            match piece.iter().rposition(|&byte| byte == b'\n') {
                Some(end) => end + 1,
                None => continue,
            }
        };
        let mut verified = verify_large(scanned.end, &piece[..whole], head);
        if !at_end && verified.intact_bytes < whole {
            // What it means that this does not follow is told by all that comes after it.
            let end = scanned.end;
            at_end = read_more(&mut file, &mut piece, usize::MAX).at("read", path)?;
            verified = verify_from(end, &piece, head);
        }
        let events = parse_events(path, &verified.records)?;
        for (record, event) in verified.records.iter().zip(events) {
            visit(record.receipt, event);
        }
        scanned.end = verified.end;
        scanned.intact_bytes += verified.intact_bytes as u64;
        if at_end {
            scanned.tail = verified.tail;
            scanned.file_bytes += piece.len() as u64;
            return Ok(scanned);
        }
        scanned.file_bytes += whole as u64;
        piece.drain(..whole);
    }
}

/// What a whole journal folds to.
pub(crate) struct Folded {
    /// What was found on the way.
    pub(crate) scanned: Scanned,
    /// The state that the records that can be trusted fold to.
    pub(crate) state: State,
    /// The hash of the record in the place of the witness, if there is one.
    pub(crate) seen: Option<Digest>,
}

/// Folds the journal of a session from its beginning; `head` is the last record known to be synced,
/// `witness` the last one that the index has seen.
///
/// # Errors
/// As [`scan`]; damage is in [`Scanned::tail`].
pub(crate) fn fold(
    path: &Path,
    session: SessionId,
    head: Option<Head>,
    witness: Option<Head>,
) -> Result<Folded, Error> {
    let (mut state, mut seen) = (State::new(), None);
    let scanned = scan(path, Chain::start(session), head, &mut |receipt, event| {
        if witness.is_some_and(|witness| witness.seq == receipt.seq) {
            seen = Some(receipt.hash);
        }
        state = apply(std::mem::take(&mut state), &event);
    })?;
    Ok(Folded {
        scanned,
        state,
        seen,
    })
}

/// Refuses a journal that cannot be trusted to its end; one whose end was never acknowledged can.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn refuse_damage(path: &Path, tail: &Tail) -> Result<(), Error> {
    match tail {
        Tail::Damaged(finding) => Err(damage(path, finding)),
        Tail::Clean | Tail::Torn { .. } => Ok(()),
    }
}

/// Reads at most `most` bytes more; whether the file has no more.
fn read_more(file: &mut File, piece: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let read = file.take(most as u64).read_to_end(piece)?;
    Ok(read < most)
}

/// A session folder without a journal has lost it.
fn lost(path: &Path) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        at_seq: Seq(1),
        intact_seq: Seq(0),
        what: "the file is missing".to_owned(),
        next: "Bring it back from a backup, or delete the session".to_owned(),
    }
}
