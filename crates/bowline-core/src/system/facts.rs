//! The data of each system fact.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::decision::RuleSource;
use crate::failure::FailureKind;
use crate::id::{CallId, RunId, Seq, SessionId, TurnId};
use crate::settings::{Mode, ModelRef};
use crate::usage::StopReason;

/// A process began to run a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The version of Bowline.
    pub version: String,
    /// SHA-256 of the program's file; `None` when it could not be read.
    pub binary_sha256: Option<Digest>,
    /// What tells that file from another without reading it: device, inode, size, times.
    pub binary_identity: String,
    /// SHA-256 over the configuration files that were there.
    pub config_hash: Digest,
    /// Each of those files.
    #[serde(default)]
    pub config_files: Vec<ConfigFile>,
    /// The command, such as `exec`.
    pub command: String,
    /// The process id, for messages only.
    pub pid: u32,
    /// The absolute folder it works in.
    pub cwd: Option<String>,
}

/// A configuration file as a run found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Its absolute path.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// A run ended and said how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The exit code of the process.
    pub exit_code: u8,
    /// Why the session stopped; `None` when it was never driven to a rest.
    pub stop_reason: Option<StopReason>,
    /// One line for people, if there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A part of Bowline broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crashed {
    /// What it said, masked and bounded.
    pub message: String,
    /// Where: file, line, column of the source; empty if unknown.
    pub location: String,
    /// The frames, innermost first, bounded.
    pub backtrace: String,
}

/// How an earlier run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedHow {
    /// Without a word: killed, or power lost.
    Silently,
    /// It recorded a crash.
    Crashed,
}

/// An earlier run was found to have ended badly; recorded once, by the next run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFound {
    /// The run that ended.
    pub ended_run: RunId,
    /// The session it drove.
    pub ended_session: Option<SessionId>,
    /// When it began, in milliseconds since 1970.
    pub since_ms: u64,
    /// How it ended.
    pub how: EndedHow,
}

/// A session was taken over with something left open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Bytes at the end of its journal that were never acknowledged, and were dropped.
    pub dropped_bytes: u64,
    /// Whole records past the last one known to be durable; they were written anew.
    pub resynced_records: u64,
    /// Calls that the last owner had started and not ended.
    pub interrupted_calls: Vec<CallId>,
    /// Whether a model call was under way.
    pub interrupted_attempt: bool,
}

/// A process that owned a session was ended, so that the session could be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerEnded {
    /// The process that was ended.
    pub pid: u32,
    /// Since when it owned the session, in milliseconds since 1970, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Whether it was ended by force, because it did not hang up when told.
    pub by_force: bool,
    /// How long its end took, in milliseconds.
    pub took_ms: u64,
}

/// A damaged journal was repaired: what was intact was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRepaired {
    /// What was wrong with the first record that could not be trusted.
    pub what: String,
    /// The last record that was kept.
    pub kept_seq: Seq,
    /// Bytes that were dropped; 0 when the journal had been cut.
    pub dropped_bytes: u64,
    /// Records that are known to be lost; there may be more.
    pub lost_records: u64,
    /// The damaged file.
    pub kept_as: String,
}

/// A session, or a part of one, was taken away because it was over a limit of age or size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPruned {
    /// `session`, `blobs` or `spool`.
    pub part: String,
    /// Bytes that it took.
    pub bytes: u64,
    /// Which limit it was over.
    pub why: String,
}

/// Configuration files differ from those of the last run in the same folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigChanged {
    /// The hash before.
    pub before: Digest,
    /// The hash now.
    pub after: Digest,
    /// The files that were changed, added or removed.
    #[serde(default)]
    pub files: Vec<String>,
}

/// A person trusted what a folder's own files say, as they were then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTrusted {
    /// The absolute folder, links resolved.
    pub folder: String,
    /// The hash of names and bytes of all those files: another one is not trusted.
    pub content: Digest,
    /// What works from then on, a line each with file and line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// Who said so.
    pub by: String,
}

/// A person took trust in a folder's own files back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRevoked {
    /// The absolute folder, links resolved.
    pub folder: String,
    /// The content that was trusted.
    pub content: Digest,
    /// Who said so.
    pub by: String,
}

/// Other settings are in force in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemSettingsChanged {
    /// The mode before, if known.
    pub mode_before: Option<Mode>,
    /// The mode now.
    pub mode: Mode,
    /// The model before, if known.
    pub model_before: Option<ModelRef>,
    /// The model now.
    pub model: ModelRef,
    /// Who asked.
    pub by: String,
}

/// A model call failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderFailed {
    /// How.
    pub kind: FailureKind,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// One line: what happened, to what, what to do next. Never holds a key.
    pub message: String,
    /// The model that was asked, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// The endpoint, if it is not the provider's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Tries of this model call, the last included.
    #[serde(default)]
    pub tries: u32,
}

/// A reply was cut at its limit, refused by the provider, or fitted no schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyStopped {
    /// The turn that it ended.
    pub turn: TurnId,
    /// `length`, `refused` or `answer_invalid`.
    pub stop: StopReason,
    /// One line for people.
    pub detail: Option<String>,
}

/// A call was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRefused {
    /// Which.
    pub call: CallId,
    /// The tool, if known.
    pub tool: Option<String>,
    /// What it would have done, in a line.
    pub essence: String,
    /// Why not.
    pub reason: String,
    /// The rule that decided; `None` when a person denied it.
    pub rule: Option<RuleSource>,
    /// Who denied it, when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A call was started and its outcome cannot be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLeftInDoubt {
    /// Which.
    pub call: CallId,
    /// What it would do, in a line; empty if unknown.
    pub essence: String,
    /// Why it cannot be known.
    pub why: String,
}

/// A cap ended a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetStopped {
    /// The turn.
    pub turn: TurnId,
    /// Which kind of cap.
    pub stop: StopReason,
    /// One line for people: the cap, what was used, how to raise it.
    pub detail: Option<String>,
}

/// The sandbox kept a call from something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxDenied {
    /// Which call.
    pub call: CallId,
    /// From what, in a line.
    pub what: String,
}

/// State could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageFailed {
    /// What failed, and what to do next.
    pub message: String,
    /// What is safe, such as `records 1 to 9`.
    pub safe: String,
}

/// The log went on in a new file because the old one was full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRotated {
    /// The last record of the file before, which this record follows in the chain.
    pub before_seq: Seq,
    /// The name that file has now.
    pub kept_as: String,
}

/// The log went on in a new file because the old one was damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogDamaged {
    /// What is wrong with the old file.
    pub what: String,
    /// The name that file has now.
    pub kept_as: String,
}
