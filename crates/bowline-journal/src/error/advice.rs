//! What a refusal of the operating system means for stored state, and what to do about it: one
//! table, so that every message of this crate says the same of the same fault.

use std::io;

use rustix::io::Errno;

/// What is said of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    /// What happened, in words; empty when the system's own words are all there is to say.
    pub(crate) what: &'static str,
    /// What to do next, as one sentence.
    pub(crate) next: &'static str,
}

pub(crate) const FULL: Advice = Advice {
    what: "the disk is full",
    next: "Make room on the disk of the state folder (`bowline sessions prune` shows what could \
           go), then go on",
};
const QUOTA: Advice = Advice {
    what: "your disk quota is used up",
    next: "Remove files of yours (`bowline sessions prune` shows what could go) or have the quota \
           raised, then go on",
};
pub(crate) const READ_ONLY: Advice = Advice {
    what: "the file system is read-only",
    next: "Make the disk of the state folder writable again, then go on; a disk that became \
           read-only by itself may be failing: look at the kernel's log first",
};
pub(crate) const DISK: Advice = Advice {
    what: "the disk failed",
    next: "Copy the state folder to another disk and look at the kernel's log; a journal that is \
           damaged afterwards is mended with `bowline sessions repair`",
};
const GONE: Advice = Advice {
    what: "it is gone",
    next: "Bring the folder or its disk back, or choose another folder with BOWLINE_HOME",
};
const NOT_YOURS: Advice = Advice {
    what: "you may not",
    next: "Give yourself the right to write in the state folder, or choose another folder with \
           BOWLINE_HOME",
};
const NETWORK: Advice = Advice {
    what: "the file system lies on a network that does not answer as a disk does",
    next: "Move the state folder to a local disk and name it with BOWLINE_HOME",
};
const TOO_LARGE: Advice = Advice {
    what: "a limit on the size of files was reached",
    next: "Raise the limit (`ulimit -f`) or choose a file system that takes larger files, then go \
           on",
};
const TOO_MANY: Advice = Advice {
    what: "too many files are open",
    next: "End other programs or raise the limit (`ulimit -n`), then go on",
};
pub(crate) const BUSY: Advice = Advice {
    what: "another process keeps it",
    next: "Wait until that process is done, then try again",
};
pub(crate) const OTHER: Advice = Advice {
    what: "",
    next: "Check that the folder exists, has room and is yours",
};

/// What there is to say of `error`.
pub(crate) fn of(error: &io::Error) -> Advice {
    let Some(errno) = Errno::from_io_error(error) else {
        return match error.kind() {
            io::ErrorKind::WriteZero => FULL,
            io::ErrorKind::TimedOut => BUSY,
            _ => OTHER,
        };
    };
    match errno {
        Errno::NOSPC => FULL,
        Errno::DQUOT => QUOTA,
        Errno::ROFS => READ_ONLY,
        Errno::IO => DISK,
        Errno::NOENT | Errno::NOTDIR | Errno::NODEV | Errno::NXIO => GONE,
        Errno::ACCESS | Errno::PERM => NOT_YOURS,
        Errno::STALE
        | Errno::REMOTEIO
        | Errno::NOTCONN
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH
        | Errno::NETDOWN
        | Errno::NETUNREACH
        | Errno::TIMEDOUT
        | Errno::NOLCK
        | Errno::OPNOTSUPP => NETWORK,
        Errno::FBIG => TOO_LARGE,
        Errno::MFILE | Errno::NFILE => TOO_MANY,
        Errno::BUSY | Errno::WOULDBLOCK => BUSY,
        _ => OTHER,
    }
}

/// The fault in words: ours, with the system's own in brackets.
pub(crate) fn told(error: &io::Error) -> String {
    match of(error).what {
        "" => error.to_string(),
        what => format!("{what} ({error})"),
    }
}
