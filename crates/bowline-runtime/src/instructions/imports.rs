//! Imports: `@path` as a word of an instruction file, outside code.

use std::path::{Component, Path, PathBuf};

/// Kinds of files that may be imported: plain text for people. Nothing that keeps a secret is one.
const KINDS: [&str; 4] = ["md", "markdown", "txt", "rst"];
/// Most imports of one file.
const IMPORTS_MAX: usize = 32;

/// The paths that a text imports, in order, each once.
pub(super) fn of(text: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                // Every second part between back quotes is code.
                for prose in line.split('`').step_by(2) {
                    paths.extend(prose.split_whitespace().filter_map(path));
                }
            }
            _ => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths.truncate(IMPORTS_MAX);
    paths
}

/// The path that a word imports, if it does.
fn path(word: &str) -> Option<String> {
    let path = word.strip_prefix('@')?;
    let path = path.trim_end_matches([',', ';', ':', '.', ')', '!', '?']);
    let kind = Path::new(path).extension()?.to_str()?;
    KINDS
        .contains(&kind.to_ascii_lowercase().as_str())
        .then(|| path.to_owned())
}

/// Where an import of a file in `folder` leads, from the root; or why it leads nowhere.
pub(super) fn target(folder: &Path, asked: &str) -> Result<PathBuf, &'static str> {
    if asked.starts_with(['/', '~']) {
        return Err("an import names a file beneath its project");
    }
    let mut at = folder.to_path_buf();
    for part in Path::new(asked).components() {
        match part {
            Component::Normal(name) if name.as_encoded_bytes().starts_with(b".") => {
                return Err("hidden files and folders are not imported");
            }
            Component::Normal(name) => at.push(name),
            Component::CurDir => {}
            Component::ParentDir if at.pop() => {}
            _ => return Err("it leads out of its project"),
        }
    }
    Ok(at)
}
