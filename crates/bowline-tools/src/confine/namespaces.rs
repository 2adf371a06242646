//! The words that make bubblewrap enforce a profile.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bowline_core::{Network, Profile};
use rustix::fs::{Access, access};

use super::survey::Survey;

/// Where temporary files go inside.
pub(super) const TEMPORARY: &str = "/tmp";

/// A second such place.
const TEMPORARY_TOO: &str = "/var/tmp";

/// Sockets of running services lie here; behind some of them stands all of the machine.
const SERVICES: &str = "/run";

/// What is not shown as it is.
const REPLACED: [&str; 3] = [TEMPORARY, TEMPORARY_TOO, SERVICES];

/// What of [`SERVICES`] is programs rather than services, on systems that have it.
const PROGRAMS: &str = "/run/current-system";

/// Where names of servers are looked up, when there is a network.
const NAMES: &str = "/run/systemd/resolve";

/// Where the kernel is told what to do. Whoever is root may write there without any capability, and
/// some of it starts programs outside.
const KERNEL: [&str; 6] = [
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
];

/// The names of the user's keys; what they hold is refused by the filter.
const KEYS: &str = "/proc/keys";

/// Where this program stands inside, if it is the launcher there: where it stands outside may be
/// hidden or replaced.
const LAUNCHER: &str = "/run/bowline";

/// What mounts are made from.
pub(super) struct Props<'a> {
    /// The private folder for temporary files.
    pub(super) temporary: &'a Path,
    /// An empty file.
    pub(super) empty: &'a Path,
    /// What is protected.
    pub(super) survey: &'a Survey,
    /// This program, if it is to make the way out to a proxy.
    pub(super) launcher: Option<&'a Path>,
    /// Package caches, and where each is seen with what was written over it.
    pub(super) caches: &'a [(PathBuf, PathBuf)],
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
        readable: profile.readable.iter().map(PathBuf::from).collect(),
        bound: Vec::new(),
        closed: Vec::new(),
        hidden: Vec::new(),
    };
    let is_open = profile.network == Network::Open;
    let own = unshare().into_iter();
    words.plain(own.filter(|word| !(is_open && *word == "--unshare-net")));
    words.plain(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    words.kernel(props);
    words.services(is_open, props);
    for place in [TEMPORARY, TEMPORARY_TOO] {
        if Path::new(place).is_dir() {
            words.mount("--bind", props.temporary, Path::new(place));
        }
    }
    for (cache, view) in props.caches {
        words.mount("--bind", view, cache);
    }
    for folder in words.readable.clone() {
        if REPLACED.iter().any(|place| folder.starts_with(place)) {
            words.mount("--ro-bind", &folder, &folder);
        }
    }
    for folder in words.writable.clone() {
        words.mount("--bind", &folder, &folder);
    }
    for (folder, name) in &props.survey.there {
        words.protect(folder, name);
    }
    for path in profile.granted.iter().map(Path::new) {
        words.mount("--bind-try", path, path);
        words.writable.push(path.to_owned());
    }
    let hidden = profile.hidden.iter().map(PathBuf::from);
    for path in hidden {
        words.hide(&path, props);
    }
    words.plain(["--seccomp", &filter.to_string(), "--chdir"]);
    words.words.push(cwd.as_os_str().to_owned());
    words.plain(["--"]);
    words.words
}

/// The words before those of a command that is to have a proxy: the launcher, and the door through
/// which it hands out its socket.
pub(super) fn launcher(door: i32) -> [OsString; 3] {
    [
        LAUNCHER.into(),
        super::inside::INSIDE.into(),
        door.to_string().into(),
    ]
}

/// Arguments in the making.
struct Words {
    words: Vec<OsString>,
    writable: Vec<PathBuf>,
    readable: Vec<PathBuf>,
    /// Folders that are mounts of their own so that they stay where they are.
    bound: Vec<PathBuf>,
    /// What is mounted read-only or hidden.
    closed: Vec<PathBuf>,
    /// Folders that are hidden.
    hidden: Vec<PathBuf>,
}

