//! Torn tails, failing disks, ends of the process at every point of an append.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bowline_core::{Epoch, Seq};
use bowline_journal::{Disk, Edges, Error, Journal as _, Next, Probe, Store};

use crate::sample::{block_on, notice, owner, session_id};

/// A store with one session of `count` notices, one batch each; nobody owns it.
fn store_with(count: usize) -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    let mut journal = store.create(session_id(1), &owner()).unwrap().journal;
    for number in 1..=count {
        block_on(journal.append(Epoch(0), vec![notice(&format!("notice {number}"))])).unwrap();
    }
    (home, store)
}

fn add(store: &Store, bytes: &[u8]) {
    let path = store.session_dir(session_id(1)).journal();
    File::options()
        .append(true)
        .open(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

fn events_of(store: &Store) -> usize {
    let read = store
        .read_only(session_id(1))
        .unwrap()
        .read_intact()
        .unwrap();
    assert!(
        read.finding.is_none() && read.torn_bytes == 0,
        "{:?}",
        read.finding
    );
    read.events.len()
}

#[test]
fn what_was_never_acknowledged_is_dropped() {
    let (_other_home, other) = store_with(3);
    let lines = std::fs::read(other.session_dir(session_id(1)).journal()).unwrap();
    let third = lines
        .split_inclusive(|&byte| byte == b'\n')
        .nth(2)
        .unwrap()
        .to_vec();
    let mut flipped = third.clone();
    *flipped.last_chunk_mut::<4>().unwrap() = *b"!}}\n";
    for torn in [
        b"{".to_vec(),
        vec![0; 4096],
        b"\n\n".to_vec(),
        third[..third.len() - 1].to_vec(),
        flipped,
    ] {
        let (_home, store) = store_with(2);
        let before = std::fs::read(store.session_dir(session_id(1)).journal()).unwrap();
        add(&store, &torn);
        let read = store
            .read_only(session_id(1))
            .unwrap()
            .read_intact()
            .unwrap();
        assert_eq!((read.events.len(), read.torn_bytes), (2, torn.len() as u64));
        assert!(read.finding.is_none());

        let mut owned = store.open(session_id(1), &owner()).unwrap();
        assert_eq!(owned.opened.dropped_bytes, torn.len() as u64);
        assert_eq!(owned.opened.resynced_records, 0);
        assert_eq!(std::fs::read(owned.dir.journal()).unwrap(), before);
        block_on(owned.journal.append(Epoch(0), vec![notice("notice 3")])).unwrap();
        drop(owned);
        assert_eq!(events_of(&store), 3);
        assert_eq!(
            store
                .open(session_id(1), &owner())
                .unwrap()
                .opened
                .dropped_bytes,
            0
        );
    }
}

/// After power loss the head may be older than the journal, empty, or gone: whole records stay,
/// and are synced before they count.
#[test]
fn whole_records_beyond_the_head_are_kept_and_synced_anew() {
    let (_home, store) = store_with(5);
    let dir = store.session_dir(session_id(1));
    let last_head = std::fs::read(dir.head()).unwrap();
    let (_other_home, other) = store_with(0);
    let empty_journal = other.open(session_id(1), &owner()).unwrap();
    assert_eq!(empty_journal.opened.last_seq, Seq(0));

    for head in [Some(Vec::new()), Some(vec![0; 103]), None] {
        match &head {
            Some(bytes) => std::fs::write(dir.head(), bytes).unwrap(),
            None => std::fs::remove_file(dir.head()).unwrap(),
        }
        let opened = store.open(session_id(1), &owner()).unwrap().opened;
        assert_eq!((opened.last_seq, opened.resynced_records), (Seq(5), 5));
        assert_eq!(std::fs::read(dir.head()).unwrap(), last_head);
        let opened = store.open(session_id(1), &owner()).unwrap().opened;
        assert_eq!(opened.resynced_records, 0);
    }
    assert_eq!(events_of(&store), 5);
}

/// Beyond the head, a broken record before a whole one cannot be an unfinished batch.
#[test]
fn a_hole_beyond_the_head_is_damage() {
    let (_home, store) = store_with(5);
    let dir = store.session_dir(session_id(1));
    std::fs::remove_file(dir.head()).unwrap();
    let mut bytes = std::fs::read(dir.journal()).unwrap();
    bytes[300] ^= 1;
    std::fs::write(dir.journal(), &bytes).unwrap();
    let error = store.open(session_id(1), &owner()).unwrap_err();
    assert!(
        matches!(error, Error::Damaged { at_seq: Seq(1), .. }),
        "{error}"
    );
    assert_eq!(error.next(), Next::AskPerson);
}

/// What a faulty disk does with one operation.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The write fails and leaves nothing.
    Write,
    /// The write fails half-way.
    HalfWrite,
    /// The sync fails.
    Sync,
}

/// A disk on which the operation with this number fails, and every later one too.
#[derive(Debug)]
struct FaultyDisk {
    fault: Fault,
    operations_left: AtomicU32,
}

impl FaultyDisk {
    fn is_broken(&self) -> bool {
        let left = self.operations_left.load(Ordering::SeqCst);
        self.operations_left
            .store(left.saturating_sub(1), Ordering::SeqCst);
        left == 0
    }
}

impl Disk for FaultyDisk {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if matches!(self.fault, Fault::Write | Fault::HalfWrite) && self.is_broken() {
            if matches!(self.fault, Fault::HalfWrite) {
                file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            }
            return Err(io::Error::from_raw_os_error(28));
        }
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if matches!(self.fault, Fault::Sync) && self.is_broken() {
            return Err(io::Error::from_raw_os_error(5));
        }
        file.sync_data()
    }
}

