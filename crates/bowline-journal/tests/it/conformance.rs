//! One suite for every journal: what the trait promises.

use bowline_core::commit::Spendable;
use bowline_core::event::OwnerChanged;
use bowline_core::{Digest, Epoch, Event, Fact, Seq};
use bowline_journal::{Error, Journal, MemoryJournal, Store};
use tempfile::TempDir;

use crate::sample::{block_on, finished, notice, owner, session_id};

/// A journal and a way to open it anew from what it left behind.
trait Subject {
    fn start(&self) -> Box<dyn Journal>;
    fn reopen(&self, journal: Box<dyn Journal>) -> Box<dyn Journal>;
}

struct OnDisk {
    home: TempDir,
}

impl OnDisk {
    fn store(&self) -> Store {
        Store::at(self.home.path().join("state"))
    }
}

impl Subject for OnDisk {
    fn start(&self) -> Box<dyn Journal> {
        Box::new(
            self.store()
                .create(session_id(1), &owner())
                .unwrap()
                .journal,
        )
    }

    fn reopen(&self, journal: Box<dyn Journal>) -> Box<dyn Journal> {
        drop(journal);
        Box::new(self.store().open(session_id(1), &owner()).unwrap().journal)
    }
}

struct InMemory {
    home: TempDir,
}

impl Subject for InMemory {
    fn start(&self) -> Box<dyn Journal> {
        Box::new(MemoryJournal::new(
            session_id(1),
            self.home.path().join("blobs"),
        ))
    }

    fn reopen(&self, journal: Box<dyn Journal>) -> Box<dyn Journal> {
        // Through the trait only events come back, so the records are written again from them.
        let events = block_on(journal.read(Seq(1))).unwrap();
        let mut anew = MemoryJournal::new(session_id(1), self.home.path().join("blobs"));
        for event in events {
            let epoch = event.receipt().epoch;
            block_on(anew.append(epoch, vec![event.into_value()])).unwrap();
        }
        let bytes = anew.bytes().to_vec();
        Box::new(
            MemoryJournal::reopen(session_id(1), bytes, self.home.path().join("blobs")).unwrap(),
        )
    }
}

fn for_each(test: impl Fn(&dyn Subject)) {
    test(&OnDisk {
        home: tempfile::tempdir().unwrap(),
    });
    test(&InMemory {
        home: tempfile::tempdir().unwrap(),
    });
}

fn take_over(epoch: u64) -> Event {
    let app_version = "0.1.0".to_owned();
    Event::new(
        1,
        Fact::OwnerChanged(OwnerChanged {
            epoch: Epoch(epoch),
            pid: 1,
            app_version,
        }),
    )
}

#[test]
fn an_empty_journal_stands_on_its_seed() {
    for_each(|subject| {
        let journal = subject.start();
        let (seq, seed) = journal.head();
        assert_eq!(seq, Seq(0));
        assert_ne!(seed, Digest::default());
        assert!(block_on(journal.read(Seq(1))).unwrap().is_empty());
        assert_eq!(journal.session(), session_id(1));
    });
}

#[test]
fn what_was_appended_is_read_back_in_order_without_holes() {
    for_each(|subject| {
        let mut journal = subject.start();
        let script = finished(session_id(1), "/srv/project", 3);
        let (first, rest) = script.events.split_at(2);
        let mut appended = block_on(journal.append(Epoch(1), first.to_vec())).unwrap();
        for batch in rest.chunks(3) {
            appended.extend(block_on(journal.append(Epoch(1), batch.to_vec())).unwrap());
        }
        let receipts: Vec<_> = appended.iter().map(|event| *event.receipt()).collect();
        let seqs: Vec<u64> = receipts.iter().map(|receipt| receipt.seq.0).collect();
        assert_eq!(seqs, (1..=script.events.len() as u64).collect::<Vec<_>>());
        assert_eq!(
            receipts[0].epoch,
            Epoch(0),
            "the session begins before its first owner"
        );
        assert!(
            receipts[1..]
                .iter()
                .all(|receipt| receipt.epoch == Epoch(1))
        );
        let last = receipts.last().unwrap();
        assert_eq!(journal.head(), (last.seq, last.hash));

        let read = block_on(journal.read(Seq(1))).unwrap();
        assert_eq!(
            read.iter()
                .map(|event| *event.receipt())
                .collect::<Vec<_>>(),
            receipts
        );
        let events: Vec<Event> = read.into_iter().map(|event| event.into_value()).collect();
        assert_eq!(events, script.events);
        let bytes = |events: &[Event]| serde_json::to_vec(events).unwrap();
        assert_eq!(bytes(&events), bytes(&script.events));

        let tail = block_on(journal.read(Seq(5))).unwrap();
        assert_eq!(tail[0].receipt().seq, Seq(5));
        assert_eq!(tail.len(), script.events.len() - 4);
    });
}

