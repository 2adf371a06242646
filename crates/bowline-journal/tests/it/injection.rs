//! A fault of the disk at every single operation of a session's life: creating, appending, blobs,
//! the mailbox, reopening with a torn tail, the system log. Nothing acknowledged is lost, nothing
//! acts on what is not recorded, every journal opens again, and every message says what it is.
#![expect(clippy::expect_used, reason = "a failed check names its fault")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bowline_core::call::BlobRef;
use bowline_core::system::Stopped;
use bowline_core::{CallId, Event, Fact, RunId, SystemEvent, SystemFact};
use bowline_journal::{
    Disk, Edges, Error, FileJournal, Journal as _, Next, Store, mailbox, verify_blob,
};

use crate::sample::{block_on, finished, notice, owner, prompt, session_id};

/// How the operation with a certain number fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only that one.
    Once,
    /// That one and all later ones.
    FromThenOn,
}

#[derive(Debug)]
pub(crate) struct Failing {
    at: u32,
    mode: Mode,
    errno: i32,
    operations: AtomicU32,
    failed: AtomicBool,
}

impl Failing {
    pub(crate) fn new(at: u32, mode: Mode, errno: i32) -> Arc<Self> {
        Arc::new(Self {
            at,
            mode,
            errno,
            operations: AtomicU32::new(0),
            failed: AtomicBool::new(false),
        })
    }

    /// Whether an operation has failed.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    fn next(&self) -> io::Result<()> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        let fails = match self.mode {
            Mode::Once => number == self.at,
            Mode::FromThenOn => number >= self.at,
        };
        if !fails {
            return Ok(());
        }
        self.failed.store(true, Ordering::SeqCst);
        Err(io::Error::from_raw_os_error(self.errno))
    }
}

impl Disk for Failing {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if let Err(error) = self.next() {
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(error);
        }
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.next()?;
        file.sync_data()
    }

    fn create_new(&self, path: &Path) -> io::Result<File> {
        self.next()?;
        File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
    }

    fn open_or_create(&self, path: &Path) -> io::Result<File> {
        self.next()?;
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        std::fs::create_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.next()?;
        std::fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.next()?;
        std::fs::hard_link(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        File::open(path)?.sync_all()
    }
}

/// What was told to the world before the fault.
#[derive(Debug, Default)]
struct Told {
    /// Events whose receipts came back.
    events: usize,
    /// Calls that ran.
    acted: BTreeSet<CallId>,
    blobs: Vec<BlobRef>,
    letters: Vec<String>,
    system_events: usize,
    /// How far it came.
    phase: &'static str,
}

/// Appends a batch; a call acts when its start has a receipt, and only then.
fn append(journal: &mut FileJournal, batch: Vec<Event>, told: &mut Told) -> Result<(), Error> {
    let epoch = batch
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::OwnerChanged(owner) => Some(owner.epoch),
            _ => None,
        })
        .next_back();
    let epoch = epoch.unwrap_or(journal.epoch());
    let committed = match block_on(journal.append(epoch, batch)) {
        Ok(committed) => committed,
        Err(error) => {
            assert_eq!(error.next(), Next::Stop, "{error}");
            let again = block_on(journal.append(epoch, vec![notice("after the fault")]));
            assert!(again.is_err(), "a stopped journal goes on: {error}");
            return Err(error);
        }
    };
    for event in committed {
        told.events += 1;
        if let Fact::CallStarted(started) = &event.value().fact {
            told.acted.insert(started.call());
        }
    }
    Ok(())
}

/// A session's life. Everything that writes goes through the disk of `store`.
fn live(store: &Store, told: &mut Told) -> Result<(), Error> {
    let script = finished(session_id(1), "/srv/project", 2);
    let batches: Vec<Vec<Event>> = script.events.chunks(3).map(<[_]>::to_vec).collect();
    let (first, rest) = batches.split_at(batches.len() / 2);

    told.phase = "create";
    let mut owned = store.create(session_id(1), &owner())?;
    told.phase = "append";
    for batch in first {
        append(&mut owned.journal, batch.clone(), told)?;
    }
    told.phase = "blob";
    let blob = block_on(owned.journal.put_blob(b"a large body".to_vec()))?;
    told.blobs.push(blob);
    told.phase = "mailbox";
    let disk = store.edges().disk.as_ref();
    mailbox::put_on(disk, &owned.dir.mailbox(), 5, &prompt("letter", "go"))?;
    told.letters.push("letter".to_owned());
    told.phase = "system log";
    let ended = SystemFact::Stopped(Stopped {
        exit_code: 0,
        stop_reason: None,
        detail: None,
    });
    let run = RunId::from_uuid(session_id(3).uuid());
    let event = SystemEvent::new(1, run, None, ended);
    told.system_events += store.installation().append(vec![event])?.len();

    told.phase = "reopen";
    let path = owned.dir.journal();
    drop(owned);
    let mut torn = File::options().append(true).open(path).unwrap();
    torn.write_all(b"{\"seq\":").unwrap();
    drop(torn);
    let mut owned = store.open(session_id(1), &owner())?;
    told.phase = "append again";
    for batch in rest {
        append(&mut owned.journal, batch.clone(), told)?;
    }
    Ok(())
}

