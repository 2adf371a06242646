//! `shell`: a command under a keeper.

mod background;
mod denial;
mod executes;
mod job;
mod needs;
mod news;
mod plain;
mod report;
mod words;

pub(super) use self::job::{JobTool, spec as job_spec};

use std::path::{Path, PathBuf};
use std::time::Duration;

use bowline_core::call::ReplayPlan;
use bowline_core::event::CallStarted;
use bowline_core::spec::ActionKind;
use bowline_core::{Action, BoxFuture, OutcomeStatus, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::needs::Needs;
use self::report::{Report, failed_launch, in_doubt};
use super::spec::About;
use super::{BuiltinConfig, first_chars, not_admitted, one_line};
use crate::keeper::control::{Word, tell};
use crate::keeper::record::{Record, read_claim};
use crate::keeper::recover::{Settled, wait_running};
use crate::keeper::{Ended, Exit, Fate, Launcher, Order, ScrubWords};
use crate::tool::{Call, Confinable, Finish, Found, InputError, Plan, PlanCx, Tool};

/// Time a command has when it does not say, in ms.
pub(super) const TIMEOUT_MS: u64 = 120_000;

/// Most time a command may ask for, in ms.
pub(super) const TIMEOUT_MAX_MS: u64 = 600_000;

/// How long a stop is waited for, in ms: its grace, its force, and a margin.
const STOP_WAIT_MS: u64 = 10_000;

/// How long the end of a command is waited for whose keeper does not listen, in ms: it may just be
/// going.
const GOING_WAIT_MS: u64 = 1_000;

/// Longest essence in characters.
const ESSENCE_CHARS_MAX: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    command: String,
    /// Time allowed (120000, at most 600000)
    #[schemars(range(min = 1))]
    timeout_ms: Option<u64>,
    /// What it does, in a few words for people
    description: Option<String>,
    /// Run on, see `shell_job`
    background: Option<bool>,
    /// Asks a person for more than the sandbox gives
    needs: Option<Needs>,
}

impl Input {
    fn is_background(&self) -> bool {
        self.background.unwrap_or_default()
    }
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "shell",
        title: "Run a shell command",
        description: "Run `bash -c` in the working folder; output of stdout and stderr comes \
                      together. Each call starts afresh: `cd` and variables do not last, stdin is \
                      empty. What the command leaves running is ended with it: use \
                      `background` for servers and watchers. Prefer `read`, `grep`, `glob` and \
                      `edit` where they do.",
        risk: Risk::High,
        replay_ceiling: ReplayClass::Checkable,
        actions: &[ActionKind::Run, ActionKind::WritePath, ActionKind::Reach],
        timeout_ms: Some(TIMEOUT_MAX_MS),
        result: &[("exit_code", "integer")],
    }
    .spec::<Input>()
}

pub(super) struct ShellTool {
    spec: ToolSpec,
    config: BuiltinConfig,
}

impl ShellTool {
    pub(super) fn new(config: BuiltinConfig) -> Self {
        let mut spec = spec();
        spec.limits.timeout_ms = Some(config.shell_timeout_max_ms);
        Self { spec, config }
    }

    fn input(&self, input: &Value) -> Result<Input, InputError> {
        let input: Input = crate::input::read(&self.spec.input_schema, input)?;
        if input.command.trim().is_empty() {
            return Err(InputError::new("\"command\" is empty"));
        }
        if input.command.contains('\0') {
            return Err(InputError::new(
                "\"command\" holds a NUL character, which no command can",
            ));
        }
        let most = self.config.shell_timeout_max_ms;
        if input.timeout_ms.is_some_and(|timeout_ms| timeout_ms > most) {
            let got = input.timeout_ms.unwrap_or_default();
            return Err(InputError::new(format!(
                "\"timeout_ms\" must be at most {most}, got {got}"
            )));
        }
        Ok(input)
    }

