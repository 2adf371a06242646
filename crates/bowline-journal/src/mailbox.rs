//! Commands to a session from anyone who does not own it: one durable file each, no lease.
//!
//! A file is named `<number>-<hash of the key>.json`: the number gives the order, and the key itself
//! never becomes part of a path. The number is the time of arrival in milliseconds, or one more than
//! the largest that waits: a clock that was set back changes no order. A file appears whole or not
//! at all. A command that arrives twice is recognised here while it waits, and by the engine
//! afterwards.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bowline_core::{Command, Digest};
use rustix::fs::OFlags;

use crate::Error;
use crate::blob::temporary;
use crate::edge::{Disk, RealDisk};
use crate::error::At as _;
use crate::layout::{make_folder, sync_folder};

/// The largest command read: a prompt is at most 1 MiB, and JSON may write a byte as six.
const MOST_BYTES: u64 = 8 << 20;

/// What became of a command that was put into a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It waits there now.
    New,
    /// A command with this key waits there already.
    Already,
}

/// A command file that waits.
#[derive(Debug)]
#[must_use = "a command stays in the mailbox until it is marked as done"]
pub struct Entry {
    path: PathBuf,
}

impl Entry {
    /// Takes the command out of the mailbox: after what it asked for is durable, not before.
    ///
    /// # Errors
    /// When the file cannot be removed; the engine knows the key, so taking it again is harmless.
    pub fn done(self) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).at("remove", &self.path)
            }
            _ => Ok(()),
        }
    }
}

/// A file that is no command; it was renamed so that it is not read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it lies now.
    pub path: PathBuf,
    /// Why it is no command.
    pub why: String,
}

/// What waited in a mailbox.
#[derive(Debug, Default)]
pub struct Drained {
    /// The commands, in order of arrival.
    pub commands: Vec<(Entry, Command)>,
    /// Files that are no commands.
    pub set_aside: Vec<SetAside>,
}

/// Puts a command into the mailbox folder `dir`; durable on return. `at_ms` is now, in
/// milliseconds since 1970; whatever it is, the command comes after all that wait already.
///
/// # Errors
/// [`Error::Io`] when it cannot be written; [`Error::Invalid`] when the command is too large.
pub fn put(dir: &Path, at_ms: u64, command: &Command) -> Result<Put, Error> {
    put_on(&RealDisk, dir, at_ms, command)
}

/// As [`put`], on the disk given.
///
/// # Errors
/// As [`put`].
pub fn put_on(disk: &dyn Disk, dir: &Path, at_ms: u64, command: &Command) -> Result<Put, Error> {
    if make_folder(disk, dir)?
        && let Some(parent) = dir.parent()
    {
        sync_folder(disk, parent)?;
    }
    let hash = key_hash(&command.key);
    let ending = format!("-{hash}.json");
    let waiting = names(dir)?;
    if waiting.iter().any(|name| name.ends_with(&ending)) {
        return Ok(Put::Already);
    }
    let last = waiting.last().map_or(0, |name| number_of(name));
    let number = at_ms.max(last.saturating_add(1));
    let bytes = serde_json::to_vec(command)
        .map_err(io::Error::from)
        .at("write", dir)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::Invalid {
            what: format!("the command is too large: {} bytes", bytes.len()),
            next: format!("A command may have {MOST_BYTES} bytes"),
        });
    }
    let path = dir.join(format!("{number:015}{ending}"));
    let temporary = temporary(dir, &hash);
    let written = disk.create_new(&temporary).and_then(|file| {
        disk.write_at(&file, &bytes, 0)?;
        disk.sync(&file)?;
        // Unlike a rename, a link never replaces what another process put here meanwhile.
        disk.link(&temporary, &path)
    });
    let _gone = std::fs::remove_file(&temporary);
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Put::Already),
        Err(error) => return Err(error).at("write", &path),
    }
    sync_folder(disk, dir)?;
    Ok(Put::New)
}

/// Reads what waits in the mailbox folder `dir`, in order. A missing folder is an empty mailbox.
/// Files that are no commands are renamed to end in `.bad`.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read, or a file in it cannot be set aside.
pub fn drain(dir: &Path) -> Result<Drained, Error> {
    let mut drained = Drained::default();
    let mut keys = std::collections::BTreeSet::new();
    for name in names(dir)? {
        let path = dir.join(&name);
        match read(&path, &name) {
            // Two writers may have put the same key at once; the later file says nothing new.
            Ok(command) if !keys.insert(command.key.clone()) => Entry { path }.done()?,
            Ok(command) => drained.commands.push((Entry { path }, command)),
            Err(why) => {
                let aside = dir.join(format!("{name}.bad"));
                std::fs::rename(&path, &aside).at("set aside", &path)?;
                drained.set_aside.push(SetAside { path: aside, why });
            }
        }
    }
    Ok(drained)
}

/// The commands that wait in the mailbox folder `dir`, in order of arrival, left where they are.
/// Files that are no commands are passed over. Writes nothing.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn waiting(dir: &Path) -> Result<Vec<Command>, Error> {
    let mut commands: Vec<Command> = Vec::new();
    for name in names(dir)? {
        // A letter may be taken while this looks.
        let Ok(command) = read(&dir.join(&name), &name) else {
            continue;
        };
        if !commands.iter().any(|known| known.key == command.key) {
            commands.push(command);
        }
    }
    Ok(commands)
}

/// Whether anything waits in the mailbox folder `dir`, broken or not.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn is_empty(dir: &Path) -> Result<bool, Error> {
    Ok(names(dir)?.is_empty())
}

fn key_hash(key: &str) -> String {
    Digest::of(key.as_bytes()).to_hex()
}

/// Names of the commands in a folder, in order of arrival.
fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("list", dir),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.at("list", dir)?.file_name();
        let is_command = Path::new(&name).extension() == Some(OsStr::new("json"));
        names.extend(
            name.to_str()
                .filter(|name| is_command && !name.starts_with('.'))
                .map(str::to_owned),
        );
    }
    names.sort_unstable_by(|a, b| (number_of(a), a).cmp(&(number_of(b), b)));
    Ok(names)
}

/// The number that a file's name begins with; 0 for a name that is not ours.
fn number_of(name: &str) -> u64 {
    let number = name.split_once('-').map(|(number, _)| number.parse());
    number.and_then(Result::ok).unwrap_or(0)
}

/// Reads one command file; the sentence of an error says why it is none.
fn read(path: &Path, name: &str) -> Result<Command, String> {
    // Links are not followed, and opening a pipe does not wait for its other end.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path);
    let file = file.map_err(|error| format!("it cannot be opened: {error}"))?;
    let found = file
        .metadata()
        .map_err(|error| format!("it cannot be looked at: {error}"))?;
    if !found.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if found.len() > MOST_BYTES {
        return Err(format!(
            "it has {} bytes, at most {MOST_BYTES} are allowed",
            found.len()
        ));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    let command: Command =
        serde_json::from_slice(&bytes).map_err(|error| format!("it is no command: {error}"))?;
    if !name.ends_with(&format!("-{}.json", key_hash(&command.key))) {
        return Err("its name does not belong to its key".to_owned());
    }
    Ok(command)
}
