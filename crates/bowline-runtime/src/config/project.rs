//! The project's own files, `.bowline/**`: read once, hashed, and used as they were read.
//!
//! Whoever made the folder made them, so they are foreign. No link is followed, nothing but a regular
//! file is opened, and there is a bound on everything. What is trusted is the hash of all names and
//! bytes: between the check and the use nothing is read again.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use bowline_core::Digest;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};

use super::ConfigError;

/// The folder of a project's own files.
pub const PROJECT_FOLDER: &str = ".bowline";

/// The project's configuration in [`PROJECT_FOLDER`].
pub const PROJECT_CONFIG: &str = "config.toml";

/// The project's permission rules in [`PROJECT_FOLDER`].
pub const PROJECT_RULES: &str = "rules.toml";

/// What may tighten, and the most of it that is read, in bytes: never passed over.
const COUNTING: [(&str, u64); 2] = [(PROJECT_CONFIG, FILE_BYTES_MAX), (PROJECT_RULES, 32 << 20)];

/// The most of any other file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// How often a file is read again that changes while it is read.
const TRIES: usize = 5;

/// Most entries below the folder, most bytes of all together, most folders within each other: what is
/// beyond cannot be trusted.
const ENTRIES_MAX: usize = 1_000;
const ALL_BYTES_MAX: u64 = 40 << 20;
const DEPTH_MAX: usize = 8;

/// What the hash of a project's files begins with.
const HASHED_AS: &[u8] = b"bowline-project-1";

/// One entry below the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Its path below the project, such as `.bowline/config.toml`; a byte that is no UTF-8 is shown
    /// as a sign for it.
    pub path: String,
    /// What is there.
    pub content: ProjectContent,
    /// Its path as it is.
    name: Vec<u8>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectContent {
    /// A regular file with these bytes.
    File(Vec<u8>),
    /// A link, which is not followed; where it leads to.
    Link(Vec<u8>),
    /// A folder.
    Folder,
}

/// The project's own files as they were read, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFiles {
    /// Every entry, by its path.
    pub files: Vec<ProjectFile>,
    /// The hash of all names and bytes; `None` when there is no file, or when they cannot be trusted.
    pub content: Option<Digest>,
    /// Why they cannot be trusted whatever a person says, if so.
    pub untrustable: Option<String>,
}

impl ProjectFiles {
    /// Reads what lies in `folder/.bowline`.
    ///
    /// # Errors
    /// [`ConfigError`] when the folder itself or its configuration is there and cannot be read: a link,
    /// something that is no file, too large. It never counts as empty, since it may be what tightens.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let place = folder.join(PROJECT_FOLDER);
        let root = match open_folder(CWD, place.as_os_str().as_bytes()) {
            Ok(root) => root,
            Err(rustix::io::Errno::NOENT) => return Ok(Self::default()),
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                let is_there = std::fs::symlink_metadata(&place);
                if is_there.is_err_and(|error| error.kind() == io::ErrorKind::NotADirectory) {
                    return Ok(Self::default());
                }
                return Err(unusable(
                    &place,
                    "is a link or no folder, and is not followed",
                ));
            }
            Err(error) => return Err(unusable(&place, &format!("cannot be read: {error}"))),
        };
        let mut walk = Walk::default();
        walk.folder(&root, &[], 0);
        let Walk {
            mut files,
            untrustable,
            ..
        } = walk;
        for (name, _) in COUNTING {
            let cannot = |why: &str| Err(unusable(&place.join(name), why));
            let known = files.iter().find(|file| file.name == name.as_bytes());
            let content = match known {
                Some(known) => Ok(Some(known.content.clone())),
                // Past a bound, or unreadable: it is looked at whatever lies around it.
                None => read_entry(&root, name.as_bytes()),
            };
            match content {
                Ok(None) => {}
                Ok(Some(ProjectContent::File(_))) if known.is_some() => {}
                Ok(Some(content @ ProjectContent::File(_))) => {
                    files.push(ProjectFile::new(name.as_bytes().to_vec(), content));
                }
                Ok(Some(_)) => return cannot("is a link or a folder, and is not followed"),
                Err(why) => return cannot(&why),
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let is_empty = !files
            .iter()
            .any(|file| file.content != ProjectContent::Folder);
        let content = (!is_empty && untrustable.is_none()).then(|| hash(&files));
        Ok(Self {
            files,
            content,
            untrustable,
        })
    }

    /// The bytes of one file, by its path below [`PROJECT_FOLDER`].
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found = self
            .files
            .iter()
            .find(|file| file.name == name.as_bytes())?;
        match &found.content {
            ProjectContent::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of one file, by its path below [`PROJECT_FOLDER`].
    ///
    /// # Errors
    /// [`ConfigError`] when it is no UTF-8; `place` is the project's folder, for the message.
    pub fn text(&self, place: &Path, name: &str) -> Result<Option<&str>, ConfigError> {
        let Some(bytes) = self.bytes(name) else {
            return Ok(None);
        };
        std::str::from_utf8(bytes).map(Some).map_err(|error| {
            let place = place.join(PROJECT_FOLDER).join(name);
            unusable(
                &place,
                &format!("is no UTF-8 (byte {})", error.valid_up_to()),
            )
        })
    }
}

impl ProjectFile {
    fn new(name: Vec<u8>, content: ProjectContent) -> Self {
        let path = PathBuf::from(std::ffi::OsString::from_vec(name.clone()));
        Self {
            path: format!("{PROJECT_FOLDER}/{}", path.display()),
            content,
            name,
        }
    }

    /// SHA-256 of what it holds, or of where it leads to.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        match &self.content {
            ProjectContent::File(bytes) | ProjectContent::Link(bytes) => Digest::of(bytes),
            ProjectContent::Folder => Digest::of(b""),
        }
    }
}

