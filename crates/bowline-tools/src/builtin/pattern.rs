//! File patterns as `glob` and `grep` take them.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::tool::InputError;

#[cfg(test)]
mod tests;

/// A compiled pattern: `*` stays within a name, `**` crosses folders, `{a,b}` and `[a-z]` choose.
/// Without a slash it is held against names at any depth.
#[derive(Debug)]
pub(super) struct FilePattern {
    matcher: GlobMatcher,
    by_name: bool,
    /// Whether it asks for names that begin with a dot.
    pub(super) names_hidden: bool,
}

impl FilePattern {
    /// Compiles the value of `key`.
    pub(super) fn new(key: &str, text: &str) -> Result<Self, InputError> {
        let fail = |why: String| InputError::new(format!("\"{key}\" `{text}` {why}"));
        if text.is_empty() {
            return Err(fail("is empty: use `**/*` for every file".to_owned()));
        }
        if text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return Err(fail(
                "must stay below the folder: give that in \"path\"".to_owned(),
            ));
        }
        let pattern = text.strip_prefix("./").unwrap_or(text);
        let matcher = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| fail(format!("is no valid pattern: {}", error.kind())))?
            .compile_matcher();
        let names_hidden = pattern
            .split('/')
            .any(|part| part.starts_with('.') || part.contains("{."));
        Ok(Self {
            matcher,
            by_name: !pattern.contains('/'),
            names_hidden,
        })
    }

    /// Whether it matches the file at `path`, relative to the folder of the search.
    pub(super) fn matches(&self, path: &Path) -> bool {
        if self.by_name {
            path.file_name()
                .is_some_and(|name| self.matcher.is_match(name))
        } else {
            self.matcher.is_match(path)
        }
    }
}
