//! Limits on what a shell command can do, whatever its text says.
//!
//! A [`Confinement`] is a profile and the backend that enforces it. It is decided before a call
//! starts, recorded with the decision, and travels to the keeper in its order. Only the process of
//! the command is confined, never the keeper and never the harness.
//!
//! | | namespaces (bubblewrap) | Landlock and seccomp |
//! |---|---|---|
//! | writes outside the writable folders | refused, read-only mounts | refused |
//! | hidden places | not there (empty, unreadable) | unreadable; names can be listed |
//! | protected names in the workspace | read-only where they exist; what is made under others is set aside | the latter only |
//! | package caches | written over, in an overlay of the session's own | read-only |
//! | network | a network of its own with loopback only | no sockets but pairs |
//! | other processes | not visible; sockets of services covered | visible; no signals to them from ABI 6 on |
//! | temporary files | a private `/tmp` | a private folder named by `TMPDIR` |
//!
//! Both refuse the system calls listed in `confine/filter.rs`. Neither hides secrets inside the workspace,
//! and neither limits memory or processor time.
//!
//! Start at [`capability()`] for what this machine can do, at [`Confiner`] for what a call gets.

mod capability;
mod filter;
mod granted;
pub mod inside;
mod lookout;
mod namespaces;
mod newborn;
mod overlays;
mod rules;
mod sockets;
mod survey;

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bowline_core::{Backend, Confinement, Profile};

use self::newborn::Nursery;
use self::survey::Survey;
use crate::sandbox::{Overlay, Overlays, Powers, Restrict};

pub use capability::{Capability, Support, capability};
pub(crate) use granted::Placeholders;
pub(crate) use lookout::Lookout;
pub(crate) use overlays::Held;

/// Says how a shell command is confined. Looks at the machine when first asked, not before.
#[derive(Debug, Clone)]
pub struct Confiner {
    profile: Option<Profile>,
    /// The folder that the state of sessions is kept in, if it is known.
    state: Option<PathBuf>,
    told: Arc<AtomicBool>,
}

impl Confiner {
    /// Confines to `profile`.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile: Some(profile),
            state: None,
            told: Arc::default(),
        }
    }

    /// Confines nothing, and says so.
    #[must_use]
    pub fn none() -> Self {
        Self {
            profile: None,
            state: None,
            told: Arc::default(),
        }
    }

    /// Keeps what commands write over package caches in sessions below `state`. Without it, and where
    /// this machine cannot, caches are read-only.
    #[must_use]
    pub fn keeping_in(self, state: PathBuf) -> Self {
        Self {
            state: Some(state),
            ..self
        }
    }

    /// How a command would be confined by the best means of this machine.
    ///
    /// # Errors
    /// A sentence that says what is missing and what to install.
    pub fn confinement(&self) -> Result<Confinement, String> {
        self.confinement_with(|_| {})
    }

    /// The same with another profile, which `change` makes of this one's.
    ///
    /// # Errors
    /// As [`Confiner::confinement`].
    pub fn confinement_with(
        &self,
        change: impl FnOnce(&mut Profile),
    ) -> Result<Confinement, String> {
        let Some(mut profile) = self.profile.clone() else {
            return Err("nothing confines commands here".to_owned());
        };
        change(&mut profile);
        let mut folders = profile.writable.iter().chain(&profile.readable);
        if let Some(wide) = folders.find(|folder| is_too_wide(folder)) {
            return Err(format!(
                "the workspace {wide} holds what a sandbox must keep apart; work in a folder of its own"
            ));
        }
        let capability = capability();
        let backend = capability.backend().ok_or_else(|| capability.lacking())?;
        if !profile.caches.is_empty() && !self.can_overlay(backend) {
            profile.caches.clear();
        }
        Ok(Confinement { backend, profile })
    }

    /// Whether it is to confine anything.
    #[must_use]
    pub const fn is_meant_to(&self) -> bool {
        self.profile.is_some()
    }

    /// Whether this is the first time that somebody asks, over all clones: what is told once is told
    /// by whom it says so.
    #[must_use]
    pub fn is_first_told(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }

    /// Whether caches can be written over.
    fn can_overlay(&self, backend: Backend) -> bool {
        let can = |state: &PathBuf| overlays::can_be_in(state);
        backend == Backend::Namespaces && self.state.as_ref().is_some_and(can)
    }

    /// What keeps `backend` from being the strongest there is; empty for namespaces.
    #[must_use]
    pub fn lacking(backend: Backend) -> String {
        match backend {
            Backend::Namespaces => String::new(),
            Backend::Landlock => capability().lacking(),
        }
    }
}

