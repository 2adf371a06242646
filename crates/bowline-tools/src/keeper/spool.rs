//! Output on disk in bounded space: the first bytes and the last ones.
//!
//! `out.head` takes the first bytes up to its limit. What follows goes to segments named
//! `out.tail.OFFSET` by the offset of their first byte; each is written once to its limit, and the
//! oldest is removed before a third begins. So names and lengths alone say what is there: a reader
//! needs no final record, may come at any moment and after any kill.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

const HEAD: &str = "out.head";
const TAIL: &str = "out.tail.";

/// Smallest tail segment in bytes: smaller ones would cost a file per line.
const SEGMENT_BYTES_MIN: u64 = 4 << 10;

/// Most bytes read back from one file, against foreign files in the folder.
const READ_BYTES_MAX: u64 = 256 << 20;

/// Attempts to read while the writer removes segments underneath.
const READ_ATTEMPTS: usize = 16;

/// What a spool holds, read back by [`read`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spooled {
    /// First bytes of the output.
    pub head: Vec<u8>,
    /// Last bytes of the output; empty while everything fits the head.
    pub tail: Vec<u8>,
    /// Bytes between head and tail that are gone.
    pub dropped_bytes: u64,
    /// Bytes of output written so far: head, dropped and tail.
    pub total_bytes: u64,
}

/// Reads the spool in the attempt folder `dir`, also while a keeper writes it.
///
/// Nothing there, or nothing readable, is an empty output.
pub fn read(dir: &Path) -> Spooled {
    for _ in 0..READ_ATTEMPTS {
        if let Some(spooled) = read_once(dir, 2) {
            return spooled;
        }
    }
    read_once(dir, 1).unwrap_or_default()
}

/// Bytes of output written so far to the spool in `dir`, told by names and lengths alone.
pub fn written(dir: &Path) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    match segments(dir).last() {
        Some((offset, path)) => offset + length(path),
        None => length(&dir.join(HEAD)),
    }
}

/// Reads head and the newest `count` segments; `None` if they changed meanwhile.
fn read_once(dir: &Path, count: usize) -> Option<Spooled> {
    let mut found = segments(dir);
    let newest = found.split_off(found.len().saturating_sub(count));
    // Opened before anything is read: a removed file stays readable once it is open.
    let files = newest
        .into_iter()
        .map(|(offset, path)| Some((offset, File::open(path).ok()?)))
        .collect::<Option<Vec<_>>>()?;
    let head = File::open(dir.join(HEAD))
        .and_then(read_file)
        .unwrap_or_default();
    let start = files
        .first()
        .map_or(head.len() as u64, |(offset, _)| *offset);
    let mut tail = Vec::new();
    for (offset, file) in files {
        if start + tail.len() as u64 != offset {
            return None;
        }
        tail.append(&mut read_file(file).ok()?);
    }
    Some(Spooled {
        dropped_bytes: start.checked_sub(head.len() as u64)?,
        total_bytes: start + tail.len() as u64,
        head,
        tail,
    })
}

/// Lists tail segments by offset.
fn segments(dir: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found: Vec<(u64, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let offset = entry
                .file_name()
                .to_str()?
                .strip_prefix(TAIL)?
                .parse()
                .ok()?;
            Some((offset, entry.path()))
        })
        .collect();
    found.sort_unstable();
    found
}

fn read_file(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The writing side. A failing disk loses output, never the command.
#[derive(Debug)]
pub(super) struct Spool {
    dir: PathBuf,
    head_bytes_max: u64,
    segment_bytes_max: u64,
    open: Option<Part>,
    older: Option<PathBuf>,
    total: u64,
    lines: u64,
    lost: Option<String>,
}

/// The file being written.
#[derive(Debug)]
struct Part {
    file: File,
    path: PathBuf,
    is_tail: bool,
    room: u64,
}

impl Spool {
    /// Prepares a spool in `dir`; creates no file before there is output.
    pub(super) fn new(dir: &Path, head_bytes: u64, tail_bytes: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            head_bytes_max: head_bytes,
            segment_bytes_max: tail_bytes.max(SEGMENT_BYTES_MIN),
            open: None,
            older: None,
            total: 0,
            lines: 0,
            lost: None,
        }
    }

    /// Appends `bytes`.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        self.lines += bytes
            .iter()
            .map(|byte| u64::from(*byte == b'\n'))
            .sum::<u64>();
        while !bytes.is_empty() {
            if self.lost.is_some() {
                self.total += bytes.len() as u64;
                return;
            }
            match self.write_some(bytes) {
                Ok(count) => {
                    self.total += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.lost = Some(format!(
                        "writing output failed at byte {}: {error}",
                        self.total
                    ));
                }
            }
        }
    }

    /// Bytes pushed so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Newlines pushed so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Why bytes are missing that the limits would have kept.
    pub(super) fn lost(&self) -> Option<String> {
        self.lost.clone()
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut part = match self.open.take() {
            Some(part) if part.room > 0 => part,
            full => self.begin_part(full)?,
        };
        let room = usize::try_from(part.room).unwrap_or(usize::MAX);
        let written = part.file.write(&bytes[..bytes.len().min(room)]);
        part.room -= written.as_ref().map_or(0, |count| *count as u64);
        self.open = Some(part);
        match written {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            other => other,
        }
    }

    /// Opens the file after `full`, and removes the segment that falls out of the limit first.
    fn begin_part(&mut self, full: Option<Part>) -> io::Result<Part> {
        let is_tail = self.total > 0 || self.head_bytes_max == 0;
        if let Some(Part {
            path,
            is_tail: true,
            ..
        }) = full
            && let Some(oldest) = self.older.replace(path)
        {
            std::fs::remove_file(oldest)?;
        }
        let (path, room) = if is_tail {
            (
                self.dir.join(format!("{TAIL}{:020}", self.total)),
                self.segment_bytes_max,
            )
        } else {
            (self.dir.join(HEAD), self.head_bytes_max)
        };
        Ok(Part {
            file: File::create_new(&path)?,
            path,
            is_tail,
            room,
        })
    }
}
