//! The state folder itself: is it one, may we use it, whose version is it.

use std::io;
use std::path::Path;

use bowline_core::SessionId;

use super::network;
use crate::Error;
use crate::edge::Disk;
use crate::error::At as _;
use crate::layout::{SessionDir, make_folders, sessions, sync_folder};
use crate::lock;

/// The version of the layout. A newer one is refused, an older one is read.
const VERSION: u32 = 1;
/// How the name of a session's folder begins while it is being deleted.
pub(super) const DELETED: &str = ".deleted-";
/// How the name of a folder begins in which a session from elsewhere is built.
pub(crate) const IMPORTING: &str = ".importing-";

/// Makes the folder if there is none, and checks that it can hold state.
pub(crate) fn prepare(disk: &dyn Disk, home: &Path) -> Result<(), Error> {
    inspect(home)?;
    refuse_network(home)?;
    make_folders(disk, home)?;
    let path = home.join("version");
    match disk.create_new(&path) {
        Ok(file) => {
            let text = format!("{VERSION}\n");
            disk.write_at(&file, text.as_bytes(), 0)
                .at("write", &path)?;
            disk.sync(&file).at("sync", &path)?;
            sync_folder(disk, home)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).at("create", &path),
    }
}

/// Checks what is there without changing anything. No folder at all is fine.
pub(crate) fn inspect(home: &Path) -> Result<(), Error> {
    match std::fs::metadata(home) {
        Ok(found) if found.is_dir() => check_version(home),
        Ok(_) => Err(unusable(
            home,
            "it is not a folder".to_owned(),
            "Move that file away, or choose another folder with BOWLINE_HOME",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unreadable(home, &error)),
    }
}

fn check_version(home: &Path) -> Result<(), Error> {
    let path = home.join("version");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    match text.trim_end().parse::<u32>() {
        Ok(version) if version <= VERSION => Ok(()),
        Ok(version) => Err(unusable(
            home,
            format!("its version is {version}; this Bowline knows versions up to {VERSION}"),
            "Use a newer Bowline, or choose another folder with BOWLINE_HOME",
        )),
        Err(_) => {
            // After a power loss the file may be there without its content.
            if text.trim_matches('\0').is_empty() {
                return Ok(());
            }
            Err(unusable(
                &path,
                "it holds no version number".to_owned(),
                "If this is a state folder of Bowline, write `1` into that file; otherwise choose \
                 another folder with BOWLINE_HOME",
            ))
        }
    }
}

/// Refuses a folder whose locks and syncs cannot be relied on.
pub(super) fn refuse_network(home: &Path) -> Result<(), Error> {
    let here = Path::new(".");
    let there = home
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(here);
    match network::kind_of(there) {
        Ok(None) => Ok(()),
        Ok(Some(kind)) => Err(unusable(
            home,
            format!("it lies on a network file system ({kind}), where locks and syncs do not hold"),
            "Choose a folder on a local disk with BOWLINE_HOME",
        )),
        Err(error) => Err(error).at("look at the file system of", there),
    }
}

/// Every session below `home`, oldest first.
pub(crate) fn list(home: &Path) -> Result<Vec<SessionId>, Error> {
    inspect(home)?;
    let path = sessions(home);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry
            .map_err(|error| unreadable(&path, &error))?
            .file_name();
        let id = name
            .to_str()
            .and_then(|name| name.parse::<SessionId>().ok());
        let Some(id) = id else { continue };
        // Only the one spelling that we make: other names would be the same session twice.
        let is_ours = name.to_str() == Some(id.to_string().as_str());
        if is_ours && SessionDir::of(home, id).is_session() {
            found.push(id);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Removes what deleted sessions left, this time or when an earlier deletion was cut short, and
/// what imports left that were cut short: nobody holds the lock of such a folder.
pub(crate) fn sweep(home: &Path) -> Result<(), Error> {
    let path = sessions(home);
    for entry in std::fs::read_dir(&path).at("list", &path)? {
        let entry = entry.at("list", &path)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let abandoned = || {
            let owner = lock::owner_of(&SessionDir::at(entry.path()));
            name.starts_with(IMPORTING) && matches!(owner, Ok(None))
        };
        if name.starts_with(DELETED) || abandoned() {
            match std::fs::remove_dir_all(entry.path()) {
                // Another process that deletes sessions was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.at("remove", &entry.path())?,
            }
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    unusable(
        path,
        format!("it cannot be read ({error})"),
        "Make it readable for you, or choose another folder with BOWLINE_HOME",
    )
}

fn unusable(path: &Path, what: String, next: &str) -> Error {
    Error::StateFolder {
        path: path.to_owned(),
        what,
        next: next.to_owned(),
    }
}
