//! Files that a person granted and that are not there yet.
//!
//! Neither a mount nor Landlock can open a name that does not exist without opening its folder. So
//! an empty file is made first, and taken away again if the command leaves it empty.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bowline_core::Profile;

/// Empty files in place of granted ones, for as long as a command runs.
#[derive(Debug, Default)]
pub(crate) struct Placeholders(Vec<PathBuf>);

impl Placeholders {
    /// Makes those that `profile` needs: a file in a folder that is there and cannot be written.
    pub(super) fn make(profile: &Profile) -> Self {
        let is_writable = |path: &Path| {
            let mut folders = profile.writable.iter();
            folders.any(|folder| path.starts_with(folder))
        };
        let made = profile.granted.iter().map(PathBuf::from).filter(|path| {
            // Where it cannot be made, this user cannot write either.
            !is_writable(path) && File::create_new(path).is_ok()
        });
        Self(made.collect())
    }
}

impl Drop for Placeholders {
    fn drop(&mut self) {
        for path in &self.0 {
            let meta = fs::symlink_metadata(path);
            if meta.is_ok_and(|meta| meta.is_file() && meta.len() == 0) {
                // An empty file that stays harms nobody.
                let _left = fs::remove_file(path);
            }
        }
    }
}

#[cfg(test)]
mod tests;
