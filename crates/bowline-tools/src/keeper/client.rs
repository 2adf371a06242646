//! The harness side: launch a keeper, hear from it, learn the fate of the attempt.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, WaitId, WaitIdOptions};
use tokio::net::unix::pipe::Receiver;

use super::proc;
use super::record::{self, Claim, Ended, Exit, Note, Order, Process, Record, VERSION};
use super::run::Leave;
use super::watch::CANCEL;

/// Longest note line believed, in bytes.
const NOTE_BYTES_MAX: usize = 1 << 20;

/// Starts keepers: runs `EXE keeper DIR`.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// Program that calls [`keeper_main`](super::keeper_main); an absolute path.
    pub exe: PathBuf,
}

impl Launcher {
    /// Starts a keeper for `order` in the attempt folder `dir`, which is created if need be.
    ///
    /// # Errors
    /// The folder, the process or the order could not be made. An error proves that nothing ran
    /// and nothing will: a keeper acts on a whole order only.
    pub fn launch(&self, dir: &Path, order: &Order) -> io::Result<Kept> {
        let line = record::line(order)?;
        record::create_folder(dir)?;
        // No pre_exec, no cwd: this way std can use the fast posix_spawn.
        let mut keeper = Command::new(&self.exe)
            .arg("keeper")
            .arg(dir)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match replaced(&self.exe) {
                Some(replaced) => io::Error::new(error.kind(), format!("{error}; {replaced}")),
                None => error,
            })?;
        let (control, notes) = (keeper.stdin.take(), keeper.stdout.take());
        let reaper = Reaper(Some(keeper));
        let (Some(mut control), Some(notes)) = (control, notes) else {
            return Err(io::Error::other("the keeper has no pipes"));
        };
        match control.write_all(&line) {
            // It left before it had read the order: how it left is told by `wait`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            // The newline is missing, and dropping the pipe makes the keeper leave.
            written => written?,
        }
        let control = Arc::new(control);
        Ok(Kept {
            exe: self.exe.clone(),
            dir: dir.to_owned(),
            notes: notes.into(),
            control,
            reaper,
        })
    }
}

/// A launched keeper. Dropping it leaves the command running.
#[derive(Debug)]
pub struct Kept {
    exe: PathBuf,
    dir: PathBuf,
    notes: OwnedFd,
    control: Arc<ChildStdin>,
    reaper: Reaper,
}

/// How an attempt went, as far as can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It ran and ended like this.
    Finished(Box<Exit>),
    /// It was started; how it went is unknown.
    InDoubt {
        /// What is missing for certainty.
        why: String,
        /// Processes of it that were found running and were killed.
        ended: Vec<Process>,
    },
    /// Proven: it never ran.
    NeverStarted {
        /// What went wrong before.
        why: String,
    },
}

/// Cancels a kept command; may be cloned and used from any thread.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<ChildStdin>);

impl Canceller {
    /// Asks the keeper to end the command; a second call skips the grace. Without effect once the
    /// keeper is gone.
    pub fn cancel(&self) {
        let _undelivered = (&*self.0).write(&[CANCEL]);
    }
}

impl Kept {
    /// Gives a handle to cancel the command while [`Kept::wait`] runs.
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.control))
    }

    /// Waits for the end of the attempt; `on_output` hears the bytes of output so far, rising, a
    /// few times a second.
    ///
    /// Dropping the future leaves the command running. Must be polled in a tokio runtime with I/O
    /// enabled, else it panics.
    pub async fn wait(self, on_output: impl FnMut(u64) + Send) -> Fate {
        self.watch(|| {}, on_output).await
    }

    /// As [`Kept::wait`]; `on_start` hears that the command runs.
    pub async fn watch(
        self,
        mut on_start: impl FnMut() + Send,
        mut on_output: impl FnMut(u64) + Send,
    ) -> Fate {
        let Self {
            exe,
            dir,
            notes,
            control,
            reaper,
        } = self;
        if let Ok(pipe) = Receiver::from_owned_fd(notes) {
            let mut notes = Notes {
                pipe,
                bytes: Vec::new(),
            };
            while let Some(note) = notes.next().await {
                match note {
                    Note::Started { .. } => on_start(),
                    Note::Out(total) => on_output(total),
                    // What a newer keeper means by it is not guessed.
                    Note::Exit(exit) if exit.version > VERSION => break,
                    Note::Exit(exit) => {
                        // It is about to leave; nobody needs to wait for that.
                        drop(tokio::spawn(see_off(notes, reaper)));
                        return from_exit(exit);
                    }
                }
            }
        }
        let fate = tokio::task::spawn_blocking(move || aftermath(&exe, &dir, reaper)).await;
        drop(control);
        fate.unwrap_or_else(|error| Fate::InDoubt {
            why: format!("looking after its keeper failed: {error}"),
            ended: Vec::new(),
        })
    }
}

