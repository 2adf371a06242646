//! Instruction files of folders that a session comes to while it works: below the working folder,
//! or beside it beneath the root of its repository.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{Instructions, Reader, Whose, project_root};

/// Reads the instruction files of `touched` folders (absolute, links followed) and of every folder
/// between them and the root of the project, those nearer to the root first. What a session that
/// works in `cwd` is given when it begins is not among them, nor is anything in a hidden folder.
#[must_use]
pub fn beneath(cwd: &Path, touched: &BTreeSet<PathBuf>) -> Instructions {
    let root = project_root(cwd);
    let inner = cwd.strip_prefix(root).unwrap_or(Path::new(""));
    let mut folders = BTreeSet::new();
    for folder in touched {
        let Ok(at) = folder.strip_prefix(root) else {
            continue;
        };
        let within = at.ancestors().filter(|one| !inner.starts_with(one));
        folders.extend(within.filter(|one| !is_hidden(one, inner)));
    }
    let mut reader = Reader::default();
    for folder in folders {
        reader.folder(Whose::Project, root, folder, Some(inner));
    }
    reader.found
}

/// Whether a folder is hidden, as seen from the way to the working folder.
fn is_hidden(folder: &Path, inner: &Path) -> bool {
    let common = folder.components().zip(inner.components());
    let common = common.take_while(|(one, other)| one == other).count();
    let mut own = folder.components().skip(common);
    own.any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}

/// Where the file lies that a session in `cwd` knows as `name`: absolute, without `..`.
#[must_use]
pub fn place(cwd: &Path, name: &str) -> PathBuf {
    let mut place = PathBuf::new();
    for part in cwd.join(name).components() {
        match part {
            Component::ParentDir => {
                place.pop();
            }
            Component::CurDir => {}
            other => place.push(other),
        }
    }
    place
}
