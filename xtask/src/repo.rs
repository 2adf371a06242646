//! Where the repository is, and how to run cargo and git in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::tree::Tree;

/// The repository's root folder.
pub(crate) struct Repo {
    root: PathBuf,
}

impl Repo {
    /// Finds the root: the parent of this package's folder.
    ///
    /// # Errors
    /// When no workspace manifest is there, for instance because the built program was moved.
    pub(crate) fn find() -> Result<Self> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().unwrap_or(&package).to_path_buf();
        if !root.join("Cargo.toml").is_file() {
            bail!(
                "{} is not the repository; run `cargo xtask` inside it",
                root.display()
            );
        }
        Ok(Self { root })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command in the root folder.
    ///
    /// What `cargo run` told this program about its own package is removed: build scripts that watch those
    /// variables would otherwise run again at every chore.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Every file that is tracked or would be, that is: not ignored.
    ///
    /// # Errors
    /// When git cannot list the files or one cannot be read.
    pub(crate) fn tree(&self) -> Result<Tree> {
        let output = Command::new("git")
            .arg("-c")
            .arg(format!("safe.directory={}", self.root.display()))
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(&self.root)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run git; install it, the checks ask it which files count")?;
        if !output.status.success() {
            bail!(
                "`git ls-files` failed in {}; is it a clone?",
                self.root.display()
            );
        }
        let listing = String::from_utf8_lossy(&output.stdout).into_owned();
        Tree::read(
            &self.root,
            listing.split('\0').filter(|path| !path.is_empty()),
        )
    }

    /// What cargo knows about the workspace and all its dependencies.
    ///
    /// # Errors
    /// When cargo fails both without and with network, or `Cargo.lock` is not current.
    pub(crate) fn metadata(&self) -> Result<Metadata> {
        let arguments = ["metadata", "--format-version", "1", "--locked"];
        let mut output = self.cargo().args(arguments).arg("--offline").output()?;
        if !output.status.success() {
            output = self.cargo().args(arguments).output()?;
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`cargo metadata --locked` failed: {}", said.trim());
        }
        Metadata::parse(&output.stdout)
    }
}

/// Runs `command` with its output shown, and tells whether it succeeded.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    Ok(status.success())
}

/// Whether a program of this name is on the search path.
pub(crate) fn is_installed(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|paths| env::split_paths(&paths).any(|folder| folder.join(program).is_file()))
}
