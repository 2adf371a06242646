//! A workspace of its own for one case, and calls as a session makes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bowline_core::call::BlobRef;
use bowline_core::commit::Spendable;
use bowline_core::event::CallStarted;
use bowline_core::{
    CallRequest, Check, Committed, Digest, Epoch, Event, Fact, Job, Permit, SessionId,
};
use bowline_journal::{Journal as _, MemoryJournal};
use bowline_tools::builtin::{self, BuiltinConfig};
use bowline_tools::masks::NoMasks;
use bowline_tools::tool::Blobs;
use bowline_tools::{Call, Cancel, Finish, Found, Plan, PlanCx, Tool, Toolbox};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// A workspace `w`, a folder `out` beside it, and all tools.
pub(crate) struct Bench {
    dir: TempDir,
    pub(crate) toolbox: Toolbox,
    pub(crate) seen: BTreeMap<String, Digest>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) cwd: PathBuf,
    pub(crate) blobs: BTreeMap<String, PathBuf>,
    attempts: AtomicU32,
}

/// A call that is allowed and recorded, and not yet made.
pub(crate) struct Ready {
    tool: Arc<dyn Tool>,
    committed: Committed<CallStarted>,
    pub(crate) call: Call,
    pub(crate) plan: Plan,
    pub(crate) progress: Arc<AtomicU64>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut config = BuiltinConfig::new(std::env::current_exe().unwrap());
        config.shell_env = vec![("PATH".into(), std::env::var("PATH").unwrap())];
        Self::with(config)
    }

    pub(crate) fn with(config: BuiltinConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("w")).unwrap();
        std::fs::create_dir(dir.path().join("out")).unwrap();
        let cwd = std::fs::canonicalize(dir.path().join("w")).unwrap();
        Self {
            dir,
            toolbox: builtin::toolbox(config),
            seen: BTreeMap::new(),
            jobs: BTreeMap::new(),
            cwd,
            blobs: BTreeMap::new(),
            attempts: AtomicU32::new(0),
        }
    }

    /// The workspace.
    pub(crate) fn root(&self) -> PathBuf {
        std::fs::canonicalize(self.dir.path().join("w")).unwrap()
    }

    /// A path below the folder that holds the workspace `w` and `out`.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Makes a file in the workspace, with its folders.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn content(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    pub(crate) fn cx(&self) -> PlanCx {
        PlanCx {
            cwd: self.cwd.clone(),
            roots: vec![self.root()],
            seen: Arc::new(self.seen.clone()),
            jobs: Arc::new(self.jobs.clone()),
            masks: Arc::new(NoMasks),
        }
    }

    /// Plans, checks and records a call; an input error is the text the model would read.
    pub(crate) fn prepare(&self, tool: &str, input: Value) -> Result<Ready, String> {
        let tool = Arc::clone(self.toolbox.get(tool).map_err(|error| error.message)?);
        let cx = self.cx();
        let plan = tool.plan(&input, &cx).map_err(|error| error.message)?;
        let request = CallRequest {
            tool: tool.spec().name.clone(),
            arguments: input.to_string(),
            cwd: self.cwd.display().to_string(),
            resolved: plan.resolved.clone(),
            confinement: None,
            executes: plan.executes.clone(),
        };
        let checks = tool
            .checks(&input, &plan, &cx)
            .map_err(|error| error.message)?;
        let committed = record(&self.at("blobs"), &request, &plan, &checks);
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let progress = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&progress);
        let call = Call {
            request,
            input,
            cx,
            spool: Some(self.at(&format!("spool/{attempt}"))),
            spools: self.at("spool"),
            blobs: Arc::new(Stored(self.blobs.clone())),
            progress: Arc::new(move |bytes| told.store(bytes, Ordering::Relaxed)),
            cancel: Cancel::never(),
            shares: None,
        };
        Ok(Ready {
            tool,
            committed,
            call,
            plan,
            progress,
        })
    }

    /// Makes a call and remembers what the model has seen by it.
    pub(crate) fn call(&mut self, tool: &str, input: Value) -> Result<Finish, String> {
        let finish = self.prepare(tool, input)?.go();
        for seen in &finish.effect.seen {
            self.seen.insert(seen.path.clone(), seen.content);
        }
        Ok(finish)
    }

    /// What the model reads of a call that must do what it was asked.
    pub(crate) fn ok(&mut self, tool: &str, input: Value) -> String {
        let finish = self.call(tool, input).unwrap();
        assert_eq!(
            finish.status,
            bowline_core::OutcomeStatus::Ok,
            "{}",
            finish.text
        );
        finish.text
    }

    /// What the model reads of a call that must change nothing.
    pub(crate) fn fails(&mut self, tool: &str, input: Value) -> String {
        match self.call(tool, input) {
            Ok(finish) => {
                assert!(finish.failed_before_effect, "{}", finish.text);
                assert!(finish.effect.files.is_empty());
                finish.text
            }
            Err(message) => message,
        }
    }
}

