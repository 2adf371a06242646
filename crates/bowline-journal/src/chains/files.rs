//! A chain in files that several processes append to: the one that is full, the one in use, and one
//! that was set aside because it was damaged.

use std::io;
use std::path::{Path, PathBuf};

use bowline_core::{Digest, Seq};

use super::{ChainFinding, ChainReport, DamageKind, Stream};
use crate::chained::ChainedFile;
use crate::record::{Chain, Fault, Finding, Head, Tail, verify_from};

/// One file as it was found.
struct Found {
    path: PathBuf,
    bytes: Vec<u8>,
    head: Option<Head>,
}

/// Checks all files of a chain; `None` when there are none. `wanted` is a record that an anchor
/// names.
pub(super) fn verify(
    stream: Stream,
    files: &ChainedFile,
    wanted: Option<Head>,
) -> Option<ChainReport> {
    let mut report = ChainReport::new(stream);
    let head = files.read_head();
    report.witnesses.head = head.is_some();
    let mut found = Vec::new();
    // The one in use first: should it be rotated meanwhile, it is found again as the full one.
    for (path, head) in [(files.path(), head), (files.old(), None)] {
        match std::fs::read(&path) {
            Ok(bytes) => found.push(Found { path, bytes, head }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => report.findings.push(not_readable(&path, &error)),
        }
    }
    let (current, damaged) = (files.path(), files.damaged());
    let set_aside = damaged.exists();
    if found.is_empty() && report.findings.is_empty() && head.is_none() && !set_aside {
        return None;
    }
    found.sort_by_key(|it| files.first_line(&it.bytes).map(|chain| chain.seq));
    let mut walk = Walk {
        files,
        report: &mut report,
        end: None,
        first: None,
        wanted,
        seen: None,
    };
    if set_aside {
        match std::fs::read(&damaged) {
            Ok(bytes) => walk.set_aside(&damaged, &bytes),
            Err(error) => walk.report.findings.push(not_readable(&damaged, &error)),
        }
    }
    let is_there = found.iter().any(|it| it.path == current);
    for file in &found {
        walk.file(file, set_aside);
    }
    let (end, first, seen) = (walk.end, walk.first, walk.seen);
    if let Some(synced) = head.filter(|_| !is_there).map(|head| head.seq)
        && synced > end.map_or(Seq(0), |end| end.seq)
    {
        let seq = end.map_or(Seq(1), |end| end.seq.next());
        let what = Fault::Cut { synced }.to_string();
        report
            .findings
            .push(finding(&current, 1, seq, DamageKind::Missing, what));
    }
    report.hold(wanted, seen, first.unwrap_or(Seq(1)));
    Some(report)
}

/// Files followed one after the other.
struct Walk<'a> {
    files: &'a ChainedFile,
    report: &'a mut ChainReport,
    end: Option<Chain>,
    /// The first record that is kept.
    first: Option<Seq>,
    wanted: Option<Head>,
    seen: Option<Digest>,
}

impl Walk<'_> {
    fn file(&mut self, file: &Found, set_aside: bool) {
        let Found { path, bytes, head } = file;
        let start = self.files.first_line(bytes);
        let start = start.unwrap_or_else(|| self.end.unwrap_or_else(|| self.files.start()));
        // Beside a file that was set aside the chain goes on where that one could still be read.
        let gap = match self.end {
            _ if set_aside => None,
            Some(end) if end != start => Some((end.seq.next(), self.gap(&end, &start))),
            None if start.seq == Seq(0) && start != self.files.start() => {
                Some((Seq(1), (DamageKind::Link, Fault::Prev.to_string())))
            }
            None if start.seq > Seq(0) && *path == self.files.path() => {
                let what = format!(
                    "everything before record {} is in no file",
                    start.seq.next()
                );
                Some((Seq(1), (DamageKind::Missing, what)))
            }
            _ => None,
        };
        if let Some((seq, (kind, what))) = gap {
            self.report.findings.push(finding(path, 1, seq, kind, what));
        }
        self.first.get_or_insert(start.seq.next());
        self.read(path, start, bytes, *head);
    }

    #[expect(clippy::unused_self, reason = "reads as a part of the walk")]
    fn gap(&self, end: &Chain, start: &Chain) -> (DamageKind, String) {
        if start.seq > end.seq {
            let what = format!(
                "records {} to {} are in no file: they were cut off or removed",
                end.seq.next(),
                start.seq
            );
            (DamageKind::Missing, what)
        } else {
            (DamageKind::Link, Fault::Prev.to_string())
        }
    }

    fn read(&mut self, path: &Path, start: Chain, bytes: &[u8], head: Option<Head>) {
        let verified = verify_from(start, bytes, head);
        for record in &verified.records {
            if self.wanted.is_some_and(|it| it.seq == record.receipt.seq) {
                self.seen = Some(record.receipt.hash);
            }
        }
        let count = verified.records.len() as u64;
        self.report.records += count;
        match &verified.tail {
            Tail::Clean => {}
            Tail::Torn { bytes } => self.report.torn_bytes += *bytes as u64,
            Tail::Damaged(Finding { at_seq, fault }) => self.report.findings.push(finding(
                path,
                count + 1,
                *at_seq,
                DamageKind::of(fault),
                fault.to_string(),
            )),
        }
        if count > 0 {
            self.report.end = Some(Head {
                seq: verified.end.seq,
                hash: verified.end.hash,
            });
        }
        self.end = Some(verified.end);
    }

    /// Names what is wrong with a file that was set aside.
    fn set_aside(&mut self, path: &Path, bytes: &[u8]) {
        let start = self.files.first_line(bytes);
        let verified = verify_from(start.unwrap_or_else(|| self.files.start()), bytes, None);
        let line = verified.records.len() as u64 + 1;
        let (seq, kind, what) = match &verified.tail {
            Tail::Damaged(found) => (
                found.at_seq,
                DamageKind::of(&found.fault),
                found.fault.to_string(),
            ),
            Tail::Clean | Tail::Torn { .. } => (
                verified.end.seq.next(),
                DamageKind::Cut,
                "records are missing at its end".to_owned(),
            ),
        };
        let what = format!("{what}; the file was set aside, and recording went on in a new one");
        self.report
            .findings
            .push(finding(path, line, seq, kind, what));
    }
}

fn finding(path: &Path, line: u64, seq: Seq, kind: DamageKind, what: String) -> ChainFinding {
    ChainFinding {
        file: path.to_owned(),
        line,
        seq,
        kind,
        what,
    }
}

fn not_readable(path: &Path, error: &io::Error) -> ChainFinding {
    let kind = DamageKind::NotReadable;
    finding(path, 1, Seq(1), kind, error.to_string())
}
