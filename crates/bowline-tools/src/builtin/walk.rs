//! Goes through a folder and what lies below it, in the order of paths.
//!
//! Folders are opened by descriptor and links are never followed, so nothing outside is reached
//! whatever is swapped meanwhile. `.gitignore` files are honoured; they are read only if they are
//! regular files. What a person would have to allow by name is left out.

mod ignored;

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use self::ignored::Ignored;
use super::LeftOut;
use crate::path::open::{self, OpenError};
use crate::tool::{Cancel, PlanCx};

/// Folders deeper than this below the start are not entered.
const DEPTH_MAX: usize = 100;

/// How to go.
pub(super) struct Walk<'a> {
    /// Whether names with a leading dot count; `.git` never does.
    pub(super) hidden: Hidden,
    /// Whether what `.gitignore` excludes is shown (never entered) or skipped.
    pub(super) ignored: Excluded,
    /// Deepest level entered; the start's own entries are level 1.
    pub(super) depth_max: usize,
    pub(super) left_out: &'a LeftOut,
    pub(super) cancel: &'a Cancel,
}

/// What becomes of hidden names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    Skip,
    Include,
}

/// What becomes of names that `.gitignore` excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excluded {
    Skip,
    ShowOnly,
}

/// What lies at a path below the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Folder,
    Link,
    Special,
}

/// One thing found.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Relative to the start.
    pub(super) path: &'a Path,
    /// The folder it lies in, open.
    pub(super) folder: &'a OwnedFd,
    pub(super) name: &'a OsStr,
    pub(super) kind: EntryKind,
    /// 1 for what lies in the start itself.
    pub(super) depth: usize,
    /// Whether it is shown but not entered.
    pub(super) is_closed: bool,
    /// Its place among its siblings, from 0, and how many those are.
    pub(super) position: (usize, usize),
}

/// How to go on after an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    On,
    /// The rest of this folder is not wanted.
    LeaveFolder,
    Stop,
}

/// What was not gone through.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed {
    /// Need a person's word.
    pub(super) left_out: u64,
    /// Could not be opened.
    pub(super) unreadable: u64,
}

impl Missed {
    /// Notes for the model, in square brackets, one a line.
    pub(super) fn notes(self) -> String {
        let mut notes = String::new();
        if self.left_out > 0 {
            let what = super::count(self.left_out, "entry");
            notes.push_str(&format!(
                "[{what} left out that need permission: ask for them by path]\n"
            ));
        }
        if self.unreadable > 0 {
            let what = super::count(self.unreadable, "entry");
            notes.push_str(&format!("[{what} could not be read]\n"));
        }
        notes
    }
}

impl Walk<'_> {
    /// Visits everything below `start`, which must be free of links.
    pub(super) fn run(
        &self,
        start: &Path,
        cx: &PlanCx,
        visit: &mut dyn FnMut(&Entry<'_>) -> Next,
    ) -> Result<Missed, OpenError> {
        let folder = open::folder(start)?;
        let mut ignored = Ignored::above(start, cx);
        let mut under = Under {
            walk: self,
            start,
            missed: Missed::default(),
            visit,
        };
        under.enter(&folder, Path::new(""), 1, &mut ignored);
        Ok(under.missed)
    }
}

/// A walk under way.
struct Under<'w> {
    walk: &'w Walk<'w>,
    start: &'w Path,
    missed: Missed,
    visit: &'w mut dyn FnMut(&Entry<'_>) -> Next,
}

impl Under<'_> {
    fn enter(&mut self, folder: &OwnedFd, at: &Path, depth: usize, ignored: &mut Ignored) -> Next {
        let Some(names) = self.names(folder) else {
            self.missed.unreadable += 1;
            return Next::On;
        };
        ignored.enter(folder, &self.start.join(at));
        let next = self.visit_all(folder, at, depth, ignored, &names);
        ignored.leave();
        if next == Next::LeaveFolder {
            Next::On
        } else {
            next
        }
    }

    fn visit_all(
        &mut self,
        folder: &OwnedFd,
        at: &Path,
        depth: usize,
        ignored: &mut Ignored,
        names: &[(OsString, EntryKind)],
    ) -> Next {
        for (index, (name, kind)) in names.iter().enumerate() {
            if self.walk.cancel.is_asked() {
                return Next::Stop;
            }
            let path = at.join(name);
            let whole = self.start.join(&path);
            let is_folder = *kind == EntryKind::Folder;
            let is_excluded = ignored.excludes(&whole, is_folder);
            if is_excluded && self.walk.ignored == Excluded::Skip {
                continue;
            }
            if (self.walk.left_out)(&whole) {
                self.missed.left_out += 1;
                continue;
            }
            let entry = Entry {
                path: &path,
                folder,
                name,
                kind: *kind,
                depth,
                is_closed: is_excluded || name == ".git",
                position: (index, names.len()),
            };
            match (self.visit)(&entry) {
                Next::On => {}
                other => return other,
            }
            let is_entered =
                is_folder && !entry.is_closed && depth < self.walk.depth_max.min(DEPTH_MAX);
            if is_entered && self.descend(folder, &path, name, depth, ignored) == Next::Stop {
                return Next::Stop;
            }
        }
        Next::On
    }

    fn descend(
        &mut self,
        folder: &OwnedFd,
        path: &Path,
        name: &OsStr,
        depth: usize,
        ignored: &mut Ignored,
    ) -> Next {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(folder, name, flags, Mode::empty()) {
            Ok(inner) => self.enter(&inner, path, depth + 1, ignored),
            Err(_) => {
                self.missed.unreadable += 1;
                Next::On
            }
        }
    }

    /// The names in a folder that count, in the order of whole paths.
    fn names(&self, folder: &OwnedFd) -> Option<Vec<(OsString, EntryKind)>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder).ok()? {
            let entry = entry.ok()?;
            let name = entry.file_name().to_bytes();
            let is_hidden = name.starts_with(b".");
            if name == b"." || name == b".." || is_hidden && self.walk.hidden == Hidden::Skip {
                continue;
            }
            if name == b".git" && self.walk.ignored == Excluded::Skip {
                continue;
            }
            let name = OsStr::from_bytes(name).to_owned();
            let kind = kind_of(folder, &name, entry.file_type());
            names.push((name, kind));
        }
        // `a.txt` comes before what is in the folder `a`, as in a sorted list of paths.
        names.sort_by_cached_key(|(name, kind)| {
            let mut key = name.as_bytes().to_vec();
            if *kind == EntryKind::Folder {
                key.push(b'/');
            }
            key
        });
        Some(names)
    }
}

fn kind_of(folder: &OwnedFd, name: &OsStr, known: FileType) -> EntryKind {
    let kind = match known {
        FileType::Unknown => statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_or(FileType::Unknown, |stat| {
                FileType::from_raw_mode(stat.st_mode)
            }),
        known => known,
    };
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Special,
    }
}

/// The folder or file a search starts from, for messages.
pub(super) fn start_name(asked: Option<&str>) -> &str {
    asked.unwrap_or(".")
}

/// `path` below the start in one line, as the model would write it from the working folder.
pub(super) fn from_cwd(asked: Option<&str>, path: &Path) -> String {
    let whole = match asked {
        None | Some("." | "./") => path.to_owned(),
        Some(start) => Path::new(start).join(path),
    };
    super::one_line(&whole.display().to_string())
}