#[test]
fn a_reopened_journal_goes_on_where_it_was() {
    for_each(|subject| {
        let mut journal = subject.start();
        block_on(journal.append(Epoch(0), vec![notice("one"), notice("two")])).unwrap();
        let mut journal = subject.reopen(journal);
        assert_eq!(journal.head().0, Seq(2));
        let third = block_on(journal.append(Epoch(1), vec![take_over(1)])).unwrap();
        assert_eq!(
            (third[0].receipt().seq, third[0].receipt().epoch),
            (Seq(3), Epoch(1))
        );
        let journal = subject.reopen(journal);
        let read = block_on(journal.read(Seq(2))).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].value(), &notice("two"));
    });
}

#[test]
fn receipts_can_be_spent_and_name_their_session() {
    for_each(|subject| {
        let mut journal = subject.start();
        let script = finished(session_id(1), "/srv/project", 1);
        let committed = block_on(journal.append(Epoch(1), script.events.clone())).unwrap();
        assert!(
            committed
                .iter()
                .all(|event| event.receipt().session == session_id(1))
        );
        let count = |wanted: fn(&Spendable) -> bool, events: Vec<_>| {
            let spent = events.into_iter().map(bowline_core::Committed::spend);
            spent.filter(wanted).count()
        };
        let calls = count(|spent| matches!(spent, Spendable::Call(_)), committed);
        assert_eq!(calls, 1);
    });
}

#[test]
fn an_empty_batch_changes_nothing() {
    for_each(|subject| {
        let mut journal = subject.start();
        let before = journal.head();
        assert!(
            block_on(journal.append(Epoch(0), Vec::new()))
                .unwrap()
                .is_empty()
        );
        assert_eq!(journal.head(), before);
    });
}

#[test]
fn a_batch_of_another_epoch_stops_the_journal() {
    for (epoch, batch) in [
        (2, vec![notice("late")]),
        (0, vec![take_over(1)]),
        (1, vec![notice("no owner yet")]),
        (0, vec![take_over(0)]),
    ] {
        for_each(|subject| {
            let mut journal = subject.start();
            block_on(journal.append(Epoch(0), vec![notice("one")])).unwrap();
            let before = journal.head();
            let refused = block_on(journal.append(Epoch(epoch), batch.clone())).unwrap_err();
            assert!(matches!(refused, Error::Stopped { .. }), "{refused}");
            let after = block_on(journal.append(Epoch(0), vec![notice("two")])).unwrap_err();
            assert!(matches!(after, Error::Stopped { .. }), "{after}");
            assert!(block_on(journal.append(Epoch(0), Vec::new())).is_err());
            assert_eq!(journal.head(), before);
            let mut anew = subject.reopen(journal);
            assert_eq!(
                anew.head().0,
                Seq(1),
                "nothing of the refused batch is there"
            );
            block_on(anew.append(Epoch(0), vec![notice("two")])).unwrap();
        });
    }
}

#[test]
fn bodies_are_found_by_the_first_digits_of_their_hash() {
    for_each(|subject| {
        let mut journal = subject.start();
        let body = b"much output".repeat(1_000);
        let blob = block_on(journal.put_blob(body.clone())).unwrap();
        assert_eq!(blob.bytes, body.len() as u64);
        assert_eq!(block_on(journal.put_blob(body.clone())).unwrap(), blob);
        let (path, found) = journal
            .find_blob(&blob.digest.to_hex()[..16])
            .unwrap()
            .unwrap();
        assert_eq!(found, blob);
        assert_eq!(std::fs::read(&path).unwrap(), body);
        bowline_journal::verify_blob(&path, &blob).unwrap();
        assert!(journal.find_blob("00000000").unwrap().is_none());
        for wrong in ["", "0123456", "ABCDEF01", "../../../etc"] {
            let error = journal.find_blob(wrong).unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{wrong}: {error}");
        }
    });
}
