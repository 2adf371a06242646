//! What of a workspace is protected, as it stands when a command starts.
//!
//! A name that is there can be held by a mount. One that is not there cannot, and making it first
//! would leave it behind in the workspace: such a name is only written down, for
//! [`lookout`](super::lookout). The exception is the folder of a repository's hooks, which git makes by
//! itself in every new repository and never minds empty.

use std::fs;
use std::path::{Path, PathBuf};

use bowline_core::Profile;

/// The folder or file of a repository.
pub(super) const GIT: &str = ".git";

/// Names in a repository's own folder begin like this among the protected ones.
const IN_GIT: &str = ".git/";

/// What git runs by itself, below a repository's own folder.
pub(super) const HOOKS: &str = "hooks";

/// Where a repository keeps those of its submodules.
const MODULES: &str = "modules";

/// Most repositories below one writable folder that are looked for, beside its own.
const NESTED_MAX: usize = 16;

/// Most folders that are looked into for repositories.
const LOOKS_MAX: usize = 400;

/// How deep repositories are looked for below a writable folder.
const DEPTH_MAX: usize = 2;

/// Folders in which nobody's repositories are, and very many folders.
const LEFT_OUT: [&str; 2] = ["node_modules", "target"];

/// What is protected.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Names that are there, each below the folder that holds it.
    pub(super) there: Vec<(PathBuf, String)>,
    /// Names that must stay as they are, and cannot be held by a mount.
    pub(super) watched: Vec<Watched>,
    /// Folders that have a repository of their own.
    pub(super) repositories: Vec<PathBuf>,
    /// Whether there are more than were looked for.
    pub(super) has_more: bool,
}

/// A protected name that is not there, or is a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watched {
    /// The folder that it is relative to, absolute.
    pub(super) folder: PathBuf,
    /// Its name, with or without folders in it.
    pub(super) name: String,
    /// Where the link leads that must stay; none if nothing is there.
    pub(super) link: Option<PathBuf>,
}

/// Looks at everything that `profile` protects.
pub(super) fn survey(profile: &Profile) -> Survey {
    let mut survey = Survey::default();
    let (in_git, plain): (Vec<&String>, Vec<&String>) = profile
        .protected
        .iter()
        .partition(|name| name.starts_with(IN_GIT));
    let in_git: Vec<&str> = in_git
        .into_iter()
        .filter_map(|name| name.strip_prefix(IN_GIT))
        .collect();
    for folder in profile.writable.iter().map(Path::new) {
        if !in_git.is_empty() {
            survey.repositories(folder, &in_git);
        }
        for name in &plain {
            survey.take(folder, name);
        }
    }
    let granted: Vec<&Path> = profile.granted.iter().map(Path::new).collect();
    survey.watched.retain(|watched| {
        let path = watched.folder.join(&watched.name);
        let is_granted = |granted: &&Path| path.starts_with(granted) || granted.starts_with(&path);
        !granted.iter().any(is_granted)
    });
    survey
}

impl Survey {
    /// What is protected of the repositories in and below `folder`.
    fn repositories(&mut self, folder: &Path, names: &[&str]) {
        let (found, has_more) = repositories(folder);
        self.has_more |= has_more;
        for repository in &found {
            self.repository(repository, names);
        }
        self.repositories.extend(found);
        if is_repository(folder) {
            self.own(folder, names);
        }
    }

    /// What is protected of the repository in `folder`, if there is one.
    fn repository(&mut self, folder: &Path, names: &[&str]) {
        let own = folder.join(GIT);
        let Ok(meta) = fs::symlink_metadata(&own) else {
            return;
        };
        if !meta.is_dir() {
            // A file that says where the repository's own folder is, or a link to it.
            self.take(folder, GIT);
        }
        if !own.is_dir() {
            return;
        }
        self.own(&own, names);
        let mut inner = Vec::new();
        modules(&own.join(MODULES), DEPTH_MAX, &mut inner);
        for module in inner {
            self.own(&module, names);
        }
    }

    /// What is protected in a repository's own folder.
    fn own(&mut self, own: &Path, names: &[&str]) {
        if names.contains(&HOOKS) && is_repository(own) {
            // Where it cannot be made, the name is watched like any other.
            let _there = fs::create_dir(own.join(HOOKS));
        }
        for name in names {
            self.take(own, name);
        }
    }

    fn take(&mut self, folder: &Path, name: &str) {
        let path = folder.join(name);
        let kind = fs::symlink_metadata(&path).map(|meta| meta.file_type());
        let mut watched = Watched {
            folder: folder.to_owned(),
            name: name.to_owned(),
            link: None,
        };
        match kind {
            Ok(kind) if kind.is_symlink() => {
                self.there.push((folder.to_owned(), name.to_owned()));
                watched.link = fs::read_link(&path).ok();
                self.watched.push(watched);
            }
            Ok(_) => self.there.push((folder.to_owned(), name.to_owned())),
            Err(_) => self.watched.push(watched),
        }
    }
}

/// The folders in and below `folder` that have a repository of their own, and whether there may be
/// more where was not looked.
pub(super) fn repositories(folder: &Path) -> (Vec<PathBuf>, bool) {
    let mut found = Vec::new();
    let mut looks = 0;
    if fs::symlink_metadata(folder.join(GIT)).is_ok() {
        found.push(folder.to_owned());
    }
    nested(folder, DEPTH_MAX, &mut found, &mut looks);
    let has_more = looks >= LOOKS_MAX || found.len() > NESTED_MAX;
    (found, has_more)
}

/// Whether `folder` is a repository's own folder.
fn is_repository(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir()
}

/// Adds the folders below `folder` that have a repository of their own.
fn nested(folder: &Path, depth: usize, found: &mut Vec<PathBuf>, looks: &mut usize) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_left_out = name == GIT || LEFT_OUT.iter().any(|left| name == *left);
        if is_left_out || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if *looks >= LOOKS_MAX || found.len() > NESTED_MAX {
            return;
        }
        *looks += 1;
        let path = entry.path();
        if fs::symlink_metadata(path.join(GIT)).is_ok() {
            found.push(path.clone());
        }
        if depth > 1 {
            nested(&path, depth - 1, found, looks);
        }
    }
}

/// Adds the own folders of the submodules that a repository keeps in `folder`.
fn modules(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if found.len() >= NESTED_MAX {
            return;
        }
        if is_repository(&path) {
            found.push(path);
        } else if depth > 1 {
            modules(&path, depth - 1, found);
        }
    }
}

#[cfg(test)]
mod tests;
