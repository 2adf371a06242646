//! What this machine can enforce, found out by trying it once.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use bowline_core::Backend;

use crate::sandbox;

/// Where bubblewrap is looked for: never on `PATH`, which a workspace may have changed.
const TRUSTED: [&str; 4] = [
    "/usr/bin/bwrap",
    "/usr/local/bin/bwrap",
    "/bin/bwrap",
    "/run/current-system/sw/bin/bwrap",
];

/// Permission bits that let others than root change a file.
const OTHERS_WRITE: u32 = 0o022;

/// Lists what seccomp can answer with.
const SECCOMP_ACTIONS: &str = "/proc/sys/kernel/seccomp/actions_avail";

/// Most of what bubblewrap says that is passed on, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Whether one means of confining works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// It does; says which version or program.
    Works(String),
    /// It does not.
    Missing {
        /// What was found instead, in one sentence without its full stop.
        why: String,
        /// What to do about it, in one sentence without its full stop.
        fix: String,
    },
}

impl Support {
    /// Whether it works.
    #[must_use]
    pub const fn works(&self) -> bool {
        matches!(self, Self::Works(_))
    }

    fn missing(why: impl Into<String>, fix: &str) -> Self {
        Self::Missing {
            why: why.into(),
            fix: fix.to_owned(),
        }
    }
}

/// What this machine can enforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// Namespaces through bubblewrap.
    pub namespaces: Support,
    /// Landlock.
    pub landlock: Support,
    /// Seccomp filters.
    pub seccomp: Support,
}

impl Capability {
    /// The strongest backend that works.
    #[must_use]
    pub const fn backend(&self) -> Option<Backend> {
        match (&self.namespaces, &self.landlock, &self.seccomp) {
            (Support::Works(_), _, Support::Works(_)) => Some(Backend::Namespaces),
            (_, Support::Works(_), Support::Works(_)) => Some(Backend::Landlock),
            _ => None,
        }
    }

    /// What keeps namespaces from being used, and what helps; empty if nothing does.
    #[must_use]
    pub fn lacking(&self) -> String {
        let lacks =
            [&self.namespaces, &self.seccomp]
                .into_iter()
                .find_map(|support| match support {
                    Support::Works(_) => None,
                    Support::Missing { why, fix } => Some(format!("{why}; {fix}")),
                });
        lacks.unwrap_or_default()
    }
}

/// What this machine can enforce. Tries it once per process (about 10 ms), then remembers.
///
/// Starts `bwrap ... true` with all output closed; changes nothing.
#[must_use]
pub fn capability() -> &'static Capability {
    static FOUND: OnceLock<Capability> = OnceLock::new();
    FOUND.get_or_init(|| Capability {
        namespaces: namespaces(),
        landlock: landlock(),
        seccomp: seccomp(),
    })
}

/// The bubblewrap to use: one that only root can change, at a place that only root can.
pub(super) fn bubblewrap() -> Option<PathBuf> {
    let is_trusted = |path: &Path| {
        std::fs::metadata(path)
            .is_ok_and(|meta| meta.is_file() && meta.uid() == 0 && meta.mode() & OTHERS_WRITE == 0)
    };
    TRUSTED
        .iter()
        .map(PathBuf::from)
        .find(|path| is_trusted(path))
}

fn namespaces() -> Support {
    const INSTALL: &str = "install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf \
                           install bubblewrap; Arch: pacman -S bubblewrap)";
    const PERMIT: &str = "let ordinary users make namespaces (sysctl user.max_user_namespaces, \
                          kernel.unprivileged_userns_clone, \
                          kernel.apparmor_restrict_unprivileged_userns, or the seccomp profile of \
                          the container)";
    let Some(program) = bubblewrap() else {
        return Support::missing("bubblewrap is not installed", INSTALL);
    };
    let tried = Command::new(&program)
        .args(super::namespaces::unshare())
        .args(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"])
        .args(["--tmpfs", "/tmp", "--", "true"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/run/current-system/sw/bin")
        .stdin(Stdio::null())
        .output();
    match tried {
        Ok(output) if output.status.success() => Support::Works(program.display().to_string()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: String = said.trim().chars().take(SAID_CHARS_MAX).collect();
            let said = said.replace(char::is_control, " ");
            Support::missing(format!("bubblewrap does not work here ({said})"), PERMIT)
        }
        Err(error) => Support::missing(format!("bubblewrap does not start ({error})"), INSTALL),
    }
}

fn landlock() -> Support {
    match sandbox::landlock_abi() {
        Ok(abi) => Support::Works(format!("ABI {abi}")),
        Err(error) => Support::missing(
            format!("the kernel has no Landlock ({error})"),
            "use Linux 5.13 or newer with `landlock` among its security modules (lsm=)",
        ),
    }
}

fn seccomp() -> Support {
    let fix = "use a kernel built with CONFIG_SECCOMP_FILTER";
    if super::filter::is_known_machine() && Path::new(SECCOMP_ACTIONS).exists() {
        return Support::Works("filters".to_owned());
    }
    Support::missing("the kernel has no seccomp filters for this machine", fix)
}
