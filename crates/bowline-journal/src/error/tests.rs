//! Every kind of storage fault has its own words and its own next step.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::{At as _, Error};

#[test]
fn each_fault_says_what_it_is_and_what_to_do_next() {
    for (errno, what, next) in [
        (Errno::NOSPC, "the disk is full", "Make room"),
        (Errno::DQUOT, "quota is used up", "have the quota raised"),
        (Errno::ROFS, "read-only", "writable again"),
        (Errno::IO, "the disk failed", "Copy the state folder"),
        (Errno::NOENT, "it is gone", "Bring the folder"),
        (Errno::ACCESS, "you may not", "Give yourself the right"),
        (Errno::STALE, "on a network", "to a local disk"),
        (Errno::NOLCK, "on a network", "to a local disk"),
        (Errno::FBIG, "limit on the size", "ulimit -f"),
        (Errno::MFILE, "too many files", "ulimit -n"),
        (Errno::BUSY, "another process keeps it", "Wait until"),
        (Errno::INVAL, "Invalid argument", "Check that the folder"),
    ] {
        let failed: io::Result<()> = Err(errno.into());
        let error = failed.at("write", Path::new("/srv/state")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cannot write /srv/state: "), "{text}");
        assert!(text.contains(what) && text.contains(next), "{text}");
        assert!(
            text.contains(&format!("os error {}", errno.raw_os_error())),
            "{text}"
        );
        assert!(matches!(error, Error::Io { doing: "write", .. }));
    }
}
