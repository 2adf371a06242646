//! The records a keeper and a harness exchange: plain JSON, readable with any tool.
//!
//! Readers never trust them: a foreign, empty, cut or newer file comes back as
//! [`Record::Unreadable`] with the reason, never as a panic.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bowline_core::{Confinement, Connection};
use rustix::fs::{Mode, OFlags};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Version of every record written here; a reader refuses higher ones.
pub const VERSION: u32 = 1;

/// Size above which a record is taken for a foreign file, in bytes.
const RECORD_BYTES_MAX: u64 = 1 << 20;

const LOCK: &str = "lock";
const CLAIM: &str = "claim";
const EXIT: &str = "exit.json";
const EXIT_UNFINISHED: &str = "exit.json.tmp";

/// What a keeper is asked to run; travels as one JSON line and is never written to disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Version of this record, see [`VERSION`].
    pub version: u32,
    /// Id of the tool call, copied into the claim.
    pub call: String,
    /// Program and leading arguments; `command` is appended as the last argument.
    pub shell: Vec<String>,
    /// The shell command.
    pub command: String,
    /// Folder to run in; must be UTF-8 to travel.
    pub cwd: PathBuf,
    /// The complete environment. Only [`MARK_VARIABLE`](super::MARK_VARIABLE) is added to it.
    pub env: Vec<(String, String)>,
    /// Time allowed in ms; 0 is no limit.
    pub timeout_ms: u64,
    /// Time between asking processes to end and ending them by force, in ms.
    pub grace_ms: u64,
    /// First bytes of output kept.
    pub spool_head_bytes: u64,
    /// Last bytes of output kept at least (at most twice as many).
    pub spool_tail_bytes: u64,
    /// What the command reads from.
    pub stdin: StdinKind,
    /// How the command's process is confined; not at all if absent.
    #[serde(default)]
    pub confinement: Option<Box<Confinement>>,
    /// What the filter of its output is told first; nothing if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub: Option<ScrubWords>,
}

/// Words for the [`Scrub`](super::Scrub) of a keeper, which alone knows what they mean. They may
/// hold secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScrubWords(pub String);

impl std::fmt::Debug for ScrubWords {
    /// Shows nothing of them.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ScrubWords")
    }
}

impl Order {
    /// Orders `command` under `bash -c` in `cwd`: empty environment, 2 minutes, 2 s of grace,
    /// 256 KiB of head and of tail, no limits.
    pub fn new(
        call: impl Into<String>,
        command: impl Into<String>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        Self {
            version: VERSION,
            call: call.into(),
            shell: vec!["bash".into(), "-c".into()],
            command: command.into(),
            cwd: cwd.into(),
            env: Vec::new(),
            timeout_ms: 120_000,
            grace_ms: 2_000,
            spool_head_bytes: 256 << 10,
            spool_tail_bytes: 256 << 10,
            stdin: StdinKind::Null,
            confinement: None,
            scrub: None,
        }
    }
}

/// What a command reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StdinKind {
    /// `/dev/null`.
    Null,
    /// What is told through the FIFO `control` of the attempt folder, for a command in the
    /// background: see [`control`](super::control).
    Told,
    /// A pseudo-terminal of this size. Known to the record only: a keeper refuses it so far.
    Pty {
        /// Width in characters.
        columns: u16,
        /// Height in lines.
        rows: u16,
    },
}

/// Who came first to an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "claim", rename_all = "snake_case")]
pub enum Claim {
    /// A keeper; the command may have run since.
    Started(Started),
    /// A recovering harness; the command has not run and never will.
    Revoked {
        /// Version of this record.
        version: u32,
        /// Process that revoked, for messages.
        by_pid: i32,
        /// Time of revoking, ms since 1970.
        at_ms: u64,
        /// Reason given, for messages.
        why: String,
    },
}

