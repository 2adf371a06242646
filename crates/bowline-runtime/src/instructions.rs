//! Instruction files: what a person and a project tell every session, with what they import.
//!
//! Reading them runs nothing. A project's files lie between the root of its repository and the
//! working folder; what they import lies beneath that root, is plain text, is reached over no link
//! and over no hidden folder. What is left out is said.

mod imports;
mod nested;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use bowline_core::context::caps;
use bowline_core::{ContextText, Digest, Origin};
pub use nested::{beneath, place};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

/// The names of instruction files, the first one first.
pub const NAMES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];
/// Most bytes of all of them together; the nearest ones come in first.
pub const TOTAL_BYTES_MAX: usize = 2 * caps::INSTRUCTIONS_BYTES;
/// How deep an import of an import may lie.
pub const DEPTH_MAX: usize = 5;
/// Most files that are read.
const FILES_MAX: usize = 64;

/// Whose an instruction file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A person's own, in the configuration folder.
    User,
    /// The project's; untrusted text.
    Project,
}

impl Whose {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Project => "project",
        }
    }
}

/// One file that goes to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Whose it is.
    pub whose: Whose,
    /// Its name as the model reads it: from the working folder, or absolute for a person's own.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The name of the file that imports it, if one does.
    pub imported_by: Option<String>,
    /// Its text, read a little past the cap if it is longer.
    pub text: String,
    /// Bytes it has on the disk.
    pub bytes: u64,
}

impl Instruction {
    /// Whether it is longer than what the model is given of one file.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.bytes > caps::INSTRUCTIONS_BYTES as u64
    }

    /// The bytes of it that count for all of them together.
    fn weight(&self) -> usize {
        self.text.len().min(caps::INSTRUCTIONS_BYTES)
    }

    /// The text as it enters the model's context, once what is secret in it is masked.
    #[must_use]
    pub fn admit(&self, masked: String) -> ContextText {
        let origin = Origin::File(self.name.clone());
        ContextText::admit(origin, masked, caps::INSTRUCTIONS_BYTES, None)
    }
}

/// A file that was named or found and does not go to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why, in a few words.
    pub why: String,
}

impl LeftOut {
    /// The line that the model is told.
    #[must_use]
    pub fn line(&self) -> String {
        format!("- {}: {}", self.name, self.why)
    }
}

/// What the model is told of files that it does not get, a line for each.
#[must_use]
pub fn told_left_out(lines: &[String]) -> String {
    format!(
        "Instruction files that were left out:\n{}",
        lines.join("\n")
    )
}

/// All that there is for one working folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instructions {
    /// The files, a person's own first, then from the root of the project inwards; what a file
    /// imports comes right after it.
    pub files: Vec<Instruction>,
    /// What is left out.
    pub left_out: Vec<LeftOut>,
}

/// The root of the repository that `cwd` lies in; `cwd` itself if it lies in none.
#[must_use]
pub fn project_root(cwd: &Path) -> &Path {
    let mut folders = cwd.ancestors();
    folders
        .find(|folder| folder.join(".git").symlink_metadata().is_ok())
        .unwrap_or(cwd)
}

/// Reads the instruction files for `cwd`, which is absolute; `user` is the folder of a person's own.
#[must_use]
pub fn gather(user: Option<&Path>, cwd: &Path) -> Instructions {
    let mut reader = Reader::default();
    if let Some(user) = user {
        reader.folder(Whose::User, user, Path::new(""), None);
    }
    let root = project_root(cwd);
    let inner = cwd.strip_prefix(root).unwrap_or(Path::new(""));
    let mut folder = PathBuf::new();
    reader.folder(Whose::Project, root, &folder, Some(inner));
    for part in inner.components() {
        folder.push(part);
        reader.folder(Whose::Project, root, &folder, Some(inner));
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    found: Instructions,
    /// Contents that are there already: a copy under the other name says nothing new.
    contents: BTreeSet<Digest>,
    /// Paths that were read: an import that leads back is cut.
    paths: BTreeSet<PathBuf>,
}

/// A file to be read: beneath `root`, at `at`.
#[derive(Clone, Copy)]
struct Place<'a> {
    whose: Whose,
    root: &'a Path,
    at: &'a Path,
    /// The working folder from the root, if names are given from there.
    inner: Option<&'a Path>,
}

