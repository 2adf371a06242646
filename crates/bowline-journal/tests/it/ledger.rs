//! The ledger over real processes: twenty at once spend under one cap of the day and caps of two
//! projects, some are ended by force anywhere, and nothing is spent beyond; what is left open is
//! settled by what the journals say.

mod crash;
mod damage;
mod evidence;
mod fixture;
mod rates;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bowline_core::amounts::{Amounts, Cap, RateLimits};
use bowline_core::event::TurnStarted;
use bowline_core::{AttemptId, Block, Fact, TurnId, Usage};
use bowline_journal::{Claim, ClaimKey, Disk, Edges, Error, Grant, Journal as _, Ledger, Store};
use uuid::Uuid;

use crate::injection::scratch;
use crate::sample::{Script, block_on, owner, session_id};

const CHILD: &str = "JOURNAL_TEST_LEDGER";
/// How many claims each process makes instead of the sample, such as 200.
const COUNT: &str = "JOURNAL_TEST_LEDGER_CLAIMS";
const PROCESSES: u64 = 20;
const NOON_MS: u64 = 1_767_268_800_000;
const DAY_CAP: u64 = 3_000;
/// A cap that the first claims of the processes pass together.
const LOW_DAY_CAP: u64 = 120;
const PROJECT_CAP: u64 = 1_800;
const MOST_NEED: u64 = 100;

/// A small generator of numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A disk on which nobody is kept away, and on which writing takes long enough for others to come.
struct NoLock;

impl Disk for NoLock {
    fn try_lock(&self, _file: &File) -> io::Result<bool> {
        Ok(true)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(50));
        file.write_all_at(bytes, offset)
    }
}

fn most(tokens: u64) -> Cap {
    Cap {
        tokens: Some(tokens),
        ..Cap::default()
    }
}

fn input(input_tokens: u64) -> Amounts {
    Amounts {
        input_tokens,
        ..Amounts::ZERO
    }
}

fn project(number: u64) -> String {
    format!("/srv/project-{}", number % 2)
}

fn claim(attempt: AttemptId, number: u64, at_ms: u64, need: u64, day_cap: u64) -> Claim {
    Claim {
        key: ClaimKey::Attempt(attempt),
        session: session_id(number),
        project: project(number),
        at_ms,
        amounts: input(need),
        project_cap: most(PROJECT_CAP),
        day_cap: most(day_cap),
        rates: RateLimits::default(),
    }
}

/// How the processes of one run work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As they should; the whole history stays in one file.
    Whole,
    /// As they should, in a file that is often begun anew.
    Rotating,
    /// As they should, under a low cap.
    Low,
    /// Without the lock, under a low cap.
    Broken,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Whole, Self::Rotating, Self::Low, Self::Broken];

    fn store(self, home: &str) -> Store {
        let store = Store::at(home);
        let edges = |disk: Arc<dyn Disk>| Edges {
            disk,
            ..Edges::default()
        };
        match self {
            Self::Broken => store.with_edges(edges(Arc::new(NoLock))),
            Self::Whole | Self::Rotating | Self::Low => store,
        }
    }

    const fn day_cap(self) -> u64 {
        match self {
            Self::Whole | Self::Rotating => DAY_CAP,
            Self::Low | Self::Broken => LOW_DAY_CAP,
        }
    }

    fn ledger(self, home: &str) -> Ledger {
        let bytes = match self {
            Self::Rotating => 12_000,
            Self::Whole | Self::Low | Self::Broken => u64::MAX,
        };
        self.store(home).ledger().rotated_at(bytes)
    }
}

/// One of the processes that spend. Does nothing unless a test below started it.
#[test]
fn child_that_spends() {
    let Ok(asked) = std::env::var(CHILD) else {
        return;
    };
    let mut words = asked.splitn(4, ' ');
    let mut number = || words.next().unwrap().parse::<u64>().unwrap();
    let (mode, number, claims) = (number(), number(), number());
    let mode = Mode::ALL[usize::try_from(mode).unwrap()];
    let home = words.next().unwrap();
    let say = |text: &str| {
        let mut out = io::stdout();
        writeln!(out, "\nledger {text}").unwrap();
        out.flush().unwrap();
    };
    match spend(mode, home, number, claims, &say) {
        Ok(()) => say("done 0"),
        Err(error) => say(&format!("failed {error}")),
    }
}

