//! `read`: lines of a text file, or of a stored body.

mod page;

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use bowline_core::call::{Effect, ReplayPlan, Seen};
use bowline_core::spec::ActionKind;
use bowline_core::{Action, BoxFuture, Digest, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::page::{Page, Source, Wanted};
use super::shown::Shown;
use super::spec::About;
use super::{Failed, grouped, judged, plan_read, run_blocking, settle};
use crate::path::open::{self, OpenError};
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

/// Lines shown when no limit is given.
const LINES: u64 = 2_000;

/// Largest file that is read whole, so that its hash is known, in bytes. Larger ones are streamed.
const WHOLE_BYTES_MAX: u64 = 16 << 20;

/// Bytes looked at to tell text from other data.
const PROBE_BYTES: usize = 8 << 10;

/// What a handle of a stored body begins with.
const BLOB: &str = "blob:";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// File, or a `blob:` handle
    path: String,
    /// First line, from 1
    #[schemars(range(min = 1))]
    offset: Option<u64>,
    /// Most lines (2000)
    #[schemars(range(min = 1))]
    limit: Option<u64>,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "read",
        title: "Read a file",
        description: "Read a text file. Lines come numbered (number, tab, text); long files in \
                      pages, each saying how to go on. Also pages large results by their `blob:` \
                      handle. Relative paths start at the working folder; `~` is not expanded.",
        risk: Risk::Low,
        replay_ceiling: ReplayClass::Free,
        actions: &[ActionKind::ReadPath, ActionKind::Note],
        timeout_ms: None,
        result: &[],
    }
    .spec::<Input>()
}

pub(super) struct ReadTool {
    spec: ToolSpec,
}

impl ReadTool {
    pub(super) fn new() -> Self {
        Self { spec: spec() }
    }

    fn input(&self, input: &Value) -> Result<Input, InputError> {
        crate::input::read(&self.spec.input_schema, input)
    }
}

impl Tool for ReadTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Input { path, offset, .. } = self.input(input)?;
        let from = offset.map_or_else(String::new, |line| format!(" from line {line}"));
        let essence = format!("read {path}{from}");
        if path.starts_with(BLOB) {
            let replay = ReplayPlan {
                class: ReplayClass::Free,
            };
            return Ok(Plan {
                actions: vec![Action::Note],
                replay,
                essence,
                resolved: Vec::new(),
                executes: Vec::new(),
            });
        }
        plan_read(&path, cx, essence)
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let input = self.input(&call.input);
        run_blocking(permit, call, move |_, call| match input {
            Ok(input) => settle(read(&input, call)),
            Err(error) => Finish::failed(error.message),
        })
    }
}

fn read(input: &Input, call: &Call) -> Result<Finish, Failed> {
    let wanted = Wanted {
        first: input.offset.unwrap_or(1),
        lines: input.limit.unwrap_or(LINES),
    };
    let name = input.path.as_str();
    if name.starts_with(BLOB) {
        let (path, _) = call.blobs.find(name).map_err(Failed::Untouched)?;
        let file = File::open(path).map_err(|error| {
            Failed::Untouched(format!("`{name}` cannot be read: {}", open::plain(&error)))
        })?;
        return show(name, file, u64::MAX, wanted, call).map(|(finish, _)| finish);
    }
    let path = judged(call)?;
    let (file, stat) = open::file(path).map_err(|error| explain(name, path, &error))?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let (mut finish, content) = show(name, file, size, wanted, call)?;
    if let Some(content) = content {
        let seen = vec![Seen {
            path: path.display().to_string(),
            content,
        }];
        finish.effect = Effect {
            seen,
            ..Effect::default()
        };
    }
    Ok(finish)
}

/// Shows the wanted lines of `file`; gives the hash of the whole if it was read whole.
fn show(
    name: &str,
    mut file: File,
    size: u64,
    wanted: Wanted,
    call: &Call,
) -> Result<(Finish, Option<Digest>), Failed> {
    let (masks, cancel) = (call.cx.masks.as_ref(), &call.cancel);
    let broken = |error: std::io::Error| {
        Failed::Untouched(format!("`{name}` cannot be read: {}", open::plain(&error)))
    };
    let mut start = Vec::new();
    // The size may be a lie (0 below /proc, more by now): reading decides.
    let at_first = if size > WHOLE_BYTES_MAX {
        PROBE_BYTES as u64
    } else {
        WHOLE_BYTES_MAX + 1
    };
    (&mut file)
        .take(at_first)
        .read_to_end(&mut start)
        .map_err(broken)?;
    let is_whole = (start.len() as u64) < at_first;
    if start.iter().take(PROBE_BYTES).any(|byte| *byte == 0) {
        let bytes = if is_whole { start.len() as u64 } else { size };
        let message = format!(
            "`{name}` is not text ({} bytes, with NUL bytes): look at it with a shell command such as `file` or `xxd`",
            grouped(bytes)
        );
        return Err(Failed::Untouched(message));
    }
    let content = is_whole.then(|| Digest::of(&start));
    // Masked as a whole, so that no page begins or ends within a secret. What is no UTF-8 stays as
    // it is where nothing is masked: the page says so.
    let text = is_whole.then(|| String::from_utf8_lossy(&start));
    let shown = text.as_deref().map(|text| Shown::of(text, masks));
    let shown = shown.filter(Shown::is_masked);
    let folded = shown.as_ref().map(Shown::folded).unwrap_or_default();
    let source = Source {
        folded: &folded,
        masks,
        is_lossy: shown.is_some() && matches!(text, Some(Cow::Owned(_))),
    };
    let page = match &shown {
        Some(shown) => Page::cut(shown.text().as_bytes(), wanted, source, cancel),
        None if is_whole => Page::cut(start.as_slice(), wanted, source, cancel),
        None => {
            let rest = BufReader::with_capacity(128 << 10, file);
            Page::cut(start.as_slice().chain(rest), wanted, source, cancel)
        }
    };
    let page = page.map_err(broken)?;
    if let Some(message) = page.beyond_end(name, wanted) {
        return Err(Failed::Untouched(message));
    }
    let mut finish = Finish::ok(page.text(), format!("read {name}: {}", page.range()));
    finish.is_masked = is_whole;
    Ok((finish, content))
}

fn explain(name: &str, path: &Path, error: &OpenError) -> Failed {
    match error {
        OpenError::Folder => Failed::Untouched(format!(
            "`{name}` is a folder, not a file: `list` shows what is in it"
        )),
        OpenError::Missing => {
            Failed::Untouched(format!("`{name}` does not exist.{}", similar_names(path)))
        }
        error => Failed::Untouched(format!("`{name}` {error}")),
    }
}

/// Names beside a missing file that look like it.
fn similar_names(path: &Path) -> String {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return String::new();
    };
    let name = name.to_string_lossy().to_lowercase();
    let mut alike: Vec<(f64, String)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .take(2_000)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let names: Vec<String> = alike
        .into_iter()
        .take(3)
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" Beside it lies {}.", names.join(", "))
    }
}
