//! `write`: a file's whole content.

use std::path::Path;

use bowline_core::spec::ActionKind;
use bowline_core::{
    Action, BoxFuture, Check, Digest, FileChange, Permit, ReplayClass, Risk, ToolSpec,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::change::{self, ChangeError};
use super::spec::About;
use super::{Failed, count, diff, judged, plan_for_path, run_blocking, settle};
use crate::path::locate;
use crate::path::open::{self, OpenError};
use crate::tool::{Call, Finish, Found, InputError, Plan, PlanCx, Tool};

/// Largest old content that is compared with the new one, in bytes.
const COMPARED_BYTES_MAX: u64 = 4 << 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    /// The whole new content
    content: String,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "write",
        title: "Write a file",
        description: "Create a file or replace its whole content; missing folders are created. \
                      To change part of a file use `edit`. Refused if the file changed since you \
                      read it.",
        risk: Risk::Medium,
        replay_ceiling: ReplayClass::Checkable,
        actions: &[ActionKind::WritePath],
        timeout_ms: None,
        result: &[("effect", "object")],
    }
    .spec::<Input>()
}

pub(super) struct WriteTool {
    spec: ToolSpec,
}

impl WriteTool {
    pub(super) fn new() -> Self {
        Self { spec: spec() }
    }

    fn input(&self, input: &Value) -> Result<Input, InputError> {
        crate::input::read(&self.spec.input_schema, input)
    }
}

impl Tool for WriteTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Input { path, content } = self.input(input)?;
        if path.ends_with('/') {
            let message = format!("\"path\" `{path}` names a folder: name the file to write");
            return Err(InputError::new(message));
        }
        let fact = locate(&path, &cx.cwd)?;
        let essence = format!("write {path} ({})", count(lines(&content), "line"));
        let actions = |path| vec![Action::WritePath { path }];
        Ok(plan_for_path(
            fact,
            actions,
            ReplayClass::Checkable,
            essence,
        ))
    }

    fn checks(&self, input: &Value, plan: &Plan, cx: &PlanCx) -> Result<Vec<Check>, InputError> {
        let Input {
            path: name,
            content,
        } = self.input(input)?;
        let Some(path) = plan.resolved.first() else {
            return Ok(Vec::new());
        };
        let before = open::hash_at(Path::new(path)).map_err(|error| unfit(&name, &error))?;
        change::guard_seen(&name, Path::new(path), before, cx)?;
        Ok(vec![Check {
            path: path.clone(),
            before,
            after: Digest::of(content.as_bytes()),
        }])
    }

    fn preview(&self, input: &Value, plan: &Plan, _cx: &PlanCx) -> Option<String> {
        let input = self.input(input).ok()?;
        let path = Path::new(plan.resolved.first()?);
        let before = open::hash_at(path).ok()?;
        Some(describe(path, before, input.content.as_bytes()).diff)
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let input = self.input(&call.input);
        run_blocking(permit, call, move |permit, call| match input {
            Ok(input) => settle(write(&input, permit, call)),
            Err(error) => Finish::failed(error.message),
        })
    }

    fn reconcile(
        &self,
        started: bowline_core::event::CallStarted,
        call: Call,
    ) -> BoxFuture<'static, Found> {
        Box::pin(async move { change::reconcile(&started, &call) })
    }
}

fn write(input: &Input, permit: &Permit, call: &Call) -> Result<Finish, Failed> {
    let path = judged(call)?;
    let name = input.path.as_str();
    let new = input.content.as_bytes();
    let failed = |error: ChangeError| error.told(name);
    let before = open::hash_at(path).map_err(|error| failed(error.into()))?;
    change::guard_seen(name, path, before, &call.cx)?;
    if let Some(check) = change::expected(permit.started(), path)
        && check.before != before
    {
        let why = "changed since the call was decided upon: read it again";
        return Err(failed(ChangeError::Untouched(why.to_owned())));
    }
    let change = describe(path, before, new);
    if before == Some(change.after) {
        let text = format!("`{name}` already holds exactly this; nothing was changed.");
        let mut finish = Finish::ok(text, format!("write {name}: unchanged"));
        finish.effect = change::effect(change);
        return Ok(finish);
    }
    change::replace(path, before, new, &permit.call().short()).map_err(failed)?;
    let text = match before {
        None => format!(
            "Created `{name}` ({}).",
            count(lines(&input.content), "line")
        ),
        Some(_) => {
            format!(
                "Replaced `{name}` (+{} -{} lines).",
                change.added_lines, change.removed_lines
            )
        }
    };
    let verb = if before.is_none() {
        "created"
    } else {
        "replaced"
    };
    let summary = format!(
        "{verb} {name} +{} -{}",
        change.added_lines, change.removed_lines
    );
    let mut finish = Finish::ok(text, summary);
    finish.effect = change::effect(change);
    Ok(finish)
}

fn describe(path: &Path, before: Option<Digest>, new: &[u8]) -> FileChange {
    let old = change::content(path, COMPARED_BYTES_MAX).ok().flatten();
    let mut change = diff::change(&path.display().to_string(), old.as_deref(), new);
    if change.before != before {
        change.diff.clear();
        change.before = before;
    }
    change
}

fn unfit(name: &str, error: &OpenError) -> InputError {
    InputError::new(format!("`{name}` {error}. Nothing was changed."))
}

fn lines(content: &str) -> u64 {
    content.lines().count() as u64
}
