//! Which files a command is known to execute, so that an allow holds for their very content.
//!
//! A plain search for words, erring on the side of one file too many: what is named where a
//! program stands, what an interpreter is given, what has the right to be executed and a slash in
//! its name, and the files that `make`, `npm` and their like read by themselves. What such a file
//! runs in its turn is not followed, and words that the shell expands are not known.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bowline_core::{Digest, Executed};

use super::words::{Word, commands};
use crate::path::open;
use crate::tool::PlanCx;

mod runners;
#[cfg(test)]
mod tests;

use runners::{
    is_builtin, is_filter, is_interpreter, is_keyword, is_wrapper, names_a_folder, project_files,
};

/// Longest command looked at, in bytes: the kernel takes no longer argument.
const COMMAND_BYTES_MAX: usize = 128 << 10;

/// Most folders that words are looked up in.
const FOLDERS_MAX: usize = 4;

/// Deepest nesting of commands given as words (`bash -c '..'`).
const DEPTH_MAX: usize = 4;

/// Most files whose content is read, the largest of them, and all of them together, in bytes.
/// Beyond, a file is known by its place, size and times.
const READ_FILES_MAX: usize = 64;
const READ_BYTES_MAX: u64 = 16 << 20;
const READ_TOTAL_BYTES_MAX: u64 = 32 << 20;

/// The files that `command` is known to execute, by path. `search` is the `PATH` it runs with.
pub(super) fn executes(command: &str, cx: &PlanCx, search: &str) -> Vec<Executed> {
    if command.len() > COMMAND_BYTES_MAX {
        return Vec::new();
    }
    let mut finder = Finder {
        cx,
        search,
        folders: vec![cx.cwd.clone()],
        asked: BTreeSet::new(),
        found: BTreeMap::new(),
    };
    finder.scan(command, 0);
    finder.executed()
}

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// By a bare word that is a program of the search path.
    Program,
    /// By its path, or by what runs it.
    File,
}

struct Finder<'a> {
    cx: &'a PlanCx,
    search: &'a str,
    folders: Vec<PathBuf>,
    asked: BTreeSet<String>,
    found: BTreeMap<PathBuf, Named>,
}

