//! Source files that nothing compiles: no `mod` names them, so their tests never run.

use std::collections::HashMap;

use crate::finding::Findings;
use crate::rust_text::{Module, modules, without_comments_and_literals};
use crate::tree::{Tree, folder};

/// What the source files of one package declare.
struct Declarations {
    /// Modules by the file that declares them.
    by_file: HashMap<String, Vec<Module>>,
    /// Files named by a `#[path = ".."]`.
    paths: Vec<String>,
}

pub(super) fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    let declared = read_all(tree);
    for (path, _) in tree.rust() {
        let Some((package, inside)) = split_package(path) else {
            continue;
        };
        if is_root(inside) || declared.paths.iter().any(|named| named == path) {
            continue;
        }
        if is_test_data(tree, package, inside) || is_declared(path, inside, &declared) {
            continue;
        }
        findings.fault(
            path,
            "no `mod` names this file, so it is never compiled and its tests never run",
            "add `mod NAME;` to its parent (`#[cfg(test)] mod tests;` for tests), or delete it",
        );
    }
    findings
}

fn read_all(tree: &Tree) -> Declarations {
    let mut declared = Declarations {
        by_file: HashMap::new(),
        paths: Vec::new(),
    };
    for (path, text) in tree.rust() {
        let code = without_comments_and_literals(text);
        for (at, attribute) in code.match_indices("#[path = \"") {
            let start = at + attribute.len();
            if let Some(length) = text[start..].find('"') {
                declared
                    .paths
                    .push(joined(folder(path), &text[start..start + length]));
            }
        }
        declared.by_file.insert(path.to_owned(), modules(&code));
    }
    declared
}

/// Splits `crates/x/src/a.rs` into `crates/x` and `src/a.rs`; none for files that no package compiles.
fn split_package(path: &str) -> Option<(&str, &str)> {
    ["src", "tests", "benches", "examples"]
        .iter()
        .find_map(|top| {
            let at = path.find(&format!("/{top}/"))?;
            Some((&path[..at], &path[at + 1..]))
        })
}

/// Whether cargo compiles the file without being told.
fn is_root(inside: &str) -> bool {
    let parts: Vec<&str> = inside.split('/').collect();
    matches!(
        parts.as_slice(),
        ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "benches" | "examples", _, "main.rs"]
    )
}

/// Whether the file lies in a folder under `tests/` that a test of the package hands to a compiler: no module
/// tree has its root there, and a source names the folder.
fn is_test_data(tree: &Tree, package: &str, inside: &str) -> bool {
    let mut parts = inside.split('/');
    let (Some("tests"), Some(name)) = (parts.next(), parts.next()) else {
        return false;
    };
    let has_root = tree.has(&format!("{package}/tests/{name}/main.rs"))
        || tree.has(&format!("{package}/tests/{name}/mod.rs"));
    let named = format!("tests/{name}/");
    !has_root
        && tree
            .rust()
            .any(|(path, text)| path.starts_with(package) && text.contains(&named))
}

/// Whether the parent of a module file, or the file that holds the parent inline, declares it.
fn is_declared(path: &str, inside: &str, declared: &Declarations) -> bool {
    let top = &path[..path.len() - inside.len()];
    let mut parts: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    let Some(name) = parts.pop() else {
        return false;
    };
    let names_it = |module: &Module| matches!(module, Module::File(found) if found == name);
    // The nearest existing ancestor declares it; between the two there can only be inline modules.
    while !parts.is_empty() {
        let base = format!("{top}{}", parts.join("/"));
        let candidates = [
            format!("{base}.rs"),
            format!("{base}/mod.rs"),
            format!("{base}/lib.rs"),
            format!("{base}/main.rs"),
        ];
        let mut found = candidates
            .iter()
            .filter_map(|file| declared.by_file.get(file))
            .peekable();
        if found.peek().is_some() {
            return found.flatten().any(names_it);
        }
        // `tests/it/` without a root of its own may hang below any of the test programs beside it.
        if parts.len() == 1 {
            let beside = format!("{base}/");
            return declared.by_file.iter().any(|(file, modules)| {
                folder(file) == beside.trim_end_matches('/') && modules.iter().any(names_it)
            });
        }
        parts.pop();
    }
    false
}

/// `folder` and a relative path as one, with `..` resolved.
fn joined(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
