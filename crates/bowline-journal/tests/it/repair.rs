//! A damaged journal is repaired: the intact records stay, the rest is told and kept aside.

use std::sync::Arc;

use bowline_core::{Event, Seq, State};
use bowline_journal::{Damage, Edges, Error, Journal as _, Store};

use crate::sample::{Script, block_on, finished, journal_of, notice, owner, session_id};

struct Bench {
    _home: tempfile::TempDir,
    store: Store,
    script: Script,
    lines: Vec<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::at(home.path().join("state"));
        let script = finished(session_id(1), "/srv/project", 4);
        let whole = journal_of(session_id(1), &script.events);
        drop(store.create(session_id(1), &owner()).unwrap());
        let dir = store.session_dir(session_id(1));
        let head = whole.synced().unwrap().render(session_id(1));
        std::fs::write(dir.head(), head).unwrap();
        std::fs::write(dir.journal(), whole.bytes()).unwrap();
        let lines = whole.bytes().split_inclusive(|&byte| byte == b'\n');
        Self {
            _home: home,
            store,
            script,
            lines: lines.map(<[u8]>::to_vec).collect(),
        }
    }

    fn write(&self, bytes: &[u8]) {
        let path = self.store.session_dir(session_id(1)).journal();
        std::fs::write(path, bytes).unwrap();
    }

    fn read(&self) -> Vec<u8> {
        std::fs::read(self.store.session_dir(session_id(1)).journal()).unwrap()
    }
}

fn told(damage: &Damage, state: &State) -> Vec<Event> {
    assert!(state.session().is_some());
    vec![notice(&format!("{} records lost", damage.lost_records()))]
}

#[test]
fn nothing_is_repaired_where_nothing_is_wrong() {
    let bench = Bench::new();
    let before = bench.read();
    assert_eq!(bench.store.damage_of(session_id(1)).unwrap(), None);
    let repaired = bench.store.repair(session_id(1), &owner(), &told).unwrap();
    assert_eq!(repaired, None);
    // A torn tail is no damage: it was never acknowledged.
    bench.write(&[&before[..], b"{\"seq\":"].concat());
    assert_eq!(bench.store.damage_of(session_id(1)).unwrap(), None);
}

