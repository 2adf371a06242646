//! `glob`: files whose path fits a pattern.

use bowline_core::spec::ActionKind;
use bowline_core::{BoxFuture, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::pattern::FilePattern;
use super::spec::About;
use super::walk::{EntryKind, Excluded, Hidden, Missed, Next, Walk, from_cwd, start_name};
use super::{Failed, LeftOut, TEXT_BYTES_MAX, count, judged, plan_read, run_blocking, settle};
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

/// Files listed when no limit is given.
const FILES: u64 = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Such as `src/**/*.rs`; without `/` it fits names at any depth
    pattern: String,
    /// Folder to look in
    path: Option<String>,
    /// Most files (200)
    #[schemars(range(min = 1))]
    limit: Option<u64>,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "glob",
        title: "Find files by name",
        description: "Find files by path pattern, sorted by path. Skips what .gitignore excludes, \
                      and hidden files unless the pattern names the dot.",
        risk: Risk::Low,
        replay_ceiling: ReplayClass::Free,
        actions: &[ActionKind::ReadPath],
        timeout_ms: None,
        result: &[],
    }
    .spec::<Input>()
}

pub(super) struct GlobTool {
    spec: ToolSpec,
    left_out: LeftOut,
}

impl GlobTool {
    pub(super) fn new(left_out: LeftOut) -> Self {
        Self {
            spec: spec(),
            left_out,
        }
    }

    fn input(&self, input: &Value) -> Result<(Input, FilePattern), InputError> {
        let input: Input = crate::input::read(&self.spec.input_schema, input)?;
        let pattern = FilePattern::new("pattern", &input.pattern)?;
        Ok((input, pattern))
    }
}

impl Tool for GlobTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let (input, _) = self.input(input)?;
        let start = start_name(input.path.as_deref());
        plan_read(start, cx, format!("glob {} in {start}", input.pattern))
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let input = self.input(&call.input);
        let left_out = LeftOut::clone(&self.left_out);
        run_blocking(permit, call, move |_, call| match input {
            Ok((input, pattern)) => settle(glob(&input, &pattern, call, &left_out)),
            Err(error) => Finish::failed(error.message),
        })
    }
}

fn glob(
    input: &Input,
    pattern: &FilePattern,
    call: &Call,
    left_out: &LeftOut,
) -> Result<Finish, Failed> {
    let start = judged(call)?;
    let asked = input.path.as_deref();
    let limit = input.limit.unwrap_or(FILES);
    let walk = Walk {
        hidden: if pattern.names_hidden {
            Hidden::Include
        } else {
            Hidden::Skip
        },
        ignored: Excluded::Skip,
        depth_max: usize::MAX,
        left_out,
        cancel: &call.cancel,
    };
    let mut text = String::new();
    let mut found = 0;
    let mut is_cut = false;
    let missed: Missed = walk
        .run(start, &call.cx, &mut |entry| {
            if matches!(entry.kind, EntryKind::Folder) || !pattern.matches(entry.path) {
                return Next::On;
            }
            let row = format!("{}\n", from_cwd(asked, entry.path));
            if found == limit || text.len() + row.len() > TEXT_BYTES_MAX {
                is_cut = true;
                return Next::Stop;
            }
            text.push_str(&row);
            found += 1;
            Next::On
        })
        .map_err(|error| Failed::Untouched(format!("`{}` {error}", start_name(asked))))?;
    if found == 0 {
        text.push_str(&format!("No file fits `{}`.\n", input.pattern));
    }
    if is_cut {
        let shown = count(found, "file");
        text.push_str(&format!(
            "[the first {shown}, there are more: narrow the pattern or raise \"limit\"]\n"
        ));
    }
    text.push_str(&missed.notes());
    let more = if is_cut { " and more" } else { "" };
    Ok(Finish::ok(
        text,
        format!("glob {}: {}{more}", input.pattern, count(found, "file")),
    ))
}