/// The keeper's claim, written before the command is executed. Holds neither command text nor
/// environment: the journal has the one, nobody should have the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Version of this record.
    pub version: u32,
    /// [`Order::call`].
    pub call: String,
    /// Time of the claim, ms since 1970.
    pub at_ms: u64,
    /// Process id of the keeper, which is also the session id of the command.
    pub keeper_pid: i32,
    /// Start time of the keeper in clock ticks since boot, for messages.
    pub keeper_start_ticks: u64,
    /// Kernel's boot id.
    pub boot_id: String,
    /// Value of [`MARK_VARIABLE`](super::MARK_VARIABLE) in the command's environment.
    pub mark: String,
    /// [`Order::cwd`].
    pub cwd: PathBuf,
    /// [`Order::shell`].
    pub shell: Vec<String>,
    /// [`Order::timeout_ms`].
    pub timeout_ms: u64,
    /// [`Order::grace_ms`].
    pub grace_ms: u64,
    /// [`Order::stdin`].
    pub stdin: StdinKind,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Version of this record.
    pub version: u32,
    /// What brought the end about.
    pub ended_by: Ended,
    /// Exit code of the shell, if it exited.
    pub code: Option<i32>,
    /// Signal that ended the shell, if one did.
    pub signal: Option<i32>,
    /// Reason, for [`Ended::NotStarted`].
    pub why: Option<String>,
    /// Time of the end, ms since 1970.
    pub at_ms: u64,
    /// Time from the start of the shell to this record, in ms.
    pub duration_ms: u64,
    /// Processor time of all reaped processes, in ms; the kernel counts in steps of 10.
    pub cpu_ms: Option<u64>,
    /// Bytes of output after scrubbing, dropped ones included.
    pub output_bytes_total: u64,
    /// Newlines in that output.
    pub output_lines: u64,
    /// Why part of the output is missing from the spool beyond its limits, if it is.
    pub output_lost: Option<String>,
    /// Descendants that had to be ended (first 64).
    pub ended_descendants: Vec<Process>,
    /// Descendants that could not be ended (first 64); they may be running still.
    pub survivors: Vec<Process>,
    /// Where things lie now that came into being under a protected name and were set aside
    /// (first 64).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<PathBuf>,
    /// Whom it reached or wanted to reach through its proxy (first
    /// [`CONNECTIONS_MAX`](bowline_core::contact::CONNECTIONS_MAX)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// How many more connections there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub connections_left_out: u64,
}

const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What brought a command's end about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The shell exited or was ended by a signal the keeper did not send.
    ItsOwn,
    /// Its time was over.
    TimedOut,
    /// The harness cancelled it.
    Cancelled,
    /// The shell could not be executed: nothing ran.
    NotStarted,
}

/// A process, for messages: by the time this is read its id may belong to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Name as the kernel reports it (at most 15 bytes).
    pub name: String,
}

/// What a keeper tells the harness, one JSON line each. Lost lines lose nothing: the folder is
/// the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Note {
    /// The shell runs, with this process id.
    Started { shell_pid: i32 },
    /// Bytes of output so far.
    Out(u64),
    /// The command is over and its record is on disk.
    Exit(Box<Exit>),
}

/// A record as found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<T> {
    /// There is no such file.
    Absent,
    /// It is complete and of a known version.
    Whole(T),
    /// It is empty, cut, foreign, newer or cannot be read; says which and why.
    Unreadable(String),
}

/// Reads the claim of the attempt folder `dir`.
pub fn read_claim(dir: &Path) -> Record<Claim> {
    read(dir, CLAIM)
}

/// Reads the exit record of the attempt folder `dir`.
pub fn read_exit(dir: &Path) -> Record<Exit> {
    read(dir, EXIT)
}

/// Creates the attempt folder `dir` and missing parents, for their owner only.
pub(super) fn create_folder(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Path of the lock file in `dir`.
pub(super) fn lock_path(dir: &Path) -> PathBuf {
    dir.join(LOCK)
}

/// Creates the claim of `dir`; `AlreadyExists` if anyone came first. It appears whole or not at all:
/// whoever is killed while writing it has claimed nothing.
pub(super) fn create_claim(dir: &Path, claim: &Claim) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = dir.join(format!("{CLAIM}.{}.{count}.tmp", std::process::id()));
    // Unlike a rename, a link never replaces what another process put there meanwhile.
    let claimed = std::fs::write(&unfinished, line(claim)?)
        .and_then(|()| std::fs::hard_link(&unfinished, dir.join(CLAIM)));
    // Left behind it claims nothing.
    let _gone = std::fs::remove_file(&unfinished);
    claimed
}

/// Puts the exit record of `dir` in place at once.
pub(super) fn write_exit(dir: &Path, exit: &Exit) -> io::Result<()> {
    let unfinished = dir.join(EXIT_UNFINISHED);
    std::fs::write(&unfinished, line(exit)?)?;
    std::fs::rename(&unfinished, dir.join(EXIT))
}

/// Serialises one record as a JSON line.
pub(super) fn line(record: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(record)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Parses one record and refuses newer versions; the error is for messages.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    match serde_json::from_slice::<Versioned>(bytes) {
        Ok(Versioned { version }) if version > VERSION => Err(format!(
            "has version {version}, this build knows up to {VERSION}: a newer Bowline wrote it"
        )),
        Ok(_) => serde_json::from_slice(bytes).map_err(|error| format!("does not parse: {error}")),
        Err(_) if bytes.is_empty() => Err("is empty".into()),
        Err(error) => Err(format!("does not parse: {error}")),
    }
}

fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Record<T> {
    match read_plain(&dir.join(name)) {
        Ok(bytes) => parse(&bytes).map_or_else(
            |why| Record::Unreadable(format!("its record {name} {why}")),
            Record::Whole,
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Record::Absent,
        Err(error) => Record::Unreadable(format!("its record {name} cannot be read: {error}")),
    }
}

/// Reads a small regular file without ever blocking on a FIFO or following a link.
fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(RECORD_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The wall clock in ms since 1970; 0 before that.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