/// Places that no writable folder may hold: programs and settings of the machine, devices, and the
/// sockets of what runs on it.
const APART: [&str; 9] = [
    "/dev", "/etc", "/proc", "/run", "/sys", "/tmp", "/usr", "/var/run", "/var/tmp",
];

fn is_too_wide(folder: &str) -> bool {
    let folder = Path::new(folder);
    APART
        .iter()
        .any(|place| Path::new(place).starts_with(folder))
}

/// Folder beside the attempts of a session for what confined commands need: their temporary
/// files, which last from one command to the next, and an empty file.
const BESIDE: &str = "confined";
const TEMPORARY: &str = "tmp";
const EMPTY: &str = "empty";

/// Variables that send caches to the temporary folder, unless the folder of this name can be written
/// over: the homes of these caches are read-only.
const CACHES: [(&str, &str, &str); 4] = [
    ("XDG_CACHE_HOME", "cache", ".cache"),
    ("npm_config_cache", "cache/npm", ".npm"),
    ("GOCACHE", "cache/go-build", ".cache"),
    ("YARN_CACHE_FOLDER", "cache/yarn", ".cache"),
];

/// Everything a keeper needs to start a confined command.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// Program and arguments to put before those of the command.
    pub(crate) wrapper: Vec<OsString>,
    /// Variables to set.
    pub(crate) env: Vec<(&'static str, OsString)>,
    /// What is done in the command's process before it begins.
    pub(crate) restrict: Restrict,
    /// Protected names that are not there, watched from now on.
    pub(crate) lookout: Option<Lookout>,
    /// Where the listening socket of a proxy comes out, if the command is to have one.
    pub(crate) door: Option<OwnedFd>,
    /// Empty files in place of granted ones.
    pub(crate) placeholders: Placeholders,
    /// What is written over caches, kept from other commands while this one runs.
    pub(crate) held: Option<Held>,
}

/// Variables that lead to sockets of running services, and through them out of the sandbox: none is
/// there inside.
const UNSET: [&str; 9] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "DISPLAY",
    "DOCKER_HOST",
    "GPG_AGENT_INFO",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
];

/// Whether a confined command does not get the variable `name`.
pub(crate) fn is_unset(name: &str) -> bool {
    UNSET.contains(&name)
}

/// Makes ready to confine a command that runs in `cwd`, with the attempt folder `dir`.
///
/// # Errors
/// The backend is not there any more, or a folder cannot be made. Nothing has been started then.
pub(crate) fn prepare(confinement: &Confinement, cwd: &Path, dir: &Path) -> io::Result<Prepared> {
    let beside = dir.parent().unwrap_or(dir).join(BESIDE);
    let temporary = beside.join(TEMPORARY);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&temporary)?;
    let profile = &confinement.profile;
    let writes = if profile.writable.is_empty() && profile.granted.is_empty() {
        filter::Writes::Nothing
    } else {
        filter::Writes::Some
    };
    let program = filter::program(confinement.backend, writes).map_err(io::Error::other)?;
    let survey = survey::survey(profile);
    let folders = profile.writable.iter().map(PathBuf::from);
    let nursery = Nursery::new(folders.collect(), &survey);
    let placeholders = Placeholders::make(profile);
    let prepared = match confinement.backend {
        Backend::Namespaces => in_namespaces(profile, cwd, &beside, (&survey, &program))?,
        Backend::Landlock => Prepared {
            env: env(&temporary, &[]),
            restrict: Restrict {
                ruleset: Some(rules::ruleset(profile, &temporary)?),
                filter: program,
                powers: Powers::GivenUp,
                ..Restrict::default()
            },
            ..Prepared::default()
        },
    };
    Ok(Prepared {
        lookout: Lookout::new(survey.watched, nursery),
        placeholders,
        ..prepared
    })
}

