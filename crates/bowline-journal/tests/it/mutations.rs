//! Thousands of journals that somebody or something changed: whatever alters, removes or hides an
//! acknowledged record is found when the session is opened. Three things tell: the chain, the head
//! file, the index; a mutation takes away at most one of the last two.
//!
//! In CI a sample is tried. `JOURNAL_MUTATIONS=20000 cargo test -p bowline-journal --test it
//! mutations` tries so many; `JOURNAL_MUTATIONS_SEED` gives other ones.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bowline_core::{Event, SessionId, State, apply};
use bowline_journal::record::{Chain, Head, Tail, verify};
use bowline_journal::{Error, Journal as _, Store};

use crate::sample::{block_on, finished, journal_of, notice, owner, session_id};

/// How many are tried in CI.
const SAMPLE: u64 = 800;

/// A small generator of numbers: the same ones for the same seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// A journal as it should be, and everything that mutations are made of.
struct Whole {
    session: SessionId,
    events: Vec<Event>,
    bytes: Vec<u8>,
    lines: Vec<Vec<u8>>,
    /// The chain before each line, and after the last.
    chains: Vec<Chain>,
    /// The lines of another session, and of another history of this one.
    others: [Vec<Vec<u8>>; 2],
}

fn lines_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

impl Whole {
    fn new() -> Self {
        let session = session_id(1);
        let events = finished(session, "/srv/project", 9).events;
        let bytes = journal_of(session, &events).bytes().to_vec();
        let lines = lines_of(&bytes);
        let mut chains = vec![Chain::start(session)];
        for line in &lines {
            let mut chain = *chains.last().unwrap();
            chain.follow(&line[..line.len() - 1]).unwrap();
            chains.push(chain);
        }
        let foreign = finished(session_id(2), "/srv/project", 9).events;
        let foreign = journal_of(session_id(2), &foreign);
        let history = finished(session, "/srv/elsewhere", 9).events;
        let history = journal_of(session, &history);
        let others = [lines_of(foreign.bytes()), lines_of(history.bytes())];
        Self {
            session,
            events,
            bytes,
            lines,
            chains,
            others,
        }
    }

    fn head_at(&self, line: usize) -> Vec<u8> {
        let Chain { seq, hash, .. } = self.chains[line];
        Head { seq, hash }.render(self.session)
    }
}

/// What somebody left of the three files.
struct Mutated {
    kind: &'static str,
    journal: Vec<u8>,
    head: Option<Vec<u8>>,
    with_index: bool,
}

const KINDS: [&str; 12] = [
    "flip",
    "flips",
    "cut",
    "cut at a border",
    "swap",
    "double",
    "hole",
    "spliced from another session",
    "spliced from another history",
    "replaced last record",
    "altered head",
    "rolled back with its head",
];

fn mutate(whole: &Whole, numbers: &mut Numbers) -> Mutated {
    let kind = KINDS[numbers.below(KINDS.len())];
    let count = whole.lines.len();
    let (mut lines, mut bytes) = (whole.lines.clone(), None);
    let mut head = Some(whole.head_at(count));
    let (at, other) = (numbers.below(count), numbers.below(count));
    match kind {
        "flip" | "flips" => {
            let mut flipped = whole.bytes.clone();
            let flips = if kind == "flip" {
                1
            } else {
                2 + numbers.below(6)
            };
            for _ in 0..flips {
                let byte = numbers.below(flipped.len());
                flipped[byte] ^= 1 << numbers.below(8);
            }
            bytes = Some(flipped);
        }
        "cut" => bytes = Some(whole.bytes[..numbers.below(whole.bytes.len())].to_vec()),
        "cut at a border" => lines.truncate(at),
        "swap" => lines.swap(at, other),
        "double" => lines.insert(other, whole.lines[at].clone()),
        "hole" => drop(lines.drain(at.min(other)..=at.max(other).min(at.min(other) + 3))),
        "spliced from another session" | "spliced from another history" => {
            let which = usize::from(kind.ends_with("history"));
            let spliced = &whole.others[which];
            let end = (at + 1 + numbers.below(4)).min(count);
            lines.splice(at..end, spliced[at..end].iter().cloned());
        }
        // Whoever can compute hashes makes a last record that fits the chain.
        "replaced last record" => {
            let mut chain = whole.chains[count - 1];
            let mut forged = Vec::new();
            let text = format!("never happened {}", numbers.next());
            chain.extend(&notice(&text), [7; 16], &mut forged).unwrap();
            *lines.last_mut().unwrap() = forged;
            if numbers.below(2) == 0 {
                let Chain { seq, hash, .. } = chain;
                head = Some(Head { seq, hash }.render(whole.session));
            }
        }
        "altered head" => {
            let text = head.as_mut().unwrap();
            let byte = numbers.below(text.len());
            text[byte] ^= 1 << numbers.below(8);
        }
        // A copy of yesterday: journal and head fit each other.
        _ => {
            lines.truncate(at);
            head = Some(whole.head_at(at));
        }
    }
    // One witness may be gone too, unless the mutation has dealt with the head already.
    let touched_head = head.as_deref() != Some(&whole.head_at(count)[..]);
    let with_index = touched_head || numbers.below(3) > 0;
    if !touched_head && with_index && numbers.below(3) == 0 {
        head = None;
    }
    Mutated {
        kind,
        journal: bytes.unwrap_or_else(|| lines.concat()),
        head,
        with_index,
    }
}

