//! Opens what was judged: by descriptor, without following any link, regular files only.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use bowline_core::Digest;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, mkdirat, openat, openat2,
    statat,
};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

/// Bytes read at once when a file is hashed.
const CHUNK_BYTES: usize = 128 << 10;

/// Why a judged path cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OpenError {
    /// There is nothing.
    #[error("does not exist")]
    Missing,
    /// It is a folder where a file is wanted.
    #[error("is a folder, not a file")]
    Folder,
    /// It is a file where a folder is wanted.
    #[error("is a file, not a folder")]
    NotFolder,
    /// It is neither file nor folder; it was not opened.
    #[error("is a {0}, which file tools never touch")]
    Special(&'static str),
    /// A link stands where none was.
    #[error("changed since the call was decided upon: a link stands in the path now")]
    Changed,
    /// The kernel says no.
    #[error("cannot be opened: {0}")]
    Failed(String),
}

impl From<Errno> for OpenError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT => Self::Missing,
            Errno::NOTDIR => Self::NotFolder,
            Errno::LOOP => Self::Changed,
            other => Self::Failed(plain(&other.into())),
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::from(Errno::from_raw_os_error(code)),
            None => Self::Failed(plain(&error)),
        }
    }
}

/// The words of an I/O error without the number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Opens the regular file at `path` for reading; `path` must be free of links.
pub(crate) fn file(path: &Path) -> Result<(File, Stat), OpenError> {
    let handle = open_without_links(path, OFlags::PATH)?;
    let stat = regular(&handle)?;
    // The descriptor's own entry leads to the very object looked at, whatever its name says now.
    let entry = format!("/proc/self/fd/{}", handle.as_raw_fd());
    Ok((File::open(entry)?, stat))
}

/// Opens the folder at `path` for listing; `path` must be free of links.
pub(crate) fn folder(path: &Path) -> Result<OwnedFd, OpenError> {
    open_without_links(path, OFlags::RDONLY | OFlags::DIRECTORY)
}

/// Opens the folder at `path` and creates what is missing of it, durably.
pub(crate) fn folder_made(path: &Path) -> Result<OwnedFd, OpenError> {
    match folder(path) {
        Err(OpenError::Missing) => {}
        other => return other,
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(OpenError::Missing);
    };
    let parent = folder_made(parent)?;
    match mkdirat(&parent, name, Mode::from_raw_mode(0o777)) {
        Ok(()) => rustix::fs::fsync(&parent)?,
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(openat(&parent, name, FOLDER, Mode::empty())?)
}

/// Flags that open a folder, never a link.
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Looks at `name` in `folder`: `None` when there is nothing.
///
/// # Errors
/// [`OpenError`] for anything but a regular file.
pub(crate) fn look(folder: &OwnedFd, name: &Path) -> Result<Option<Stat>, OpenError> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => regular_stat(&stat).map(|()| Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens the regular file `name` in `folder` for reading.
pub(crate) fn file_in(folder: &OwnedFd, name: &Path) -> Result<(File, Stat), OpenError> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat(folder, name, flags, Mode::empty())?;
    let stat = regular(&handle)?;
    let entry = format!("/proc/self/fd/{}", handle.as_raw_fd());
    Ok((File::open(entry)?, stat))
}

/// The hash of everything `reader` gives, and how many bytes that is.
pub(crate) fn hash(mut reader: impl Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok((Digest::from_bytes(hasher.finalize().into()), total)),
            Ok(count) => {
                hasher.update(&chunk[..count]);
                total += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The hash of the regular file at `path`; `None` when there is nothing.
pub(crate) fn hash_at(path: &Path) -> Result<Option<Digest>, OpenError> {
    match file(path) {
        Ok((file, _)) => Ok(Some(hash(file)?.0)),
        Err(OpenError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether two looks saw one unchanged object.
pub(crate) fn is_same(one: &Stat, other: &Stat) -> bool {
    let key = |stat: &Stat| {
        (
            stat.st_dev,
            stat.st_ino,
            stat.st_size,
            stat.st_mtime,
            stat.st_mtime_nsec,
            stat.st_mode,
        )
    };
    key(one) == key(other)
}

fn regular(handle: impl AsFd) -> Result<Stat, OpenError> {
    let stat = fstat(handle)?;
    regular_stat(&stat).map(|()| stat)
}

fn regular_stat(stat: &Stat) -> Result<(), OpenError> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(OpenError::Folder),
        FileType::Symlink => Err(OpenError::Changed),
        FileType::Fifo => Err(OpenError::Special("FIFO")),
        FileType::Socket => Err(OpenError::Special("socket")),
        _ => Err(OpenError::Special("device")),
    }
}

/// Opens `path`, failing on any link in it.
fn open_without_links(path: &Path, flags: OFlags) -> Result<OwnedFd, OpenError> {
    let flags = flags | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(CWD, path, flags, Mode::empty(), resolve) {
        // Kernels before 5.6 and some sandboxes do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(path, flags),
        other => Ok(other?),
    }
}

/// Does what `openat2` would: opens one component after the other, following none.
pub(super) fn step_by_step(path: &Path, flags: OFlags) -> Result<OwnedFd, OpenError> {
    let step = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = openat(CWD, "/", step, Mode::empty())?;
    let mut names = super::parts(path).peekable();
    if names.peek().is_none() {
        return Ok(openat(&at, ".", flags, Mode::empty())?);
    }
    while let Some(name) = names.next() {
        let is_last = names.peek().is_none();
        let stat = statat(&at, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            return Err(OpenError::Changed);
        }
        let flags = if is_last {
            flags | OFlags::NOFOLLOW
        } else {
            step | OFlags::DIRECTORY
        };
        at = openat(&at, &name, flags, Mode::empty())?;
    }
    // With O_PATH the kernel opens a link that came in between itself.
    let stat = fstat(&at)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
        return Err(OpenError::Changed);
    }
    Ok(at)
}
