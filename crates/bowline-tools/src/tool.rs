//! The seam behind which everything that acts on the world lies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::call::{BlobRef, Effect, ReplayPlan};
use bowline_core::engine::ShareNeed;
use bowline_core::event::CallStarted;
use bowline_core::{
    Action, Amounts, BoxFuture, CallRequest, Cap, Check, Denied, Digest, Executed, Job, Kept,
    OutcomeStatus, Permit, SessionId, ToolSpec,
};
use serde_json::Value;

use crate::masks::Masks;

/// How a confinement holds what a call runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinable {
    /// Not at all.
    No,
    /// It goes to a command that was confined when it began, and is no narrower now.
    Begun,
    /// It begins within it.
    Begins,
}

/// A tool: described as data, planned without effects, run only with a permit.
pub trait Tool: Send + Sync {
    /// What it is. Data only.
    fn spec(&self) -> &ToolSpec;

    /// Says what a call with this input would do. Looks at paths, and at contents only of what
    /// it says the call executes; changes nothing, starts nothing.
    ///
    /// # Errors
    /// [`InputError`] when the input does not fit; the model reads it.
    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError>;

    /// What a recovering harness would have to look at. Called once the call is allowed, right
    /// before it starts; may read contents.
    ///
    /// # Errors
    /// [`InputError`] when the call cannot succeed as things stand (no such text to replace, the
    /// file changed since it was read); nothing is started then.
    fn checks(&self, _input: &Value, _plan: &Plan, _cx: &PlanCx) -> Result<Vec<Check>, InputError> {
        Ok(Vec::new())
    }

    /// What a call would change, as a diff for the person who is asked about it. Reads contents, so
    /// it is called only where reading those files needs no answer of its own.
    fn preview(&self, _input: &Value, _plan: &Plan, _cx: &PlanCx) -> Option<String> {
        None
    }

    /// Whether the tool itself sees to mask tokens in its input: it puts in their place what they
    /// stand for, or refuses. Of any other tool that acts such a call is refused.
    fn restores(&self) -> bool {
        false
    }

    /// How what a call with this input runs is held by the confinement of its request. Where it is
    /// not, no command counts as confined.
    fn confinable(&self, _input: &Value, _cx: &PlanCx) -> Confinable {
        Confinable::No
    }

    /// Does it. The permit is spent whatever happens.
    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish>;

    /// Finds out what became of a call that an earlier owner started.
    fn reconcile(&self, _started: CallStarted, _call: Call) -> BoxFuture<'static, Found> {
        Box::pin(async {
            Found::Unknown {
                why: "this tool cannot tell".to_owned(),
                output: Vec::new(),
            }
        })
    }
}

/// What planning may look at.
#[derive(Debug, Clone)]
pub struct PlanCx {
    /// Absolute folder that relative paths start from.
    pub cwd: PathBuf,
    /// Absolute folders the session works in, links resolved.
    pub roots: Vec<PathBuf>,
    /// Content hash of each file as the model last saw it, by resolved path.
    pub seen: Arc<BTreeMap<String, Digest>>,
    /// Commands in the background, by their handles.
    pub jobs: Arc<BTreeMap<String, Job>>,
    /// What is shown to the model for secrets, and what that stands for.
    pub masks: Arc<dyn Masks>,
}

/// What a call would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its actions, for the policy.
    pub actions: Vec<Action>,
    /// What a crash allows.
    pub replay: ReplayPlan,
    /// One line for people: `edit src/main.rs (2 replacements)`.
    pub essence: String,
    /// Resolved paths that the decision is bound to, in order.
    pub resolved: Vec<String>,
    /// What it is known to execute, with the contents that the decision is bound to.
    pub executes: Vec<Executed>,
}

/// Everything a running call is given beside its permit.
pub struct Call {
    /// The request, as it was decided upon.
    pub request: CallRequest,
    /// The parsed arguments.
    pub input: Value,
    /// Where it works.
    pub cx: PlanCx,
    /// Where the keeper's records of this attempt go (absolute); `None` if the tool needs none.
    pub spool: Option<PathBuf>,
    /// Where the records of all keepers of the session lie (absolute).
    pub spools: PathBuf,
    /// Large bodies stored by handle.
    pub blobs: Arc<dyn Blobs>,
    /// Told how many bytes of output there are so far.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
    /// Becomes ready when the call should stop.
    pub cancel: Cancel,
    /// Budget for child sessions that work for this call; `None` where there can be none.
    pub shares: Option<Arc<dyn Shares>>,
}

/// The budget of a session, for child sessions that work for one of its calls.
pub trait Shares: Send + Sync {
    /// Sets aside for a child what it needs beside what it has, and says all that it may use over
    /// its life; durable in the parent's journal before it is told. While other children hold what
    /// is missing it waits until they are settled. The first grant makes the child known; a need of
    /// nothing is always granted.
    ///
    /// # Errors
    /// A sentence for people when the caps have no more, whoever is settled.
    fn grant(&self, child: SessionId, need: ShareNeed) -> BoxFuture<'static, Result<Cap, String>>;

