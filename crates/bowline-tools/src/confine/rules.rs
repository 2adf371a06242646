//! What Landlock lets a confined command open.
//!
//! Landlock has only rules that allow, each for all that lies below a place. A hidden place is left
//! out by allowing its neighbours one by one, all the way up; what is created beside it later is
//! not readable for the command that runs.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use bowline_core::{Network, Profile};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, Scope,
};

use crate::sandbox;

/// Devices that are only sources and sinks: all that is opened of the others' folder. Behind the
/// rest stand disks, which hold what is hidden, and terminals that a person types into.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// The folder of all devices.
const ALL_DEVICES: &str = "/dev";

/// Makes the rules of `profile`; `temporary` is written as well.
///
/// # Errors
/// There is no Landlock, or a hidden place lies in a writable folder, which it cannot express.
pub(super) fn ruleset(profile: &Profile, temporary: &Path) -> io::Result<OwnedFd> {
    let abi = ABI::from(sandbox::landlock_abi()?);
    let mut hidden: Vec<PathBuf> = real(&profile.hidden);
    let mut writable = real(&profile.writable);
    writable.extend(real(&profile.granted));
    for folder in &writable {
        if let Some(inside) = hidden.iter().find(|hidden| hidden.starts_with(folder)) {
            return Err(io::Error::other(format!(
                "Landlock cannot hide {} in the writable folder {}; bubblewrap can",
                inside.display(),
                folder.display()
            )));
        }
    }
    writable.push(temporary.to_owned());
    hidden.push(PathBuf::from(ALL_DEVICES));
    let mut rules = Rules {
        ruleset: Some(create(abi, &profile.network).map_err(io::Error::other)?),
        abi,
        hidden,
    };
    rules.allow(Path::new("/"), AccessFs::ReadDir.into())?;
    rules.readable(Path::new("/"))?;
    for device in DEVICES {
        let all = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::IoctlDev;
        rules.allow(Path::new(device), all & AccessFs::from_all(abi))?;
    }
    // Everything but making devices, behind which a disk may stand.
    let all = AccessFs::from_all(abi) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    for folder in &writable {
        rules.allow(folder, all)?;
    }
    let made: Option<OwnedFd> = rules.ruleset.and_then(Into::into);
    made.ok_or_else(|| io::Error::other("the kernel has no Landlock"))
}

fn create(abi: ABI, network: &Network) -> Result<RulesetCreated, landlock::RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(abi))?;
    let net = AccessNet::from_all(abi);
    if *network == Network::None && !net.is_empty() {
        ruleset = ruleset.handle_access(net)?;
    }
    let scope = Scope::from_all(abi);
    if !scope.is_empty() {
        ruleset = ruleset.scope(scope)?;
    }
    ruleset.create()
}

/// Those of `paths` that exist, links resolved.
fn real(paths: &[String]) -> Vec<PathBuf> {
    let real = paths.iter().map(fs::canonicalize);
    real.filter_map(Result::ok).collect()
}

/// Rules in the making.
struct Rules {
    ruleset: Option<RulesetCreated>,
    abi: ABI,
    hidden: Vec<PathBuf>,
}

impl Rules {
    /// Allows reading `folder` but for what is hidden in it.
    fn readable(&mut self, folder: &Path) -> io::Result<()> {
        if self.hidden.iter().any(|hidden| hidden == folder) {
            return Ok(());
        }
        let holds_hidden = self.hidden.iter().any(|hidden| hidden.starts_with(folder));
        if !holds_hidden && folder != Path::new("/") {
            return self.allow(folder, AccessFs::from_read(self.abi));
        }
        // A folder that cannot be listed by us cannot be read by the command either.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // What a link leads to is allowed or hidden where it lies.
            if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
                self.readable(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Allows `access` below `path`; a path that is gone or closed to us needs no rule.
    fn allow(&mut self, path: &Path, access: BitFlags<AccessFs>) -> io::Result<()> {
        let Ok(opened) = PathFd::new(path) else {
            return Ok(());
        };
        let Some(ruleset) = self.ruleset.take() else {
            return Ok(());
        };
        // For a file only what can be done to files.
        let access = if path.is_dir() {
            access
        } else {
            access & AccessFs::from_file(self.abi)
        };
        let added = ruleset.add_rule(PathBeneath::new(opened, access));
        self.ruleset = Some(added.map_err(io::Error::other)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