fn unusable(place: &Path, why: &str) -> ConfigError {
    ConfigError {
        place: place.display().to_string(),
        what: why.to_owned(),
        next: "Mend or remove it to go on".to_owned(),
    }
}

fn hash(files: &[ProjectFile]) -> Digest {
    let mut parts: Vec<Vec<u8>> = vec![HASHED_AS.to_vec()];
    for file in files {
        let (kind, bytes): (&[u8], &[u8]) = match &file.content {
            ProjectContent::File(bytes) => (b"file", bytes),
            ProjectContent::Link(target) => (b"link", target),
            ProjectContent::Folder => (b"folder", b""),
        };
        parts.push(file.name.clone());
        parts.push(kind.to_vec());
        parts.push(Digest::of(bytes).as_bytes().to_vec());
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Digest::of_parts(&parts)
}

/// Collects what lies below a folder.
#[derive(Default)]
struct Walk {
    files: Vec<ProjectFile>,
    bytes: u64,
    untrustable: Option<String>,
}

impl Walk {
    fn folder(&mut self, folder: &OwnedFd, above: &[u8], depth: usize) {
        if depth > DEPTH_MAX {
            return self.refuse(above, "lies too deep");
        }
        let entries = Dir::read_from(folder).and_then(|mut entries| {
            let mut names = Vec::new();
            while let Some(entry) = entries.read() {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(name);
                }
                if names.len() > ENTRIES_MAX {
                    break;
                }
            }
            Ok(names)
        });
        let mut names = match entries {
            Ok(names) => names,
            Err(error) => return self.refuse(above, &format!("cannot be listed: {error}")),
        };
        names.sort();
        for name in names {
            let mut path = above.to_vec();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
            if self.files.len() >= ENTRIES_MAX || self.bytes > ALL_BYTES_MAX {
                return self.refuse(&path, "is one too many");
            }
            self.entry(folder, &name, path, depth);
        }
    }

    fn entry(&mut self, folder: &OwnedFd, name: &[u8], path: Vec<u8>, depth: usize) {
        match read_entry(folder, name) {
            // It went away meanwhile.
            Ok(None) => {}
            Ok(Some(ProjectContent::Folder)) => {
                self.files
                    .push(ProjectFile::new(path.clone(), ProjectContent::Folder));
                match open_folder(folder, name) {
                    Ok(inner) => self.folder(&inner, &path, depth + 1),
                    Err(error) => self.refuse(&path, &format!("cannot be entered: {error}")),
                }
            }
            Ok(Some(content)) => {
                if let ProjectContent::File(bytes) = &content {
                    self.bytes += bytes.len() as u64;
                }
                self.files.push(ProjectFile::new(path, content));
            }
            Err(why) => self.refuse(&path, &why),
        }
    }

    fn refuse(&mut self, path: &[u8], why: &str) {
        let path = String::from_utf8_lossy(path);
        self.untrustable
            .get_or_insert_with(|| format!("{PROJECT_FOLDER}/{path} {why}"));
    }
}

fn open_folder(at: impl std::os::fd::AsFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty())
}

/// What an entry of a folder is; `None` when there is nothing. Never waits, never follows a link.
fn read_entry(folder: &OwnedFd, name: &[u8]) -> Result<Option<ProjectContent>, String> {
    let cannot = |error: rustix::io::Errno| format!("cannot be read: {error}");
    let stat = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(cannot(error)),
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => return Ok(Some(ProjectContent::Folder)),
        FileType::Symlink => {
            let target = readlinkat(folder, name, Vec::new()).map_err(cannot)?;
            return Ok(Some(ProjectContent::Link(target.into_bytes())));
        }
        FileType::RegularFile => {}
        _ => return Err("is not a file".to_owned()),
    }
    let counts = COUNTING
        .iter()
        .find(|(counting, _)| counting.as_bytes() == name);
    let most = counts.map_or(FILE_BYTES_MAX, |(_, most)| *most);
    for _ in 0..TRIES {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(openat(folder, name, flags, Mode::empty()).map_err(cannot)?);
        let before = fstat(&file).map_err(cannot)?;
        if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
            return Err("is not a file".to_owned());
        }
        let mut bytes = Vec::new();
        (&mut file)
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.len() as u64 > most {
            return Err(format!("is larger than {} MiB", most >> 20));
        }
        let after = fstat(&file).map_err(cannot)?;
        if written(&before) == written(&after) && i64::try_from(bytes.len()) == Ok(after.st_size) {
            return Ok(Some(ProjectContent::File(bytes)));
        }
    }
    Err("changes while it is read".to_owned())
}

/// What tells that a file was written to.
fn written(stat: &rustix::fs::Stat) -> (i64, i64, u64, i64, u64) {
    (
        stat.st_size,
        stat.st_mtime,
        stat.st_mtime_nsec,
        stat.st_ctime,
        stat.st_ctime_nsec,
    )
}

#[cfg(test)]
mod tests;