impl Ready {
    /// The same call as another process sees it that has read the same records.
    pub(crate) fn again(&self) -> Self {
        let started = serde_json::to_value(self.committed.value()).unwrap();
        let blobs = self.call.spools.with_file_name("blobs");
        let call = Call {
            request: self.call.request.clone(),
            input: self.call.input.clone(),
            cx: self.call.cx.clone(),
            spool: self.call.spool.clone(),
            spools: self.call.spools.clone(),
            blobs: Arc::clone(&self.call.blobs),
            progress: Arc::clone(&self.call.progress),
            cancel: Cancel::never(),
            shares: None,
        };
        Self {
            tool: Arc::clone(&self.tool),
            committed: commit(&blobs, started),
            call,
            plan: self.plan.clone(),
            progress: Arc::clone(&self.progress),
        }
    }

    /// Makes the call.
    pub(crate) fn go(self) -> Finish {
        runtime().block_on(self.future())
    }

    /// The call under way; dropping it is what a dying harness does.
    pub(crate) fn future(self) -> bowline_core::BoxFuture<'static, Finish> {
        self.tool.call(Permit::from(self.committed), self.call)
    }

    /// Makes the call with another request than the one allowed.
    pub(crate) fn go_with(mut self, change: impl FnOnce(&mut Call)) -> Finish {
        change(&mut self.call);
        self.go()
    }

    /// Finds out what became of the call as a later owner would.
    pub(crate) fn reconcile(self) -> Found {
        let started = self.committed.into_value();
        runtime().block_on(self.tool.reconcile(started, self.call))
    }

    /// The folder of its keeper's records.
    pub(crate) fn spool(&self) -> PathBuf {
        self.call.spool.clone().unwrap()
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Records the start of an allowed call. The fact is read from its form on disk: only the engine
/// makes one in code.
fn record(
    blobs: &Path,
    request: &CallRequest,
    plan: &Plan,
    checks: &[Check],
) -> Committed<CallStarted> {
    let started = json!({
        "call": Uuid::now_v7(),
        "try_number": 1,
        "epoch": 0,
        "digest": request.digest(),
        "class": plan.replay.class,
        "checks": checks,
    });
    commit(blobs, started)
}

/// Puts a start into a journal.
fn commit(blobs: &Path, started: Value) -> Committed<CallStarted> {
    let started: CallStarted = serde_json::from_value(started).unwrap();
    let session = SessionId::from_uuid(Uuid::now_v7());
    let mut journal = MemoryJournal::new(session, blobs.to_owned());
    let batch = vec![Event::new(1_000, Fact::CallStarted(started))];
    let mut committed = runtime().block_on(journal.append(Epoch(0), batch)).unwrap();
    match committed.pop().map(Committed::spend) {
        Some(Spendable::Call(committed)) => committed,
        other => panic!("{other:?}"),
    }
}

/// Bodies by handle.
struct Stored(BTreeMap<String, PathBuf>);

impl Blobs for Stored {
    fn find(&self, handle: &str) -> Result<(PathBuf, BlobRef), String> {
        let path = self
            .0
            .get(handle)
            .ok_or_else(|| format!("there is no `{handle}`"))?;
        let body = std::fs::read(path).unwrap();
        let blob = BlobRef {
            digest: Digest::of(&body),
            bytes: body.len() as u64,
        };
        Ok((path.clone(), blob))
    }
}
