//! The words that make bubblewrap enforce a profile.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bowline_core::{Network, Profile};
use rustix::fs::{Access, access};

/// Where temporary files go inside.
pub(super) const TEMPORARY: &str = "/tmp";

/// A second such place.
const TEMPORARY_TOO: &str = "/var/tmp";

/// Sockets of running services lie here; behind some of them stands all of the machine.
const SERVICES: &str = "/run";

/// What of [`SERVICES`] is programs rather than services, on systems that have it.
const PROGRAMS: &str = "/run/current-system";

/// Where names of servers are looked up, when there is a network.
const NAMES: &str = "/run/systemd/resolve";

/// What mounts are made from.
pub(super) struct Props<'a> {
    /// The private folder for temporary files.
    pub(super) temporary: &'a Path,
    /// An empty file.
    pub(super) empty: &'a Path,
}

/// Namespaces of its own for everything but the network, no capabilities, death with the keeper.
///
/// No session of its own: the keeper's has no terminal, and keeping to it lets what a dead keeper
/// left be found.
pub(super) fn unshare() -> Vec<&'static str> {
    vec![
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--unshare-net",
        "--die-with-parent",
        "--cap-drop",
        "ALL",
    ]
}

/// The arguments of bubblewrap up to and with `--`: the command follows.
///
/// Later mounts lie over earlier ones: first the machine, read-only; then what may be written;
/// then what is protected in there; last what is hidden.
pub(super) fn arguments(
    profile: &Profile,
    cwd: &Path,
    props: &Props<'_>,
    filter: i32,
) -> Vec<OsString> {
    let mut words = Words {
        words: Vec::with_capacity(96),
        writable: profile.writable.iter().map(PathBuf::from).collect(),
        bound: Vec::new(),
    };
    let is_open = profile.network == Network::Open;
    let own = unshare().into_iter();
    words.plain(own.filter(|word| !(is_open && *word == "--unshare-net")));
    words.plain(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    words.services(is_open);
    for place in [TEMPORARY, TEMPORARY_TOO] {
        if Path::new(place).is_dir() {
            words.mount("--bind", props.temporary, Path::new(place));
        }
    }
    for folder in words.writable.clone() {
        words.mount("--bind", &folder, &folder);
    }
    for folder in words.writable.clone() {
        for name in &profile.protected {
            words.protect(&folder, name);
        }
    }
    for path in &profile.hidden {
        words.hide(Path::new(path), props);
    }
    words.plain(["--seccomp", &filter.to_string(), "--chdir"]);
    words.words.push(cwd.as_os_str().to_owned());
    words.plain(["--"]);
    words.words
}

/// Arguments in the making.
struct Words {
    words: Vec<OsString>,
    writable: Vec<PathBuf>,
    /// Folders that are mounts of their own so that they stay where they are.
    bound: Vec<PathBuf>,
}

impl Words {
    fn plain<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.words.extend(words.into_iter().map(OsString::from));
    }

    fn mount(&mut self, how: &str, from: &Path, to: &Path) {
        let words = [OsStr::new(how), from.as_os_str(), to.as_os_str()];
        self.words.extend(words.map(OsStr::to_owned));
    }

    /// Leaves nothing of the running services but what are programs.
    fn services(&mut self, is_open: bool) {
        if !Path::new(SERVICES).is_dir() {
            return;
        }
        self.plain(["--tmpfs", SERVICES]);
        self.mount("--ro-bind-try", Path::new(PROGRAMS), Path::new(PROGRAMS));
        if is_open {
            self.mount("--ro-bind-try", Path::new(NAMES), Path::new(NAMES));
        }
        self.plain(["--remount-ro", SERVICES]);
    }

    /// Keeps `name` below `folder` as it is. Each folder on the way becomes a mount of its own, so
    /// that none can be moved away from under it. A link is followed if it stays in the workspace.
    fn protect(&mut self, folder: &Path, name: &str) {
        let Ok(real) = folder.join(name).canonicalize() else {
            return;
        };
        if !self.is_writable(&real) {
            return;
        }
        let way = Path::new(name)
            .parent()
            .into_iter()
            .flat_map(Path::components);
        let mut part = folder.to_owned();
        for name in way {
            part.push(name);
            let is_folder = std::fs::symlink_metadata(&part).is_ok_and(|meta| meta.is_dir());
            if is_folder && !self.bound.contains(&part) {
                self.mount("--bind", &part, &part);
                self.bound.push(part.clone());
            }
        }
        self.mount("--ro-bind", &real, &real);
    }

    /// Puts something empty over `path`.
    fn hide(&mut self, path: &Path, props: &Props<'_>) {
        let Ok(real) = path.canonicalize() else {
            return;
        };
        let mut replaced = [TEMPORARY, TEMPORARY_TOO, SERVICES].iter();
        if replaced.any(|place| real.starts_with(place)) && !self.is_writable(&real) {
            return;
        }
        // What this user cannot read needs no cover.
        if access(&real, Access::READ_OK).is_err() {
            return;
        }
        if !real.is_dir() {
            self.mount("--ro-bind", props.empty, &real);
            return;
        }
        for word in ["--perms", "0000", "--tmpfs"] {
            self.words.push(word.into());
        }
        self.words.extend([
            real.clone().into_os_string(),
            "--remount-ro".into(),
            real.into_os_string(),
        ]);
    }

    fn is_writable(&self, path: &Path) -> bool {
        self.writable.iter().any(|folder| path.starts_with(folder))
    }
}
