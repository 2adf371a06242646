//! Checks a whole journal, or its end, in one pass over its bytes.

use std::io::BufRead as _;

use bowline_core::{Seq, SessionId};

use super::{Chain, Fault, Head, Line, Record, parts};

/// The outcome of checking a journal.
#[derive(Debug)]
pub struct Verified<'a> {
    /// The records that can be trusted, in order.
    pub records: Vec<Record<'a>>,
    /// Where the chain stands after them.
    pub end: Chain,
    /// Bytes they take.
    pub intact_bytes: usize,
    /// What comes after them.
    pub tail: Tail,
}

/// What comes after the last record that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Clean,
    /// Remains of a batch that was never acknowledged: they may be dropped.
    Torn {
        /// How many bytes.
        bytes: usize,
    },
    /// Something that should not be: a cut, flip, hole or swap.
    Damaged(Finding),
}

/// The first thing wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first record that cannot be trusted.
    pub at_seq: Seq,
    /// What is wrong.
    pub fault: Fault,
}

/// A journal of this size is checked on several processors; below, threads cost more than they
/// save.
const LARGE_BYTES: usize = 1 << 20;

/// Checks a journal from its first record on; `head` is the last record known to be synced.
#[must_use]
pub fn verify(session: SessionId, bytes: &[u8], head: Option<Head>) -> Verified<'_> {
    verify_large(Chain::start(session), bytes, head)
}

/// As [`verify_from`], on several processors where that is worth it.
#[must_use]
pub(crate) fn verify_large(start: Chain, bytes: &[u8], head: Option<Head>) -> Verified<'_> {
    let whole = (bytes.len() >= LARGE_BYTES)
        .then(|| verify_in_parts(start, bytes, head))
        .flatten();
    whole.unwrap_or_else(|| verify_from(start, bytes, head))
}

/// Checks parts of a journal at once: each from where the line before it says that the chain
/// stands, which must be where the part before it ends. `None` when a record does not follow: then
/// only a check from the start tells what.
fn verify_in_parts(start: Chain, bytes: &[u8], head: Option<Head>) -> Option<Verified<'_>> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    let mut chain = start;
    for left in (2..=parts::parts()).rev() {
        let about = rest.len() / left;
        let (piece, after) = rest.split_at(about + line_end(&rest[about..])? + 1);
        pieces.push((chain, piece));
        let last = piece[..piece.len() - 1]
            .rsplit(|&byte| byte == b'\n')
            .next()?;
        let last = Line::parse(last).ok()?;
        let hash = last.hash(start.session);
        chain = Chain {
            session: start.session,
            seq: last.seq,
            epoch: last.epoch,
            hash,
        };
        rest = after;
    }
    pieces.push((chain, rest));

    let checked = parts::at_once(pieces, |(chain, piece)| {
        let verified = verify_from(chain, piece, head);
        (verified.intact_bytes == piece.len()).then_some((chain, verified))
    });
    let mut whole = Verified {
        records: Vec::new(),
        end: start,
        intact_bytes: 0,
        tail: Tail::Clean,
    };
    for part in checked {
        let (assumed, part) = part?;
        if assumed != whole.end {
            return None;
        }
        whole.records.extend(part.records);
        whole.end = part.end;
        whole.intact_bytes += part.intact_bytes;
        whole.tail = part.tail;
    }
    Some(whole)
}

/// Checks the end of a journal: `bytes` begin right after the record on which `chain` stands.
///
/// Bytes that do not follow are *torn* when they lie beyond `head` and hold no whole record, or
/// begin with a line in which sectors are missing: so looks a batch whose sync never returned.
/// Anything else is damage.
#[must_use]
pub fn verify_from(mut chain: Chain, bytes: &[u8], head: Option<Head>) -> Verified<'_> {
    let mut records = Vec::new();
    let mut intact_bytes = 0;
    let mut fault = None;
    while intact_bytes < bytes.len() {
        let rest = &bytes[intact_bytes..];
        match follow_line(&mut chain, rest, head) {
            Ok(record) => {
                records.push(record);
                intact_bytes += record.line_bytes;
            }
            Err(found) => {
                fault = Some(found);
                break;
            }
        }
    }
    let tail = judge_tail(&chain, &bytes[intact_bytes..], head, fault);
    Verified {
        records,
        end: chain,
        intact_bytes,
        tail,
    }
}

fn follow_line<'a>(
    chain: &mut Chain,
    rest: &'a [u8],
    head: Option<Head>,
) -> Result<Record<'a>, Fault> {
    let end = line_end(rest).ok_or(Fault::Format("it has no line end"))?;
    let mut next = *chain;
    let record = next.follow(&rest[..end])?;
    if head.is_some_and(|head| head.seq == next.seq && head.hash != next.hash) {
        return Err(Fault::Head);
    }
    *chain = next;
    Ok(record)
}

fn judge_tail(chain: &Chain, rest: &[u8], head: Option<Head>, fault: Option<Fault>) -> Tail {
    let at_seq = chain.seq.next();
    let synced = head.map_or(Seq(0), |head| head.seq);
    match fault {
        None if synced > chain.seq => Tail::Damaged(Finding {
            at_seq,
            fault: Fault::Cut { synced },
        }),
        None => Tail::Clean,
        Some(_) if synced < at_seq && (lacks_sectors(rest) || !holds_whole_record(rest)) => {
            Tail::Torn { bytes: rest.len() }
        }
        Some(fault) => Tail::Damaged(Finding { at_seq, fault }),
    }
}

/// Whether sectors of the first line are missing: zeros, as a power loss leaves them that kept a
/// later sector of the batch. Then the records after it were never acknowledged either. The hole is
/// a whole sector, or begins where the batch does; a record holds no zero.
fn lacks_sectors(rest: &[u8]) -> bool {
    const SECTOR_BYTES: usize = 512;
    let line = &rest[..line_end(rest).unwrap_or(rest.len())];
    let mut holes = line.split(|byte| *byte != 0).map(<[u8]>::len);
    line.first() == Some(&0) || holes.any(|zeros| zeros >= SECTOR_BYTES)
}

/// Whether any complete line is a record with a commitment that holds: then what precedes it was
/// synced before, and its loss is damage.
fn holds_whole_record(mut rest: &[u8]) -> bool {
    while let Some(end) = line_end(rest) {
        if Line::parse(&rest[..end]).is_ok_and(|line| line.commitment_holds()) {
            return true;
        }
        rest = &rest[end + 1..];
    }
    false
}

/// Where the first line ends. `skip_until` searches many bytes at a time; on a slice it cannot fail.
fn line_end(mut bytes: &[u8]) -> Option<usize> {
    let start = bytes;
    let length = bytes.skip_until(b'\n').ok()?;
    (start[..length].last() == Some(&b'\n')).then(|| length - 1)
}
