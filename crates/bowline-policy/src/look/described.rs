//! A workspace as a record describes it.

use std::collections::BTreeMap;

use bowline_core::look::Seen;

use super::Look;
use crate::place::below;
use crate::shell::name_fits;

/// What lies in a workspace, by paths relative to it: `file`, `dir`, `file: CONTENT` or
/// `symlink -> TARGET`. What is not mentioned is an ordinary file or folder.
#[derive(Debug, Clone, Default)]
pub struct Described {
    workspace: String,
    entries: BTreeMap<String, String>,
}

impl Described {
    /// Takes what lies at paths relative to `workspace`.
    #[must_use]
    pub fn new(workspace: &str, entries: &[(&str, &str)]) -> Self {
        let entries = entries.iter();
        Self {
            workspace: workspace.trim_end_matches('/').to_owned(),
            entries: entries
                .map(|(path, what)| (path.trim_matches('/').to_owned(), (*what).to_owned()))
                .collect(),
        }
    }

    /// The path relative to the workspace: empty for the workspace itself.
    fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        below(path, &self.workspace)
    }
}

impl Look for Described {
    fn at(&self, path: &str) -> Seen {
        let entry = self
            .inside(path)
            .and_then(|inside| self.entries.get(inside));
        let Some(what) = entry else {
            return Seen::File;
        };
        match (what.as_str(), what.strip_prefix("symlink -> ")) {
            (_, Some(target)) => Seen::Link(target.to_owned()),
            ("dir", None) => Seen::Folder,
            _ => Seen::File,
        }
    }

    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>> {
        let inside = self.inside(folder)?;
        let rest = |path: &String| {
            let rest = below(path, inside).or_else(|| inside.is_empty().then_some(path));
            rest.map(str::to_owned)
        };
        let first = |rest: String| rest.split('/').next().map(str::to_owned);
        let mut names: Vec<String> = self
            .entries
            .keys()
            .filter_map(rest)
            .filter_map(first)
            .filter(|name| !name.is_empty() && name_fits(pattern, name))
            .collect();
        names.dedup();
        Some(names)
    }

    fn content(&self, path: &str) -> Option<String> {
        let what = self.entries.get(self.inside(path)?)?;
        what.strip_prefix("file: ").map(str::to_owned)
    }
}