fn spend(
    mode: Mode,
    home: &str,
    number: u64,
    claims: u64,
    say: &dyn Fn(&str),
) -> Result<(), Error> {
    // A journal has one owner; only the ledger is without a lock in the broken run.
    let store = Mode::Whole.store(home);
    let ledger = mode.ledger(home);
    let mut numbers = Numbers(number * 7_919 + 1);
    let session = session_id(number);
    let mut journal = store.create(session, &owner())?.journal;
    let mut script = Script::begin(session, &project(number), "spend");
    let mut written = 0;
    let mut append = |script: &Script| {
        let batch = script.events[written..].to_vec();
        written = script.events.len();
        block_on(journal.append(script.state.epoch(), batch)).map(drop)
    };
    append(&script)?;
    say("ready 0");
    io::stdin().lines().next().unwrap().unwrap();
    let mut turns = 1;
    for place in 0..claims {
        let need = 1 + numbers.below(MOST_NEED);
        let mut next = script.clone();
        let attempt = next.attempt();
        say("asks 0");
        let claim = claim(attempt, number, NOON_MS + place, need, mode.day_cap());
        if ledger.reserve(&claim)? != Grant::Reserved {
            say("refused 0");
            continue;
        }
        say(&format!("granted {need}"));
        script = next;
        append(&script)?;
        say("recorded 0");
        let took = numbers.below(need + 1);
        let usage = Usage {
            input_tokens: took,
            ..Usage::default()
        };
        let text = "done".to_owned();
        script.replied(attempt, vec![Block::Text { text }], usage);
        script.end();
        turns += 1;
        script.ask(&format!("prompt-{turns}"), "again");
        let turn = TurnId(turns);
        script.push(Fact::TurnStarted(TurnStarted { turn }));
        append(&script)?;
        say(&format!("replied {}", need - took));
        // Some settlements are lost: the journal tells.
        if numbers.below(6) > 0 {
            ledger.settle(claim.key, input(took), NOON_MS + 500)?;
        }
        let view = ledger.view()?;
        assert!(mode == Mode::Broken || total(&view.day(NOON_MS).taken()) <= mode.day_cap());
    }
    Ok(())
}

const fn total(amounts: &Amounts) -> u64 {
    amounts.total_tokens()
}

/// What one process said it had in the end, at the least, and how it ended.
struct Said {
    granted: u64,
    killed: bool,
    failed: Option<String>,
}

/// Starts a process and listens; ends it by force at its line `kill_at`, wherever it is by then.
/// It begins to claim when `go` returns.
fn listen(
    mode: Mode,
    home: &str,
    (number, claims): (u64, u64),
    kill_at: Option<u64>,
    go: impl Fn(),
) -> Said {
    let place = Mode::ALL.iter().position(|one| *one == mode).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::child_that_spends", "--nocapture"])
        .env(CHILD, format!("{place} {number} {claims} {home}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Said {
        granted: 0,
        killed: false,
        failed: None,
    };
    let (mut ended, mut last) = (false, 0);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let words = lines.filter_map(|line| Some(line.strip_prefix("ledger ")?.to_owned()));
    for (place, words) in (0..).zip(words) {
        let (word, rest) = words.split_once(' ').unwrap();
        match word {
            "granted" => last = rest.parse::<u64>().unwrap(),
            "replied" => {
                said.granted += last - rest.parse::<u64>().unwrap();
                last = 0;
            }
            "ready" => {
                go();
                writeln!(child.stdin.take().unwrap(), "go").unwrap();
            }
            "done" => ended = true,
            "failed" => said.failed = Some(rest.to_owned()),
            _ => {}
        }
        if kill_at == Some(place) {
            child.kill().unwrap();
            said.killed = true;
        }
    }
    if !said.killed {
        said.granted += last;
    }
    let status = child.wait().unwrap();
    assert!(ended || said.killed || said.failed.is_some(), "{status}");
    said
}

/// Runs twenty processes at once; of those that may be killed, each is followed by another.
fn storm(mode: Mode, home: &str, seed: u64) -> Vec<Said> {
    let asked = std::env::var(COUNT).ok().and_then(|text| text.parse().ok());
    let claims: u64 = asked.unwrap_or(12);
    let together = Barrier::new(usize::try_from(PROCESSES).unwrap());
    let one = &|thread: u64| {
        let mut numbers = Numbers(seed + thread * 104_729);
        let may_die = mode.day_cap() == DAY_CAP && numbers.below(2) == 0;
        let kill_at = may_die.then(|| 1 + numbers.below(claims * 4));
        let first = listen(mode, home, (thread, claims), kill_at, || {
            together.wait();
        });
        let mut said = vec![first];
        if may_die {
            let number = thread + PROCESSES;
            said.push(listen(mode, home, (number, claims), None, || ()));
        }
        said
    };
    std::thread::scope(|scope| {
        let threads = (1..=PROCESSES).map(|thread| scope.spawn(move || one(thread)));
        let threads: Vec<_> = threads.collect();
        let said = threads.into_iter().map(|thread| thread.join().unwrap());
        said.flatten().collect()
    })
}

/// Follows the history in the file and checks every prefix of it; gives how many claims there were.
fn check_history(ledger: &Ledger) -> usize {
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    let mut claims = std::collections::BTreeMap::new();
    let tokens = |amounts: &serde_json::Value| amounts["input_tokens"].as_u64().unwrap_or(0);
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let (kind, data) = (&record["body"]["kind"], &record["body"]["data"]);
        let key = data["key"]["attempt"].as_str().unwrap_or("").to_owned();
        match kind.as_str().unwrap() {
            "Reserved" => {
                let project = data["project"].as_str().unwrap().to_owned();
                let was = claims.insert(key, (project, tokens(&data["amounts"])));
                assert!(was.is_none(), "{line}");
            }
            "Settled" => claims.get_mut(&key).unwrap().1 = tokens(&data["amounts"]),
            other => assert_eq!(other, "OwnerLost"),
        }
        let sum = |counts: &dyn Fn(&str) -> bool| -> u64 {
            let counted = claims.values().filter(|(project, _)| counts(project));
            counted.map(|(_, tokens)| tokens).sum()
        };
        assert!(sum(&|_| true) <= DAY_CAP, "{line}");
        for number in 0..2 {
            assert!(
                sum(&|name| name == project(number)) <= PROJECT_CAP,
                "{line}"
            );
        }
    }
    claims.len()
}

