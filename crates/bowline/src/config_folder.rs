//! Files of the user's configuration folder are changed one at a time and replaced as a whole.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Makes the folder if it is missing, private, and holds it until the result is dropped: two changes
/// at once would lose one.
pub fn hold(folder: &Path) -> io::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let held = File::open(folder)?;
    flock(&held, FlockOperation::LockExclusive)?;
    Ok(held)
}

/// Replaces a file as a whole, by its real name if it is a link; it keeps its mode, and is private
/// if it is new.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = real.parent().unwrap_or(Path::new("/"));
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let mode = std::fs::metadata(&real).map_or(0o600, |found| found.permissions().mode());
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.set_permissions(Permissions::from_mode(mode & 0o7777))?;
            out.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, &real))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        let _gone = std::fs::remove_file(&temporary);
    }
    written
}
