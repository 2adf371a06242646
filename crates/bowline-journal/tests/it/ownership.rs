//! One owner at a time, across real processes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use bowline_core::Epoch;
use bowline_journal::{Error, Journal as _, Next, Owner, Store};

use crate::sample::{block_on, notice, owner, session_id};

pub(crate) const CHILD_HOME: &str = "JOURNAL_TEST_OWNER_HOME";

/// How the test binary is told to be that other process.
pub(crate) const CHILD: [&str; 3] = [
    "--exact",
    "ownership::child_that_owns_a_session",
    "--nocapture",
];

/// The other half of the tests below: owns the session until its stdin ends. Does nothing unless
/// it was started by one of them.
#[test]
fn child_that_owns_a_session() {
    let Ok(home) = std::env::var(CHILD_HOME) else {
        return;
    };
    let held = Store::at(home).open(session_id(1), &owner());
    let mut out = std::io::stdout();
    match &held {
        Ok(_) => writeln!(out, "\nheld").unwrap(),
        Err(error) => writeln!(out, "\nrefused: {error}").unwrap(),
    }
    out.flush().unwrap();
    let _end = std::io::stdin().lines().count();
}

pub(crate) struct Other(pub(crate) Child);

impl Other {
    /// Starts a process that tries to own the session, and waits for its first word.
    pub(crate) fn start(store: &Store) -> (Self, String) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self::begin(command.args(CHILD).env(CHILD_HOME, store.home()))
    }

    /// The same, by a command of the caller's.
    pub(crate) fn begin(command: &mut Command) -> (Self, String) {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("held") || line.starts_with("refused"));
        (Self(child), said.unwrap())
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(told.success());
    }

    /// Lets it go by itself.
    pub(crate) fn leave(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    drop(store.create(session_id(1), &owner()).unwrap());
    (home, store)
}

