//! Changes one file whole or not at all, and tells later whether it happened.
//!
//! The new content goes to a file of its own in the same folder, is synced and then renamed over
//! the old one. Right before that the old one is looked at again: what was judged and read must
//! still be there. Owner and permission bits are kept (not set-user-id and the like, nor extended
//! attributes); other names of the same file keep the old content.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use bowline_core::call::{Effect, Seen};
use bowline_core::event::CallStarted;
use bowline_core::{Check, Digest, FileChange};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Stat, Uid, openat};
use rustix::io::Errno;

use super::Failed;
use crate::path::open::{self, OpenError};
use crate::tool::{Call, Finish, Found, InputError, PlanCx};

/// Permission bits that are kept: reading, writing, executing.
const KEPT_BITS: u32 = 0o777;

/// Why a change was not made, or not surely.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChangeError {
    /// Nothing was changed.
    #[error("{0}")]
    Untouched(String),
    /// The new content is in place, but may not outlast a power cut.
    #[error("{0}")]
    Unsure(String),
}

impl From<OpenError> for ChangeError {
    fn from(error: OpenError) -> Self {
        Self::Untouched(error.to_string())
    }
}

impl From<Errno> for ChangeError {
    fn from(error: Errno) -> Self {
        OpenError::from(error).into()
    }
}

impl From<std::io::Error> for ChangeError {
    fn from(error: std::io::Error) -> Self {
        OpenError::from(error).into()
    }
}

impl ChangeError {
    /// The whole sentence; `name` is the path as the model knows it.
    pub(super) fn told(self, name: &str) -> Failed {
        match self {
            Self::Untouched(why) => {
                Failed::Untouched(format!("`{name}` {why}. Nothing was changed."))
            }
            Self::Unsure(why) => Failed::Unsure(format!("`{name}` {why}")),
        }
    }
}

/// Reads the file at `path` whole; `None` when there is none, an error above `bytes_max`.
pub(super) fn content(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, ChangeError> {
    let (file, _) = match open::file(path) {
        Ok(found) => found,
        Err(OpenError::Missing) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let limit = bytes_max >> 20;
        return Err(ChangeError::Untouched(format!(
            "is larger than {limit} MiB: change it with a shell command"
        )));
    }
    Ok(Some(bytes))
}

/// Refuses content that is not the one the model has seen, if it has seen any.
pub(super) fn guard_seen(
    name: &str,
    path: &Path,
    now: Option<Digest>,
    cx: &PlanCx,
) -> Result<(), InputError> {
    let seen = path.to_str().and_then(|path| cx.seen.get(path));
    match (seen, now) {
        (Some(seen), Some(now)) if *seen != now => Err(InputError::new(format!(
            "`{name}` changed since you last read it: read it again, then change it. Nothing was changed."
        ))),
        _ => Ok(()),
    }
}

/// What the content of `path` must be for the call that `started` stands for.
pub(super) fn expected(started: &CallStarted, path: &Path) -> Option<Check> {
    let mut checks = started.checks().iter();
    checks
        .rfind(|check| Path::new(&check.path) == path)
        .cloned()
}

/// Replaces the content of the file at `path`, which must be free of links, if its hash is still
/// `before` (`None`: if there is still no file). `tag` tells apart the files of two calls.
pub(super) fn replace(
    path: &Path,
    before: Option<Digest>,
    content: &[u8],
    tag: &str,
) -> Result<(), ChangeError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().map(Path::new)) else {
        return Err(OpenError::Folder.into());
    };
    let folder = open::folder_made(parent)?;
    let old = unchanged(&folder, name, before)?;
    let unfinished = Unfinished::create(&folder, tag, old.as_ref())?;
    unfinished.fill(content)?;
    let again = unchanged(&folder, name, before)?;
    let same = match (&old, &again) {
        (Some(old), Some(again)) => open::is_same(old, again),
        (None, None) => true,
        _ => false,
    };
    if !same || !is_still_at(&folder, parent) {
        return Err(changed_meanwhile());
    }
    unfinished.put_in_place(name, old.is_none())?;
    rustix::fs::fsync(&folder).map_err(|error| {
        let why = open::plain(&error.into());
        ChangeError::Unsure(format!(
            "has its new content, but the disk did not confirm it: {why}"
        ))
    })
}

/// Makes sure that `name` holds what `before` says, and gives its state.
fn unchanged(
    folder: &OwnedFd,
    name: &Path,
    before: Option<Digest>,
) -> Result<Option<Stat>, ChangeError> {
    let Some(_) = open::look(folder, name)? else {
        return if before.is_none() {
            Ok(None)
        } else {
            Err(changed_meanwhile())
        };
    };
    let (file, stat) = open::file_in(folder, name)?;
    let (now, _) = open::hash(file)?;
    if before == Some(now) {
        Ok(Some(stat))
    } else {
        Err(changed_meanwhile())
    }
}

fn changed_meanwhile() -> ChangeError {
    ChangeError::Untouched("changed since the call was decided upon: read it again".to_owned())
}

