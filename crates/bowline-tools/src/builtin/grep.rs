//! `grep`: lines that match a regular expression.

mod lines;

use std::path::Path;

use bowline_core::spec::ActionKind;
use bowline_core::{BoxFuture, Permit, ReplayClass, Risk, ToolSpec};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::lines::{Found, Search};
use super::pattern::FilePattern;
use super::spec::About;
use super::walk::{EntryKind, Excluded, Hidden, Missed, Next, Walk, from_cwd, start_name};
use super::{Failed, LeftOut, count, judged, one_line, plan_read, run_blocking, settle};
use crate::path::open::{self, OpenError};
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

/// Matching lines (or files) shown when no limit is given.
const MATCHES: u64 = 100;

/// Most memory a compiled expression may take, in bytes.
const EXPRESSION_BYTES_MAX: usize = 4 << 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Regular expression (Rust syntax), held against single lines
    pattern: String,
    /// Folder or file to search
    path: Option<String>,
    /// Only files that fit, such as `*.rs`
    glob: Option<String>,
    /// `sensitive` if left out
    case: Option<Case>,
    /// Lines shown around each match
    #[schemars(range(max = 20))]
    context: Option<u64>,
    /// Most matches (100)
    #[schemars(range(min = 1))]
    limit: Option<u64>,
    /// `content` if left out
    output: Option<Output>,
    /// Search hidden files too
    hidden: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Case {
    Sensitive,
    Ignore,
}

// What is shown; a doc comment here would go to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Output {
    Content,
    Files,
    Count,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "grep",
        title: "Search in files",
        description: "Search file contents. Shows matching lines by file (`content`), file names \
                      (`files`) or matches per file (`count`), sorted by path. Skips binary \
                      files, hidden ones, and what .gitignore excludes.",
        risk: Risk::Low,
        replay_ceiling: ReplayClass::Free,
        actions: &[ActionKind::ReadPath],
        timeout_ms: None,
        result: &[],
    }
    .spec::<Input>()
}

/// An input with its patterns compiled.
struct Wanted {
    input: Input,
    matcher: RegexMatcher,
    files: Option<FilePattern>,
}

pub(super) struct GrepTool {
    spec: ToolSpec,
    left_out: LeftOut,
}

impl GrepTool {
    pub(super) fn new(left_out: LeftOut) -> Self {
        Self {
            spec: spec(),
            left_out,
        }
    }

    fn input(&self, input: &Value) -> Result<Wanted, InputError> {
        let input: Input = crate::input::read(&self.spec.input_schema, input)?;
        if input.pattern.is_empty() {
            return Err(InputError::new(
                "\"pattern\" is empty: it would match every line",
            ));
        }
        let matcher = RegexMatcherBuilder::new()
            .case_insensitive(input.case == Some(Case::Ignore))
            .multi_line(true)
            .crlf(true)
            .size_limit(EXPRESSION_BYTES_MAX)
            .build(&input.pattern)
            .map_err(|error| {
                InputError::new(format!(
                    "\"pattern\" is no valid regular expression: {error}"
                ))
            })?;
        let files = input
            .glob
            .as_deref()
            .map(|glob| FilePattern::new("glob", glob))
            .transpose()?;
        Ok(Wanted {
            input,
            matcher,
            files,
        })
    }
}

impl Tool for GrepTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        let Wanted { input, .. } = self.input(input)?;
        let start = start_name(input.path.as_deref());
        plan_read(start, cx, format!("grep {:?} in {start}", input.pattern))
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let wanted = self.input(&call.input);
        let left_out = LeftOut::clone(&self.left_out);
        run_blocking(permit, call, move |_, call| match wanted {
            Ok(wanted) => settle(grep(&wanted, call, &left_out)),
            Err(error) => Finish::failed(error.message),
        })
    }
}

fn grep(wanted: &Wanted, call: &Call, left_out: &LeftOut) -> Result<Finish, Failed> {
    let start = judged(call)?;
    let input = &wanted.input;
    let asked = input.path.as_deref();
    let mut search = Search::new(
        (&wanted.matcher, &input.pattern),
        input.output.unwrap_or(Output::Content),
        input.context.unwrap_or(0),
        input.limit.unwrap_or(MATCHES),
        call.cx.masks.as_ref(),
    );
    let failed = |error: OpenError| Failed::Untouched(format!("`{}` {error}", start_name(asked)));
    let missed = match open::file(start) {
        Ok((file, _)) => {
            search.file(one_line(start_name(asked)), &file);
            Missed::default()
        }
        Err(OpenError::Folder) => {
            search_folder(wanted, call, left_out, &mut search).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    };
    Ok(finish(input, search.found(), missed))
}

fn search_folder(
    wanted: &Wanted,
    call: &Call,
    left_out: &LeftOut,
    search: &mut Search<'_>,
) -> Result<Missed, OpenError> {
    let start = judged(call).map_err(|_| OpenError::Missing)?;
    let asked = wanted.input.path.as_deref();
    let names_hidden = wanted
        .files
        .as_ref()
        .is_some_and(|files| files.names_hidden);
    let with_hidden = wanted.input.hidden == Some(true) || names_hidden;
    let walk = Walk {
        hidden: if with_hidden {
            Hidden::Include
        } else {
            Hidden::Skip
        },
        ignored: Excluded::Skip,
        depth_max: usize::MAX,
        left_out,
        cancel: &call.cancel,
    };
    let mut unreadable = 0;
    let mut missed = walk.run(start, &call.cx, &mut |entry| {
        let fits = wanted
            .files
            .as_ref()
            .is_none_or(|files| files.matches(entry.path));
        if entry.kind != EntryKind::File || !fits {
            return Next::On;
        }
        match open::file_in(entry.folder, Path::new(entry.name)) {
            Ok((file, _)) => search.file(from_cwd(asked, entry.path), &file),
            Err(_) => {
                unreadable += 1;
                Next::On
            }
        }
    })?;
    missed.unreadable += unreadable;
    Ok(missed)
}

fn finish(input: &Input, found: Found, missed: Missed) -> Finish {
    let Found {
        mut text,
        matches,
        files,
        is_cut,
        unsearched,
        is_unmasked,
    } = found;
    if files == 0 {
        text.push_str("No match.\n");
    }
    if is_cut {
        text.push_str("[cut here, there is more: narrow \"pattern\", \"path\" or \"glob\", or raise \"limit\"]\n");
    }
    if unsearched > 0 {
        let what = count(unsearched, "file");
        text.push_str(&format!("[{what} could not be searched to the end]\n"));
    }
    text.push_str(&missed.notes());
    let more = if is_cut { " and more" } else { "" };
    let counts = match input.output {
        Some(Output::Files) => count(files, "file"),
        _ => format!("{} in {}", count(matches, "match"), count(files, "file")),
    };
    let mut finish = Finish::ok(text, format!("grep {:?}: {counts}{more}", input.pattern));
    finish.is_masked = !is_unmasked;
    finish
}
