//! The part of `cargo metadata` that the checks read.

use anyhow::{Context, Result};
use serde_json::Value;

/// Every package of the dependency graph, and where cargo builds.
pub(crate) struct Metadata {
    /// Packages of the workspace and of the registry.
    pub(crate) packages: Vec<Package>,
    /// Cargo's target folder.
    pub(crate) target_folder: String,
}

/// One package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The licence expression of its manifest.
    pub(crate) licence: Option<String>,
    /// Whether it belongs to this workspace.
    pub(crate) is_member: bool,
    /// What its manifest asks for directly.
    pub(crate) dependencies: Vec<Dependency>,
    /// Its library, programs, tests and benchmarks.
    pub(crate) targets: Vec<Target>,
}

/// One line of a manifest's dependency tables.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// The package it names.
    pub(crate) name: String,
    /// The table it stands in.
    pub(crate) table: Table,
    /// The features it turns on.
    pub(crate) features: Vec<String>,
}

/// The dependency table of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// `[dependencies]` and `[build-dependencies]`: part of what is shipped or of making it.
    Normal,
    /// `[dev-dependencies]`: tests only.
    Dev,
}

/// One thing cargo can build of a package.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: String,
    /// Its kinds, such as `lib`, `bin`, `bench`.
    pub(crate) kinds: Vec<String>,
}

impl Metadata {
    /// Reads the JSON that `cargo metadata --format-version 1` prints.
    ///
    /// # Errors
    /// When it is not JSON or a field that every version of the format has is missing.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        let document: Value = serde_json::from_slice(json).context("cargo metadata is no JSON")?;
        let members = strings(&document["workspace_members"]);
        let packages = document["packages"]
            .as_array()
            .context("cargo metadata has no packages")?;
        Ok(Self {
            packages: packages
                .iter()
                .map(|package| Package::from_json(package, &members))
                .collect(),
            target_folder: string(&document["target_directory"]),
        })
    }

    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_member)
    }
}

impl Package {
    fn from_json(package: &Value, members: &[String]) -> Self {
        Self {
            name: string(&package["name"]),
            version: string(&package["version"]),
            licence: package["license"].as_str().map(str::to_owned),
            is_member: members.contains(&string(&package["id"])),
            dependencies: list(&package["dependencies"], |dependency| Dependency {
                name: string(&dependency["name"]),
                table: match dependency["kind"].as_str() {
                    Some("dev") => Table::Dev,
                    _ => Table::Normal,
                },
                features: strings(&dependency["features"]),
            }),
            targets: list(&package["targets"], |target| Target {
                name: string(&target["name"]),
                kinds: strings(&target["kind"]),
            }),
        }
    }

    /// Whether it has a target of this kind.
    pub(crate) fn has_kind(&self, kind: &str) -> bool {
        self.targets.iter().any(|target| target.is_kind(kind))
    }
}

impl Target {
    /// Whether this is one of its kinds.
    pub(crate) fn is_kind(&self, kind: &str) -> bool {
        self.kinds.iter().any(|own| own == kind)
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    list(value, string)
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value
        .as_array()
        .map_or_else(Vec::new, |items| items.iter().map(read).collect())
}
