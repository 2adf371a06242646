//! Sockets that other processes listen on, as far as a confined command would find them.
//!
//! A socket is reached through a read-only mount, too, and behind it stands a process that is not
//! confined. Those below `/tmp` and `/run` are gone with these folders; for all others the kernel
//! is asked. It lists those of this network namespace: what a command in a sandbox listens on itself
//! is not among them. One that vanishes before it is covered needs no cover.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

use rustix::fs::{Access, access};

/// Lists the sockets that have a name.
const LISTED: &str = "/proc/net/unix";

/// Words of a line before the name.
const WORDS_BEFORE: usize = 7;

/// The flag of a socket that is listened on, and the type of one that takes single messages.
const LISTENS: &str = "00010000";
const DATAGRAM: &str = "0002";

/// Most sockets that are covered.
const SOCKETS_MAX: usize = 1_024;

/// The sockets with a name in the file system that this user may reach.
pub(super) fn reachable() -> Vec<PathBuf> {
    let listed = fs::read(LISTED).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let is_socket = |path: &PathBuf| {
        let meta = fs::symlink_metadata(path);
        let is_one = meta.is_ok_and(|meta| meta.file_type().is_socket());
        is_one && access(path, Access::WRITE_OK).is_ok()
    };
    let mut found: Vec<PathBuf> = listed.lines().filter_map(name).filter(is_socket).collect();
    found.sort();
    found.dedup();
    found.truncate(SOCKETS_MAX);
    found
}

/// The absolute name in one line of the list, if others can reach what it is about.
fn name(line: &str) -> Option<PathBuf> {
    let mut rest = line;
    let mut words = Vec::with_capacity(WORDS_BEFORE);
    for _ in 0..WORDS_BEFORE {
        rest = rest.trim_start();
        let end = rest.find(' ')?;
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    let is_open = words.get(3) == Some(&LISTENS) || words.get(4) == Some(&DATAGRAM);
    let name = rest.strip_prefix(' ')?;
    (is_open && name.starts_with('/')).then(|| name.into())
}

#[cfg(test)]
mod tests;
