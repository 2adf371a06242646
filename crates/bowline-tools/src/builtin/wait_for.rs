//! `wait_for`: parks the call until something outside comes: a signal, a time, a file, a command
//! that succeeds.
//!
//! To wait acts on nothing: the engine records it and ends it. Only the command of a wait is ever
//! run, each time under a permit of its own, as `shell` runs it.

use bowline_core::call::ReplayPlan;
use bowline_core::event::CallStarted;
use bowline_core::spec::ActionKind;
use bowline_core::wait::{NAME_BYTES_MAX, Until, Wait};
use bowline_core::{Action, BoxFuture, OutcomeStatus, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shell::ShellTool;
use super::spec::About;
use super::{first_chars, one_line, text_of};
use crate::path::locate;
use crate::tool::{Call, Confinable, Finish, Found, InputError, Plan, PlanCx, Tool};

/// Longest instructions in bytes: a person reads them in a terminal.
const INSTRUCTIONS_BYTES_MAX: usize = 4 << 10;

/// The pause between two runs of a command, in ms, where the call does not say.
const EVERY_MS: u64 = 30_000;

/// The shortest one, in ms: each run is two records in the journal.
const EVERY_MS_MIN: u64 = 1_000;

/// Longest essence in characters.
const ESSENCE_CHARS_MAX: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The signal's, too
    name: String,
    /// For people
    instructions: Option<String>,
    pause_ms: Option<u64>,
    /// RFC 3339
    at: Option<String>,
    file: Option<String>,
    /// Run until it exits with 0
    command: Option<String>,
    /// Its pause (30000)
    every_ms: Option<u64>,
    timeout_ms: Option<u64>,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "wait_for",
        title: "Wait for something outside",
        description: "Wait for one: a signal from outside (default), a pause, a time, a file, a \
                      command. Instead of `sleep` in shell.",
        risk: Risk::None,
        replay_ceiling: ReplayClass::Checkable,
        actions: &[
            ActionKind::AwaitParty,
            ActionKind::Run,
            ActionKind::ReadPath,
        ],
        timeout_ms: None,
        result: &[],
    }
    .spec::<Input>()
}

pub(super) struct WaitForTool {
    spec: ToolSpec,
    shell: ShellTool,
}

/// What a call comes down to.
struct Task {
    wait: Wait,
    command: Option<String>,
}

impl WaitForTool {
    pub(super) fn new(shell: ShellTool) -> Self {
        Self {
            spec: spec(),
            shell,
        }
    }

    fn task(&self, input: &Value, cx: &PlanCx) -> Result<Task, InputError> {
        let input: Input = crate::input::read(&self.spec.input_schema, input)?;
        let name = text_of(&input.name, "name", NAME_BYTES_MAX)?;
        let instructions = input
            .instructions
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .map(|text| text_of(text, "instructions", INSTRUCTIONS_BYTES_MAX))
            .transpose()?;
        let given = [
            ("pause_ms", input.pause_ms.is_some()),
            ("at", input.at.is_some()),
            ("file", input.file.is_some()),
            ("command", input.command.is_some()),
        ];
        let given: Vec<&str> = given
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect();
        if let [one, other, ..] = given[..] {
            let message =
                format!("give \"{one}\" or \"{other}\", not both: one call waits for one thing");
            return Err(InputError::new(message));
        }
        if input.every_ms.is_some() && input.command.is_none() {
            return Err(InputError::new("\"every_ms\" goes with \"command\""));
        }
        let until = until(&input, cx)?;
        let wait = Wait {
            name,
            instructions,
            until,
            timeout_ms: input.timeout_ms,
        };
        Ok(Task {
            wait,
            command: input.command,
        })
    }

    /// The same call as `shell` takes it.
    fn as_shell(&self, call: Call) -> Result<Call, InputError> {
        let command = self.task(&call.input, &call.cx)?.command;
        let command = command.ok_or_else(|| InputError::new("there is no command to look with"))?;
        Ok(Call {
            input: json!({ "command": command }),
            ..call
        })
    }
}

fn until(input: &Input, cx: &PlanCx) -> Result<Until, InputError> {
    if let Some(pause_ms) = input.pause_ms {
        return Ok(Until::Elapsed { pause_ms });
    }
    if let Some(at) = &input.at {
        let time: jiff::Timestamp = at.trim().parse().map_err(|_| {
            InputError::new(format!(
                "\"at\" must be a time such as 2026-11-25T18:00:00Z, got `{}`",
                one_line(at)
            ))
        })?;
        let at_ms = u64::try_from(time.as_millisecond()).unwrap_or(0);
        return Ok(Until::Time { at_ms });
    }
    if let Some(file) = &input.file {
        let path = locate(file, &cx.cwd)?;
        return Ok(Until::File { path });
    }
    if let Some(command) = &input.command {
        let every_ms = input.every_ms.unwrap_or(EVERY_MS);
        if every_ms < EVERY_MS_MIN {
            return Err(InputError::new(format!(
                "\"every_ms\" must be at least {EVERY_MS_MIN}, got {every_ms}"
            )));
        }
        return Ok(Until::Command {
            command: command.clone(),
            every_ms,
        });
    }
    Ok(Until::Signal)
}

/// What a run of the command comes to for the wait: there, not yet, or unknown.
fn seen(finish: Finish) -> Finish {
    let is_over = finish.status == OutcomeStatus::Ok
        || finish.failed_before_effect
        || finish.in_doubt.is_some();
    if is_over {
        return finish;
    }
    Finish {
        not_yet: Some(finish.summary.clone()),
        ..finish
    }
}

impl Tool for WaitForTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Task { wait, command } = self.task(input, cx)?;
        let words = format!("{}: {}", wait.name, wait.words());
        let (shown, is_cut) = first_chars(&words, ESSENCE_CHARS_MAX);
        let essence = one_line(&format!("{shown}{}", if is_cut { " …" } else { "" }));
        let mut plan = match command {
            Some(command) => self.shell.plan(&json!({ "command": command }), cx)?,
            None => Plan {
                actions: Vec::new(),
                replay: ReplayPlan {
                    class: ReplayClass::Free,
                },
                essence: String::new(),
                resolved: Vec::new(),
                executes: Vec::new(),
            },
        };
        if let Until::File { path } = &wait.until {
            plan.resolved.push(path.resolved.clone());
            plan.actions.push(Action::ReadPath { path: path.clone() });
        }
        plan.actions.insert(0, Action::AwaitParty { wait });
        plan.essence = essence;
        Ok(plan)
    }

    fn confinable(&self, input: &Value, _cx: &PlanCx) -> Confinable {
        if input.get("command").is_some() {
            Confinable::Begins
        } else {
            Confinable::No
        }
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        match self.as_shell(call) {
            Ok(call) => {
                let run = self.shell.call(permit, call);
                Box::pin(async { seen(run.await) })
            }
            Err(error) => Box::pin(async { Finish::failed(error.message) }),
        }
    }

    fn reconcile(&self, started: CallStarted, call: Call) -> BoxFuture<'static, Found> {
        match self.as_shell(call) {
            Ok(call) => {
                let found = self.shell.reconcile(started, call);
                Box::pin(async {
                    match found.await {
                        Found::Happened(finish) => Found::Happened(Box::new(seen(*finish))),
                        other => other,
                    }
                })
            }
            Err(error) => Box::pin(async {
                Found::Unknown {
                    why: error.message,
                    output: Vec::new(),
                }
            }),
        }
    }
}
