//! Looks at the disk for the policy: what lies at a path, without following links, opening
//! anything but regular files, or changing access times where the system lets that be.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use bowline_core::look::Seen;
use bowline_policy::shell::name_fits;
use bowline_policy::{CONTENT_BYTES_MAX, Look, NAMES_MAX, UNREADABLE_GIT_CONFIG};

/// Most entries of a folder that are held against a glob; a larger folder counts as not known.
const ENTRIES_MAX: usize = 20_000;

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Look for Disk {
    fn at(&self, path: &str) -> Seen {
        let stat = match fs::symlink_metadata(path) {
            Ok(stat) => stat,
            Err(error) => {
                return match error.kind() {
                    // Below a file there is nothing either.
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                        Seen::Missing
                    }
                    _ => Seen::Unknown,
                };
            }
        };
        let kind = stat.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(path).ok();
            let target = target.and_then(|target| target.into_os_string().into_string().ok());
            return target.map_or(Seen::Unknown, Seen::Link);
        }
        if kind.is_dir() {
            Seen::Folder
        } else if kind.is_file() {
            Seen::File
        } else {
            Seen::Special
        }
    }

    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Vec::new()),
            Err(_) => return None,
        };
        for (number, entry) in entries.enumerate() {
            if number >= ENTRIES_MAX {
                return None;
            }
            // A name that is no text cannot be held against anything.
            let name = entry.ok()?.file_name().into_string().ok()?;
            if name_fits(pattern, &name) {
                names.push(name);
            }
            if names.len() > NAMES_MAX {
                return None;
            }
        }
        names.sort();
        Some(names)
    }

    fn content(&self, path: &str) -> Option<String> {
        let most = u64::try_from(CONTENT_BYTES_MAX).ok()?;
        let path = Path::new(path);
        // A FIFO would be waited for for ever: nothing but a regular file is opened.
        let stat = fs::symlink_metadata(path).ok()?;
        if !stat.is_file() || stat.len() > most {
            return None;
        }
        let mut text = String::new();
        let file = open(path)?;
        file.take(most + 1).read_to_string(&mut text).ok()?;
        (text.len() <= CONTENT_BYTES_MAX).then_some(text)
    }

    fn git_config(&self, path: &str) -> Option<String> {
        match fs::symlink_metadata(path) {
            Ok(stat) if stat.is_dir() => None,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                None
            }
            _ => Some(
                self.content(path)
                    .unwrap_or_else(|| UNREADABLE_GIT_CONFIG.to_owned()),
            ),
        }
    }
}

/// Opens a file without following a link and without waiting, should it have become something else
/// meanwhile.
fn open(path: &Path) -> Option<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = fs::OpenOptions::new();
    options
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).ok()?);
    let file = options.open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

#[cfg(test)]
mod tests;
