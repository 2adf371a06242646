//! `list`: a folder as a tree.

use std::fmt::Write as _;

use bowline_core::spec::ActionKind;
use bowline_core::{BoxFuture, Permit, ReplayClass, Risk, ToolSpec};
use rustix::fs::{AtFlags, readlinkat, statat};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::spec::About;
use super::walk::{Entry, EntryKind, Excluded, Hidden, Next, Walk, start_name};
use super::{
    Failed, LeftOut, TEXT_BYTES_MAX, count, judged, one_line, plan_read, run_blocking, settle,
};
use crate::path::open::OpenError;
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

#[cfg(test)]
mod tests;

/// Levels shown when no depth is given.
const DEPTH: u64 = 2;

/// Most entries shown.
const ENTRIES_MAX: u64 = 500;

/// Most entries shown of a folder below the first level, so that one large folder does not use up
/// the room of all others.
const INNER_ENTRIES_MAX: usize = 50;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Folder
    path: Option<String>,
    /// Levels to show (2)
    #[schemars(range(min = 1, max = 10))]
    depth: Option<u64>,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "list",
        title: "List a folder",
        description: "Show a folder as a tree with file sizes, hidden entries too. Folders that \
                      .gitignore excludes are named but not entered.",
        risk: Risk::Low,
        replay_ceiling: ReplayClass::Free,
        actions: &[ActionKind::ReadPath],
        timeout_ms: None,
        result: &[],
    }
    .spec::<Input>()
}

pub(super) struct ListTool {
    spec: ToolSpec,
    left_out: LeftOut,
}

impl ListTool {
    pub(super) fn new(left_out: LeftOut) -> Self {
        Self {
            spec: spec(),
            left_out,
        }
    }

    fn input(&self, input: &Value) -> Result<Input, InputError> {
        crate::input::read(&self.spec.input_schema, input)
    }
}

impl Tool for ListTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let input = self.input(input)?;
        let start = start_name(input.path.as_deref());
        plan_read(start, cx, format!("list {start}"))
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let input = self.input(&call.input);
        let left_out = LeftOut::clone(&self.left_out);
        run_blocking(permit, call, move |_, call| match input {
            Ok(input) => settle(list(&input, call, &left_out)),
            Err(error) => Finish::failed(error.message),
        })
    }
}

fn list(input: &Input, call: &Call, left_out: &LeftOut) -> Result<Finish, Failed> {
    let start = judged(call)?;
    let name = start_name(input.path.as_deref());
    let walk = Walk {
        hidden: Hidden::Include,
        ignored: Excluded::ShowOnly,
        depth_max: usize::try_from(input.depth.unwrap_or(DEPTH)).unwrap_or(usize::MAX),
        left_out,
        cancel: &call.cancel,
    };
    let mut text = String::new();
    let mut shown = 0;
    let mut is_cut = false;
    let missed = walk.run(start, &call.cx, &mut |entry| {
        let (position, siblings) = entry.position;
        if entry.depth > 1 && position == INNER_ENTRIES_MAX {
            let indent = "  ".repeat(entry.depth - 1);
            let rest = siblings - position;
            let _infallible = writeln!(text, "{indent}[{rest} more]");
            return Next::LeaveFolder;
        }
        let row = row(entry);
        if shown == ENTRIES_MAX || text.len() + row.len() > TEXT_BYTES_MAX {
            is_cut = true;
            return Next::Stop;
        }
        text.push_str(&row);
        shown += 1;
        Next::On
    });
    let missed = missed.map_err(|error| match error {
        OpenError::NotFolder => {
            Failed::Untouched(format!("`{name}` is a file, not a folder: `read` shows it"))
        }
        error => Failed::Untouched(format!("`{name}` {error}")),
    })?;
    if shown == 0 && missed.left_out == 0 {
        text.push_str("[the folder is empty]\n");
    }
    if is_cut {
        text.push_str("[cut here, there is more: list a folder further in, or less deep]\n");
    }
    text.push_str(&missed.notes());
    Ok(Finish::ok(
        text,
        format!("list {name}: {}", count(shown, "entry")),
    ))
}

/// One line of the tree.
fn row(entry: &Entry<'_>) -> String {
    let indent = "  ".repeat(entry.depth - 1);
    let name = one_line(&entry.name.to_string_lossy());
    let tail = match entry.kind {
        EntryKind::Folder if entry.is_closed => "/ [not entered]".to_owned(),
        EntryKind::Folder => "/".to_owned(),
        EntryKind::Special => " [no regular file]".to_owned(),
        EntryKind::Link => {
            let target = readlinkat(entry.folder, entry.name, Vec::new());
            let target = target.map(|target| one_line(&target.to_string_lossy()));
            format!(" -> {}", target.unwrap_or_default())
        }
        EntryKind::File => {
            let stat = statat(entry.folder, entry.name, AtFlags::SYMLINK_NOFOLLOW);
            stat.map_or_else(
                |_| String::new(),
                |stat| format!("  {}", size(stat.st_size)),
            )
        }
    };
    format!("{indent}{name}{tail}\n")
}

/// A size as people read it.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
