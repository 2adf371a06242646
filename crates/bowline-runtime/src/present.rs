//! Files of a folder that other programs would act on: other agents, editors, shells, git, build
//! tools. Bowline uses none of them; a person who is about to trust a folder sees that they are there.
//!
//! Everything is foreign: nothing is followed, opened but regular files, or read beyond a bound.

mod git;
mod table;
#[cfg(test)]
mod tests;

use std::fs::{DirEntry, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use table::{PROGRAMS, ROWS};

/// Something in a folder that another program would act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its path in the folder; a byte that is no UTF-8 is shown as a sign for it.
    pub path: String,
    /// The line, if it is about one.
    pub line: Option<u32>,
    /// Who would act on it, and how, in a few words.
    pub what: String,
}

/// Most things that are told of one folder.
const MOST: usize = 500;

/// Most entries of one folder that are looked at.
const ENTRIES_MAX: usize = 2_000;

/// Most of a file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// What is there, in the order of a fixed table. Starts nothing and writes nothing.
#[must_use]
pub fn present(folder: &Path) -> Vec<Present> {
    let mut found = Vec::new();
    for (pattern, what) in ROWS {
        for path in matching(folder, pattern) {
            found.push(Present {
                path,
                line: None,
                what: (*what).to_owned(),
            });
        }
    }
    for name in PROGRAMS {
        if is_program(&folder.join(name)) {
            let what = "a program named like a command: it runs if PATH leads here";
            found.push(Present {
                path: (*name).to_owned(),
                line: None,
                what: what.to_owned(),
            });
        }
    }
    found.extend(git::present(folder));
    found.truncate(MOST);
    found
}

/// The paths that fit: a name, a folder with something in it (`NAME/`), or names of one folder with
/// one `*`.
fn matching(folder: &Path, pattern: &str) -> Vec<String> {
    let above = pattern.trim_end_matches('/').rsplit_once('/');
    if above.is_some_and(|(above, _)| !is_folder(&folder.join(above))) {
        return Vec::new();
    }
    if let Some(name) = pattern.strip_suffix('/') {
        let is_there = is_folder(&folder.join(name)) && !entries(&folder.join(name)).is_empty();
        return is_there.then(|| pattern.to_owned()).into_iter().collect();
    }
    let Some((before, after)) = pattern.split_once('*') else {
        let is_there = folder.join(pattern).symlink_metadata().is_ok();
        return is_there.then(|| pattern.to_owned()).into_iter().collect();
    };
    let (within, before) = match before.rsplit_once('/') {
        Some((within, before)) => (format!("{within}/"), before),
        None => (String::new(), before),
    };
    let mut found: Vec<String> = entries(&folder.join(&within))
        .iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.len() > before.len() + after.len())
        .filter(|name| name.starts_with(before) && name.ends_with(after))
        .map(|name| format!("{within}{name}"))
        .collect();
    found.sort();
    found
}

/// What lies in a folder; nothing if it is a link or no folder.
fn entries(folder: &Path) -> Vec<DirEntry> {
    if !is_folder(folder) {
        return Vec::new();
    }
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    listed.take(ENTRIES_MAX).collect()
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

fn is_program(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|meta| !meta.is_dir() && (meta.is_symlink() || meta.mode() & 0o111 != 0))
}

/// The text of a regular file, as far as it is read; a byte that is no UTF-8 becomes a sign for it.
fn text(path: &Path) -> Option<String> {
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    // Should it become a FIFO meanwhile, nobody waits for it.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .ok()?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
