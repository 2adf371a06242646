//! What a system call does to files and processes, in the few words that crash checks need.

use std::path::PathBuf;

use nix::libc;

use super::trace::Stop;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Write,
    Sync,
    Truncate,
    Create,
    Mkdir,
    Rename,
    Link,
    Unlink,
    Rmdir,
    Spawn,
    /// Something that changes files in a way that is not understood here.
    Other,
}

impl Kind {
    /// Its name in a point.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Sync => "fsync",
            Self::Truncate => "truncate",
            Self::Create => "create",
            Self::Mkdir => "mkdir",
            Self::Rename => "rename",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Rmdir => "rmdir",
            Self::Spawn => "spawn",
            Self::Other => "other",
        }
    }
}

/// One act on files or processes.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) kind: Kind,
    /// What it is done to; empty for a spawn.
    pub(super) path: PathBuf,
    /// The new name of a rename or a link.
    pub(super) to: Option<PathBuf>,
    /// The descriptor it is done through.
    pub(super) descriptor: Option<u64>,
    /// Where the bytes of a write lie, and how many they are; the new size of a truncation.
    pub(super) bytes: (u64, usize),
    /// Where a write at a place goes.
    pub(super) offset: Option<u64>,
    /// Whether a creation empties what is there.
    pub(super) empties: bool,
}

impl Act {
    fn on(kind: Kind, path: PathBuf) -> Self {
        Self {
            kind,
            path,
            to: None,
            descriptor: None,
            bytes: (0, 0),
            offset: None,
            empties: false,
        }
    }

    /// What the call at `stop` does; `None` for one that changes nothing.
    pub(super) fn of(stop: &Stop) -> Option<Self> {
        let [a, b, c, d, ..] = stop.args;
        let here = u64::from(libc::AT_FDCWD.cast_unsigned());
        match stop.number {
            libc::SYS_write => Self::write(stop, None),
            libc::SYS_pwrite64 => Self::write(stop, Some(d)),
            libc::SYS_fsync | libc::SYS_fdatasync => Self::through(stop, Kind::Sync),
            libc::SYS_ftruncate => {
                let mut act = Self::through(stop, Kind::Truncate)?;
                act.bytes.1 = usize::try_from(b).ok()?;
                Some(act)
            }
            libc::SYS_writev | libc::SYS_pwritev | libc::SYS_pwritev2 => {
                Self::through(stop, Kind::Other)
            }
            libc::SYS_openat => Self::open(stop, (a, b), c),
            libc::SYS_mkdirat => Some(Self::on(Kind::Mkdir, stop.path(a, b)?)),
            libc::SYS_renameat | libc::SYS_renameat2 => {
                Self::names(stop, Kind::Rename, (a, b), (c, d))
            }
            libc::SYS_linkat => Self::names(stop, Kind::Link, (a, b), (c, d)),
            libc::SYS_unlinkat => {
                let removes_folder = c & u64::from(libc::AT_REMOVEDIR.cast_unsigned()) != 0;
                let kind = if removes_folder {
                    Kind::Rmdir
                } else {
                    Kind::Unlink
                };
                Some(Self::on(kind, stop.path(a, b)?))
            }
            libc::SYS_clone => Self::spawn(a),
            libc::SYS_clone3 => {
                let flags: [u8; 8] = stop.memory(a, 8).try_into().ok()?;
                Self::spawn(u64::from_ne_bytes(flags))
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open => Self::open(stop, (here, a), b),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_TRUNC;
                Self::open(stop, (here, a), u64::from(flags.cast_unsigned()))
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir => Some(Self::on(Kind::Mkdir, stop.path(here, a)?)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename => Self::names(stop, Kind::Rename, (here, a), (here, b)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_link => Self::names(stop, Kind::Link, (here, a), (here, b)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_unlink => Some(Self::on(Kind::Unlink, stop.path(here, a)?)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rmdir => Some(Self::on(Kind::Rmdir, stop.path(here, a)?)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_fork | libc::SYS_vfork => Self::spawn(0),
            _ => None,
        }
    }

    fn through(stop: &Stop, kind: Kind) -> Option<Self> {
        let descriptor = stop.args[0];
        let mut act = Self::on(kind, stop.descriptor(descriptor)?);
        act.descriptor = Some(descriptor);
        Some(act)
    }

    fn write(stop: &Stop, offset: Option<u64>) -> Option<Self> {
        let mut act = Self::through(stop, Kind::Write)?;
        act.bytes = (stop.args[1], usize::try_from(stop.args[2]).ok()?);
        act.offset = offset;
        Some(act)
    }

    fn open(stop: &Stop, (at, name): (u64, u64), flags: u64) -> Option<Self> {
        let has = |flag: i32| flags & u64::from(flag.cast_unsigned()) != 0;
        if !has(libc::O_CREAT) && !has(libc::O_TRUNC) {
            return None;
        }
        let mut act = Self::on(Kind::Create, stop.path(at, name)?);
        act.empties = has(libc::O_TRUNC);
        Some(act)
    }

    fn names(stop: &Stop, kind: Kind, from: (u64, u64), to: (u64, u64)) -> Option<Self> {
        let mut act = Self::on(kind, stop.path(from.0, from.1)?);
        act.to = Some(stop.path(to.0, to.1)?);
        Some(act)
    }

    /// A new process; a new thread is none.
    fn spawn(flags: u64) -> Option<Self> {
        let is_thread = flags & u64::from(libc::CLONE_THREAD.cast_unsigned()) != 0;
        (!is_thread).then(|| Self::on(Kind::Spawn, PathBuf::new()))
    }
}
