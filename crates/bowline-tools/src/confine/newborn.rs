//! Repositories that came into being while a command ran.
//!
//! A command may make repositories, and no name in them could be protected before. So what git would
//! start for whoever works there next is set aside when the command is over: hooks, and a
//! configuration that says more than where things are.

use std::fs;
use std::path::{Path, PathBuf};

use super::lookout::{ASIDE, TRIES_MAX};
use super::survey::{self, Survey};

/// What git makes by itself among the hooks and never runs.
const SAMPLE: &str = ".sample";

/// Longest configuration that is looked at, in bytes.
const CONFIG_BYTES_MAX: u64 = 64 << 10;

/// Files of a repository that are configuration or lead to some.
const CONFIGS: [&str; 2] = ["config", "config.worktree"];

/// The folder in a repository that says where its work trees are.
const WORK_TREES: &str = "worktrees";

/// Sections of git's configuration and the keys in them that start no program; `*` for all.
const HARMLESS: [(&str, &str); 19] = [
    (
        "core",
        "repositoryformatversion filemode bare logallrefupdates ignorecase precomposeunicode symlinks \
         autocrlf eol safecrlf quotepath longpaths sparsecheckout sparsecheckoutcone \
         sharedrepository compression worktree abbrev",
    ),
    ("user", "name email"),
    ("author", "name email"),
    ("committer", "name email"),
    ("init", "defaultbranch"),
    ("remote", "url fetch tagopt prune pushurl"),
    ("branch", "*"),
    ("submodule", "url active branch"),
    ("extensions", "*"),
    ("pull", "rebase ff"),
    ("push", "default autosetupremote followtags"),
    ("merge", "conflictstyle ff"),
    ("rebase", "autostash autosquash"),
    ("commit", "gpgsign verbose"),
    ("gc", "auto autodetach"),
    ("fetch", "prune"),
    ("color", "*"),
    ("advice", "*"),
    ("rerere", "*"),
];

/// The repositories of a workspace when a command starts.
#[derive(Debug)]
pub(super) struct Nursery {
    folders: Vec<PathBuf>,
    known: Vec<PathBuf>,
}

impl Nursery {
    /// Those in and below the writable `folders`, as surveyed. Where there were more than are looked
    /// for, nobody could tell an old one from a new one: then none is looked at.
    pub(super) fn new(folders: Vec<PathBuf>, survey: &Survey) -> Self {
        Self {
            folders: if survey.has_more { Vec::new() } else { folders },
            known: survey.repositories.clone(),
        }
    }

    /// Sets aside what repositories that are new would start. Gives where it lies now.
    ///
    /// To be called when no process of the command is left: nobody swaps folders any more.
    pub(super) fn tame(&self) -> Vec<PathBuf> {
        let found = self
            .folders
            .iter()
            .flat_map(|folder| survey::repositories(folder).0);
        let new = found.filter(|folder| !self.known.contains(folder));
        let mut aside = Vec::new();
        for folder in new {
            self.tame_in(&folder.join(survey::GIT), &mut aside);
        }
        aside
    }

    /// Looks into what is named `.git`: a repository's own folder, or a file that leads there.
    fn tame_in(&self, git: &Path, aside: &mut Vec<PathBuf>) {
        let Ok(kind) = fs::symlink_metadata(git).map(|meta| meta.file_type()) else {
            return;
        };
        if kind.is_symlink() {
            aside.extend(set_aside(git));
        } else if kind.is_dir() {
            tame_own(git, aside);
        } else if let Some(own) = self.led_to(git) {
            tame_own(&own, aside);
        }
    }

    /// Where a file `.git` leads, if a command can write there and it is no work tree of a repository
    /// that is looked at itself.
    fn led_to(&self, git: &Path) -> Option<PathBuf> {
        let text = fs::read_to_string(git).ok()?;
        let named = text.strip_prefix("gitdir:")?.trim();
        let own = git.parent()?.join(named).canonicalize().ok()?;
        let is_work_tree = own
            .parent()?
            .ends_with(Path::new(survey::GIT).join(WORK_TREES));
        let is_inside = self.folders.iter().any(|folder| own.starts_with(folder));
        (is_inside && !is_work_tree).then_some(own)
    }
}

/// Sets aside what the repository would start whose own folder this is.
fn tame_own(own: &Path, aside: &mut Vec<PathBuf>) {
    let hooks = own.join(survey::HOOKS);
    let is_link = fs::symlink_metadata(&hooks).is_ok_and(|meta| meta.is_symlink());
    if is_link {
        aside.extend(set_aside(&hooks));
    } else {
        for hook in fs::read_dir(&hooks).into_iter().flatten().flatten() {
            let name = hook.file_name();
            let name = name.to_string_lossy();
            if !name.ends_with(SAMPLE) && !name.contains(ASIDE) {
                aside.extend(set_aside(&hook.path()));
            }
        }
    }
    for name in CONFIGS {
        let path = own.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|meta| !is_plain(&path, &meta)) {
            aside.extend(set_aside(&path));
        }
    }
    let elsewhere = own.join("commondir");
    if fs::symlink_metadata(&elsewhere).is_ok() {
        aside.extend(set_aside(&elsewhere));
    }
}

/// Whether a configuration starts nothing.
fn is_plain(path: &Path, meta: &fs::Metadata) -> bool {
    let is_short = meta.is_file() && meta.len() <= CONFIG_BYTES_MAX;
    is_short && fs::read_to_string(path).is_ok_and(|text| is_harmless(&text))
}

/// Whether git's configuration `text` says nothing but what is known to start no program.
fn is_harmless(text: &str) -> bool {
    let mut keys = "";
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let Some((head, "")) = rest.split_once(']') else {
                return false;
            };
            let section = head.split([' ', '\t', '.', '"']).next().unwrap_or_default();
            let section = section.to_ascii_lowercase();
            let known = HARMLESS.iter().find(|(name, _)| *name == section);
            let Some((_, of_section)) = known else {
                return false;
            };
            keys = of_section;
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let key = key.trim().to_ascii_lowercase();
        let is_known = keys == "*" || keys.split(' ').any(|known| known == key);
        let starts = value.trim_start().starts_with(['!', '"']) || value.contains("ext::");
        if !is_known || starts || line.ends_with('\\') {
            return false;
        }
    }
    true
}

/// Gives what lies at `path` another name beside it; the new path.
fn set_aside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    for count in 0..TRIES_MAX {
        let mut aside = name.to_owned();
        aside.push(ASIDE);
        if count > 0 {
            aside.push(format!("-{count}"));
        }
        let aside = path.with_file_name(aside);
        if fs::symlink_metadata(&aside).is_err() {
            return fs::rename(path, &aside).is_ok().then_some(aside);
        }
    }
    None
}

#[cfg(test)]
mod tests;
