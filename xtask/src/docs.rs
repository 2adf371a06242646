//! `cargo xtask docs`: the documents that are made from the program itself, and the list of event names.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::finding::Findings;
use crate::repo::{Repo, succeeds};
use crate::tidy::events;
use crate::tree::Tree;
use crate::{Outcome, check, say};

/// What the program writes, relative to `docs/`.
const GENERATED: [&str; 9] = [
    "anchor.schema.json",
    "audit-export.schema.json",
    "cli.md",
    "context.schema.json",
    "events.md",
    "config.md",
    "scenario.schema.json",
    "session.schema.json",
    "stream.schema.json",
];
const FOLDER: &str = "docs";
const AGAIN: &str = "run `cargo xtask docs` and commit what it writes";

/// Writes the documents, or with `--check` only compares them.
///
/// # Errors
/// When the program cannot be built or asked, or a file cannot be written.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<Outcome> {
    match arguments {
        [] => write(repo),
        [flag] if flag == "--check" => check::alone("docs", compare(repo, &repo.tree()?)?),
        other => {
            say::error(format!(
                "xtask: `docs` takes nothing or --check, not `{}`.",
                other.join(" ")
            ));
            Ok(Outcome::Unusable)
        }
    }
}

fn write(repo: &Repo) -> Result<Outcome> {
    let folder = repo.root().join(FOLDER);
    if !generate(repo, &folder)? {
        say::error("xtask: `bowline docs` failed; nothing more was written.");
        return Ok(Outcome::Found);
    }
    let list = repo.root().join(events::LIST);
    if let Some(parent) = list.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&list, events::updated_list(&repo.tree()?))?;
    say::line(format!("docs: wrote {FOLDER}/ and {}", events::LIST));
    Ok(Outcome::Clean)
}

/// Generates into a folder of cargo's own and compares with what is in the tree.
///
/// # Errors
/// When cargo cannot be asked or the scratch folder cannot be used.
pub(crate) fn compare(repo: &Repo, tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::default();
    let scratch = Path::new(&repo.metadata()?.target_folder).join("xtask-docs");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    if generate(repo, &scratch)? {
        findings.extend(differences(&read(&scratch)?, tree));
    } else {
        findings.fault(
            FOLDER,
            "the program could not generate its documents",
            "run `cargo run -p bowline -- docs --out docs` and read what it says",
        );
    }
    if tree.text(events::LIST) != Some(&events::updated_list(tree)) {
        findings.fault(
            events::LIST,
            "the list of event names is not current",
            AGAIN,
        );
    }
    Ok(findings)
}

/// Has the program write its documents into `folder`; false when it fails.
fn generate(repo: &Repo, folder: &Path) -> Result<bool> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut command = repo.cargo();
    command.args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "bowline",
        "--",
        "docs",
        "--out",
    ]);
    succeeds(command.arg(folder))
}

fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let text =
            fs::read_to_string(entry.path()).with_context(|| format!("{name} is no text"))?;
        files.insert(name, text);
    }
    Ok(files)
}

fn differences(generated: &BTreeMap<String, String>, tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    for name in GENERATED
        .into_iter()
        .filter(|name| !generated.contains_key(*name))
    {
        findings.fault(
            format!("{FOLDER}/{name}"),
            "the program does not generate this document",
            "have `bowline docs --out DIR` write it",
        );
    }
    for (name, text) in generated {
        let path = format!("{FOLDER}/{name}");
        match tree.text(&path) {
            Some(committed) if committed == text => {}
            Some(committed) => {
                let same = committed
                    .lines()
                    .zip(text.lines())
                    .take_while(|(a, b)| a == b)
                    .count();
                findings.fault(
                    format!("{path}:{}", same + 1),
                    "is not what the program says",
                    AGAIN,
                );
            }
            None => findings.fault(path, "is missing", AGAIN),
        }
    }
    findings
}
