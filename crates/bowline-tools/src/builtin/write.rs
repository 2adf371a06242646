//! `write`: a file's whole content.

use std::borrow::Cow;
use std::path::Path;

use bowline_core::spec::ActionKind;
use bowline_core::{
    Action, BoxFuture, Check, Digest, FileChange, Permit, ReplayClass, Risk, ToolSpec,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::change::{self, ChangeError};
use super::shown::Shown;
use super::spec::About;
use super::{
    Failed, count, diff, judged, plan_for_path, refuse_token_in_path, run_blocking, settle,
};
use crate::path::open::{self, OpenError};
use crate::path::{locate, names_folder};
use crate::tool::{Call, Finish, Found, InputError, Plan, PlanCx, Tool};

/// Largest old content that is compared with the new one, in bytes.
const COMPARED_BYTES_MAX: u64 = 4 << 20;

/// Largest old content that tokens are looked up in, in bytes.
const RESTORED_BYTES_MAX: u64 = 16 << 20;

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

    fn restores(&self) -> bool {
        true
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Input { path, content } = self.input(input)?;
        refuse_token_in_path(&path, cx)?;
        if names_folder(&path) {
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
        let input = self.input(input)?;
        let Some(path) = plan.resolved.first() else {
            return Ok(Vec::new());
        };
        let name = input.path.as_str();
        let before = open::hash_at(Path::new(path)).map_err(|error| unfit(name, &error))?;
        change::guard_seen(name, Path::new(path), before, cx)?;
        let new = content(&input, Path::new(path), before, cx)?;
        Ok(vec![Check {
            path: path.clone(),
            before,
            after: Digest::of(new.as_bytes()),
        }])
    }

    fn preview(&self, input: &Value, plan: &Plan, cx: &PlanCx) -> Option<String> {
        let input = self.input(input).ok()?;
        let path = Path::new(plan.resolved.first()?);
        let before = open::hash_at(path).ok()?;
        let new = content(&input, path, before, cx).ok()?;
        Some(describe(path, before, new.as_bytes(), cx).diff)
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
    let failed = |error: ChangeError| error.told(name);
    let before = open::hash_at(path).map_err(|error| failed(error.into()))?;
    change::guard_seen(name, path, before, &call.cx)?;
    let new = content(input, path, before, &call.cx)?;
    let new = new.as_bytes();
    let change = describe(path, before, new, &call.cx);
    if let Some(check) = change::expected(permit.started(), path)
        && (check.before, check.after) != (before, change.after)
    {
        let why = "changed since the call was decided upon: read it again";
        return Err(failed(ChangeError::Untouched(why.to_owned())));
    }
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

/// What is to be written: the content asked for, with what the file holds (of hash `before`) in
/// place of the tokens.
fn content<'i>(
    input: &'i Input,
    path: &Path,
    before: Option<Digest>,
    cx: &PlanCx,
) -> Result<Cow<'i, str>, InputError> {
    let masks = cx.masks.as_ref();
    if masks.tokens(&input.content).is_empty() {
        return Ok(Cow::Borrowed(&input.content));
    }
    let name = input.path.as_str();
    let fail = |why: &str| InputError::new(format!("`{name}` {why}. Nothing was changed."));
    let old =
        change::content(path, RESTORED_BYTES_MAX).map_err(|error| fail(&error.to_string()))?;
    if old.as_deref().map(Digest::of) != before {
        return Err(fail("changed just now: read it again"));
    }
    let old = String::from_utf8(old.unwrap_or_default())
        .map_err(|_| fail("is not valid UTF-8, so what a mask token stands for cannot be found"))?;
    let shown = Shown::of(&old, masks);
    let text = shown.respelled(&input.content, masks);
    let restored = shown.restored(&text, 0..0, masks).map_err(|lost| {
        InputError::new(format!(
            "Not run: \"content\": {}. Nothing was changed.",
            lost.told(name)
        ))
    })?;
    Ok(Cow::Owned(restored.into_owned()))
}

fn describe(path: &Path, before: Option<Digest>, new: &[u8], cx: &PlanCx) -> FileChange {
    let old = change::content(path, COMPARED_BYTES_MAX).ok().flatten();
    let masks = cx.masks.as_ref();
    let mut change = diff::masked(&path.display().to_string(), old.as_deref(), new, masks);
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
