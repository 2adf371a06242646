//! The chain of one session.

use bowline_core::{Digest, Seq, SessionId};

use super::{ChainFinding, ChainReport, DamageKind, Stream};
use crate::Error;
use crate::layout::SessionDir;
use crate::read::read_head;
use crate::record::{Chain, Fault, Head, Tail};
use crate::scan::scan;
use crate::store::Store;

/// Checks a journal; `wanted` is a record that an anchor names.
pub(super) fn verify(
    store: &Store,
    session: SessionId,
    dir: &SessionDir,
    wanted: Option<Head>,
) -> ChainReport {
    let mut report = ChainReport::new(Stream::Session(session));
    let path = dir.journal();
    let finding = |seq: Seq, kind, what: String| ChainFinding {
        file: path.clone(),
        line: seq.0,
        seq,
        kind,
        what,
    };
    // Both before the journal: read after them it holds at least what they name.
    let head = read_head(dir, session).ok().flatten();
    let witness = store.witness(session).filter(|seen| seen.seq > Seq(0));
    report.witnesses.head = head.is_some();
    report.witnesses.index = witness.is_some();
    let mut seen: [Option<Digest>; 2] = [None, None];
    let places = [witness, wanted].map(|head| head.map(|it| it.seq));
    let scanned = scan(&path, Chain::start(session), head, &mut |receipt, _| {
        report.records += 1;
        report.end = Some(Head {
            seq: receipt.seq,
            hash: receipt.hash,
        });
        for (place, seen) in places.iter().zip(&mut seen) {
            if *place == Some(receipt.seq) {
                *seen = Some(receipt.hash);
            }
        }
    });
    let [seen_by_index, anchored] = seen;
    match scanned {
        Ok(scanned) => match scanned.tail {
            Tail::Clean => {}
            Tail::Torn { bytes } => report.torn_bytes = bytes as u64,
            Tail::Damaged(found) => report.findings.push(finding(
                found.at_seq,
                DamageKind::of(&found.fault),
                found.fault.to_string(),
            )),
        },
        Err(Error::Damaged { at_seq, what, .. }) => {
            report
                .findings
                .push(finding(at_seq, DamageKind::Missing, what));
        }
        Err(Error::Unreadable { at_seq, what, .. }) => {
            let what = format!("it cannot be understood: {what}");
            let kind = DamageKind::NotUnderstood;
            report.findings.push(finding(at_seq, kind, what));
        }
        Err(error) => {
            let at = report.end.map_or(Seq(1), |end| end.seq.next());
            let kind = DamageKind::NotReadable;
            report.findings.push(finding(at, kind, error.to_string()));
        }
    }
    if report.findings.is_empty()
        && let Some(witness) = witness
        && seen_by_index != Some(witness.hash)
    {
        let end = report.end.map_or(Seq(0), |end| end.seq);
        let (seq, fault) = not_as_seen(witness, end, seen_by_index);
        let what = format!("{fault}, as the index has seen it");
        let kind = DamageKind::of(&fault);
        report.findings.push(finding(seq, kind, what));
    }
    report.hold(wanted, anchored, Seq(1));
    report
}

/// What it means that the index has seen another record in this place.
fn not_as_seen(witness: Head, end: Seq, seen: Option<Digest>) -> (Seq, Fault) {
    let synced = witness.seq;
    match seen {
        Some(_) => (witness.seq, Fault::Head),
        None => (end.next(), Fault::Cut { synced }),
    }
}
