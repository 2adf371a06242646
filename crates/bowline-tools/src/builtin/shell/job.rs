//! `shell_job`: what runs in the background is read, written to, stopped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bowline_core::call::{Effect, ReplayPlan};
use bowline_core::event::CallStarted;
use bowline_core::job::JobChange;
use bowline_core::spec::ActionKind;
use bowline_core::{Action, BoxFuture, Job, OutcomeStatus, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::super::spec::About;
use super::super::{first_chars, not_admitted, one_line, unsure};
use super::background::{effect, folder};
use super::news::{News, ended_words};
use super::{STOP_WAIT_MS, blocking, essence};
use crate::keeper::control::{Word, tell};
use crate::keeper::recover::{Look, look};
use crate::keeper::spool;
use crate::tool::{Call, Confinable, Finish, Found, InputError, Plan, PlanCx, Tool};

/// Most input of one call in bytes: a FIFO holds as much at once.
const INPUT_BYTES_MAX: usize = 32 << 10;

/// Longest wait of one call, in ms.
const WAIT_MS_MAX: u64 = 600_000;

/// How long `write` waits for what comes of it, in ms.
const WRITE_WAIT_MS: u64 = 1_000;

/// Output that was quiet this long has settled.
const QUIET: Duration = Duration::from_millis(200);

/// Pauses between two looks at a spool.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(100);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    action: What,
    /// Its handle; needless if one runs
    job: Option<String>,
    /// For write
    input: Option<String>,
    /// For poll: wait for output
    #[schemars(range(max = 600_000))]
    wait_ms: Option<u64>,
}

// A doc comment here would go to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    Poll,
    Write,
    Close,
    Stop,
    List,
}

pub(in super::super) fn spec() -> ToolSpec {
    About {
        name: "shell_job",
        title: "Look after a background command",
        description: "Read new output (poll), write to stdin, close it, stop, list what runs.",
        risk: Risk::High,
        replay_ceiling: ReplayClass::Once,
        actions: &[ActionKind::Note, ActionKind::Run],
        timeout_ms: Some(WAIT_MS_MAX),
        result: &[("effect", "object")],
    }
    .spec::<Input>()
}

pub(in super::super) struct JobTool {
    spec: ToolSpec,
}

/// What a call is about: everything but `list` has a job.
struct Task {
    what: What,
    handle: String,
    job: Option<Job>,
    input: String,
    wait_ms: u64,
}

impl JobTool {
    pub(in super::super) fn new() -> Self {
        Self { spec: spec() }
    }

    fn task(&self, input: &Value, cx: &PlanCx) -> Result<Task, InputError> {
        let Input {
            action: what,
            job,
            input,
            wait_ms,
        } = crate::input::read(&self.spec.input_schema, input)?;
        let is_write = what == What::Write;
        if is_write && input.as_ref().is_none_or(String::is_empty) {
            return Err(InputError::new("\"write\" needs \"input\""));
        }
        if !is_write && input.is_some() {
            return Err(InputError::new("\"input\" goes with \"write\" only"));
        }
        let input = input.unwrap_or_default();
        if input.len() > INPUT_BYTES_MAX {
            return Err(InputError::new(format!(
                "\"input\" has {} bytes: write at most {INPUT_BYTES_MAX} at once",
                input.len()
            )));
        }
        let mut task = Task {
            what,
            handle: String::new(),
            job: None,
            input,
            wait_ms: wait_ms.unwrap_or_default(),
        };
        if what != What::List {
            let (handle, job) = find(job.as_deref(), cx)?;
            (task.handle, task.job) = (handle, Some(job));
        }
        Ok(task)
    }
}

/// The job of that handle; without one, the only job there is.
fn find(handle: Option<&str>, cx: &PlanCx) -> Result<(String, Job), InputError> {
    let known: Vec<&str> = cx.jobs.keys().map(String::as_str).collect();
    let problem = match handle {
        _ if known.is_empty() => "nothing was started in the background".to_owned(),
        None => {
            let mut running = cx.jobs.iter().filter(|(_, job)| job.ended.is_none());
            if let (Some((handle, job)), None) = (running.next(), running.next()) {
                return Ok((handle.clone(), job.clone()));
            }
            format!("missing \"job\": one of {}", known.join(", "))
        }
        Some(handle) => {
            let digits = handle.strip_prefix("bg:").unwrap_or(handle);
            let whole = format!("bg:{digits}");
            if let Some(job) = cx.jobs.get(&whole) {
                return Ok((whole, job.clone()));
            }
            let handle = one_line(handle);
            format!(
                "there is no job \"{handle}\"; there are {}",
                known.join(", ")
            )
        }
    };
    Err(InputError::new(problem))
}