/// On a disk that works again: what was told is there, and the session goes on.
fn check(store: &Store, told: &Told, note: &str) {
    let listed = store.list().expect(note);
    if listed.is_empty() {
        assert_eq!(told.events, 0, "{note}");
    } else {
        let mut owned = store.open(session_id(1), &owner()).expect(note);
        let events = block_on(owned.journal.read(bowline_core::Seq(1))).expect(note);
        assert!(events.len() >= told.events, "{note}: an event was lost");
        assert!(events.len() <= told.events + 3, "{note}: more than a batch");
        let started: BTreeSet<CallId> = events
            .iter()
            .filter_map(|event| match &event.value().fact {
                Fact::CallStarted(started) => Some(started.call()),
                _ => None,
            })
            .collect();
        assert!(told.acted.is_subset(&started), "{note}: an unrecorded act");
        for blob in &told.blobs {
            let found = owned.journal.find_blob(&blob.digest.to_hex()).expect(note);
            let (path, found) = found.expect(note);
            assert_eq!(found, *blob, "{note}");
            verify_blob(&path, blob).expect(note);
        }
        let drained = mailbox::drain(&owned.dir.mailbox()).expect(note);
        assert!(drained.set_aside.is_empty(), "{note}: half a command");
        let keys: Vec<String> = drained
            .commands
            .into_iter()
            .map(|(_, command)| command.key)
            .collect();
        assert!(told.letters.iter().all(|key| keys.contains(key)), "{note}");
        let more = vec![notice("it goes on")];
        let epoch = owned.journal.epoch();
        block_on(owned.journal.append(epoch, more)).expect(note);
    }
    let log = store.installation().read().expect(note);
    assert!(log.events.len() >= told.system_events, "{note}");
    assert!(log.damage.is_empty(), "{note}: {:?}", log.damage);
}

/// A scratch folder in memory, where there is such a place: thousands of real syncs prove nothing.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = tempfile::tempdir_in(memory);
    made.or_else(|_| tempfile::tempdir()).unwrap()
}

fn faulty(home: &Path, disk: &Arc<Failing>) -> Store {
    let disk: Arc<dyn Disk> = Arc::clone(disk) as Arc<dyn Disk>;
    Store::at(home.join("state")).with_edges(Edges {
        disk,
        ..Edges::default()
    })
}

#[test]
fn a_fault_at_every_operation_loses_nothing_and_says_what_it_is() {
    let faults = [
        (28, "the disk is full"),
        (5, "the disk failed"),
        (30, "read-only"),
        (122, "quota is used up"),
    ];
    let (mut points, mut phases) = (0, BTreeSet::new());
    for mode in [Mode::Once, Mode::FromThenOn] {
        for at in 0.. {
            let (errno, words) = faults[at as usize % faults.len()];
            let home = scratch();
            let disk = Failing::new(at, mode, errno);
            let mut told = Told::default();
            let outcome = live(&faulty(home.path(), &disk), &mut told);
            if !disk.failed() {
                outcome.unwrap();
                break;
            }
            let note = format!("{mode:?} at operation {at} ({}): {outcome:?}", told.phase);
            match &outcome {
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains(words), "{note}: {text}");
                    phases.insert(told.phase);
                }
                // The head of the system log is a witness: without it nothing is lost.
                Ok(()) => assert_eq!(mode, Mode::Once, "{note}"),
            }
            check(&Store::at(home.path().join("state")), &told, &note);
            points += 1;
        }
    }
    let all = BTreeSet::from([
        "create",
        "append",
        "blob",
        "mailbox",
        "system log",
        "reopen",
        "append again",
    ]);
    assert_eq!(phases, all);
    assert!(points > 100, "only {points} points");
    writeln!(io::stdout(), "{points} faults, in {phases:?}").unwrap();
}

/// The positive control: a journal that tells before it is durable is caught by the same check.
#[test]
fn telling_before_it_is_durable_is_caught() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    let mut told = Told::default();
    live(&store, &mut told).unwrap();
    let script = finished(session_id(1), "/srv/project", 3);
    let unrecorded = script.events.iter().filter_map(|event| match &event.fact {
        Fact::CallStarted(started) => Some(started.call()),
        _ => None,
    });
    told.acted.extend(unrecorded);
    let caught = std::thread::spawn(move || check(&store, &told, "the broken one")).join();
    let said = *caught.unwrap_err().downcast::<String>().unwrap();
    assert!(said.contains("an unrecorded act"), "{said}");
}
