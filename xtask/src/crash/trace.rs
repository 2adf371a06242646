//! Follows a process from system call to system call, and kills it where it is told to.
//!
//! The program is started by a shell that waits for a line, so that it is followed from its first
//! instruction on. All calls about one process come from the thread that started it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How the waiting shell becomes the program.
const WAIT_THEN_BECOME: &str = "read -r _ && exec \"$@\" </dev/null";
/// The longest name that is read from a process, in bytes.
const NAME_BYTES_MAX: usize = 4096;

/// Who is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// The program with its threads.
    Program,
    /// Its keepers, too, but not their commands.
    Keepers,
}

/// What becomes of a stopped process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on.
    GoOn,
    /// The program is killed; a system call that it was about to make is not made.
    Kill,
}

/// A thread stopped at a system call.
pub(super) struct Stop {
    thread: Pid,
    /// The process it belongs to.
    pub(super) process: i32,
    /// The number of the system call.
    pub(super) number: i64,
    /// Its arguments.
    pub(super) args: [u64; 6],
    /// What it gave; `None` before it is made.
    pub(super) result: Option<i64>,
}

impl Stop {
    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.thread))
    }

    /// What a descriptor of the process stands for.
    pub(super) fn descriptor(&self, number: u64) -> Option<PathBuf> {
        std::fs::read_link(self.proc(&format!("fd/{number}"))).ok()
    }

    /// The inode that a descriptor of the process stands for.
    pub(super) fn inode(&self, number: u64) -> Option<u64> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(self.proc(&format!("fd/{number}"))).ok()?;
        Some(found.ino())
    }

    /// Where a descriptor writes next, in bytes.
    pub(super) fn position(&self, number: u64) -> Option<u64> {
        let text = std::fs::read_to_string(self.proc(&format!("fdinfo/{number}"))).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("pos:"))?;
        line.trim().parse().ok()
    }

    /// Whether a descriptor writes at the end, wherever it stands.
    pub(super) fn appends(&self, number: u64) -> bool {
        let text = std::fs::read_to_string(self.proc(&format!("fdinfo/{number}")));
        let text = text.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = line.and_then(|line| i32::from_str_radix(line.trim(), 8).ok());
        flags.is_some_and(|flags| flags & nix::libc::O_APPEND != 0)
    }

    /// The number of the thread.
    pub(super) const fn thread(&self) -> i32 {
        self.thread.as_raw()
    }

    /// Bytes of the process's memory; fewer where it ends.
    pub(super) fn memory(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let read = std::fs::File::open(self.proc("mem"))
            .and_then(|memory| memory.read_at(&mut bytes, address));
        bytes.truncate(read.unwrap_or(0));
        bytes
    }

    /// The file that a name in the process's memory stands for, from the folder `at`.
    pub(super) fn path(&self, at: u64, address: u64) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt as _;
        // Near the end of a mapping a long read gives what is there.
        let mut bytes = self.memory(address, NAME_BYTES_MAX);
        let end = bytes.iter().position(|byte| *byte == 0)?;
        bytes.truncate(end);
        let name = PathBuf::from(std::ffi::OsString::from_vec(bytes));
        if name.is_absolute() {
            return Some(name);
        }
        let folder = if is_working_folder(at) {
            std::fs::read_link(self.proc("cwd")).ok()?
        } else {
            self.descriptor(at)?
        };
        Some(folder.join(name))
    }
}

/// Whether a folder argument is `AT_FDCWD`, which only its lower half carries for sure.
fn is_working_folder(at: u64) -> bool {
    (at & 0xffff_ffff) == u64::from(nix::libc::AT_FDCWD.cast_unsigned())
}

/// How a followed program ended, and what it said.
pub(super) struct Followed {
    /// Its exit code; `None` when it was killed.
    pub(super) code: Option<i32>,
    /// Its standard output.
    pub(super) told: String,
    /// Its standard error.
    pub(super) said: String,
}

/// Runs `program` and shows `watch` every system call, before it is made and after.
///
/// # Errors
/// When the program cannot be started or followed.
pub(super) fn follow(
    program: &Command,
    whom: Whom,
    watch: &mut dyn FnMut(&Stop) -> Result<Next>,
) -> Result<Followed> {
    let mut child = waiting_shell(program)
        .spawn()
        .context("cannot start bash")?;
    let mut gate = child.stdin.take().context("no standard input")?;
    let root = Pid::from_raw(i32::try_from(child.id())?);
    let told = reader(child.stdout.take().context("no standard output")?);
    let said = reader(child.stderr.take().context("no standard error")?);
    let mut options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_EXITKILL;
    if whom == Whom::Keepers {
        options |= Options::PTRACE_O_TRACEVFORK;
    }
    ptrace::seize(root, options).context("cannot follow a process: is ptrace allowed here?")?;
    ptrace::interrupt(root).context("cannot stop a process")?;
    gate.write_all(b"\n")?;
    drop(gate);
    let mut tracer = Tracer {
        root,
        running: false,
        killed: false,
        processes: BTreeMap::new(),
        watch,
    };
    let code = tracer.run(whom);
    if code.is_err() {
        // Whatever went wrong, nothing of it stays.
        let _gone = kill(root, Signal::SIGKILL);
    }
    let code = code?;
    Ok(Followed {
        code,
        told: joined(told)?,
        said: joined(said)?,
    })
}