/// Turns an exit record into what it proves.
fn from_exit(exit: Box<Exit>) -> Fate {
    match exit.ended_by {
        Ended::NotStarted => Fate::NeverStarted {
            why: exit.why.unwrap_or_default(),
        },
        Ended::ItsOwn | Ended::TimedOut | Ended::Cancelled => Fate::Finished(exit),
    }
}

/// Reaps a keeper that has told its last note.
async fn see_off(mut notes: Notes, mut reaper: Reaper) {
    while notes.next().await.is_some() {}
    reaper.reap();
}

/// Finds the fate of an attempt whose keeper is gone or going without having told it.
fn aftermath(exe: &Path, dir: &Path, mut reaper: Reaper) -> Fate {
    let keeper = reaper.await_end();
    let claim = record::read_claim(dir);
    let is_started = matches!(claim, Record::Whole(Claim::Started(_)));
    let mut unreadable = None;
    match record::read_exit(dir) {
        Record::Whole(exit) if is_started => return from_exit(Box::new(exit)),
        Record::Unreadable(why) => unreadable = Some(why),
        Record::Whole(_) | Record::Absent => {}
    }
    if let Record::Unreadable(why) = &claim {
        unreadable = Some(why.clone());
    }
    let mark = match &claim {
        // Another keeper may have the attempt: its command is not ours to end.
        Record::Whole(Claim::Started(started)) if Some(started.keeper_pid) == keeper => {
            Some(started.mark.as_str())
        }
        _ => None,
    };
    // Before the keeper is reaped: until then no other session can have its id.
    let ended = proc::end_leftovers(keeper, mark);
    let status = reaper.reap();
    let leave = status
        .and_then(|status| status.code())
        .and_then(Leave::from_code);
    let unreadable = unreadable.filter(|_| matches!(leave, Some(Leave::Done) | None));
    let why = match (unreadable, leave, status) {
        (Some(why), ..) => why,
        (None, Some(leave), _) => format!("its keeper left: {leave}"),
        (None, None, Some(status)) => {
            format!("its keeper ended without an exit record ({status})")
        }
        (None, None, None) => "its keeper is gone without an exit record".to_owned(),
    };
    let proven = leave.is_some_and(Leave::proves_not_started)
        || matches!(claim, Record::Absent | Record::Whole(Claim::Revoked { .. }));
    if proven {
        let why = match replaced(exe) {
            Some(replaced) => format!("{why}; {replaced}"),
            None => why,
        };
        Fate::NeverStarted { why }
    } else {
        let why = match leave {
            None if mark.is_some() => format!("{why}, and the command was ended with it"),
            _ => why,
        };
        Fate::InDoubt { why, ended }
    }
}

/// What is wrong with `exe` as the keeper of this very process, if something is: keeper and
/// harness are one program as long as nobody replaces it.
fn replaced(exe: &Path) -> Option<String> {
    let identity = |file: &Path| std::fs::metadata(file).map(|file| (file.dev(), file.ino()));
    let what = match (identity(exe), identity(Path::new("/proc/self/exe"))) {
        (Ok(there), Ok(own)) if there != own => "replaced by another version",
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => "removed",
        _ => return None,
    };
    Some(format!(
        "{} was {what} while Bowline ran: end this run and start Bowline again, it goes on where \
         it was",
        exe.display()
    ))
}

/// The notes of a keeper, line by line.
#[derive(Debug)]
struct Notes {
    pipe: Receiver,
    bytes: Vec<u8>,
}

impl Notes {
    /// Waits for the next note; `None` when the keeper is gone. Unknown lines are passed over.
    async fn next(&mut self) -> Option<Note> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let note = serde_json::from_slice(&self.bytes[..end]);
                self.bytes.drain(..=end);
                match note {
                    Ok(note) => return Some(note),
                    Err(_) => continue,
                }
            }
            if self.bytes.len() > NOTE_BYTES_MAX {
                return None;
            }
            self.pipe.readable().await.ok()?;
            let mut chunk = [0; 4096];
            match self.pipe.try_read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }
}

/// Sees to it that a keeper process is reaped, whatever happens to those who wait for it.
#[derive(Debug)]
struct Reaper(Option<Child>);

impl Reaper {
    /// Waits for the keeper to end, without reaping it; returns its process id.
    fn await_end(&self) -> Option<i32> {
        let keeper = i32::try_from(self.0.as_ref()?.id()).ok()?;
        let id = WaitId::Pid(Pid::from_raw(keeper)?);
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitid(id.clone(), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {
        }
        Some(keeper)
    }

    /// Waits for the keeper to end and reaps it.
    fn reap(&mut self) -> Option<ExitStatus> {
        self.0.take()?.wait().ok()
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        let Some(mut keeper) = self.0.take() else {
            return;
        };
        if matches!(keeper.try_wait(), Ok(None)) {
            // Without a thread to spare the process stays a zombie until this one ends.
            drop(std::thread::Builder::new().spawn(move || keeper.wait()));
        }
    }
}
