//! `cargo xtask tidy`: what a reader relies on and the compiler does not look at.

mod architecture;
pub(crate) mod events;
mod forgotten;
mod manifests;
mod places;
#[cfg(test)]
mod tests;

use anyhow::Result;

use crate::docs;
use crate::finding::Findings;
use crate::repo::Repo;
use crate::tree::Tree;

/// Lines of a Rust file above which a reviewer is told.
const REVIEW_LINES: usize = 500;
/// Lines of a Rust file above which the check fails.
const MOST_LINES: usize = 800;

/// Looks at every file that is not ignored, then at the generated documents.
///
/// # Errors
/// When git cannot list the files.
pub(crate) fn step(repo: &Repo) -> Result<Findings> {
    let tree = repo.tree()?;
    let mut findings = judge(&tree);
    match docs::compare(repo, &tree) {
        Ok(found) => findings.extend(found),
        Err(error) => findings.fault(
            "docs",
            format!("cannot compare the generated documents: {error:#}"),
            "mend that first",
        ),
    }
    Ok(findings)
}

fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    for (path, text) in tree.rust() {
        judge_source(path, text, &mut findings);
    }
    findings.extend(forgotten::judge(tree));
    findings.extend(architecture::judge(tree));
    findings.extend(events::judge(tree));
    findings.extend(places::judge(tree));
    findings.extend(manifests::judge(tree));
    findings
}

fn judge_source(path: &str, text: &str, findings: &mut Findings) {
    let lines = text.lines().count();
    if lines > MOST_LINES {
        findings.fault(
            path,
            format!("{lines} lines, at most {MOST_LINES} are allowed"),
            "split it by responsibility: a folder module with one file for each",
        );
    } else if lines > REVIEW_LINES {
        findings.notice(format!(
            "{path}: {lines} lines; over {REVIEW_LINES}, so ask whether it is one thing"
        ));
    }
    if !text.starts_with("//!") {
        findings.fault(
            path,
            "the first line is no module header",
            "open the file with a `//!` line that says what it is for",
        );
    }
}
