//! The repository's files as text in memory, so that every scanner is a function of a value.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

/// Files by path (relative, `/`-separated). Binary files are there without text.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the named files under `root`. Listed files that are gone, and links, are left out.
    ///
    /// # Errors
    /// When a file that exists cannot be read.
    pub(crate) fn read<'a>(root: &Path, paths: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in paths {
            let full = root.join(path);
            if !full.symlink_metadata().is_ok_and(|found| found.is_file()) {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
            let text = String::from_utf8(bytes)
                .ok()
                .filter(|text| !text.contains('\0'));
            files.insert(path.to_owned(), text);
        }
        Ok(Self { files })
    }

    /// A tree of the given files, for tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())));
        Self {
            files: files.collect(),
        }
    }

    /// The text of one file; none if it is missing or binary.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Every text file: path and text, in the order of paths.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Every Rust source file but those that are data (under a `fixtures` or `corpora` folder).
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts()
            .filter(|(path, _)| path.ends_with(".rs") && !is_data(path))
    }

    /// Whether a file or folder of this path exists.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path)
            || self.files.keys().any(|file| {
                file.strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
    }
}

/// Whether a path lies in a folder of test data, where the rules for our own sources do not hold.
pub(crate) fn is_data(path: &str) -> bool {
    path.split('/')
        .rev()
        .skip(1)
        .any(|folder| matches!(folder, "fixtures" | "corpora"))
}

/// The folder of a path, without its trailing slash; empty for a file at the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
