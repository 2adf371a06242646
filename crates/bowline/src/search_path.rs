//! Where programs are looked for: absolute folders only. `.` on the search path would have whoever
//! made the folder say what a command is.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// A search path without its relative and empty entries.
pub fn absolute_only(path: &str) -> String {
    let kept: Vec<&str> = path
        .split(':')
        .filter(|entry| entry.starts_with('/'))
        .collect();
    kept.join(":")
}

/// The program of that name that this process would start, outside of the folders in `not_in`; the
/// name itself if it is a path, or if there is none.
pub fn program(name: &str, not_in: &[PathBuf]) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default();
    find(name, &path, not_in).unwrap_or_else(|| PathBuf::from(name))
}

fn find(name: &str, path: &str, not_in: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    let absolute = absolute_only(path);
    let folders = absolute.split(':').filter(|folder| !folder.is_empty());
    let mut programs = folders.map(|folder| Path::new(folder).join(name));
    programs.find(|program| {
        let is_within = |real: &Path| not_in.iter().any(|folder| real.starts_with(folder));
        let is_program = access(program, Access::EXEC_OK).is_ok() && program.is_file();
        let real = program.canonicalize().unwrap_or_else(|_| program.clone());
        is_program && !is_within(program) && !is_within(&real)
    })
}

#[cfg(test)]
mod tests;