/// The same command behind a shell that waits for a line.
fn waiting_shell(program: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", WAIT_THEN_BECOME, "bash"]);
    shell.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = program.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

type Reading = std::thread::JoinHandle<String>;

/// Reads beside: a full pipe would hold the program up.
fn reader(mut pipe: impl std::io::Read + Send + 'static) -> Reading {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _what_came = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn joined(reading: Reading) -> Result<String> {
    let Ok(text) = reading.join() else {
        bail!("a reader of the program's output broke")
    };
    Ok(text)
}

struct Tracer<'a> {
    root: Pid,
    /// Whether the shell has become the program.
    running: bool,
    killed: bool,
    /// The process of each thread.
    processes: BTreeMap<Pid, i32>,
    watch: &'a mut dyn FnMut(&Stop) -> Result<Next>,
}

impl Tracer<'_> {
    /// Follows to the end; the exit code of the program, `None` when it was killed.
    fn run(&mut self, whom: Whom) -> Result<Option<i32>> {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let mut ended = None;
        loop {
            let status = match waitpid(None, Some(flags)) {
                Ok(status) => status,
                Err(Errno::EINTR) => continue,
                Err(Errno::ECHILD) => break,
                Err(error) => return Err(error).context("cannot wait for a followed process"),
            };
            match status {
                WaitStatus::PtraceSyscall(thread) => self.at_call(thread)?,
                WaitStatus::PtraceEvent(thread, _, event) => {
                    if event == Event::PTRACE_EVENT_EXEC as i32 {
                        self.running = true;
                    }
                    resume(thread, None)?;
                }
                WaitStatus::Stopped(thread, signal) => resume(thread, Some(signal))?,
                WaitStatus::Exited(thread, code) if thread == self.root => ended = Some(Some(code)),
                WaitStatus::Signaled(thread, ..) if thread == self.root => ended = Some(None),
                _ => {}
            }
            if ended.is_some() && whom == Whom::Program {
                break;
            }
        }
        ended.context("the program's end was not seen")
    }

    fn at_call(&mut self, thread: Pid) -> Result<()> {
        if !self.running || self.killed {
            return resume(thread, None);
        }
        let Some((number, args, result)) = registers(thread)? else {
            return resume(thread, None);
        };
        let leaving = match ptrace::syscall_info(thread) {
            Ok(info) => info.op == nix::libc::PTRACE_SYSCALL_INFO_EXIT,
            Err(Errno::ESRCH) => return Ok(()),
            Err(error) => return Err(error).context("cannot tell where a process stands"),
        };
        let stop = Stop {
            thread,
            process: self.process_of(thread),
            number,
            args,
            result: leaving.then_some(result),
        };
        if (self.watch)(&stop)? == Next::Kill {
            self.killed = true;
            kill(self.root, Signal::SIGKILL).context("cannot kill the program")?;
        }
        resume(thread, None)
    }

    fn process_of(&mut self, thread: Pid) -> i32 {
        *self.processes.entry(thread).or_insert_with(|| {
            let status = std::fs::read_to_string(format!("/proc/{thread}/status"));
            let text = status.unwrap_or_default();
            let group = text.lines().find_map(|line| line.strip_prefix("Tgid:"));
            group
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(thread.as_raw())
        })
    }
}

/// Lets a thread go on to its next system call; one that was killed meanwhile is gone.
fn resume(thread: Pid, signal: Option<Signal>) -> Result<()> {
    match ptrace::syscall(thread, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).context("cannot let a process go on"),
    }
}

/// Number, arguments and result of the system call at which a thread stands.
#[cfg(target_arch = "x86_64")]
fn registers(thread: Pid) -> Result<Option<(i64, [u64; 6], i64)>> {
    match ptrace::getregs(thread) {
        Ok(at) => Ok(Some((
            at.orig_rax.cast_signed(),
            [at.rdi, at.rsi, at.rdx, at.r10, at.r8, at.r9],
            at.rax.cast_signed(),
        ))),
        Err(Errno::ESRCH) => Ok(None),
        Err(error) => Err(error).context("cannot read a process's registers"),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn registers(_thread: Pid) -> Result<Option<(i64, [u64; 6], i64)>> {
    bail!("`crash` follows processes on x86-64 only")
}
