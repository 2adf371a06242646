//! What a disk may hold after the power went: everything that was synced, and any part of the rest.
//!
//! A sync of a file makes its bytes and its size durable, one of a folder its names. Nothing else
//! orders anything: each other change may be there or not, and of written bytes any of their
//! sectors. So a file that was synced can still be gone with its name.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::Path;

use crate::crash::chance::Chance;

#[cfg(test)]
mod tests;

/// What a disk writes whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

/// A file or a folder, by the order in which they came to be; the root is the first.
pub(super) type Inode = usize;

/// The folder that everything lies in.
pub(super) const ROOT: Inode = 0;

/// One change of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A file's bytes from an offset on.
    Bytes {
        file: Inode,
        offset: usize,
        bytes: Vec<u8>,
    },
    /// A file's size.
    Size { file: Inode, bytes: usize },
    /// What a name in a folder stands for; nothing any more if `now` is `None`.
    Name {
        folder: Inode,
        name: String,
        now: Option<Inode>,
    },
    /// Another name within a folder, at once.
    Renamed {
        folder: Inode,
        from: String,
        to: String,
        inode: Inode,
    },
}

impl Change {
    /// The file or folder whose sync makes this durable.
    const fn owner(&self) -> Inode {
        match self {
            Self::Bytes { file, .. } | Self::Size { file, .. } => *file,
            Self::Name { folder, .. } | Self::Renamed { folder, .. } => *folder,
        }
    }

    const fn is_name(&self) -> bool {
        matches!(self, Self::Name { .. } | Self::Renamed { .. })
    }
}

/// One step of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Change(Change),
    /// An inode is a folder, once it has a name.
    Folder(Inode),
    /// A sync that succeeded.
    Sync(Inode),
    /// Something was told on standard output.
    Told(String),
}

/// Which changes survive of those that need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survive {
    All,
    Nothing,
    Names,
    Bytes,
    /// Any, and any sector of what was written.
    Some(u64),
}

/// What a disk holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    files: BTreeMap<Inode, Vec<u8>>,
    folders: BTreeMap<Inode, BTreeMap<String, Inode>>,
}

impl Image {
    /// What may be left of `steps` on a disk that held only `folders`, each in the root and durable.
    pub(super) fn after(folders: &[(&str, Inode)], steps: &[Step], survive: Survive) -> Self {
        let mut image = Self::default();
        let named = folders
            .iter()
            .map(|(name, inode)| ((*name).to_owned(), *inode));
        image.folders.insert(ROOT, named.collect());
        for (_, inode) in folders {
            image.folders.insert(*inode, BTreeMap::new());
        }
        let durable = durable(steps);
        let seed = if let Survive::Some(seed) = survive {
            seed
        } else {
            0
        };
        let mut chance = Chance::new(seed, 0);
        for (step, is_durable) in steps.iter().zip(durable) {
            if let Step::Folder(inode) = step {
                image.folders.entry(*inode).or_default();
            }
            let Step::Change(change) = step else { continue };
            let survives = is_durable
                || match survive {
                    Survive::All => true,
                    Survive::Nothing => false,
                    Survive::Names => change.is_name(),
                    Survive::Bytes => !change.is_name(),
                    Survive::Some(_) => {
                        image.apply_torn(change, &mut chance);
                        false
                    }
                };
            if survives {
                image.apply(change);
            }
        }
        image
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Bytes {
                file,
                offset,
                bytes,
            } => self.write(*file, *offset, bytes),
            Change::Size { file, bytes } => {
                self.files.entry(*file).or_default().resize(*bytes, 0);
            }
            Change::Name { folder, name, now } => {
                let names = self.folders.entry(*folder).or_default();
                match now {
                    Some(inode) => names.insert(name.clone(), *inode),
                    None => names.remove(name),
                };
            }
            Change::Renamed {
                folder,
                from,
                to,
                inode,
            } => {
                let names = self.folders.entry(*folder).or_default();
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
        }
    }

    /// Applies a change, or not, or only some sectors of it.
    fn apply_torn(&mut self, change: &Change, chance: &mut Chance) {
        let Change::Bytes {
            file,
            offset,
            bytes,
        } = change
        else {
            if chance.is(1, 2) {
                self.apply(change);
            }
            return;
        };
        match chance.below(3) {
            0 => {}
            1 => self.apply(change),
            _ => {
                let mut at = 0;
                while at < bytes.len() {
                    let sector_end = (offset + at) / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES;
                    let end = bytes.len().min(sector_end - offset);
                    if chance.is(1, 2) {
                        self.write(*file, offset + at, &bytes[at..end]);
                    }
                    at = end;
                }
            }
        }
    }

    fn write(&mut self, file: Inode, offset: usize, bytes: &[u8]) {
        let content = self.files.entry(file).or_default();
        let end = offset + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset..end].copy_from_slice(bytes);
    }

    /// A number that tells images apart.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.walk(ROOT, &mut |path, content| {
            path.hash(&mut hasher);
            content.hash(&mut hasher);
        });
        hasher.finish()
    }

    /// Shows everything that has a name: a path, and a file's bytes.
    fn walk(&self, root: Inode, show: &mut dyn FnMut(&str, Option<&[u8]>)) {
        let mut folders = vec![(String::new(), root)];
        while let Some((path, folder)) = folders.pop() {
            for (name, inode) in self.folders.get(&folder).into_iter().flatten() {
                let path = format!("{path}{name}");
                if self.folders.contains_key(inode) {
                    show(&path, None);
                    folders.push((format!("{path}/"), *inode));
                } else {
                    let content = self.files.get(inode).map_or(&[][..], Vec::as_slice);
                    show(&path, Some(content));
                }
            }
        }
    }

    /// Writes everything that has a name below `root`, which must be empty of it.
    pub(super) fn lay_out(&self, root: &Path) -> io::Result<()> {
        let mut done = Ok(());
        self.walk(ROOT, &mut |path, content| {
            let path = root.join(path);
            let made = match content {
                None => std::fs::create_dir_all(path),
                Some(content) => std::fs::write(path, content),
            };
            if done.is_ok() {
                done = made;
            }
        });
        done
    }
}

/// Which steps were made durable by a later sync.
fn durable(steps: &[Step]) -> Vec<bool> {
    let mut last_sync: BTreeMap<Inode, usize> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        if let Step::Sync(inode) = step {
            last_sync.insert(*inode, at);
        }
    }
    let is_durable = |(at, step): (usize, &Step)| match step {
        Step::Change(change) => last_sync
            .get(&change.owner())
            .is_some_and(|sync| *sync > at),
        Step::Folder(_) | Step::Sync(_) | Step::Told(_) => false,
    };
    steps.iter().enumerate().map(is_durable).collect()
}