impl Tool for JobTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let task = self.task(input, cx)?;
        let command = task.job.as_ref().map_or("", |job| &job.command);
        let about = format!("{} ({})", task.handle, essence(command));
        // What a command is told may be a command itself, so it is judged as both.
        let run = |told: &str| Action::Run {
            command: format!("{command}{told}"),
            understood: false,
        };
        let (action, class, essence) = match task.what {
            What::List => (
                Action::Note,
                ReplayClass::Free,
                "list background commands".to_owned(),
            ),
            What::Poll => (Action::Note, ReplayClass::Free, format!("poll {about}")),
            What::Write => {
                let told = one_line(&task.input);
                let (shown, is_cut) = first_chars(&told, 120);
                let more = if is_cut { " …" } else { "" };
                let essence = format!("write `{shown}{more}` to {about}");
                let action = run(&format!("\n{}", task.input));
                (action, ReplayClass::Once, essence)
            }
            What::Close => (
                run(""),
                ReplayClass::Checkable,
                format!("close the input of {about}"),
            ),
            What::Stop => (run(""), ReplayClass::Checkable, format!("stop {about}")),
        };
        Ok(Plan {
            actions: vec![action],
            replay: ReplayPlan { class },
            essence,
            resolved: Vec::new(),
            executes: Vec::new(),
        })
    }

    /// What a job is told runs where the job does.
    fn confinable(&self, input: &Value, cx: &PlanCx) -> Confinable {
        let job = self.task(input, cx).ok().and_then(|task| task.job);
        if job.is_some_and(|job| job.confined) {
            Confinable::Begun
        } else {
            Confinable::No
        }
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let task = self.task(&call.input, &call.cx);
        Box::pin(async move {
            if !permit.admits(&call.request) {
                return not_admitted();
            }
            match task {
                Ok(task) => act(task, call).await,
                Err(error) => Finish::failed(error.message),
            }
        })
    }

    fn reconcile(&self, _started: CallStarted, call: Call) -> BoxFuture<'static, Found> {
        let task = self.task(&call.input, &call.cx);
        Box::pin(async move {
            match task {
                Ok(task) => found(task, call).await,
                Err(error) => Found::DidNot {
                    proof: error.message,
                },
            }
        })
    }
}

async fn act(task: Task, call: Call) -> Finish {
    let Some(job) = task.job else {
        let (jobs, spools) = (call.cx.jobs, call.spools);
        return blocking(move || list(&jobs, &spools)).await;
    };
    let dir = folder(&call.spools, &job);
    let word = match task.what {
        What::Write => Some(Word::Input(task.input)),
        What::Close => Some(Word::Close),
        What::Stop => Some(Word::Stop),
        What::Poll | What::List => None,
    };
    if let Some(how) = &job.ended {
        let text = format!(
            "{} has ended: {how}. All of its output was read.\n",
            task.handle
        );
        return match word {
            None => Finish::ok(text, how.clone()),
            Some(_) => Finish::failed(text),
        };
    }
    let mut is_too_late = false;
    if let Some(word) = word {
        let told = dir.clone();
        match blocking(move || tell(&told, &word)).await {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotConnected => {
                is_too_late = task.what != What::Stop;
            }
            Err(error) => return unsure(format!("its keeper did not take it: {error}")),
        }
    }
    let wait = match task.what {
        What::Stop => Wait::ForEnd(STOP_WAIT_MS),
        What::Write | What::Close => Wait::ForOutput(WRITE_WAIT_MS),
        What::Poll | What::List => Wait::ForOutput(task.wait_ms),
    };
    wait.over(&dir, job.offset, &call).await;
    let handle = task.handle;
    let mut finish = blocking(move || report(&dir, handle, job.offset)).await;
    if is_too_late {
        finish.status = OutcomeStatus::Error;
        finish.text.push_str("[it was not told any more]\n");
    }
    finish
}

