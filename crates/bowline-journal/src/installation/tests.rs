//! The stream: appending from several sides, rotation, cuts, flips, full disks.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use bowline_core::system::{Crashed, StorageFailed};
use bowline_core::{RunId, SystemFact};
use uuid::Uuid;

use super::*;
use crate::edge::Disk;

fn open() -> (tempfile::TempDir, Installation) {
    let home = tempfile::tempdir().unwrap();
    let installation = Installation::new(home.path().to_owned(), Edges::default());
    (home, installation)
}

fn event(number: usize) -> SystemEvent {
    let fact = SystemFact::Crashed(Crashed {
        message: format!("crash {number}"),
        location: String::new(),
        backtrace: String::new(),
    });
    let run = RunId::from_uuid(Uuid::from_u128(number as u128));
    SystemEvent::new(number as u64, run, None, fact)
}

fn messages(log: &SystemLog) -> Vec<String> {
    log.events
        .iter()
        .map(|recorded| match &recorded.event.fact {
            SystemFact::Crashed(crashed) => crashed.message.clone(),
            other => other.kind().to_owned(),
        })
        .collect()
}

#[track_caller]
fn expect(installation: &Installation, expected: &[&str], damage: &[&str]) {
    let log = installation.read().unwrap();
    assert_eq!(messages(&log), expected, "{:?}", log.damage);
    let found: Vec<String> = log.damage.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), damage.len(), "{found:?}");
    for (found, part) in found.iter().zip(damage) {
        assert!(found.contains(part), "`{part}` is missing in {found}");
    }
}

#[test]
fn nothing_is_there_before_the_first_append_and_reading_makes_nothing() {
    let (home, installation) = open();
    expect(&installation, &[], &[]);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    installation.append(Vec::new()).unwrap();
    let recorded = installation.append(vec![event(1), event(2)]).unwrap();
    assert_eq!(recorded[1].receipt.seq.0, 2);
    expect(&installation, &["crash 1", "crash 2"], &[]);
}

#[test]
fn several_who_append_at_once_make_one_chain() {
    let (_home, mut installation) = open();
    // Small enough to be rotated while others wait for the lock.
    installation.most_bytes = 12_000;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let installation = &installation;
            scope.spawn(move || {
                for number in 0..10 {
                    let recorded = installation.append(vec![event(thread * 10 + number)]);
                    assert!(!recorded.unwrap().is_empty());
                }
            });
        }
    });
    let log = installation.read().unwrap();
    assert!(log.damage.is_empty(), "{:?}", log.damage);
    let crashes = messages(&log)
        .iter()
        .filter(|message| message.starts_with("crash"))
        .count();
    assert_eq!(crashes, 40);
}

#[test]
fn a_full_file_is_kept_once_and_the_chain_goes_on() {
    let (home, mut installation) = open();
    installation.most_bytes = 2_000;
    for number in 1..=20 {
        installation.append(vec![event(number)]).unwrap();
    }
    let log = installation.read().unwrap();
    assert!(log.damage.is_empty(), "{:?}", log.damage);
    let kinds = messages(&log);
    assert!(kinds.contains(&"LogRotated".to_owned()), "{kinds:?}");
    assert_eq!(kinds.last().unwrap(), "crash 20");
    assert!(kinds.len() < 20, "the oldest are gone: {kinds:?}");
    let seqs: Vec<u64> = log.events.iter().map(|event| event.receipt.seq.0).collect();
    assert!(
        seqs.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{seqs:?}"
    );
    let bytes: u64 = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes < 2 * 2_000 + 200, "{bytes} bytes");
}

#[test]
fn what_was_never_acknowledged_is_written_over() {
    for torn in [&b"{\"seq\":3,"[..], &[0; 3000], b"\n\n"] {
        let (_home, installation) = open();
        installation.append(vec![event(1), event(2)]).unwrap();
        let mut file = File::options()
            .append(true)
            .open(installation.path())
            .unwrap();
        file.write_all(torn).unwrap();
        let log = installation.read().unwrap();
        assert_eq!(
            (log.events.len(), log.torn_bytes, log.damage.len()),
            (2, torn.len() as u64, 0)
        );
        installation.append(vec![event(3)]).unwrap();
        expect(&installation, &["crash 1", "crash 2", "crash 3"], &[]);
        assert_eq!(installation.read().unwrap().torn_bytes, 0);
    }
}