    /// The `PATH` of commands.
    fn search(&self) -> &str {
        let mut variables = self.config.shell_env.iter();
        variables
            .rfind(|(name, _)| name == "PATH")
            .map_or("", |(_, value)| value)
    }

    fn order(&self, input: &Input, call: &Call, id: String) -> Order {
        let mut order = Order::new(id, input.command.clone(), PathBuf::from(&call.request.cwd));
        order.env.clone_from(&self.config.shell_env);
        if let Some(shell) = order.shell.first_mut() {
            shell.clone_from(&self.config.shell);
        }
        order.confinement.clone_from(&call.request.confinement);
        order.scrub = call.cx.masks.for_keeper().map(ScrubWords);
        order.timeout_ms = input.timeout_ms.unwrap_or(self.config.shell_timeout_ms);
        if input.is_background() {
            background::prepare(&mut order, input.timeout_ms);
        }
        order
    }
}

impl Tool for ShellTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Input { command, needs, .. } = self.input(input)?;
        let executes = executes::executes(&command, cx, self.search());
        let replay = ReplayPlan {
            class: ReplayClass::Checkable,
        };
        let essence = essence(&command);
        let run = Action::Run {
            command,
            understood: false,
        };
        let needs = needs.unwrap_or_default().actions(cx)?;
        let actions = std::iter::once(run).chain(needs).collect();
        Ok(Plan {
            actions,
            replay,
            essence,
            resolved: Vec::new(),
            executes,
        })
    }

    fn confinable(&self, _input: &Value, _cx: &PlanCx) -> Confinable {
        Confinable::Begins
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let order = self.input(&call.input).map(|input| {
            let order = self.order(&input, &call, permit.call().to_string());
            (input, order)
        });
        let launcher = Launcher {
            exe: self.config.keeper_exe.clone(),
        };
        Box::pin(async move {
            if !permit.admits(&call.request) {
                return not_admitted();
            }
            let (input, order) = match order {
                Ok(order) => order,
                Err(error) => return Finish::failed(error.message),
            };
            let Some(dir) = call.spool.clone() else {
                return failed_launch("there is no folder for the records of its keeper");
            };
            if input.is_background() {
                if let Some(why) = background::too_many(&call.cx) {
                    return failed_launch(&why);
                }
                let job = background::handle(permit.call());
                return background::start(&launcher, &dir, &order, &call, job).await;
            }
            let fate = run(&launcher, &dir, &order, &call).await;
            blocking(move || of_fate(fate, &dir, &order, input.description.as_deref())).await
        })
    }

    fn reconcile(&self, started: CallStarted, call: Call) -> BoxFuture<'static, Found> {
        let input = self.input(&call.input);
        Box::pin(async move {
            let Some(dir) = call.spool.clone() else {
                let why = "there is no folder with the records of its keeper".to_owned();
                return Found::Unknown {
                    why,
                    output: Vec::new(),
                };
            };
            if let Ok(input) = &input
                && input.is_background()
            {
                let job = background::handle(started.call());
                return background::find(&dir, input.command.clone(), job).await;
            }
            let settled = settle(&dir, &call).await;
            let cwd = PathBuf::from(&call.request.cwd);
            let confinement = call.request.confinement;
            let (timeout_ms, description) =
                input.map_or((None, None), |input| (input.timeout_ms, input.description));
            let timeout_ms = timeout_ms.unwrap_or(TIMEOUT_MS);
            blocking(move || {
                let of_exit = |exit: &Exit| {
                    Report {
                        exit,
                        dir: &dir,
                        timeout_ms,
                        description: description.as_deref(),
                        cwd: &cwd,
                        confinement: confinement.as_deref(),
                    }
                    .finish()
                };
                of_settled(settled, &dir, of_exit)
            })
            .await
        })
    }
}

