//! A workspace as a record describes it.

use std::collections::BTreeMap;

use bowline_core::look::Seen;
use bowline_policy::Look;
use bowline_policy::shell::name_fits;
use serde_json::{Map, Value};

/// What lies in a workspace, by paths relative to it: `file`, `dir`, `file: CONTENT` or
/// `symlink -> TARGET`. What is not mentioned is an ordinary file or folder.
#[derive(Debug, Clone, Default)]
pub struct Described {
    workspace: String,
    entries: BTreeMap<String, String>,
}

impl Described {
    /// Takes a record's `fs`.
    #[must_use]
    pub fn new(workspace: &str, fs: &Map<String, Value>) -> Self {
        let entry = |(path, what): (&String, &Value)| {
            let path = path.trim_matches('/').to_owned();
            Some((path, what.as_str()?.to_owned()))
        };
        Self {
            workspace: workspace.trim_end_matches('/').to_owned(),
            entries: fs.iter().filter_map(entry).collect(),
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
        let rest = |path: &'_ String| below(path, inside).map(str::to_owned);
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

/// What of `path` lies below `folder`.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() {
        return Some("");
    }
    rest.strip_prefix('/')
}