#[test]
fn a_cut_at_a_record_is_found_said_and_recording_goes_on() {
    let (_home, installation) = open();
    installation.append(vec![event(1), event(2)]).unwrap();
    let bytes = std::fs::read(installation.path()).unwrap();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    std::fs::write(installation.path(), &bytes[..first]).unwrap();
    expect(
        &installation,
        &["crash 1"],
        &["records up to 2 were synced"],
    );
    installation.append(vec![event(3)]).unwrap();
    expect(
        &installation,
        &["crash 1", "LogDamaged", "crash 3"],
        &["records 2 to 2 are in no file"],
    );
}

#[test]
fn a_flipped_bit_is_found_and_what_follows_stays_readable() {
    let (_home, installation) = open();
    for number in 1..=4 {
        installation.append(vec![event(number)]).unwrap();
    }
    let text = std::fs::read_to_string(installation.path()).unwrap();
    std::fs::write(installation.path(), text.replace("crash 2", "crush 2")).unwrap();
    expect(
        &installation,
        &["crash 1", "crash 3", "crash 4"],
        &["record 2: the body does not match"],
    );
    installation.append(vec![event(5)]).unwrap();
    let log = installation.read().unwrap();
    assert!(
        messages(&log).contains(&"crash 5".to_owned()),
        "{:?}",
        messages(&log)
    );
    assert!(!log.damage.is_empty(), "the damage is still said");
}

#[test]
fn a_removed_file_is_said() {
    let (_home, installation) = open();
    installation.append(vec![event(1), event(2)]).unwrap();
    std::fs::remove_file(installation.path()).unwrap();
    expect(&installation, &[], &["records up to 2 were synced"]);
    installation.append(vec![event(3)]).unwrap();
    let log = installation.read().unwrap();
    assert_eq!(messages(&log), ["LogDamaged", "crash 3"]);
}

#[test]
fn a_follower_gets_each_event_once() {
    let (_home, installation) = open();
    installation.append(vec![event(1)]).unwrap();
    let mut follower = installation.follow(bowline_core::Seq(0));
    assert_eq!(follower.poll().unwrap().len(), 1);
    assert!(follower.poll().unwrap().is_empty());
    installation.append(vec![event(2), event(3)]).unwrap();
    assert_eq!(follower.poll().unwrap().len(), 2);
}

#[test]
fn room_is_set_aside_for_what_a_full_disk_has_to_say() {
    use std::os::unix::fs::MetadataExt as _;
    let (_home, installation) = open();
    installation.append(vec![event(1)]).unwrap();
    let found = std::fs::metadata(installation.path()).unwrap();
    assert!(found.blocks() * 512 >= found.len() + RESERVE_BYTES / 2);
}

/// A disk that writes half and fails.
struct Half;

impl Disk for Half {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(file, &bytes[..bytes.len() / 2], offset)?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

#[test]
fn a_failed_write_is_an_error_and_the_next_append_goes_on() {
    let (home, installation) = open();
    installation.append(vec![event(1)]).unwrap();
    let edges = Edges {
        disk: Arc::new(Half),
        ..Edges::default()
    };
    let failing = Installation::new(home.path().to_owned(), edges);
    failing.append(vec![event(2)]).unwrap_err();
    let fact = SystemFact::StorageFailed(StorageFailed {
        message: "full".to_owned(),
        safe: "all".to_owned(),
    });
    let run = RunId::from_uuid(Uuid::from_u128(1));
    installation
        .append(vec![SystemEvent::new(3, run, None, fact)])
        .unwrap();
    expect(&installation, &["crash 1", "StorageFailed"], &[]);
}