#[test]
fn a_second_process_cannot_own_a_session_until_the_first_is_gone() {
    let (_home, store) = store();
    assert_eq!(store.owner(session_id(1)).unwrap(), None);
    let (other, said) = Other::start(&store);
    assert_eq!(said, "held");

    let error = store.open(session_id(1), &owner()).unwrap_err();
    let Error::Owned {
        session,
        owner: Some(by),
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(*session, session_id(1));
    assert_eq!((by.pid, by.since_ms), (other.0.id(), owner().since_ms));
    assert!(error.to_string().contains(&other.0.id().to_string()));
    assert!(matches!(error.next(), Next::Retry { .. }));
    assert!(matches!(
        store.delete(session_id(1), &owner()),
        Err(Error::Owned { .. })
    ));
    let held = store.owner(session_id(1)).unwrap().unwrap();
    assert_eq!(held.owner.unwrap().pid, other.0.id());
    assert!(
        store
            .read_only(session_id(1))
            .unwrap()
            .read_intact()
            .is_ok(),
        "reading needs no lock"
    );

    drop(other);
    store.open(session_id(1), &owner()).unwrap();
}

#[test]
fn a_session_owned_here_is_refused_there() {
    let (_home, store) = store();
    let mut owned = store.open(session_id(1), &owner()).unwrap();
    let (_other, said) = Other::start(&store);
    assert!(said.starts_with("refused: session"), "{said}");
    assert!(matches!(
        store.open(session_id(1), &owner()),
        Err(Error::Owned { .. })
    ));
    block_on(owned.journal.append(Epoch(0), vec![notice("still mine")])).unwrap();
    // The folder and what was found may be dropped: the journal alone keeps the lock.
    let journal = owned.journal;
    assert!(matches!(
        store.open(session_id(1), &owner()),
        Err(Error::Owned { .. })
    ));
    drop(journal);
    store.open(session_id(1), &owner()).unwrap();
}

/// What the lock file says is for messages: garbage in it harms nothing.
#[test]
fn garbage_in_the_lock_file_is_no_owner() {
    let (_home, store) = store();
    let path = store.session_dir(session_id(1)).lock();
    std::fs::write(&path, b"\xff\xfe not json").unwrap();
    let owned = store.open(session_id(1), &owner()).unwrap();
    std::fs::write(&path, b"{\"pid\":").unwrap();
    let error = store.open(session_id(1), &owner()).unwrap_err();
    assert!(matches!(error, Error::Owned { owner: None, .. }), "{error}");
    drop(owned);
    let other = Owner {
        pid: 1,
        since_ms: 2,
        app_version: "3".to_owned(),
        command: "exec".to_owned(),
        terminal: String::new(),
    };
    let _owned = store.open(session_id(1), &other).unwrap();
    assert_eq!(
        store.owner(session_id(1)).unwrap().unwrap().owner,
        Some(other)
    );
}

/// The fence: who lost the lock file, or finds another journal than it left, appends nothing.
#[test]
fn an_owner_that_was_overtaken_appends_nothing() {
    type Meddle = fn(&Store);
    let journal = |store: &Store| store.session_dir(session_id(1)).journal();
    let cases: [(&str, Meddle, &str); 5] = [
        (
            "the lock file is gone",
            |store| std::fs::remove_file(store.session_dir(session_id(1)).lock()).unwrap(),
            "lock file",
        ),
        (
            "the lock file is another one",
            |store| {
                let lock = store.session_dir(session_id(1)).lock();
                std::fs::remove_file(&lock).unwrap();
                std::fs::write(&lock, "").unwrap();
            },
            "lock file",
        ),
        (
            "somebody appended",
            |store| {
                let path = store.session_dir(session_id(1)).journal();
                let mut file = std::fs::File::options().append(true).open(path).unwrap();
                file.write_all(b"x").unwrap();
            },
            "another program wrote",
        ),
        (
            "somebody cut it",
            |store| {
                let path = store.session_dir(session_id(1)).journal();
                let file = std::fs::File::options().write(true).open(path).unwrap();
                file.set_len(file.metadata().unwrap().len() - 1).unwrap();
            },
            "another program wrote",
        ),
        (
            "somebody replaced it",
            |store| {
                let path = store.session_dir(session_id(1)).journal();
                let copy = path.with_extension("copy");
                std::fs::copy(&path, &copy).unwrap();
                std::fs::rename(&copy, &path).unwrap();
            },
            "replaced by another",
        ),
    ];
    for (what, meddle, word) in cases {
        let (_home, store) = store();
        let mut owned = store.open(session_id(1), &owner()).unwrap();
        block_on(owned.journal.append(Epoch(0), vec![notice("mine")])).unwrap();
        meddle(&store);
        let before = std::fs::read(journal(&store)).unwrap();
        let error = block_on(owned.journal.append(Epoch(0), vec![notice("late")])).unwrap_err();
        assert!(matches!(error, Error::Stopped { .. }), "{what}: {error}");
        assert!(error.to_string().contains(word), "{what}: {error}");
        assert_eq!(error.next(), Next::Stop);
        let again = block_on(owned.journal.append(Epoch(0), vec![notice("later")]));
        assert!(again.is_err(), "{what}: stopped for good");
        assert_eq!(std::fs::read(journal(&store)).unwrap(), before, "{what}");
    }
}

/// With the lock file removed a second owner comes in: only one of the two goes on, in its own epoch.
#[test]
fn two_owners_after_a_lost_lock_file_do_not_interleave() {
    let (_home, store) = store();
    let mut old = store.open(session_id(1), &owner()).unwrap();
    block_on(old.journal.append(Epoch(0), vec![notice("old")])).unwrap();
    std::fs::remove_file(store.session_dir(session_id(1)).lock()).unwrap();
    let mut new = store.open(session_id(1), &owner()).unwrap();
    block_on(new.journal.append(Epoch(0), vec![notice("new")])).unwrap();
    let late = block_on(old.journal.append(Epoch(0), vec![notice("late")]));
    assert!(matches!(late, Err(Error::Stopped { .. })));
    block_on(new.journal.append(Epoch(0), vec![notice("newer")])).unwrap();
    drop((old, new));
    let opened = store.open(session_id(1), &owner()).unwrap().opened;
    assert_eq!((opened.last_seq.0, opened.dropped_bytes), (3, 0));
}
