//! The file that alarms are written to, for a program that reads it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Adds one line to a regular file, made for its owner alone if it is not there. Never waits for a
/// reader and follows no link.
///
/// # Errors
/// What is wrong, in one line.
pub(super) fn append(path: &Path, line: &str) -> Result<(), String> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).map_err(|error| error.to_string())?;
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
        .map_err(fail)?;
    if !file.metadata().map_err(fail)?.is_file() {
        return Err(format!("{}: it is no regular file", path.display()));
    }
    // In one write, so that lines of several processes do not mix.
    file.write_all(format!("{line}\n").as_bytes()).map_err(fail)
}
