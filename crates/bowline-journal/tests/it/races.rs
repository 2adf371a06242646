//! Many races of two processes for one session: one owner each time.
//!
//! Both are started, told to go by one line each, one right after the other, and say by the clock
//! of the machine when they asked for the lock. They raced if these moments are at most
//! [`TOGETHER`] apart. Whoever owns the session takes it over and appends event by event until the
//! race is over; then the whole journal is read back.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bowline_core::event::OwnerChanged;
use bowline_core::{Epoch, Event, Fact};
use bowline_journal::{Error, Journal as _, Store};

use crate::sample::{block_on, notice, owner, session_id};

const CHILD_HOME: &str = "JOURNAL_TEST_RACE_HOME";
/// How many races are run instead of the sample, such as 1000. On a machine that is busy with other
/// work the two seldom get a processor at the same moment: then more are run, until nine tenths of
/// this number have reached the lock together.
const COUNT: &str = "JOURNAL_TEST_RACES";
/// So many times the number are run at most.
const MOST_TIMES: u64 = 40;
/// So close two attempts are counted as reaching the lock together.
const TOGETHER: Duration = Duration::from_millis(1);
/// Races for one session; then comes the next, so that opening stays quick.
const PER_SESSION: u64 = 50;
/// Batches that a winner appends in a race.
const BATCHES: u64 = 5;

fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}

/// One of the two racers. Does nothing unless the test below started it.
#[test]
fn child_that_races() {
    let Ok(home) = std::env::var(CHILD_HOME) else {
        return;
    };
    let store = Store::at(home);
    let say = |text: String| {
        let mut out = std::io::stdout();
        writeln!(out, "\nrace {text}").unwrap();
        out.flush().unwrap();
    };
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    say("ready".to_owned());
    while let Some(session) = lines.next() {
        let session = session_id(session.parse().unwrap());
        let asked = now_us();
        match store.open(session, &owner()) {
            Ok(mut owned) => {
                let epoch = owned.journal.epoch().next();
                let taken = Fact::OwnerChanged(OwnerChanged {
                    epoch,
                    pid: std::process::id(),
                    app_version: "0".to_owned(),
                });
                let batch = vec![Event::new(0, taken)];
                block_on(owned.journal.append(epoch, batch)).unwrap();
                for _ in 0..BATCHES {
                    let batch = vec![notice(&format!("{epoch} {}", std::process::id()))];
                    block_on(owned.journal.append(epoch, batch)).unwrap();
                }
                say(format!("held {asked} {epoch}"));
                // Told when both have spoken.
                lines.next();
            }
            Err(Error::Owned { owner, .. }) => {
                let by = owner.map_or(0, |owner| owner.pid);
                say(format!("refused {asked} {by}"));
            }
            Err(error) => panic!("{error}"),
        }
        say("done".to_owned());
    }
}

struct Racer {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What a racer said about one race.
#[derive(Debug)]
struct Said {
    held: bool,
    asked_us: u64,
    /// The epoch of a winner; who a loser says has it.
    number: u64,
}

impl Racer {
    fn start(store: &Store) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "races::child_that_races", "--nocapture"])
            .env(CHILD_HOME, store.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut racer = Self {
            stdin: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        };
        assert_eq!(racer.word(), "ready");
        racer
    }

    fn word(&mut self) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let said = lines.find_map(|line| Some(line.strip_prefix("race ")?.to_owned()));
        said.unwrap()
    }

    fn tell(&mut self, text: &str) {
        self.stdin.write_all(text.as_bytes()).unwrap();
    }

    fn said(&mut self) -> Said {
        let word = self.word();
        let mut words = word.split(' ');
        let held = words.next().unwrap() == "held";
        let mut number = || words.next().unwrap().parse().unwrap();
        Said {
            held,
            asked_us: number(),
            number: number(),
        }
    }
}

/// Runs one race; says how far apart the two asked.
fn race(racers: &mut [Racer; 2], session: u64) -> Duration {
    let go = format!("{session}\n");
    for racer in racers.iter_mut() {
        racer.tell(&go);
    }
    let said = racers.each_mut().map(Racer::said);
    let winner = said.iter().position(|said| said.held).unwrap();
    let (won, lost) = (&said[winner], &said[1 - winner]);
    assert!(!lost.held, "two owners at once: {said:?}");
    let pids = racers.each_ref().map(|racer| u64::from(racer.child.id()));
    // A loser may look before the winner has signed: then it names whoever signed last.
    assert!(pids.contains(&lost.number) || lost.number == u64::from(std::process::id()));
    racers[winner].tell("leave\n");
    for racer in racers {
        assert_eq!(racer.word(), "done");
    }
    Duration::from_micros(won.asked_us.abs_diff(lost.asked_us))
}

/// Reads a raced session back: each epoch is one unbroken run of records of one process.
fn check(store: &Store, session: u64, races: u64) {
    let intact = store.read_only(session_id(session)).unwrap();
    let intact = intact.read_intact().unwrap();
    assert!(intact.finding.is_none() && intact.torn_bytes == 0);
    assert_eq!(intact.events.len() as u64, races * (1 + BATCHES));
    let mut expect = String::new();
    for (place, recorded) in (0..).zip(&intact.events) {
        let epoch = Epoch(place / (1 + BATCHES) + 1);
        assert_eq!(recorded.receipt.epoch, epoch, "record {place}");
        let said = match &recorded.event.fact {
            Fact::OwnerChanged(taken) => {
                assert_eq!((place % (1 + BATCHES), taken.epoch), (0, epoch));
                expect = format!("{epoch} {}", taken.pid);
                expect.clone()
            }
            Fact::NoticeAdded(notice) => notice.text.text().to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(said, expect, "record {place}");
    }
}

#[test]
fn two_processes_race_for_a_session_and_one_owns_it_each_time() {
    let asked = std::env::var(COUNT).ok().and_then(|text| text.parse().ok());
    let count: u64 = asked.unwrap_or(30);
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    let create = |session| drop(store.create(session_id(session), &owner()).unwrap());
    let mut racers = [Racer::start(&store), Racer::start(&store)];
    let mut apart: Vec<Duration> = Vec::new();
    let mut together = 0;
    let mut races = 0;
    while races < count || (together * 10 < count * 9 && races < count * MOST_TIMES) {
        if races % PER_SESSION == 0 {
            create(races / PER_SESSION + 1);
        }
        let gap = race(&mut racers, races / PER_SESSION + 1);
        together += u64::from(gap <= TOGETHER);
        apart.push(gap);
        races += 1;
    }
    for session in 1..=races.div_ceil(PER_SESSION) {
        let before = (session - 1) * PER_SESSION;
        check(&store, session, PER_SESSION.min(races - before));
    }
    for mut racer in racers {
        drop(racer.stdin);
        assert!(racer.child.wait().unwrap().success());
    }
    apart.sort_unstable();
    println!(
        "{races} races, {together} reached the lock within {TOGETHER:?}; median {:?} apart, most \
         {:?}; one owner each time, {races} epochs unbroken",
        apart[apart.len() / 2],
        apart[apart.len() - 1],
    );
    assert!(together * 10 >= count * 9, "{together} of {races} raced");
}