/// Whether the open `folder` is still the one at `path`, not moved elsewhere.
fn is_still_at(folder: &OwnedFd, path: &Path) -> bool {
    let entry = format!("/proc/self/fd/{}", folder.as_raw_fd());
    std::fs::read_link(entry).is_ok_and(|now| now == path)
}

/// The new content on its way; removed again unless it is put in place.
struct Unfinished<'f> {
    folder: &'f OwnedFd,
    name: String,
    file: File,
}

impl<'f> Unfinished<'f> {
    fn create(folder: &'f OwnedFd, tag: &str, old: Option<&Stat>) -> Result<Self, ChangeError> {
        let name = unfinished_name(tag);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // A new file gets what the process's mask leaves of this; a replacement is closed until it
        // has the permissions of the old one.
        let mode = Mode::from_raw_mode(if old.is_some() { 0o600 } else { 0o666 });
        let file = match openat(folder, &name, flags, mode) {
            // Left by an earlier try of this very call.
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(folder, &name, AtFlags::empty())?;
                openat(folder, &name, flags, mode)?
            }
            other => other?,
        };
        let unfinished = Self {
            folder,
            name,
            file: File::from(file),
        };
        if let Some(old) = old {
            let (user, group) = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
            // Only root may give a file away; anybody else keeps it for himself.
            let _refused = rustix::fs::fchown(&unfinished.file, Some(user), Some(group));
            let bits = Mode::from_raw_mode(old.st_mode & KEPT_BITS);
            rustix::fs::fchmod(&unfinished.file, bits)?;
        }
        Ok(unfinished)
    }

    fn fill(&self, content: &[u8]) -> Result<(), ChangeError> {
        (&self.file).write_all(content)?;
        self.file.sync_all()?;
        Ok(())
    }

    fn put_in_place(self, name: &Path, must_be_new: bool) -> Result<(), ChangeError> {
        if must_be_new {
            let flags = RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(self.folder, &self.name, self.folder, name, flags) {
                Ok(()) => return Ok(()),
                Err(Errno::EXIST) => return Err(changed_meanwhile()),
                // File systems without it: the look right before has to do.
                Err(Errno::INVAL | Errno::NOSYS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(rustix::fs::renameat(
            self.folder,
            &self.name,
            self.folder,
            name,
        )?)
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // After a rename there is nothing by this name any more.
        let _absent = rustix::fs::unlinkat(self.folder, &self.name, AtFlags::empty());
    }
}

fn unfinished_name(tag: &str) -> String {
    format!(".bowline-{tag}.tmp")
}

/// Looks whether the change that `started` stands for was made by an earlier owner.
pub(super) fn reconcile(started: &CallStarted, call: &Call) -> Found {
    let Some(check) = started.checks().last() else {
        let why = "no file content was noted before it started".to_owned();
        return Found::Unknown {
            why,
            output: Vec::new(),
        };
    };
    let path = Path::new(&check.path);
    let name = name(check, call);
    remove_unfinished(path, &started.call().short());
    match open::hash_at(path) {
        Ok(Some(now)) if now == check.after => Found::Happened(Box::new(found(check, name))),
        Ok(now) if now == check.before => {
            let proof = format!("`{name}` holds what it held before");
            Found::DidNot { proof }
        }
        Ok(_) => {
            let why = format!(
                "`{name}` holds neither what it held before nor what the call wrote: something else \
                 changed it since"
            );
            Found::Unknown {
                why,
                output: Vec::new(),
            }
        }
        Err(error) => Found::Unknown {
            why: format!("`{name}` {error}"),
            output: Vec::new(),
        },
    }
}

/// The path as the model knows it.
fn name<'c>(check: &'c Check, call: &'c Call) -> &'c str {
    let asked = call.input.get("path").and_then(|path| path.as_str());
    asked.unwrap_or(&check.path)
}

fn found(check: &Check, name: &str) -> Finish {
    let text = format!("`{name}` holds its new content: the change was made before a restart.");
    let mut finish = Finish::ok(text, format!("{name}: found changed after a restart"));
    let change = FileChange {
        path: check.path.clone(),
        before: check.before,
        after: check.after,
        added_lines: 0,
        removed_lines: 0,
        diff: String::new(),
    };
    finish.effect = effect(change);
    finish
}

/// The effect of one changed file: the model knows its new content.
pub(super) fn effect(change: FileChange) -> Effect {
    let seen = vec![Seen {
        path: change.path.clone(),
        content: change.after,
    }];
    let files = if change.before == Some(change.after) {
        Vec::new()
    } else {
        vec![change]
    };
    Effect {
        files,
        seen,
        ..Effect::default()
    }
}

/// Removes what a killed owner left of this call beside `path`.
fn remove_unfinished(path: &Path, tag: &str) {
    if let Some(parent) = path.parent()
        && let Ok(folder) = open::folder(parent)
    {
        let _absent = rustix::fs::unlinkat(&folder, unfinished_name(tag), AtFlags::empty());
    }
}
