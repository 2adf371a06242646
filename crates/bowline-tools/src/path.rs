//! Paths: what a written path really names, looked at without opening anything.
//!
//! [`locate`] runs while a call is planned; what it finds is what the policy judges and what the
//! decision is bound to. The inner module `open` works when the call runs, and opens the very path
//! that was judged: no link is followed any more, so that one put in its place since then fails.

pub(crate) mod open;

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use bowline_core::PathFact;
use bowline_core::action::PathKind;

use crate::tool::InputError;

#[cfg(test)]
mod tests;

/// Links followed for one path before it counts as a loop; the kernel's own limit.
const LINKS_MAX: u32 = 40;

/// Finds what `asked`, written relative to `cwd`, names: every link is followed component by
/// component, as the kernel would. What does not exist is kept by name.
///
/// # Errors
/// [`InputError`] when the text is no usable path or its links form a loop.
pub fn locate(asked: &str, cwd: &Path) -> Result<PathFact, InputError> {
    if asked.is_empty() {
        return Err(InputError::new("\"path\" is empty: name a file or folder"));
    }
    if asked.contains('\0') {
        return Err(InputError::new(
            "\"path\" holds a NUL character, which no path can",
        ));
    }
    if asked == "~" || asked.starts_with("~/") {
        let message = format!("`~` is not expanded in \"path\" (`{asked}`): write the whole path");
        return Err(InputError::new(message));
    }
    let whole = cwd.join(asked);
    let by_name = text(normalise(&whole), asked)?;
    let mut walk = Walk {
        at: PathBuf::from("/"),
        end: End::Folder,
        links: 0,
    };
    walk.follow(&whole).map_err(|LinkLoop| {
        let message =
            format!("`{asked}` leads through more than {LINKS_MAX} links: they form a loop");
        InputError::new(message)
    })?;
    let (kind, links) = match walk.end {
        End::Folder => (PathKind::Folder, 1),
        End::File { links } => (PathKind::File, links),
        End::Special => (PathKind::Special, 1),
        End::Missing => (PathKind::Missing, 0),
        End::Unknown => (PathKind::Unknown, 1),
    };
    if names_folder(asked) && matches!(kind, PathKind::File | PathKind::Special) {
        let message = format!("`{asked}` names a folder, and what lies there is none");
        return Err(InputError::new(message));
    }
    let resolved = text(walk.at, asked)?;
    Ok(PathFact {
        asked: asked.to_owned(),
        resolved,
        by_name,
        kind,
        links,
    })
}

/// Whether a path says by its end that it means a folder.
pub(crate) fn names_folder(asked: &str) -> bool {
    asked.ends_with('/') || asked.ends_with("/.")
}

fn text(path: PathBuf, asked: &str) -> Result<String, InputError> {
    path.into_os_string().into_string().map_err(|path| {
        let path = path.to_string_lossy().into_owned();
        InputError::new(format!(
            "`{asked}` leads to `{path}`, whose name is not valid UTF-8"
        ))
    })
}

/// Removes `.`, `..` and doubled slashes by name only; the path is absolute.
pub(crate) fn normalise(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

/// A path is followed through too many links.
struct LinkLoop;

/// What lies where a walk has come to.
#[derive(Clone, Copy)]
enum End {
    Folder,
    File { links: u64 },
    Special,
    Missing,
    Unknown,
}

/// A walk from the root along a path.
struct Walk {
    /// Free of links, `.` and `..`.
    at: PathBuf,
    end: End,
    links: u32,
}

impl Walk {
    fn follow(&mut self, whole: &Path) -> Result<(), LinkLoop> {
        let mut ahead: Vec<OsString> = parts(whole).rev().collect();
        while let Some(name) = ahead.pop() {
            if name == ".." {
                if self.at.pop() {
                    self.end = End::Folder;
                }
                continue;
            }
            self.at.push(name);
            // Below a file or below nothing there is nothing to look at; opening will say so.
            if !matches!(self.end, End::Folder) {
                self.end = if matches!(self.end, End::Unknown) {
                    End::Unknown
                } else {
                    End::Missing
                };
                continue;
            }
            let Some(target) = self.look() else { continue };
            self.links += 1;
            if self.links > LINKS_MAX {
                return Err(LinkLoop);
            }
            if target.is_absolute() {
                self.at = PathBuf::from("/");
            } else {
                self.at.pop();
            }
            self.end = End::Folder;
            ahead.extend(parts(&target).rev());
        }
        Ok(())
    }

    /// Looks at the last component; gives a link's target.
    fn look(&mut self) -> Option<PathBuf> {
        let found = match std::fs::symlink_metadata(&self.at) {
            Ok(found) => found,
            Err(error) => {
                let is_absent =
                    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
                self.end = if is_absent {
                    End::Missing
                } else {
                    End::Unknown
                };
                return None;
            }
        };
        let target = found
            .is_symlink()
            .then(|| std::fs::read_link(&self.at).ok())
            .flatten();
        if target.is_none() {
            self.end = end_of(&found);
        }
        target
    }
}

fn end_of(found: &Metadata) -> End {
    match found.file_type() {
        kind if kind.is_dir() => End::Folder,
        kind if kind.is_file() => End::File {
            links: found.nlink(),
        },
        kind if kind.is_symlink() => End::Unknown,
        _ => End::Special,
    }
}

/// The names of a path, `..` kept.
fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + use<'_> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}