/// Launches the command and waits for its end, asked to stop or not.
async fn run(launcher: &Launcher, dir: &Path, order: &Order, call: &Call) -> Fate {
    let kept = match launcher.launch(dir, order) {
        Ok(kept) => kept,
        Err(error) => {
            return Fate::NeverStarted {
                why: format!("its keeper did not start: {error}"),
            };
        }
    };
    let canceller = kept.canceller();
    let mut cancel = call.cancel.clone();
    let progress = std::sync::Arc::clone(&call.progress);
    let wait = kept.wait(move |bytes| progress(bytes));
    tokio::pin!(wait);
    tokio::select! {
        fate = &mut wait => fate,
        () = cancel.asked() => {
            canceller.cancel();
            wait.await
        }
    }
}

/// Finds out what the records of an earlier owner say. A command that still runs is followed to its
/// end, which is brought about when the call is cancelled.
///
/// # Errors
/// Why the end of a command that still runs is not waited for any longer.
async fn settle(dir: &Path, call: &Call) -> Result<Settled, String> {
    let mut cancel = call.cancel.clone();
    let progress = std::sync::Arc::clone(&call.progress);
    let wait = wait_running(dir, "the harness was restarted", move |bytes| {
        progress(bytes);
    });
    tokio::pin!(wait);
    tokio::select! {
        settled = &mut wait => return Ok(settled),
        () = cancel.asked() => {}
    }
    let folder = dir.to_owned();
    let (most_ms, why) = match blocking(move || tell(&folder, &Word::Stop)).await {
        Ok(()) => (STOP_WAIT_MS, "did not stop it when asked to".to_owned()),
        Err(error) => (
            GOING_WAIT_MS,
            format!("could not be asked to stop it ({error})"),
        ),
    };
    let waited = tokio::time::timeout(Duration::from_millis(most_ms), wait).await;
    waited.map_err(|_| match read_claim(dir) {
        Record::Unreadable(record) => format!("it still runs, and its keeper {why}: {record}"),
        Record::Whole(_) | Record::Absent => format!("it still runs, and its keeper {why}"),
    })
}

fn of_fate(fate: Fate, dir: &Path, order: &Order, description: Option<&str>) -> Finish {
    match fate {
        Fate::Finished(exit) => Report {
            exit: &exit,
            dir,
            timeout_ms: order.timeout_ms,
            description,
            cwd: &order.cwd,
            confinement: order.confinement.as_deref(),
        }
        .finish(),
        Fate::InDoubt { why, ended } => in_doubt(dir, &why, &ended),
        Fate::NeverStarted { why } => failed_launch(&why),
    }
}

fn of_settled(
    settled: Result<Settled, String>,
    dir: &Path,
    of_exit: impl FnOnce(&Exit) -> Finish,
) -> Found {
    let unknown = |why| Found::Unknown {
        why,
        output: report::output_so_far(dir).into_bytes(),
    };
    match settled {
        Ok(Settled::DidNot { why }) => Found::DidNot { proof: why },
        Ok(Settled::Happened(exit)) => Found::Happened(Box::new(of_exit(&exit))),
        Ok(Settled::Running(_)) => unknown("it still runs".to_owned()),
        Ok(Settled::InDoubt { why, ended, .. }) => unknown(report::doubt(&why, &ended)),
        Err(why) => unknown(why),
    }
}

/// Whether a command did what it was asked.
fn status(exit: &Exit) -> OutcomeStatus {
    if exit.ended_by == Ended::ItsOwn && exit.code == Some(0) {
        OutcomeStatus::Ok
    } else {
        OutcomeStatus::Error
    }
}

/// Runs `act` where blocking is allowed: it reads and writes files of the spool.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(act).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The command in a line: what a person is shown who is to allow it, so no line is left out.
fn essence(command: &str) -> String {
    let lines: Vec<String> = command.trim().lines().map(one_line).collect();
    let whole = lines.join(" \u{21b5} ");
    let (shown, is_cut) = first_chars(&whole, ESSENCE_CHARS_MAX);
    let more = if is_cut { " …" } else { "" };
    format!("{shown}{more}")
}
