//! What `.gitignore` files exclude.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::path::open;
use crate::tool::PlanCx;

/// Largest file of patterns that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// The patterns in force, outermost first.
pub(super) struct Ignored {
    levels: Vec<Option<Gitignore>>,
}

impl Ignored {
    /// The patterns of the workspace folders above `start`.
    pub(super) fn above(start: &Path, cx: &PlanCx) -> Self {
        let root = cx.roots.iter().find(|root| start.starts_with(root));
        let mut above: Vec<&Path> = match root {
            Some(root) => start
                .ancestors()
                .skip(1)
                .take_while(|folder| folder.starts_with(root))
                .collect(),
            None => Vec::new(),
        };
        above.reverse();
        let levels = above
            .into_iter()
            .map(|path| {
                open::folder(path)
                    .ok()
                    .and_then(|folder| patterns(&folder, path))
            })
            .collect();
        Self { levels }
    }

    /// Adds the patterns of the open `folder` at `path`.
    pub(super) fn enter(&mut self, folder: &OwnedFd, path: &Path) {
        self.levels.push(patterns(folder, path));
    }

    /// Drops the patterns of the folder entered last.
    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// Whether `path` is excluded; the innermost pattern that matches decides.
    pub(super) fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let levels = self.levels.iter().rev().flatten();
        let mut matches = levels.map(|level| level.matched(path, is_folder));
        matches
            .find(|found| !found.is_none())
            .is_some_and(|found| found.is_ignore())
    }
}

/// The patterns of one folder; `None` when it has none.
fn patterns(folder: &OwnedFd, path: &Path) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new(path);
    let own = text(
        open::file_in(folder, Path::new(".gitignore"))
            .ok()
            .map(|(file, _)| file),
    );
    let of_repository = text(
        open::file(&path.join(".git/info/exclude"))
            .ok()
            .map(|(file, _)| file),
    );
    if own.is_empty() && of_repository.is_empty() {
        return None;
    }
    // The last match decides: a folder's own patterns outweigh those of the repository.
    for line in of_repository.lines().chain(own.lines()) {
        // A pattern that cannot be read excludes nothing; git does the same.
        let _unusable = builder.add_line(None, line);
    }
    builder.build().ok().filter(|patterns| !patterns.is_empty())
}

fn text(file: Option<std::fs::File>) -> String {
    let mut bytes = Vec::new();
    let read = file.map(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
    match read {
        Some(Ok(_)) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    }
}
