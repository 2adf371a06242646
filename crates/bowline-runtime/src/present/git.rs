//! What git would start in a folder: hooks, keys of its configuration that name programs, attributes
//! that apply them, a repository that lies there as plain files.

use std::path::Path;

use super::{Present, entries, is_folder, text};

/// Keys that make git start a program or read further configuration: section and key, in lower case.
/// A section that ends in `.` has a name of its own after it; the key `*` is any.
const STARTING: &[(&str, &str)] = &[
    ("core", "fsmonitor"),
    ("core", "hookspath"),
    ("core", "sshcommand"),
    ("core", "editor"),
    ("core", "pager"),
    ("core", "askpass"),
    ("core", "gitproxy"),
    ("core", "alternaterefscommand"),
    ("core", "worktree"),
    ("core", "attributesfile"),
    ("sequence", "editor"),
    ("diff", "external"),
    ("diff.", "command"),
    ("diff.", "textconv"),
    ("difftool.", "cmd"),
    ("mergetool.", "cmd"),
    ("merge.", "driver"),
    ("filter.", "clean"),
    ("filter.", "smudge"),
    ("filter.", "process"),
    ("interactive", "difffilter"),
    ("credential", "helper"),
    ("credential.", "helper"),
    ("include", "path"),
    ("includeif.", "path"),
    ("gpg", "program"),
    ("gpg.", "program"),
    ("pager", "*"),
    ("remote.", "uploadpack"),
    ("remote.", "receivepack"),
    ("remote.", "vcs"),
    ("uploadpack", "packobjectshook"),
    ("trailer.", "command"),
    ("trailer.", "cmd"),
    ("protocol.ext", "allow"),
    ("url.", "insteadof"),
    ("url.", "pushinsteadof"),
];

/// Attributes that have git run a configured program on a file.
const ATTRIBUTES: [&str; 3] = ["filter=", "diff=", "merge="];

/// What is there.
pub(super) fn present(folder: &Path) -> Vec<Present> {
    let mut found = Vec::new();
    let git = folder.join(".git");
    if git.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        found.push(whole(".git", "leads git to a repository elsewhere"));
    }
    if is_folder(&git) {
        found.extend(hooks(&git.join("hooks"), ".git/hooks"));
        found.extend(configuration(&git.join("config"), ".git/config"));
        if is_folder(&git.join("info")) {
            found.extend(attributes(
                &git.join("info/attributes"),
                ".git/info/attributes",
            ));
        }
    }
    found.extend(attributes(&folder.join(".gitattributes"), ".gitattributes"));
    if folder.join(".gitmodules").symlink_metadata().is_ok() {
        found.push(whole(
            ".gitmodules",
            "repositories that git fetches on demand",
        ));
    }
    found.extend(bare(folder, ""));
    for entry in entries(folder) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != ".git" {
            found.extend(bare(&entry.path(), &format!("{name}/")));
        }
    }
    found
}

fn whole(path: &str, what: &str) -> Present {
    Present {
        path: path.to_owned(),
        line: None,
        what: what.to_owned(),
    }
}

fn hooks(folder: &Path, shown: &str) -> Vec<Present> {
    let mut names: Vec<String> = entries(folder)
        .iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".sample"))
        .collect();
    names.sort();
    let hook = |name: String| whole(&format!("{shown}/{name}"), "run by git");
    names.into_iter().map(hook).collect()
}

/// A repository that lies in a folder as plain files: git takes it for one, configuration and all.
fn bare(folder: &Path, shown: &str) -> Vec<Present> {
    let is_there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    let is_bare = is_there("HEAD") && is_folder(&folder.join("objects")) && is_there("refs");
    if !is_bare {
        return Vec::new();
    }
    let mut found = vec![whole(
        if shown.is_empty() { "./" } else { shown },
        "a repository as plain files: git here takes its configuration",
    )];
    found.extend(configuration(
        &folder.join("config"),
        &format!("{shown}config"),
    ));
    found.extend(hooks(&folder.join("hooks"), &format!("{shown}hooks")));
    found
}

fn configuration(path: &Path, shown: &str) -> Vec<Present> {
    let Some(text) = text(path) else {
        return Vec::new();
    };
    let mut section = String::new();
    let mut found = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim();
        let mut rest = line;
        if let Some((name, after)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            section = section_of(name);
            rest = after.trim();
        }
        let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
        let key = key.trim().to_ascii_lowercase();
        if starts(&section, &key, value.trim()) {
            found.push(Present {
                path: shown.to_owned(),
                line: Some(number),
                what: format!("git: {section}.{key} has git run, read or reach something"),
            });
        }
    }
    found
}

/// The section in lower case, its own name, if it has one, after a dot.
fn section_of(header: &str) -> String {
    match header.split_once('"') {
        Some((section, name)) => format!(
            "{}.{}",
            section.trim().to_ascii_lowercase(),
            name.trim_end().trim_end_matches('"')
        ),
        None => header.trim().to_ascii_lowercase(),
    }
}

fn starts(section: &str, key: &str, value: &str) -> bool {
    if key.is_empty() || key.starts_with(['#', ';']) {
        return false;
    }
    let runs_a_line = value.trim_start_matches('"').starts_with('!');
    if section == "alias" || section.starts_with("submodule.") {
        return runs_a_line;
    }
    STARTING.iter().any(|(known, name)| {
        let fits = if known.ends_with('.') {
            section.starts_with(known)
        } else {
            section == *known
        };
        fits && (*name == "*" || *name == key)
    })
}

fn attributes(path: &Path, shown: &str) -> Vec<Present> {
    let Some(text) = text(path) else {
        return Vec::new();
    };
    let lines = (1_u32..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim_start().starts_with('#'))
        .filter(|(_, line)| {
            let mut words = line.split_whitespace().skip(1);
            words.any(|word| ATTRIBUTES.iter().any(|known| word.starts_with(known)))
        })
        .map(|(number, _)| Present {
            path: shown.to_owned(),
            line: Some(number),
            what: "git: runs a configured program on these files".to_owned(),
        })
        .collect()
}
