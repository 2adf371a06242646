//! `bowline memory edit`: an instruction file in a person's own editor.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_tools::builtin::difference;

use super::{confirmed, content, target, written};
use crate::args::MemoryEdit;
use crate::command::answer::refuse_under_a_keeper;
use crate::config_folder;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Longest file that is taken from an editor, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// Lets a person edit a copy, shows what changed, and replaces the file when they say so.
pub(super) fn edit(places: &Places, edit: &MemoryEdit) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let path = target(places, &edit.place)?;
    let cannot = |why: String| Failure::usage(format!("{}: {why}", path.display()));
    let before = content(&path).map_err(cannot)?;
    let mut copy = Copy::of(&path, &before).map_err(|error| {
        let folder = std::env::temp_dir();
        Failure::usage(format!("{}: no copy to edit: {error}", folder.display()))
    })?;
    open_editor(&copy.file)?;
    let after = content(&copy.file).map_err(cannot)?;
    if after.len() > BYTES_MAX {
        return Err(cannot(format!("it would be longer than {BYTES_MAX} bytes")));
    }
    if after == before {
        print::err_line("nothing was changed");
        return Ok(1);
    }
    print::line(&print::clean(&path.display().to_string()));
    print::text(&print::clean(&difference(&before, &after)));
    if !edit.yes && !confirmed()? {
        print::err_line("nothing was changed");
        return Ok(1);
    }
    let held = path
        .parent()
        .map(config_folder::hold)
        .transpose()
        .map_err(|error| cannot(error.to_string()))?;
    if content(&path).map_err(cannot)? != before {
        copy.is_kept = true;
        return Err(cannot(format!(
            "it was changed meanwhile, so nothing was written; what you wrote is in {}",
            copy.file.display()
        )));
    }
    config_folder::replace(&path, &after)
        .map_err(|error| cannot(format!("it cannot be written: {error}")))?;
    drop(held);
    written(&path);
    Ok(0)
}

/// A file in a folder of its own that nobody else reads; removed in the end.
struct Copy {
    folder: PathBuf,
    file: PathBuf,
    /// Whether it stays.
    is_kept: bool,
}

impl Copy {
    fn of(path: &Path, text: &str) -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("bowline-edit-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let copy = Self {
            file: folder.join(path.file_name().unwrap_or_default()),
            folder,
            is_kept: false,
        };
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&copy.file)?;
        out.write_all(text.as_bytes())?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.is_kept {
            // Left behind it is private and only takes space.
            let _left = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Runs the editor that the environment names, by the shell: it may have arguments.
fn open_editor(file: &Path) -> Result<(), Failure> {
    let named = ["VISUAL", "EDITOR"].into_iter();
    let mut named = named.filter_map(std::env::var_os);
    let Some(editor) = named.find(|editor| !editor.is_empty()) else {
        return Err(Failure::usage(
            "no editor is known: set VISUAL or EDITOR, or use `bowline memory add`",
        ));
    };
    let mut line = editor.clone();
    line.push(" \"$1\"");
    let ended = Command::new("sh")
        .arg("-c")
        .arg(line)
        .arg("bowline")
        .arg(file)
        .status();
    let name = editor.display();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::usage(format!(
            "nothing was changed: the editor `{name}` ended with {status}"
        ))),
        Err(error) => Err(Failure::usage(format!(
            "nothing was changed: the editor `{name}` did not start: {error}"
        ))),
    }
}