    /// What the parent holds that rules keep to local models: it may be in what a child is told.
    fn kept(&self) -> Vec<Kept>;

    /// The children of this call whose shares are not settled.
    fn left(&self) -> BoxFuture<'static, Vec<SessionId>>;

    /// Settles a child with what it spent and still has set aside; `None` if nobody knows, then all
    /// that was set aside for it counts as spent. A child must be left no more than that before.
    ///
    /// # Errors
    /// A sentence for people when there is no such child, or the parent is no longer driven.
    fn settle(
        &self,
        child: SessionId,
        spent: Option<Amounts>,
    ) -> BoxFuture<'static, Result<(), String>>;
}

/// A request to stop, shared by whoever may ask and whoever must listen.
#[derive(Clone)]
pub struct Cancel(tokio::sync::watch::Receiver<bool>);

impl Cancel {
    /// A sender and its listener.
    #[must_use]
    pub fn channel() -> (tokio::sync::watch::Sender<bool>, Self) {
        let (sender, receiver) = tokio::sync::watch::channel(false);
        (sender, Self(receiver))
    }

    /// A listener that is never asked to stop.
    #[must_use]
    pub fn never() -> Self {
        let (sender, receiver) = tokio::sync::watch::channel(false);
        drop(sender);
        Self(receiver)
    }

    /// Whether stopping was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until stopping is asked for; for ever, if it never is.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Read access to stored bodies.
pub trait Blobs: Send + Sync {
    /// Opens the body whose handle (`blob:` and 16 hexadecimal digits, or more) is given.
    ///
    /// # Errors
    /// A sentence for the model when there is none.
    fn find(&self, handle: &str) -> Result<(PathBuf, BlobRef), String>;
}

/// No bodies at all.
#[derive(Debug, Clone, Copy)]
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn find(&self, handle: &str) -> Result<(PathBuf, BlobRef), String> {
        Err(format!("there is no stored output {handle}"))
    }
}

/// How a call that ran came out, before masking and capping.
#[derive(Debug, Clone)]
pub struct Finish {
    /// Whether it did what it was asked.
    pub status: OutcomeStatus,
    /// What the model should read, whole.
    pub text: String,
    /// Where the whole output lies when `text` is only part of it.
    pub full_output: Option<PathBuf>,
    /// One line for people.
    pub summary: String,
    /// What it changed.
    pub effect: Effect,
    /// The exit code of a shell command.
    pub exit_code: Option<i32>,
    /// How long it ran in ms, where somebody else than the caller measured it.
    pub duration_ms: Option<u64>,
    /// Set when it seems to have failed because its sandbox denied it something.
    pub sandbox_denied: bool,
    /// What its limits kept it from, as far as can be told.
    pub denied: Vec<Denied>,
    /// Where its text came from, if the tool itself brought it from elsewhere: `https://docs.rs`.
    pub outside: Option<String>,
    /// Set when the tool failed before it did anything at all.
    pub failed_before_effect: bool,
    /// Set when it started but its outcome cannot be known.
    pub in_doubt: Option<String>,
    /// Set when `text` was masked with what the call was given: on whole contents, which its pieces
    /// alone would not tell.
    pub is_masked: bool,
    /// Set when it was a look at something waited for that is not there yet; what the look said,
    /// in a line. The call goes on waiting.
    pub not_yet: Option<String>,
}

impl Finish {
    /// A success with a text for the model and a line for people.
    #[must_use]
    pub fn ok(text: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            status: OutcomeStatus::Ok,
            text: text.into(),
            full_output: None,
            summary: summary.into(),
            effect: Effect::default(),
            exit_code: None,
            duration_ms: None,
            sandbox_denied: false,
            denied: Vec::new(),
            outside: None,
            failed_before_effect: false,
            in_doubt: None,
            is_masked: false,
            not_yet: None,
        }
    }

    /// A failure that changed nothing.
    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        let text = text.into();
        let summary = text.lines().next().unwrap_or_default().to_owned();
        Self {
            status: OutcomeStatus::Error,
            failed_before_effect: true,
            ..Self::ok(text, summary)
        }
    }
}

/// What became of a call of an earlier owner.
#[derive(Debug, Clone)]
pub enum Found {
    /// It happened, and this is how it came out.
    Happened(Box<Finish>),
    /// It is proven not to have begun.
    DidNot {
        /// The proof, in one sentence.
        proof: String,
    },
    /// It cannot be known.
    Unknown {
        /// Why, in one sentence.
        why: String,
        /// Its output so far.
        output: Vec<u8>,
    },
}

/// An input that does not fit, as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// What is wrong, where, what is expected.
    pub message: String,
}

impl InputError {
    /// Wraps a sentence for the model.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// Shows `path` as people know it: relative to `cwd` where it lies below.
#[must_use]
pub fn display_path(path: &Path, cwd: &Path) -> String {
    match path.strip_prefix(cwd) {
        Ok(rest) if !rest.as_os_str().is_empty() => rest.display().to_string(),
        _ => path.display().to_string(),
    }
}