impl Finder<'_> {
    fn scan(&mut self, text: &str, depth: usize) {
        let commands = commands(text);
        for words in &commands {
            self.note_folders(words);
        }
        for words in &commands {
            self.look_at(words, depth);
        }
    }

    /// Words after `cd` and `-C` name folders that later words may be relative to.
    fn note_folders(&mut self, words: &[Word]) {
        let mut previous = "";
        for word in words {
            if names_a_folder(previous) && word.is_literal && self.folders.len() < FOLDERS_MAX {
                let from = self.folders.last().unwrap_or(&self.cx.cwd);
                for folder in [from.join(&word.text), self.cx.cwd.join(&word.text)] {
                    if folder.is_dir() && !self.folders.contains(&folder) {
                        self.folders.push(folder);
                        break;
                    }
                }
            }
            previous = &word.text;
        }
    }

    fn look_at(&mut self, words: &[Word], depth: usize) {
        let program = words.iter().find(|word| {
            let is_option = word.text.starts_with('-') || is_assignment(&word.text);
            let is_number = word
                .text
                .starts_with(|letter: char| letter.is_ascii_digit());
            !is_option && !is_number && !is_keyword(&word.text) && !is_wrapper(&word.text)
        });
        if let Some(word) = program.filter(|word| word.is_literal) {
            if word.text.contains('/') {
                self.file(&word.text, |_| true);
            } else {
                self.program(&word.text);
            }
        }
        let mut has_interpreter = false;
        for (at, word) in words.iter().enumerate().filter(|(_, word)| word.is_literal) {
            let name = base_name(&word.text);
            for file in project_files(name) {
                self.file(file, |_| true);
            }
            if !has_interpreter && is_interpreter(name) {
                has_interpreter = true;
                self.given(&words[at + 1..]);
            }
            if word.text.contains('/') {
                self.file(&word.text, is_executable);
            }
            let Some(option) = at.checked_sub(1).map(|before| &words[before].text) else {
                continue;
            };
            if option == "-f" && words.iter().any(|word| is_filter(base_name(&word.text))) {
                self.file(&word.text, |_| true);
            }
            let is_text = words[0].text == "eval" || has_interpreter && is_for_text(option);
            if is_text && depth < DEPTH_MAX {
                self.scan(&word.text, depth + 1);
            }
        }
        if has_interpreter {
            for word in words.iter().filter(|word| word.is_input && word.is_literal) {
                self.file(&word.text, |_| true);
            }
        }
    }

    /// What an interpreter is given: options with files, then the script. What comes after the
    /// script is the script's.
    fn given(&mut self, words: &[Word]) {
        let mut option: Option<&str> = None;
        for word in words.iter().filter(|word| word.is_literal) {
            let text = word.text.as_str();
            if text.starts_with('-') {
                if let Some((_, value)) = text.split_once('=') {
                    self.file(value, |_| true);
                }
                option = Some(text);
                continue;
            }
            if option == Some("-m") {
                let module = text.replace('.', "/");
                for file in [".py", "/__main__.py", "/__init__.py"] {
                    self.file(&format!("{module}{file}"), |_| true);
                }
            }
            if self.file(text, |_| true) && option.is_none() {
                return;
            }
            option = None;
        }
    }

    /// Takes the file that `word` names in any of the folders; says whether there is one.
    fn file(&mut self, word: &str, is_wanted: impl Fn(&Path) -> bool) -> bool {
        let mut is_there = false;
        for folder in &self.folders {
            let path = folder.join(word);
            let Ok(path) = path.canonicalize() else {
                continue;
            };
            if path.is_file() {
                is_there = true;
                if is_wanted(&path) {
                    self.found.insert(path, Named::File);
                }
            }
        }
        is_there
    }

    /// Takes the program that the shell would find for `name`.
    fn program(&mut self, name: &str) {
        if name.is_empty() || is_builtin(name) || !self.asked.insert(name.to_owned()) {
            return;
        }
        let places = self.search.split(':').map(|place| self.cx.cwd.join(place));
        let program = places
            .map(|place| place.join(name))
            .find(|path| path.is_file() && is_executable(path));
        if let Some(path) = program.and_then(|path| path.canonicalize().ok()) {
            self.found.entry(path).or_insert(Named::Program);
        }
    }

    fn executed(self) -> Vec<Executed> {
        let (mut files, mut bytes) = (READ_FILES_MAX, READ_TOTAL_BYTES_MAX);
        let roots = &self.cx.roots;
        let each = self.found.into_iter().map(|(path, named)| {
            let is_ours = roots.iter().any(|root| path.starts_with(root));
            let content = match (is_ours, named) {
                (true, _) => content(&path, &mut files, &mut bytes),
                (false, Named::File) => identity(&path),
                (false, Named::Program) => None,
            };
            Executed {
                path: path.to_string_lossy().into_owned(),
                content,
            }
        });
        each.collect()
    }
}

/// The hash of what `path` holds, while `files` and `bytes` last; else what else tells a change.
fn content(path: &Path, files: &mut usize, bytes: &mut u64) -> Option<Digest> {
    let most = READ_BYTES_MAX.min(*bytes);
    if let Some((file, stat)) = open::file(path).ok().filter(|_| *files > 0)
        && u64::try_from(stat.st_size).is_ok_and(|size| size <= most)
        && let Ok((digest, read)) = open::hash(std::io::Read::take(file, most + 1))
        && read <= most
    {
        *files -= 1;
        *bytes -= read;
        return Some(digest);
    }
    identity(path)
}

/// What changes with every write to the file at `path`, without reading it.
fn identity(path: &Path) -> Option<Digest> {
    let stat = std::fs::metadata(path).ok()?;
    let times = [
        stat.mtime(),
        stat.mtime_nsec(),
        stat.ctime(),
        stat.ctime_nsec(),
    ];
    let mut parts = vec![b"bowline-file-1".to_vec()];
    parts.extend([stat.ino(), stat.len()].map(|number| number.to_be_bytes().to_vec()));
    parts.extend(times.map(|time| time.to_be_bytes().to_vec()));
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Some(Digest::of_parts(&parts))
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let mut letters = name.chars();
        letters
            .next()
            .is_some_and(|first| first.is_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '+'))
    })
}

/// Whether the word after `option` of a shell is text that it runs: `-c`, `-ec`.
fn is_for_text(option: &str) -> bool {
    option.starts_with('-') && !option.starts_with("--") && option.ends_with('c')
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
