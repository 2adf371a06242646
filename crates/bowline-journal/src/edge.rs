//! What a journal needs from outside, as values: disk, salts, and a hook for crash tests.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bowline_core::Digest;
use rustix::fs::{FlockOperation, flock};

use crate::layout;
use crate::record::Salt;

/// Everything that changes what is on the disk. The provided methods are the real disk; a test
/// overrides one to see what a fault does. (SQLite, which keeps the index, goes its own way: the
/// index is never truth.)
pub trait Disk: Send + Sync {
    /// Creates a file that must not exist; only its owner may read it.
    ///
    /// # Errors
    /// What the system said; nothing was made then.
    fn create_new(&self, path: &Path) -> io::Result<File> {
        layout::create_new(path)
    }

    /// Opens a file for reading and writing, creating it empty if it is missing.
    ///
    /// # Errors
    /// What the system said.
    fn open_or_create(&self, path: &Path) -> io::Result<File> {
        layout::open_or_create(path)
    }

    /// Makes a folder that only its owner may enter.
    ///
    /// # Errors
    /// What the system said; nothing was made then.
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        layout::make_one_folder(path)
    }

    /// Gives a file another name, in place of whatever bears it.
    ///
    /// # Errors
    /// What the system said; both names are as they were then.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// Gives a file a second name, which must be free.
    ///
    /// # Errors
    /// What the system said; the name is as it was then.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// What the system said; what is durable is unknown then.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if cfg!(feature = "broken-no-sync") {
            return Ok(());
        }
        File::open(path)?.sync_all()
    }

    /// Writes all `bytes` at `offset`.
    ///
    /// # Errors
    /// What the system said; how much was written is unknown then.
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Takes the lock of a file that several processes write, if nobody has it; whether it did. It
    /// is free again when it is given up, or when the process ends however it ends.
    ///
    /// # Errors
    /// What the system said; nothing is locked then.
    fn try_lock(&self, file: &File) -> io::Result<bool> {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the content and size of `file` durable.
    ///
    /// # Errors
    /// What the system said; what is durable is unknown then.
    fn sync(&self, file: &File) -> io::Result<()> {
        if cfg!(feature = "broken-no-sync") {
            return Ok(());
        }
        file.sync_data()
    }
}

/// The disk as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// Is told which point an append has reached; a crash test ends the process there.
pub trait Probe: Send + Sync {
    /// An append has reached `point`: `append.begin` (nothing written), `append.written` (not
    /// synced), `append.synced` (durable), `append.headed` (the head file names it).
    fn at(&self, point: &'static str);
}

/// A probe that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn at(&self, _point: &'static str) {}
}

/// Where salts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Salts {
    /// The kernel's random numbers.
    #[default]
    Kernel,
    /// Derived from this number and the record's place: the same bytes every time, for fixtures
    /// and tests only.
    Derived(u64),
}

impl Salts {
    /// The salts of the `count` records from place `first` on.
    pub(crate) fn take(self, first: u64, count: usize) -> io::Result<Vec<Salt>> {
        match self {
            Self::Kernel => kernel_salts(count),
            Self::Derived(number) => Ok((0..)
                .take(count)
                .map(|after| derived(number, first.wrapping_add(after)))
                .collect()),
        }
    }
}

fn derived(number: u64, at: u64) -> Salt {
    let digest = Digest::of_parts(&[&number.to_be_bytes(), &at.to_be_bytes()]);
    let mut salt = Salt::default();
    salt.copy_from_slice(&digest.as_bytes()[..16]);
    salt
}

fn kernel_salts(count: usize) -> io::Result<Vec<Salt>> {
    let mut salts = vec![Salt::default(); count];
    let mut rest = salts.as_flattened_mut();
    while !rest.is_empty() {
        let filled =
            match rustix::rand::getrandom(&mut *rest, rustix::rand::GetRandomFlags::empty()) {
                Ok(filled) => filled,
                Err(rustix::io::Errno::INTR) => 0,
                Err(error) => return Err(error.into()),
            };
        rest = &mut rest[filled..];
    }
    Ok(salts)
}

/// The edges of a journal. The default is the real world.
#[derive(Clone)]
pub struct Edges {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The hook for crash tests.
    pub probe: Arc<dyn Probe>,
    /// The salts.
    pub salts: Salts,
}

impl Default for Edges {
    fn default() -> Self {
        Self {
            disk: Arc::new(RealDisk),
            probe: Arc::new(NoProbe),
            salts: Salts::Kernel,
        }
    }
}

impl fmt::Debug for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edges")
            .field("salts", &self.salts)
            .finish_non_exhaustive()
    }
}