impl Place<'_> {
    fn name(&self) -> String {
        let Some(inner) = self.inner else {
            return self.root.join(self.at).display().to_string();
        };
        let common = self
            .at
            .components()
            .zip(inner.components())
            .take_while(|(one, other)| one == other)
            .count();
        let up = inner
            .components()
            .skip(common)
            .map(|_| Component::ParentDir);
        let down = self.at.components().skip(common);
        up.chain(down).collect::<PathBuf>().display().to_string()
    }
}

impl Reader {
    fn folder(&mut self, whose: Whose, root: &Path, folder: &Path, inner: Option<&Path>) {
        for name in NAMES {
            let at = folder.join(name);
            let place = Place {
                whose,
                root,
                at: &at,
                inner,
            };
            self.file(place, None, 0);
        }
    }

    fn file(&mut self, place: Place<'_>, imported_by: Option<&str>, depth: usize) {
        let name = place.name();
        let path = place.root.join(place.at);
        if self.found.files.len() >= FILES_MAX || !self.paths.insert(path.clone()) {
            return;
        }
        let (text, bytes) = match read_beneath(place.root, place.at) {
            Ok(Some(read)) => read,
            Ok(None) => {
                if imported_by.is_some() {
                    self.leave_out(name, "there is no such file");
                }
                return;
            }
            Err(why) => return self.leave_out(name, why),
        };
        if text.trim().is_empty() || !self.contents.insert(Digest::of(text.as_bytes())) {
            return;
        }
        let imported = imports::of(&text);
        self.found.files.push(Instruction {
            whose: place.whose,
            name: name.clone(),
            path,
            imported_by: imported_by.map(str::to_owned),
            text,
            bytes,
        });
        let folder = place.at.parent().unwrap_or(Path::new(""));
        for asked in imported {
            match imports::target(folder, &asked) {
                Ok(_) if depth == DEPTH_MAX => {
                    self.leave_out(asked, "it lies too deep in imports of imports");
                }
                Ok(at) => self.file(Place { at: &at, ..place }, Some(&name), depth + 1),
                Err(why) => self.leave_out(asked, why),
            }
        }
    }

    fn leave_out(&mut self, name: String, why: impl Into<String>) {
        let why = why.into();
        let one = LeftOut { name, why };
        if self.found.left_out.len() < FILES_MAX && !self.found.left_out.contains(&one) {
            self.found.left_out.push(one);
        }
    }

    /// Leaves out what is too much, the farthest first.
    fn finish(mut self) -> Instructions {
        let mut left = TOTAL_BYTES_MAX;
        let mut kept = Vec::new();
        for file in std::mem::take(&mut self.found.files).into_iter().rev() {
            match left.checked_sub(file.weight()) {
                Some(rest) => {
                    left = rest;
                    kept.push(file);
                }
                None => {
                    let why = format!(
                        "all instructions together may have {TOTAL_BYTES_MAX} bytes, and the ones \
                         that lie nearer come first"
                    );
                    self.leave_out(file.name, why);
                }
            }
        }
        kept.reverse();
        self.found.files = kept;
        self.found
    }
}

/// The text of a regular file beneath `root` and its size; `None` if there is none. No link is
/// followed, and nothing is waited for.
fn read_beneath(root: &Path, at: &Path) -> Result<Option<(String, u64)>, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let Ok(folder) = File::open(root) else {
        return Ok(None);
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut file = match openat2(&folder, at, flags, Mode::empty(), resolve) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::XDEV) => {
            return Err("it is a link, or lies behind one".to_owned());
        }
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let cannot = |error: std::io::Error| format!("it cannot be read: {error}");
    let meta = file.metadata().map_err(cannot)?;
    if !meta.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    // A little past the cap, so that what is cut is said to be cut.
    let most = caps::INSTRUCTIONS_BYTES as u64 * 4;
    (&mut file)
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    Ok(Some((
        String::from_utf8_lossy(&bytes).into_owned(),
        meta.len(),
    )))
}

#[cfg(test)]
mod tests;