/// A stop or a closing that an earlier owner asked for: its effect shows, or it is asked again.
async fn found(task: Task, call: Call) -> Found {
    let (What::Stop, Some(job)) = (task.what, task.job) else {
        return match task.what {
            // To close what is closed changes nothing.
            What::Close => Found::DidNot {
                proof: "closing twice is closing once".to_owned(),
            },
            _ => Found::Unknown {
                why: "whether the command was told cannot be seen".to_owned(),
                output: Vec::new(),
            },
        };
    };
    let dir = folder(&call.spools, &job);
    Wait::ForEnd(STOP_WAIT_MS)
        .over(&dir, job.offset, &call)
        .await;
    blocking(move || match look(&dir) {
        Look::Running => Found::DidNot {
            proof: format!("{} still runs", task.handle),
        },
        _ => Found::Happened(Box::new(report(&dir, task.handle, job.offset))),
    })
    .await
}

/// What a call waits for, at most so many ms.
#[derive(Clone, Copy)]
enum Wait {
    /// New output that has settled, or the end.
    ForOutput(u64),
    /// The end.
    ForEnd(u64),
}

impl Wait {
    /// Waits; a call that is cancelled waits no more.
    async fn over(self, dir: &Path, offset: u64, call: &Call) {
        let (Self::ForOutput(most_ms) | Self::ForEnd(most_ms)) = self;
        let mut cancel = call.cancel.clone();
        let settled = async {
            let mut pause = PAUSE_MIN;
            let (mut seen, mut since) = (offset, Instant::now());
            loop {
                let folder = dir.to_owned();
                let looked = move || (look(&folder), spool::written(&folder));
                let (look, total) = blocking(looked).await;
                if look != Look::Running {
                    return;
                }
                if total > seen {
                    (seen, since, pause) = (total, Instant::now(), PAUSE_MIN);
                    (call.progress)(total);
                }
                let is_settled = seen > offset && since.elapsed() >= QUIET;
                if is_settled && matches!(self, Self::ForOutput(_)) {
                    return;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        };
        tokio::select! {
            () = settled => {}
            () = tokio::time::sleep(Duration::from_millis(most_ms)) => {}
            () = cancel.asked() => {}
        }
    }
}

/// What is new of a job and how it stands.
fn report(dir: &Path, job: String, offset: u64) -> Finish {
    let look = look(dir);
    let news = News::of(dir, offset, look != Look::Running);
    let read = JobChange::Read {
        job: job.clone(),
        offset: news.offset,
    };
    let connections = match &look {
        Look::Ended(exit) => exit.connections.clone(),
        Look::Running | Look::Gone { .. } => Vec::new(),
    };
    let (line, changes, exit_code) = match look {
        Look::Running if news.text.is_empty() => {
            (format!("{job} runs; no new output"), vec![read], None)
        }
        Look::Running => (format!("{job} runs"), vec![read], None),
        Look::Ended(exit) => {
            let how = ended_words(&exit);
            let line = format!("{job} ended: {how}");
            (line, vec![read, JobChange::Ended { job, how }], exit.code)
        }
        Look::Gone { why } => {
            let how = format!("how it ended is not known: {why}");
            let line = format!("{job} runs no more; {how}");
            (line, vec![read, JobChange::Ended { job, how }], None)
        }
    };
    Finish {
        effect: Effect {
            connections,
            ..effect(changes)
        },
        full_output: news.whole,
        exit_code,
        ..Finish::ok(format!("{}[{line}]\n", news.text), line)
    }
}

fn list(jobs: &std::collections::BTreeMap<String, Job>, spools: &Path) -> Finish {
    let row = |(handle, job): (&String, &Job)| {
        let dir: PathBuf = folder(spools, job);
        let how = match (&job.ended, look(&dir)) {
            (Some(how), _) => how.clone(),
            (None, Look::Running) => "runs".to_owned(),
            (None, Look::Ended(exit)) => format!("{}, not polled since", ended_words(&exit)),
            (None, Look::Gone { why }) => format!("runs no more: {why}"),
        };
        format!("{handle}  {how}  {}\n", essence(&job.command))
    };
    let text: String = jobs.iter().map(row).collect();
    let text = if text.is_empty() {
        "Nothing was started in the background.\n".to_owned()
    } else {
        text
    };
    let running = jobs.values().filter(|job| job.ended.is_none()).count();
    Finish::ok(text, format!("{running} not ended"))
}
