//! `edit`: exact replacements in one file, all of them or none.

mod replace;

use std::path::Path;

use bowline_core::spec::ActionKind;
use bowline_core::{Action, BoxFuture, Check, Digest, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::change::{self, ChangeError};
use super::shown::Shown;
use super::spec::About;
use super::{
    Failed, count, diff, judged, plan_for_path, refuse_token_in_path, run_blocking, settle,
};
use crate::path::locate;
use crate::tool::{Call, Finish, Found, InputError, Plan, PlanCx, Tool};

/// Largest file that is edited, in bytes.
const BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    #[schemars(length(min = 1))]
    edits: Vec<Replacement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// Text as it is in the file, without line numbers
    old: String,
    /// Text to put there
    new: String,
    /// Replace every match, not the only one
    all: Option<bool>,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "edit",
        title: "Edit a file",
        description: "Replace exact text in a file. Each `old` must occur exactly once (or set \
                      `all`) in the file as it is now, blanks and indentation included; add lines \
                      around it to make it unique. Several edits are made together or not at all.",
        risk: Risk::Medium,
        replay_ceiling: ReplayClass::Checkable,
        actions: &[ActionKind::ReadPath, ActionKind::WritePath],
        timeout_ms: None,
        result: &[("effect", "object")],
    }
    .spec::<Input>()
}

pub(super) struct EditTool {
    spec: ToolSpec,
}

impl EditTool {
    pub(super) fn new() -> Self {
        Self { spec: spec() }
    }

    fn input(&self, input: &Value) -> Result<Input, InputError> {
        crate::input::read(&self.spec.input_schema, input)
    }
}

impl Tool for EditTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Input { path, edits } = self.input(input)?;
        replace::check(&edits).map_err(InputError::new)?;
        refuse_token_in_path(&path, cx)?;
        let fact = locate(&path, &cx.cwd)?;
        let essence = format!("edit {path} ({})", count(edits.len() as u64, "replacement"));
        // Its errors tell of the content, so it reads, too.
        let actions = |path: bowline_core::PathFact| {
            vec![
                Action::ReadPath { path: path.clone() },
                Action::WritePath { path },
            ]
        };
        Ok(plan_for_path(
            fact,
            actions,
            ReplayClass::Checkable,
            essence,
        ))
    }

    fn restores(&self) -> bool {
        true
    }

    fn checks(&self, input: &Value, plan: &Plan, cx: &PlanCx) -> Result<Vec<Check>, InputError> {
        let input = self.input(input)?;
        let Some(path) = plan.resolved.first() else {
            return Ok(Vec::new());
        };
        let (old, new) = prepare(&input, Path::new(path), cx)?;
        let (before, after) = (Some(Digest::of(&old)), Digest::of(&new));
        Ok(vec![Check {
            path: path.clone(),
            before,
            after,
        }])
    }

    fn preview(&self, input: &Value, plan: &Plan, cx: &PlanCx) -> Option<String> {
        let input = self.input(input).ok()?;
        let path = plan.resolved.first()?;
        let (old, new) = prepare(&input, Path::new(path), cx).ok()?;
        Some(diff::masked(path, Some(&old), &new, cx.masks.as_ref()).diff)
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let input = self.input(&call.input);
        run_blocking(permit, call, move |permit, call| match input {
            Ok(input) => settle(edit(&input, permit, call)),
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

/// Reads the file and makes the replacements in memory: old and new content.
fn prepare(input: &Input, path: &Path, cx: &PlanCx) -> Result<(Vec<u8>, Vec<u8>), InputError> {
    let name = input.path.as_str();
    let fail = |why: String| InputError::new(format!("`{name}` {why}. Nothing was changed."));
    let old = change::content(path, BYTES_MAX)
        .map_err(|error| fail(error.to_string()))?
        .ok_or_else(|| fail("does not exist: `write` creates files".to_owned()))?;
    change::guard_seen(name, path, Some(Digest::of(&old)), cx)?;
    let text = std::str::from_utf8(&old).map_err(|error| {
        let at = error.valid_up_to();
        fail(format!(
            "is not valid UTF-8 (byte {at}): change it with a shell command"
        ))
    })?;
    let masks = cx.masks.as_ref();
    let new = replace::apply(&Shown::of(text, masks), &input.edits, name, masks)
        .map_err(|why| InputError::new(format!("`{name}`: {why}. Nothing was changed.")))?;
    Ok((old, new.into_bytes()))
}

fn edit(input: &Input, permit: &Permit, call: &Call) -> Result<Finish, Failed> {
    let path = judged(call)?;
    let name = input.path.as_str();
    let (old, new) = prepare(input, path, &call.cx)?;
    let masks = call.cx.masks.as_ref();
    let change = diff::masked(&path.display().to_string(), Some(&old), &new, masks);
    if let Some(check) = change::expected(permit.started(), path)
        && (check.before, check.after) != (change.before, change.after)
    {
        let why = "changed since the call was decided upon: read it again";
        return Err(ChangeError::Untouched(why.to_owned()).told(name));
    }
    change::replace(path, change.before, &new, &permit.call().short())
        .map_err(|error| error.told(name))?;
    let counts = format!("+{} -{}", change.added_lines, change.removed_lines);
    let mut finish = Finish::ok(
        format!("Edited `{name}` ({counts} lines)."),
        format!("edited {name} {counts}"),
    );
    finish.effect = change::effect(change);
    Ok(finish)
}
