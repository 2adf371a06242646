//! The process is ended, or the power fails, at every single operation of the disk: whatever was
//! granted under a cap is counted afterwards.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bowline_journal::{Disk, Edges, Store};

use super::damage::{check, live};
use crate::injection::scratch;

/// A disk on which everything ends at one operation, and which knows what would survive that.
struct Ending {
    at: u32,
    operations: AtomicU32,
    /// What was synced of each file, by inode.
    synced: Mutex<BTreeMap<u64, Vec<u8>>>,
    /// The names that were synced, with their inodes.
    named: Mutex<BTreeMap<PathBuf, u64>>,
    /// Whether syncs only say that they are done.
    lies: bool,
}

impl Ending {
    fn new(at: u32, lies: bool) -> Self {
        Self {
            at,
            operations: AtomicU32::new(0),
            synced: Mutex::default(),
            named: Mutex::default(),
            lies,
        }
    }

    /// Whether everything ends here.
    fn ends(&self) -> bool {
        self.operations.fetch_add(1, Ordering::SeqCst) == self.at
    }

    fn step(&self) {
        if self.ends() {
            end();
        }
    }

    /// Leaves in the folder what a power loss leaves, `with_head` or without.
    fn lose_power(&self, home: &Path, with_head: bool) {
        let head = home.join("ledger.head");
        let kept = std::fs::read(&head).ok().filter(|_| with_head);
        for entry in std::fs::read_dir(home).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let synced = self.synced.lock().unwrap();
        for (path, inode) in &*self.named.lock().unwrap() {
            let bytes = synced.get(inode).cloned().unwrap_or_default();
            std::fs::write(path, bytes).unwrap();
        }
        let _gone = std::fs::remove_file(&head);
        if let Some(bytes) = kept {
            std::fs::write(&head, bytes).unwrap();
        }
    }
}

/// Ends everything without a word: no destructor but those of files writes anything.
fn end() -> ! {
    resume_unwind(Box::new("ended"))
}

impl Disk for Ending {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.ends() {
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            end();
        }
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step();
        if self.lies {
            return Ok(());
        }
        let mut bytes = Vec::new();
        let mut file = file;
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        let inode = file.metadata()?.ino();
        self.synced.lock().unwrap().insert(inode, bytes);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step();
        std::fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step();
        std::fs::hard_link(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step();
        let mut named = BTreeMap::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            named.insert(entry.path(), entry.metadata()?.ino());
        }
        *self.named.lock().unwrap() = named;
        Ok(())
    }
}

/// Lives until operation `at`; whether it came so far, and how much was granted.
fn live_until(home: &Path, disk: &Arc<Ending>) -> (bool, usize) {
    let edges = Edges {
        disk: Arc::clone(disk) as Arc<dyn Disk>,
        ..Edges::default()
    };
    let ledger = Store::at(home).with_edges(edges).ledger().rotated_at(2_500);
    let mut granted = Vec::new();
    let lived = catch_unwind(AssertUnwindSafe(|| live(&ledger, &mut granted)));
    if let Ok(outcome) = &lived {
        outcome.as_ref().unwrap();
    }
    (lived.is_err(), granted.len())
}

#[test]
fn ended_at_any_operation_all_that_was_granted_is_counted() {
    let mut points = 0;
    for at in 0.. {
        let home = scratch();
        let disk = Arc::new(Ending::new(at, false));
        let (ended, granted) = live_until(home.path(), &disk);
        if !ended {
            break;
        }
        check(home.path(), granted, &format!("ended at operation {at}"));
        points += 1;
    }
    println!("ended at {points} operations");
    assert!(points > 50, "{points}");
}

#[test]
fn after_a_power_loss_at_any_operation_all_that_was_granted_is_counted() {
    let mut points = 0;
    for at in 0.. {
        for with_head in [true, false] {
            let home = scratch();
            let disk = Arc::new(Ending::new(at, false));
            let (ended, granted) = live_until(home.path(), &disk);
            if !ended {
                assert!(points > 100, "{points}");
                println!("power lost at {points} points");
                return;
            }
            disk.lose_power(home.path(), with_head);
            let note = format!("power lost at operation {at}, head {with_head}");
            check(home.path(), granted, &note);
            points += 1;
        }
    }
}

/// The positive control: on a disk that does not sync, the same check finds what is gone.
#[test]
fn a_disk_that_does_not_sync_is_caught() {
    let home = scratch();
    let disk = Arc::new(Ending::new(60, true));
    let (ended, granted) = live_until(home.path(), &disk);
    assert!(ended && granted > 5);
    disk.lose_power(home.path(), false);
    let caught = catch_unwind(|| check(home.path(), granted, "without syncs"));
    let said = *caught.unwrap_err().downcast::<String>().unwrap();
    assert!(said.contains("0 of"), "{said}");
}