/// A fault at each write and each sync of a session: the journal says so, stays stopped, and
/// nothing acknowledged is lost.
#[test]
fn a_fault_at_any_operation_stops_the_journal_for_good() {
    for fault in [Fault::Write, Fault::HalfWrite, Fault::Sync] {
        for operation in 0..6 {
            let (_home, real) = store_with(2);
            let disk = FaultyDisk {
                fault,
                operations_left: AtomicU32::new(operation),
            };
            let edges = Edges {
                disk: Arc::new(disk),
                ..Edges::default()
            };
            let store = real.clone().with_edges(edges);
            let mut owned = store.open(session_id(1), &owner()).unwrap();
            let mut acknowledged = 2;
            let error = loop {
                let batch = vec![notice("a"), notice("b")];
                match block_on(owned.journal.append(Epoch(0), batch)) {
                    Ok(committed) => acknowledged += committed.len(),
                    Err(error) => break error,
                }
            };
            let note = format!("{fault:?} at operation {operation}: {error}");
            assert!(matches!(&error, Error::Stopped { path, .. } if *path == owned.dir.journal()));
            assert_eq!(error.next(), Next::Stop, "{note}");
            for _ in 0..2 {
                let again = block_on(owned.journal.append(Epoch(0), vec![notice("c")]));
                assert!(matches!(again, Err(Error::Stopped { .. })), "{note}");
            }
            assert_eq!(owned.journal.head().0.0, acknowledged as u64, "{note}");
            drop(owned);
            let reopened = real.open(session_id(1), &owner()).unwrap();
            let kept = usize::try_from(reopened.opened.last_seq.0).unwrap();
            assert!(
                (acknowledged..=acknowledged + 2).contains(&kept),
                "{note}: kept {kept}"
            );
            drop(reopened);
            assert_eq!(events_of(&real), kept);
        }
    }
}

/// A fault while a tail is settled leaves the old journal as it was.
#[test]
fn a_fault_at_reopening_changes_nothing() {
    for fault in [Fault::Write, Fault::HalfWrite, Fault::Sync] {
        let (_home, real) = store_with(2);
        add(&real, b"{torn");
        let before = std::fs::read(real.session_dir(session_id(1)).journal()).unwrap();
        let disk = FaultyDisk {
            fault,
            operations_left: AtomicU32::new(0),
        };
        let edges = Edges {
            disk: Arc::new(disk),
            ..Edges::default()
        };
        let error = real
            .clone()
            .with_edges(edges)
            .open(session_id(1), &owner())
            .unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        let journal = real.session_dir(session_id(1)).journal();
        assert_eq!(std::fs::read(journal).unwrap(), before);
        assert_eq!(
            real.open(session_id(1), &owner())
                .unwrap()
                .opened
                .dropped_bytes,
            5
        );
    }
}

#[test]
fn an_append_that_nobody_awaits_any_more_stops_the_journal() {
    let (_home, store) = store_with(1);
    let mut owned = store.open(session_id(1), &owner()).unwrap();
    block_on(async {
        let mut append = owned.journal.append(Epoch(0), vec![notice("given up")]);
        // One poll hands the batch to the writing thread; then the future is dropped.
        std::future::poll_fn(|cx| {
            let _pending = append.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    });
    let error = block_on(owned.journal.append(Epoch(0), vec![notice("next")])).unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
}

/// Ends the process without any cleaning up when an append reaches `point` for the `nth` time.
struct EndAt {
    point: String,
    nth: AtomicU32,
}

impl Probe for EndAt {
    fn at(&self, point: &'static str) {
        if point == self.point && self.nth.fetch_sub(1, Ordering::SeqCst) == 1 {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
    }
}

const CHILD_HOME: &str = "JOURNAL_TEST_ENDING_HOME";
const CHILD_POINT: &str = "JOURNAL_TEST_ENDING_POINT";

/// The other half of the test below: does nothing unless it was started by it.
#[test]
fn child_that_ends_within_an_append() {
    let (Ok(home), Ok(point)) = (std::env::var(CHILD_HOME), std::env::var(CHILD_POINT)) else {
        return;
    };
    let probe = EndAt {
        point,
        nth: AtomicU32::new(3),
    };
    let edges = Edges {
        probe: Arc::new(probe),
        ..Edges::default()
    };
    let store = Store::at(home).with_edges(edges);
    let mut owned = store.open(session_id(1), &owner()).unwrap();
    loop {
        let batch = vec![notice("a"), notice("b")];
        let committed = block_on(owned.journal.append(Epoch(0), batch)).unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "\nacknowledged {}", committed[1].receipt().seq).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_process_killed_at_any_point_of_an_append_loses_nothing_acknowledged() {
    for (point, kept) in [
        ("append.begin", 6),
        ("append.written", 8),
        ("append.synced", 8),
        ("append.headed", 8),
    ] {
        let (_home, store) = store_with(2);
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "faults::child_that_ends_within_an_append",
                "--nocapture",
            ])
            .env(CHILD_HOME, store.home())
            .env(CHILD_POINT, point)
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        assert!(
            !child.status.success(),
            "{point}: the child was to be killed"
        );
        let told = String::from_utf8(child.stdout).unwrap();
        let told: Vec<_> = told
            .lines()
            .filter(|line| line.starts_with("acknowledged"))
            .collect();
        assert_eq!(told, ["acknowledged 4", "acknowledged 6"], "{point}");
        let opened = store.open(session_id(1), &owner()).unwrap().opened;
        assert_eq!(opened.last_seq, Seq(kept), "{point}");
        assert_eq!(events_of(&store), usize::try_from(kept).unwrap());
    }
}