/// How opening what is left went.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It is refused as damaged.
    Damage,
    /// Every acknowledged record is there, as it was.
    Whole,
    /// It is refused for another reason.
    Otherwise(String),
    /// It opens and is not what it was.
    Missed,
}

struct Bench {
    home: tempfile::TempDir,
    store: Store,
    index: Vec<u8>,
}

impl Bench {
    fn new(whole: &Whole) -> Self {
        let made = tempfile::tempdir_in(Path::new("/dev/shm"));
        let home = made.or_else(|_| tempfile::tempdir()).unwrap();
        let store = Store::at(home.path());
        drop(store.create(whole.session, &owner()).unwrap());
        let dir = store.session_dir(whole.session);
        std::fs::write(dir.journal(), &whole.bytes).unwrap();
        let fold = |state, event: &Event| apply(state, event);
        let state = whole.events.iter().fold(State::new(), fold);
        store.update_index(whole.session, &state).unwrap();
        let index = std::fs::read(home.path().join("index.db")).unwrap();
        Self { home, store, index }
    }

    fn open(&self, whole: &Whole, mutated: &Mutated) -> Found {
        let dir = self.store.session_dir(whole.session);
        let index = self.home.path().join("index.db");
        std::fs::write(dir.journal(), &mutated.journal).unwrap();
        let _none = std::fs::remove_file(dir.head());
        if let Some(head) = &mutated.head {
            std::fs::write(dir.head(), head).unwrap();
        }
        let _none = std::fs::remove_file(&index);
        if mutated.with_index {
            std::fs::write(&index, &self.index).unwrap();
        }
        match self.store.open(whole.session, &owner()) {
            Err(Error::Damaged { .. } | Error::Unreadable { .. }) => Found::Damage,
            Err(error) => Found::Otherwise(error.to_string()),
            Ok(owned) => {
                let events = block_on(owned.journal.read(bowline_core::Seq(1))).unwrap();
                let events = events.iter().map(|event| event.value());
                match events.eq(&whole.events) {
                    true => Found::Whole,
                    false => Found::Missed,
                }
            }
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_mutation_of_an_acknowledged_record_is_found() {
    let whole = Whole::new();
    let bench = Bench::new(&whole);
    let seed = number("JOURNAL_MUTATIONS_SEED", 20_261_125);
    let mut numbers = Numbers(seed.max(1));
    let (mut found, mut harmless) = (BTreeMap::<&str, u64>::new(), 0);
    let count = number("JOURNAL_MUTATIONS", SAMPLE);
    for turn in 0..count {
        let mutated = mutate(&whole, &mut numbers);
        let changed = mutated.journal != whole.bytes;
        match bench.open(&whole, &mutated) {
            Found::Damage if changed || mutated.kind == "altered head" => {
                *found.entry(mutated.kind).or_default() += 1;
            }
            Found::Damage => panic!("{}: damage where there is none", mutated.kind),
            Found::Whole => harmless += 1,
            Found::Otherwise(error) => panic!("{}: {error}", mutated.kind),
            Found::Missed => panic!("number {turn}, {}: not found", mutated.kind),
        }
    }
    let all: u64 = found.values().sum();
    let line = format!(
        "{count} mutations, seed {seed}: {all} found, {harmless} changed no acknowledged record; \
         {found:?}"
    );
    writeln!(std::io::stdout(), "{line}").unwrap();
    assert!(all * 10 > count * 8, "{line}");
    let expected = KINDS.iter().filter(|kind| **kind != "altered head");
    for kind in expected {
        assert!(found.contains_key(kind), "{kind} never: {line}");
    }
}

/// The positive control: without head and index the same mutations are not all found.
#[test]
fn without_witnesses_some_mutations_are_missed() {
    let whole = Whole::new();
    let mut numbers = Numbers(20_261_125);
    let mut missed = BTreeMap::<&str, u64>::new();
    for _ in 0..SAMPLE {
        let mutated = mutate(&whole, &mut numbers);
        let verified = verify(whole.session, &mutated.journal, None);
        let accepted = !matches!(verified.tail, Tail::Damaged(_));
        let kept = &mutated.journal[..verified.intact_bytes];
        if accepted && !kept.starts_with(&whole.bytes) {
            *missed.entry(mutated.kind).or_default() += 1;
        }
    }
    for kind in [
        "cut at a border",
        "replaced last record",
        "rolled back with its head",
    ] {
        assert!(missed.contains_key(kind), "{missed:?}");
    }
}