impl Words {
    fn plain<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.words.extend(words.into_iter().map(OsString::from));
    }

    fn mount(&mut self, how: &str, from: &Path, to: &Path) {
        let words = [OsStr::new(how), from.as_os_str(), to.as_os_str()];
        self.words.extend(words.map(OsStr::to_owned));
    }

    /// Leaves nothing of the kernel's settings to be written, and no names of keys.
    fn kernel(&mut self, props: &Props<'_>) {
        // For anybody else they are closed by their own rights.
        if rustix::process::geteuid().is_root() {
            for place in KERNEL {
                self.mount("--ro-bind-try", Path::new(place), Path::new(place));
            }
        }
        if Path::new(KEYS).exists() {
            self.mount("--ro-bind", props.empty, Path::new(KEYS));
        }
    }

    /// Leaves nothing of the running services but what are programs.
    fn services(&mut self, is_open: bool, props: &Props<'_>) {
        if !Path::new(SERVICES).is_dir() {
            return;
        }
        self.plain(["--tmpfs", SERVICES]);
        self.mount("--ro-bind-try", Path::new(PROGRAMS), Path::new(PROGRAMS));
        if is_open {
            self.mount("--ro-bind-try", Path::new(NAMES), Path::new(NAMES));
        }
        if let Some(launcher) = props.launcher {
            self.mount("--ro-bind", launcher, Path::new(LAUNCHER));
        }
        self.plain(["--remount-ro", SERVICES]);
    }

    /// Keeps `name` below `folder` as it is. A link is followed if it stays in the workspace.
    fn protect(&mut self, folder: &Path, name: &str) {
        let Ok(real) = folder.join(name).canonicalize() else {
            return;
        };
        if !self.is_writable(&real) || self.is_closed(&real) {
            return;
        }
        self.hold_way_to(&folder.join(name));
        self.hold_way_to(&real);
        self.mount("--ro-bind", &real, &real);
        self.closed.push(real);
    }

    /// Makes each folder between a writable one and `path` a mount of its own, so that none can be
    /// moved away with what lies in it.
    fn hold_way_to(&mut self, path: &Path) {
        if self.is_closed(path) {
            return;
        }
        let inside = path.ancestors().skip(1);
        let inside = inside.take_while(|part| {
            self.is_writable(part) && !self.writable.iter().any(|folder| folder == part)
        });
        let way: Vec<PathBuf> = inside.map(Path::to_owned).collect();
        for part in way.into_iter().rev() {
            let is_folder = std::fs::symlink_metadata(&part).is_ok_and(|meta| meta.is_dir());
            if is_folder && !self.bound.contains(&part) {
                self.mount("--bind", &part, &part);
                self.bound.push(part);
            }
        }
    }

    /// Puts something empty over `path`, if there is something that this user can read.
    fn hide(&mut self, path: &Path, props: &Props<'_>) {
        // What this user cannot read needs no cover.
        if let Ok(real) = path.canonicalize()
            && access(&real, Access::READ_OK).is_ok()
        {
            self.cover(real, props);
        }
    }

    /// Puts something empty over `real`, which exists.
    fn cover(&mut self, real: PathBuf, props: &Props<'_>) {
        let mut replaced = REPLACED.iter();
        let is_replaced = replaced.any(|place| real.starts_with(place)) && !self.is_shown(&real);
        if is_replaced || self.hidden.iter().any(|hidden| real.starts_with(hidden)) {
            return;
        }
        self.hold_way_to(&real);
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
            real.clone().into_os_string(),
        ]);
        self.closed.push(real.clone());
        self.hidden.push(real);
    }

    fn is_writable(&self, path: &Path) -> bool {
        self.writable.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether it lies in a folder that is shown although it lies in a place that is replaced.
    fn is_shown(&self, path: &Path) -> bool {
        self.is_writable(path) || self.readable.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether it lies in what is mounted read-only or hidden: nothing can be moved there.
    fn is_closed(&self, path: &Path) -> bool {
        self.closed.iter().any(|closed| path.starts_with(closed))
    }
}
