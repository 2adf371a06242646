//! Granted files that are not there yet: a mount needs something to lie on.
//!
//! Each becomes an empty file before the command starts. What is still empty and the same file when
//! the command is over is taken away again: the command did not write it.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Empty files that stand for granted ones; those left empty go when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Placeholders(Vec<Placeholder>);

#[derive(Debug)]
struct Placeholder {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Placeholders {
    /// Makes those of `granted` that are not there. What cannot be made is left out: writing it
    /// fails in the sandbox, as it would outside.
    pub(crate) fn make(granted: &[String]) -> Self {
        Self(
            granted
                .iter()
                .filter_map(|path| make(Path::new(path)))
                .collect(),
        )
    }
}

fn make(path: &Path) -> Option<Placeholder> {
    // Never along a link, never over anything.
    let mut new = OpenOptions::new();
    let file = new
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)
        .ok()?;
    let meta = file.metadata().ok()?;
    Some(Placeholder {
        path: path.to_owned(),
        device: meta.dev(),
        inode: meta.ino(),
    })
}

impl Drop for Placeholders {
    fn drop(&mut self) {
        for made in &self.0 {
            let is_untouched = fs::symlink_metadata(&made.path).is_ok_and(|meta| {
                meta.is_file()
                    && meta.len() == 0
                    && (meta.dev(), meta.ino()) == (made.device, made.inode)
            });
            if is_untouched {
                // Left behind it is only an empty file.
                let _left = fs::remove_file(&made.path);
            }
        }
    }
}

#[cfg(test)]
mod tests;
