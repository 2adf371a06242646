//! Looks at the disk for the policy: what lies at a path, links not followed. Changes nothing.

use std::fs;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use bowline_core::look::Seen;
use bowline_policy::shell::name_fits;
use bowline_policy::{CONTENT_BYTES_MAX, Look, NAMES_MAX};

/// Most entries of a folder that are read to find names.
const ENTRIES_MAX: usize = 20_000;

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Look for Disk {
    fn at(&self, path: &str) -> Seen {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) => {
                return match error.kind() {
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                        Seen::Missing
                    }
                    _ => Seen::Unknown,
                };
            }
        };
        let kind = found.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(path).ok();
            let target = target.and_then(|target| target.into_os_string().into_string().ok());
            return target.map_or(Seen::Unknown, Seen::Link);
        }
        if kind.is_dir() {
            Seen::Folder
        } else if kind.is_fifo()
            || kind.is_socket()
            || kind.is_block_device()
            || kind.is_char_device()
        {
            Seen::Special
        } else {
            Seen::File
        }
    }

    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Vec::new()),
            Err(_) => return None,
        };
        let mut names = Vec::new();
        for (number, entry) in entries.enumerate() {
            if number >= ENTRIES_MAX {
                return None;
            }
            // A name that is no text could be anything.
            let name = entry.ok()?.file_name().into_string().ok()?;
            if name_fits(pattern, &name) {
                names.push(name);
                if names.len() > NAMES_MAX {
                    return None;
                }
            }
        }
        names.sort();
        Some(names)
    }

    fn content(&self, path: &str) -> Option<String> {
        // Only a regular file: opening anything else could wait or act.
        if self.at(path) != Seen::File {
            return None;
        }
        let limit = CONTENT_BYTES_MAX as u64 + 1;
        let mut bytes = Vec::new();
        let file = fs::File::open(Path::new(path)).ok()?;
        file.take(limit).read_to_end(&mut bytes).ok()?;
        if bytes.len() > CONTENT_BYTES_MAX {
            return None;
        }
        String::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    //! What the disk shows.

    use super::*;

    #[test]
    fn sees_what_lies_there_and_follows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("{}/{name}", folder.path().to_str().unwrap());
        fs::write(at("a.txt"), "text").unwrap();
        fs::write(at(".hidden"), "").unwrap();
        fs::create_dir(at("sub")).unwrap();
        std::os::unix::fs::symlink("/etc", at("link")).unwrap();
        assert_eq!(Disk.at(&at("a.txt")), Seen::File);
        assert_eq!(Disk.at(&at("sub")), Seen::Folder);
        assert_eq!(Disk.at(&at("link")), Seen::Link("/etc".to_owned()));
        assert_eq!(Disk.at(&at("none")), Seen::Missing);
        assert_eq!(Disk.at(&at("a.txt/x")), Seen::Missing);
        assert_eq!(Disk.at("/dev/null"), Seen::Special);
        let names = |pattern: &str| Disk.names(&at(""), pattern).unwrap();
        assert_eq!(names("*"), ["a.txt", "link", "sub"]);
        assert_eq!(names(".*"), [".hidden"]);
        assert_eq!(names("?.txt"), ["a.txt"]);
        assert_eq!(Disk.content(&at("a.txt")).as_deref(), Some("text"));
        assert_eq!(Disk.content(&at("link")), None);
        fs::write(at("big"), "x".repeat(CONTENT_BYTES_MAX + 1)).unwrap();
        assert_eq!(Disk.content(&at("big")), None);
    }
}