/// How a journal of 27 records is damaged, and how many records are kept, dropped, lost.
type Damaging = (&'static str, fn(&Bench) -> Vec<u8>, u64, u64, u64);

fn damages() -> [Damaging; 6] {
    [
        (
            "flip in a body",
            |bench| {
                let mut bytes = bench.lines.concat();
                let before: usize = bench.lines[..20].iter().map(Vec::len).sum();
                let at = before + bench.lines[20].len() - 4;
                bytes[at] ^= 1;
                bytes
            },
            20,
            7,
            7,
        ),
        (
            "flip in a hash",
            |bench| {
                let mut bytes = bench.lines.concat();
                let before: usize = bench.lines[..20].iter().map(Vec::len).sum();
                bytes[before + 60] ^= 1;
                bytes
            },
            20,
            7,
            7,
        ),
        ("cut", |bench| bench.lines[..15].concat(), 15, 0, 12),
        (
            "hole",
            |bench| [bench.lines[..9].concat(), bench.lines[10..].concat()].concat(),
            9,
            17,
            18,
        ),
        (
            "doubled",
            |bench| [bench.lines[..10].concat(), bench.lines[9..].concat()].concat(),
            10,
            18,
            17,
        ),
        (
            "rubbish in the middle",
            |bench| {
                let rubbish = b"rubbish\n\xff\xfe\n".to_vec();
                [
                    bench.lines[..12].concat(),
                    rubbish,
                    bench.lines[12..].concat(),
                ]
                .concat()
            },
            12,
            17,
            15,
        ),
    ]
}

#[test]
fn a_repair_keeps_the_prefix_and_tells_the_rest() {
    for damaging in damages() {
        is_repaired(damaging);
    }
}

fn is_repaired((what, damage, kept, dropped, lost): Damaging) {
    let bench = Bench::new();
    let bytes = damage(&bench);
    bench.write(&bytes);
    bench.store.open(session_id(1), &owner()).unwrap_err();

    let (plan, state) = bench.store.damage_of(session_id(1)).unwrap().unwrap();
    assert_eq!(bench.read(), bytes, "{what}: a look changes nothing");
    assert_eq!(plan.kept_seq, Seq(kept), "{what}");
    assert_eq!(plan.dropped_lines, dropped, "{what}");
    assert_eq!(plan.lost_records(), lost, "{what}");
    assert_eq!(plan.kept_bytes + plan.dropped_bytes, bytes.len() as u64);
    assert!(!plan.what.is_empty());
    assert_eq!(state.misfits(), 0);

    let repaired = bench.store.repair(session_id(1), &owner(), &told);
    let repaired = repaired.unwrap().unwrap();
    assert_eq!(repaired.damage, plan, "{what}");
    assert_eq!(std::fs::read(&repaired.kept_as).unwrap(), bytes, "{what}");
    let name = repaired.kept_as.file_name().unwrap();
    assert_eq!(name, "journal.jsonl.damaged-1");

    let mut owned = bench.store.open(session_id(1), &owner()).unwrap();
    assert_eq!(owned.opened.last_seq, Seq(kept + 1), "{what}");
    assert_eq!(
        (owned.opened.dropped_bytes, owned.opened.resynced_records),
        (0, 0)
    );
    let events = block_on(owned.journal.read(Seq(1))).unwrap();
    let (last, before) = events.split_last().unwrap();
    let before = before.iter().map(|event| event.value());
    assert!(before.eq(&bench.script.events[..kept as usize]), "{what}");
    assert_eq!(*last.value(), notice(&format!("{lost} records lost")));
    let epoch = owned.journal.epoch();
    block_on(owned.journal.append(epoch, vec![notice("it goes on")])).unwrap();
    drop(owned);
    assert_eq!(bench.store.damage_of(session_id(1)).unwrap(), None);
}

/// What is dropped is named as far as it can be read, even when it proves nothing.
#[test]
fn dropped_records_are_named_by_what_they_say() {
    let bench = Bench::new();
    let mut bytes = bench.lines.concat();
    let before: usize = bench.lines[..24].iter().map(Vec::len).sum();
    bytes[before + 40] = b'0';
    bytes[before + 41] = b'0';
    bench.write(&bytes);
    let (plan, _) = bench.store.damage_of(session_id(1)).unwrap().unwrap();
    let kinds: Vec<(u64, &str)> = plan
        .dropped
        .iter()
        .map(|dropped| (dropped.seq.unwrap().0, dropped.kind.as_str()))
        .collect();
    let said = [
        (25, "AttemptReserved"),
        (26, "ModelReplied"),
        (27, "TurnEnded"),
    ];
    assert_eq!(kinds, said);
    assert!(plan.dropped.iter().all(|dropped| dropped.is_whole));
}

/// What the index has seen is known to be lost, and no reason to refuse the repaired journal.
#[test]
fn the_index_tells_of_records_that_were_cut_with_their_head() {
    let bench = Bench::new();
    let dir = bench.store.session_dir(session_id(1));
    let state = &bench.script.state;
    bench.store.update_index(session_id(1), state).unwrap();
    bench.write(&bench.lines[..20].concat());
    std::fs::remove_file(dir.head()).unwrap();
    let error = bench.store.open(session_id(1), &owner()).unwrap_err();
    assert!(error.to_string().contains("sessions repair"), "{error}");
    let repaired = bench.store.repair(session_id(1), &owner(), &told);
    let damage = repaired.unwrap().unwrap().damage;
    assert_eq!((damage.kept_seq, damage.lost_records()), (Seq(20), 7));
    let opened = bench.store.open(session_id(1), &owner()).unwrap().opened;
    assert_eq!(opened.last_seq, Seq(21));
    // Damaged again, it is repaired again, and both damaged files stay.
    bench.write(&bench.lines[..10].concat());
    let repaired = bench.store.repair(session_id(1), &owner(), &told);
    let kept_as = repaired.unwrap().unwrap().kept_as;
    assert!(kept_as.ends_with("journal.jsonl.damaged-2"));
}

#[test]
fn a_session_with_nothing_left_or_an_owner_is_not_repaired() {
    let bench = Bench::new();
    bench.write(b"rubbish\n");
    let error = bench.store.repair(session_id(1), &owner(), &told);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("sessions delete"), "{error}");
    assert_eq!(bench.read(), b"rubbish\n");

    let bench = Bench::new();
    let owned = bench.store.open(session_id(1), &owner()).unwrap();
    bench.write(&bench.lines[..15].concat());
    let error = bench.store.repair(session_id(1), &owner(), &told);
    assert!(matches!(error, Err(Error::Owned { .. })));
    drop(owned);
}

/// A fault at every operation of a repair leaves a session that is repaired at the second try.
#[test]
fn a_repair_that_was_cut_short_is_done_again() {
    use crate::injection::{Failing, Mode};
    for at in 0.. {
        let bench = Bench::new();
        let bytes = bench.lines[..15].concat();
        bench.write(&bytes);
        let disk = Failing::new(at, Mode::FromThenOn, 28);
        let edges = Edges {
            disk: Arc::clone(&disk) as Arc<dyn bowline_journal::Disk>,
            ..Edges::default()
        };
        let faulty = bench.store.clone().with_edges(edges);
        let first = faulty.repair(session_id(1), &owner(), &told);
        if !disk.failed() {
            first.unwrap().unwrap();
            assert!(at > 5, "a repair of {at} operations");
            break;
        }
        let error = first.unwrap_err().to_string();
        assert!(error.contains("the disk is full"), "{at}: {error}");
        bench.store.repair(session_id(1), &owner(), &told).unwrap();
        let owned = bench.store.open(session_id(1), &owner()).unwrap();
        let events = block_on(owned.journal.read(Seq(1))).unwrap();
        let kept = events.iter().take(15).map(|event| event.value());
        assert!(kept.eq(&bench.script.events[..15]), "{at}");
        assert!(events.len() > 15, "{at}: nobody is told");
        let aside = owned.dir.path().join("journal.jsonl.damaged-1");
        assert_eq!(std::fs::read(aside).unwrap(), bytes, "{at}");
    }
}
