//! Reads a configuration file whole, or says why it cannot be read. A file that is there and cannot
//! be read never counts as empty: what it forbids would be allowed.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bowline_core::decision::Layer;
use rustix::fs::{Mode, OFlags};

use crate::failure::Failure;

/// Largest configuration file that is read, in bytes; a larger one is no configuration.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Largest file of rules that is read, in bytes.
pub const RULES_BYTES_MAX: u64 = 32 << 20;

/// How often a file is read again that changes while it is read.
const TRIES: usize = 5;

/// The text of a file; `None` when there is none.
///
/// # Errors
/// When something is there that is no readable text file of at most `bytes_max`.
pub fn read(layer: Layer, path: &Path, bytes_max: u64) -> Result<Option<String>, Failure> {
    let cannot = |why: String| {
        let whose = match layer {
            Layer::Managed => {
                " It is managed: no session begins or goes on until whoever manages this machine \
                 has mended it"
            }
            _ => " Mend or remove it to go on",
        };
        Failure::usage(format!("{}: {why}.{whose}", path.display()))
    };
    for _ in 0..TRIES {
        let mut file = match open(path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => {
                return in_the_way(layer, path).map_or(Ok(None), |why| Err(cannot(why)));
            }
            Err(error) => return Err(cannot(format!("cannot be read: {error}"))),
        };
        let unreadable = |error: io::Error| cannot(format!("cannot be read: {error}"));
        let before = file.metadata().map_err(unreadable)?;
        if !before.is_file() {
            return Err(cannot("is not a file".to_owned()));
        }
        let mut bytes = Vec::new();
        let most = bytes_max + 1;
        (&mut file)
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 == most {
            return Err(cannot(format!("is larger than {} MiB", bytes_max >> 20)));
        }
        let after = file.metadata().map_err(unreadable)?;
        if state_of(&before) == state_of(&after) && bytes.len() as u64 == after.len() {
            return String::from_utf8(bytes).map(Some).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                cannot(format!("is not UTF-8 (byte {at})"))
            });
        }
    }
    Err(cannot("changes while it is read".to_owned()))
}

/// Opens without waiting for whoever would write to a FIFO.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// What tells that a file was written to.
fn state_of(meta: &Metadata) -> (u64, i64, i64, i64, i64) {
    (
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
    )
}

/// What stands where the file or one of its folders should: a link that leads nowhere, or, for a
/// managed file, a file in place of a folder.
fn in_the_way(layer: Layer, path: &Path) -> Option<String> {
    for place in path.ancestors() {
        let Ok(meta) = place.symlink_metadata() else {
            continue;
        };
        let name = place.display();
        return match place.metadata() {
            Err(error) if meta.is_symlink() => Some(format!(
                "cannot be read: the link {name} leads nowhere ({error})"
            )),
            Ok(found) if place != path && !found.is_dir() && layer == Layer::Managed => {
                Some(format!("cannot be read: {name} is no folder"))
            }
            _ => None,
        };
    }
    None
}

#[cfg(test)]
mod tests;