/// Compares the ledger with the journals: what has an outcome took that, what is recorded without
/// one is open, and nothing else is.
fn check_evidence(store: &Store, ledger: &Ledger) {
    let (mut spent, mut open) = (0, BTreeSet::new());
    for session in store.list().unwrap() {
        let intact = store.read_only(session).unwrap().read_intact().unwrap();
        for recorded in intact.events {
            match recorded.event.fact {
                Fact::AttemptReserved(reserved) => {
                    open.insert(ClaimKey::Attempt(reserved.attempt()));
                }
                Fact::ModelReplied(replied) => {
                    open.remove(&ClaimKey::Attempt(replied.attempt));
                    spent += replied.usage.unwrap().total_tokens();
                }
                _ => {}
            }
        }
    }
    let view = ledger.view().unwrap();
    let found: BTreeSet<ClaimKey> = view.open().map(|claim| claim.key).collect();
    assert_eq!(found, open);
    assert!(view.open().all(|claim| claim.end_found_ms.is_some()));
    assert_eq!(total(&view.day(NOON_MS).spent), spent);
}

#[test]
fn twenty_processes_at_once_never_pass_a_cap() {
    for (mode, seed) in [(Mode::Whole, 1), (Mode::Rotating, 2)] {
        let home = scratch();
        let home = home.path().join("state");
        let home = home.to_str().unwrap();
        let said = storm(mode, home, seed);
        let failed: Vec<_> = said.iter().filter_map(|said| said.failed.clone()).collect();
        assert_eq!(failed, Vec::<String>::new());
        let granted: u64 = said.iter().map(|said| said.granted).sum();
        assert!(granted <= DAY_CAP, "{granted}");
        let (store, ledger) = (mode.store(home), mode.ledger(home));
        ledger.reconcile(NOON_MS + 900).unwrap();
        check_evidence(&store, &ledger);
        let claims = (mode == Mode::Whole).then(|| check_history(&ledger));

        // What is left can be claimed to the last token, and not one more.
        let view = ledger.view().unwrap();
        let left = DAY_CAP - total(&view.day(NOON_MS).taken());
        let attempt = |number| AttemptId::from_uuid(Uuid::from_u128(number));
        let last = |number, need| Claim {
            project: "/srv/elsewhere".to_owned(),
            ..claim(attempt(number), 999, NOON_MS + 901, need, DAY_CAP)
        };
        let refused = ledger.reserve(&last(1, left + 1)).unwrap();
        assert!(matches!(refused, Grant::Exceeds { .. }), "{refused:?}");
        assert_eq!(ledger.reserve(&last(2, left)).unwrap(), Grant::Reserved);
        let killed = said.iter().filter(|said| said.killed).count();
        println!(
            "{} processes, {killed} ended by force, {claims:?} claims in one file; {granted} \
             tokens taken at least, {left} left of {DAY_CAP}, {} open",
            said.len(),
            view.open().count(),
        );
        assert!(killed > 3);
    }
}

/// The positive control: without the lock the same processes are granted more than there is.
#[test]
fn without_the_lock_the_same_processes_pass_it() {
    for (mode, holds) in [(Mode::Low, true), (Mode::Broken, false)] {
        let home = scratch();
        let home = home.path().join("state");
        let said = storm(mode, home.to_str().unwrap(), 3);
        let granted: u64 = said.iter().map(|said| said.granted).sum();
        println!("{granted} tokens granted of {LOW_DAY_CAP}");
        assert_eq!(granted <= LOW_DAY_CAP, holds, "{granted}");
    }
}
