//! `cargo xtask deps`: which crate may know which, and who alone may use what.
//!
//! Two halves: manifests (this file, from `cargo metadata`) and sources ([`boundaries`]: the commit door,
//! `unsafe`, the bans of the pure crates).

mod boundaries;
#[cfg(test)]
mod tests;

use anyhow::Result;

use crate::finding::Findings;
use crate::metadata::{Package, Table};
use crate::repo::Repo;

/// One crate's place in the house.
struct Arrows {
    name: &'static str,
    /// Workspace crates it may depend on outside its tests.
    may_use: &'static [&'static str],
}

const CORE: &str = "bowline-core";
const TESTKIT: &str = "bowline-testkit";

/// Every crate of the workspace; a new crate needs a row here.
const ARROWS: [Arrows; 10] = [
    Arrows {
        name: CORE,
        may_use: &[],
    },
    Arrows {
        name: "bowline-policy",
        may_use: &[CORE],
    },
    Arrows {
        name: "bowline-secrets",
        may_use: &[CORE],
    },
    Arrows {
        name: "bowline-journal",
        may_use: &[CORE],
    },
    Arrows {
        name: "bowline-model",
        may_use: &[CORE],
    },
    Arrows {
        name: "bowline-tools",
        may_use: &[CORE],
    },
    Arrows {
        name: "bowline-runtime",
        may_use: &[
            CORE,
            "bowline-policy",
            "bowline-secrets",
            "bowline-journal",
            "bowline-model",
            "bowline-tools",
        ],
    },
    Arrows {
        name: "bowline",
        may_use: &[
            CORE,
            "bowline-policy",
            "bowline-secrets",
            "bowline-journal",
            "bowline-model",
            "bowline-tools",
            "bowline-runtime",
        ],
    },
    Arrows {
        name: TESTKIT,
        may_use: &[CORE, "bowline-journal", "bowline-model", "bowline-runtime"],
    },
    Arrows {
        name: "xtask",
        may_use: &[],
    },
];

/// A library that only the named crates may depend on outside their tests.
struct Owner {
    /// The package's name; a trailing `*` stands for any ending.
    library: &'static str,
    owners: &'static [&'static str],
}

const OWNERS: [Owner; 20] = [
    Owner {
        library: "rusqlite",
        owners: &["bowline-journal"],
    },
    Owner {
        library: "ed25519-dalek",
        owners: &["bowline-journal"],
    },
    Owner {
        library: "reqwest",
        owners: &["bowline-model"],
    },
    Owner {
        library: "bpe-openai",
        owners: &["bowline-model", "bowline-testkit"],
    },
    Owner {
        library: "rustls",
        owners: &["bowline-model"],
    },
    Owner {
        library: "clap*",
        owners: &["bowline"],
    },
    Owner {
        library: "anyhow",
        owners: &["bowline", "xtask"],
    },
    Owner {
        library: "nix",
        owners: &["xtask"],
    },
    Owner {
        library: "etcetera",
        owners: &["bowline"],
    },
    Owner {
        library: "toml_edit",
        owners: &["bowline-runtime"],
    },
    Owner {
        library: "grep-*",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "ignore",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "similar",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "jsonschema",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "rmcp",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "landlock",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "seccompiler",
        owners: &["bowline-tools"],
    },
    Owner {
        library: "brush-parser",
        owners: &["bowline-policy"],
    },
    Owner {
        library: "tree-sitter*",
        owners: &["bowline-policy"],
    },
    Owner {
        library: "axum",
        owners: &[TESTKIT],
    },
];

/// Crates that compute and do nothing else.
pub(crate) const PURE: [&str; 3] = [CORE, "bowline-policy", "bowline-secrets"];

/// Libraries that bring a clock, the disk, the network, processes, randomness, logging or awaiting.
const IMPURE: [&str; 14] = [
    "chrono",
    "etcetera",
    "fastrand",
    "getrandom",
    "jiff",
    "libc",
    "log",
    "nix",
    "rand",
    "reqwest",
    "rustix",
    "tempfile",
    "tokio*",
    "tracing*",
];

/// Judges manifests and sources.
///
/// # Errors
/// When cargo or git cannot tell what there is.
pub(crate) fn step(repo: &Repo) -> Result<Findings> {
    let metadata = repo.metadata()?;
    let members: Vec<Package> = metadata.members().cloned().collect();
    let mut findings = judge(&members);
    findings.extend(boundaries::judge(&repo.tree()?));
    Ok(findings)
}

fn judge(members: &[Package]) -> Findings {
    let mut findings = Findings::default();
    for package in members {
        let Some(arrows) = ARROWS.iter().find(|arrows| arrows.name == package.name) else {
            findings.fault(
                &package.name,
                "the crate has no row in the table of arrows",
                "add one to ARROWS in xtask/src/deps.rs, as the house in ARCHITECTURE.md has it",
            );
            continue;
        };
        judge_arrows(package, arrows, members, &mut findings);
        judge_owners(package, &mut findings);
        if PURE.contains(&package.name.as_str()) {
            judge_purity(package, &mut findings);
        }
    }
    findings
}

fn judge_arrows(package: &Package, arrows: &Arrows, members: &[Package], findings: &mut Findings) {
    for name in normal(package).filter(|name| members.iter().any(|member| member.name == *name)) {
        if name == TESTKIT {
            findings.fault(
                &package.name,
                format!("depends on {TESTKIT} outside its tests"),
                "move the line to [dev-dependencies]",
            );
        } else if !arrows.may_use.contains(&name) {
            findings.fault(
                &package.name,
                format!("may not know {name}"),
                "pass what it needs as a value or through a trait of bowline-core",
            );
        }
    }
}

fn judge_owners(package: &Package, findings: &mut Findings) {
    for name in normal(package) {
        let Some(owner) = OWNERS.iter().find(|owner| matches(owner.library, name)) else {
            continue;
        };
        if !owner.owners.contains(&package.name.as_str()) {
            findings.fault(
                &package.name,
                format!(
                    "depends on {name}, which belongs to {}",
                    owner.owners.join(" and ")
                ),
                "ask the owner's crate for it, or move the code there",
            );
        }
    }
}

fn judge_purity(package: &Package, findings: &mut Findings) {
    for name in normal(package).filter(|name| IMPURE.iter().any(|ban| matches(ban, name))) {
        findings.fault(
            &package.name,
            format!("is pure and may not depend on {name}"),
            "do it in a crate at the edge and hand the result in as a value",
        );
    }
    let makes_ids = package.dependencies.iter().any(|dependency| {
        dependency.table == Table::Normal
            && dependency.name == "uuid"
            && dependency
                .features
                .iter()
                .any(|feature| matches!(feature.as_str(), "v4" | "v7"))
    });
    if makes_ids {
        findings.fault(
            &package.name,
            "is pure and may not make ids (uuid with v4 or v7 reads a clock or randomness)",
            "take the id as an argument",
        );
    }
}

/// The names of everything a package depends on outside its tests.
fn normal(package: &Package) -> impl Iterator<Item = &str> {
    let normal = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.table == Table::Normal);
    normal.map(|dependency| dependency.name.as_str())
}

/// Whether a package name is meant by a pattern whose last character may be `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}
