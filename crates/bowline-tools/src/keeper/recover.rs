//! What a harness does about an attempt it did not see the end of.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::proc;
use super::record::{self, Claim, Ended, Exit, Process, Record, Started, VERSION, now_ms};
use super::spool::{self, Spooled};

/// Pauses between two looks at a running keeper.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Proven: the command never ran and never will.
    DidNot {
        /// What proves it.
        why: String,
    },
    /// Its keeper lives; `None` if its claim cannot be read (yet).
    Running(Option<Box<Started>>),
    /// It ran, and this is how it ended.
    Happened(Box<Exit>),
    /// It may have run, wholly or in part.
    InDoubt {
        /// What is missing for certainty.
        why: String,
        /// Output up to the end of its keeper.
        output: Spooled,
        /// Processes of it that were found running and were killed.
        ended: Vec<Process>,
    },
}

/// Settles the attempt in `dir`, which is created if need be, for the stated reason.
///
/// Unless a keeper came first this revokes the attempt, so that a keeper that comes late runs
/// nothing. Where a keeper died without an exit record, what it left running is killed. Any
/// failure to look or to revoke is In Doubt, never a guess.
pub fn settle(dir: &Path, why: &str) -> Settled {
    let by_pid = rustix::process::getpid().as_raw_nonzero().get();
    let claim = Claim::Revoked {
        version: VERSION,
        by_pid,
        at_ms: now_ms(),
        why: why.to_owned(),
    };
    #[cfg(feature = "broken-no-claim")]
    if record::read_claim(dir) == Record::Absent {
        let why = "nobody has claimed it".to_owned();
        return Settled::DidNot { why };
    }
    let created = record::create_folder(dir).and_then(|()| record::create_claim(dir, &claim));
    match created {
        Ok(()) => Settled::DidNot {
            why: format!("revoked before it started: {why}"),
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => settle_claimed(dir),
        Err(error) => in_doubt(
            dir,
            format!("the claim could not be revoked: {error}"),
            None,
        ),
    }
}

/// What an attempt that was started looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Its keeper lives.
    Running,
    /// It ended like this.
    Ended(Box<Exit>),
    /// Its keeper is gone without saying how it ended, or its records are.
    Gone {
        /// What is missing.
        why: String,
    },
}

/// Looks at the attempt in `dir`, which somebody has started. Changes nothing.
pub fn look(dir: &Path) -> Look {
    let ended = || match record::read_exit(dir) {
        Record::Whole(exit) => Ok(Look::Ended(Box::new(exit))),
        Record::Unreadable(why) => Err(why),
        Record::Absent => Err("its keeper left no exit record".to_owned()),
    };
    if let Ok(look) = ended() {
        return look;
    }
    match is_held(dir) {
        Ok(true) => Look::Running,
        // Read after the lock was found free: whatever the keeper wrote is there by now.
        Ok(false) => ended().unwrap_or_else(|why| Look::Gone { why }),
        Err(error) => Look::Gone {
            why: format!("its lock cannot be tried: {error}"),
        },
    }
}

/// Settles, and where a command still runs waits for its end; `on_output` hears the bytes of its
/// output so far, rising. Dropping the future leaves the command running.
///
/// Needs a tokio runtime with time enabled.
pub async fn wait_running(dir: &Path, why: &str, mut on_output: impl FnMut(u64) + Send) -> Settled {
    let mut told_bytes = 0;
    let mut tell = || {
        let total_bytes = spool::written(dir);
        if total_bytes > told_bytes {
            told_bytes = total_bytes;
            on_output(total_bytes);
        }
    };
    loop {
        match settle_aside(dir, why).await {
            Settled::Running(_) => {}
            settled => {
                // What it wrote since the last look, or while nobody looked.
                tell();
                return settled;
            }
        }
        let mut pause = PAUSE_MIN;
        // Looking claims nothing and ends nothing: it may be done as often as one likes.
        while look(dir) == Look::Running {
            tell();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// Settles on a thread of its own: to end leftovers takes up to a second.
async fn settle_aside(dir: &Path, why: &str) -> Settled {
    let (folder, reason) = (dir.to_owned(), why.to_owned());
    let settled = tokio::task::spawn_blocking(move || settle(&folder, &reason)).await;
    settled.unwrap_or_else(|error| {
        in_doubt(
            dir,
            format!("looking after its keeper failed: {error}"),
            None,
        )
    })
}

/// Settles an attempt that somebody has claimed.
fn settle_claimed(dir: &Path) -> Settled {
    let started = match record::read_claim(dir) {
        Record::Whole(Claim::Revoked { why, .. }) => {
            return Settled::DidNot {
                why: format!("revoked before it started: {why}"),
            };
        }
        Record::Whole(Claim::Started(started)) => Ok(started),
        Record::Unreadable(why) => Err(why),
        Record::Absent => Err("the claim was there and is gone".to_owned()),
    };
    if let Record::Whole(exit) = record::read_exit(dir) {
        return from_exit(exit);
    }
    match is_held(dir) {
        Ok(true) => return Settled::Running(started.ok().map(Box::new)),
        Ok(false) => {}
        Err(error) => return in_doubt(dir, format!("the lock cannot be tried: {error}"), None),
    }
    // Read after the lock was found free: whatever the keeper wrote is there by now.
    match (record::read_exit(dir), started) {
        (Record::Whole(exit), _) => from_exit(exit),
        (_, Err(why)) => in_doubt(dir, why, None),
        (Record::Unreadable(why), Ok(started)) => in_doubt(dir, why, Some(&started)),
        (Record::Absent, Ok(started)) => {
            let why = format!(
                "its keeper (process {}) left no exit record: it was ended, and the command with it",
                started.keeper_pid
            );
            in_doubt(dir, why, Some(&started))
        }
    }
}

/// Turns an exit record into what it proves.
fn from_exit(exit: Exit) -> Settled {
    match exit.ended_by {
        Ended::NotStarted => Settled::DidNot {
            why: exit.why.unwrap_or_default(),
        },
        Ended::ItsOwn | Ended::TimedOut | Ended::Cancelled => Settled::Happened(Box::new(exit)),
    }
}

fn in_doubt(dir: &Path, why: String, started: Option<&Started>) -> Settled {
    let of_this_boot = started.filter(|started| started.boot_id == proc::boot_id());
    let ended = of_this_boot.map(|started| proc::end_leftovers(None, Some(&started.mark)));
    Settled::InDoubt {
        why,
        output: spool::read(dir),
        ended: ended.unwrap_or_default(),
    }
}

/// Tells whether a keeper holds the lock; a missing lock file is a free one.
fn is_held(dir: &Path) -> io::Result<bool> {
    let file = match File::open(record::lock_path(dir)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(std::fs::TryLockError::WouldBlock) => Ok(true),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
