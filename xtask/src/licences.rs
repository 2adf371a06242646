//! `cargo xtask licences`: every package of the dependency graph may be shipped under our two licences.

#[cfg(test)]
mod tests;

use anyhow::Result;

use crate::finding::Findings;
use crate::metadata::Package;
use crate::repo::Repo;
use crate::spdx::Expression;

/// Licences that ask for no more than a notice, or for nothing.
const ACCEPTED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Judges every package that `Cargo.lock` names, development and other platforms included.
///
/// # Errors
/// When cargo cannot tell the packages.
pub(crate) fn step(repo: &Repo) -> Result<Findings> {
    Ok(judge(&repo.metadata()?.packages))
}

fn judge(packages: &[Package]) -> Findings {
    let mut findings = Findings::default();
    for package in packages {
        let place = format!("{} {}", package.name, package.version);
        let Some(text) = &package.licence else {
            findings.fault(
                place,
                "its manifest names no licence",
                "read its licence file; if nobody can say which one it is, use another crate",
            );
            continue;
        };
        match Expression::parse(text) {
            Err(error) => findings.fault(
                place,
                format!("`{text}` cannot be read: {error}"),
                "look at the package's licence files and decide by hand",
            ),
            Ok(expression) if !expression.is_satisfied(&|name| ACCEPTED.contains(&name)) => {
                findings.fault(
                    place,
                    format!("its licence `{text}` is not on the list"),
                    "use another crate (`cargo tree -i NAME` says who wants it), or extend ACCEPTED in \
                     xtask/src/licences.rs with a reason",
                );
            }
            Ok(_) => {}
        }
    }
    findings
}