/// The part of it that makes namespaces; `beside` is the folder beside the attempts.
fn in_namespaces(
    profile: &Profile,
    cwd: &Path,
    beside: &Path,
    (survey, program): (&Survey, &[seccompiler::sock_filter]),
) -> io::Result<Prepared> {
    let bubblewrap = capability::bubblewrap()
        .ok_or_else(|| io::Error::other("bubblewrap is not installed any more"))?;
    let empty = beside.join(EMPTY);
    if !empty.exists() {
        fs::write(&empty, "")?;
    }
    let made = match &profile.caches[..] {
        [] => None,
        caches => Some(overlays::make(caches, beside)?),
    };
    let (views, mounts, held) = match made {
        Some(made) => (made.views, made.mounts, Some(made.held)),
        None => (Vec::new(), Vec::new(), None),
    };
    let overlays = overlays(mounts, &empty)?;
    // A program is far smaller than a pipe, so this never waits.
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(&filter::bytes(program))?;
    let has_proxy = !profile.network.hosts().is_empty();
    // It is this very program, wherever it was started from.
    let launcher = has_proxy.then(|| fs::read_link("/proc/self/exe"));
    let launcher = launcher.transpose()?;
    let props = namespaces::Props {
        temporary: &beside.join(TEMPORARY),
        empty: &empty,
        survey,
        launcher: launcher.as_deref(),
        caches: &views,
    };
    let mut words = namespaces::arguments(profile, cwd, &props, reader.as_raw_fd());
    let mut inherit = vec![OwnedFd::from(reader)];
    let door = has_proxy.then(|| door(&mut words, &mut inherit));
    Ok(Prepared {
        wrapper: [vec![bubblewrap.into_os_string()], words].concat(),
        env: env(Path::new(namespaces::TEMPORARY), &profile.caches),
        restrict: Restrict {
            inherit,
            powers: Powers::NoDumps,
            overlays,
            ..Restrict::default()
        },
        door: door.transpose()?,
        held,
        ..Prepared::default()
    })
}

/// What is laid over folders and files before bubblewrap: caches, and `empty` over the sockets of
/// services. Nothing is there to do for most commands.
fn overlays(mounts: Vec<Overlay>, empty: &Path) -> io::Result<Option<Overlays>> {
    let text = |path: &Path| overlays::text(path.as_os_str().as_bytes());
    let sockets = sockets::reachable();
    if mounts.is_empty() && sockets.is_empty() {
        return Ok(None);
    }
    let covers: io::Result<_> = sockets.iter().map(|path| text(path)).collect();
    Ok(Some(Overlays::with_covers(mounts, covers?, text(empty)?)))
}

/// Lets a launcher begin that hands its socket out through the door that this gives.
fn door(words: &mut Vec<OsString>, inherit: &mut Vec<OwnedFd>) -> io::Result<OwnedFd> {
    let (outer, inner) = inside::doors()?;
    words.extend(namespaces::launcher(inner.as_raw_fd()));
    inherit.push(inner);
    Ok(outer)
}

fn env(temporary: &Path, overlaid: &[String]) -> Vec<(&'static str, OsString)> {
    let is_overlaid = |folder: &str| {
        overlaid
            .iter()
            .any(|cache| Path::new(cache).ends_with(folder))
    };
    let caches = CACHES.iter().filter(|(_, _, folder)| !is_overlaid(folder));
    let caches = caches.map(|(name, place, _)| (*name, temporary.join(place)));
    let places = [("TMPDIR", temporary.to_owned())].into_iter().chain(caches);
    places
        .map(|(name, place)| (name, PathBuf::into_os_string(place)))
        .collect()
}

#[cfg(test)]
mod tests;
