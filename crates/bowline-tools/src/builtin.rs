//! The tools of Bowline: `read`, `write`, `edit`, `grep`, `glob`, `list`, `shell`, `todo`,
//! `ask_user`, `shell_job`, `wait_for`, `fetch`.

mod ask_user;
mod change;
mod diff;
mod edit;
mod fetch;
mod glob;
mod grep;
mod list;
mod pattern;
mod read;
mod shell;
mod shown;
mod spec;
mod todo;
mod wait_for;
mod walk;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::call::ReplayPlan;
use bowline_core::web::Web;
use bowline_core::{Action, BoxFuture, PathFact, Permit, ReplayClass, ToolSpec};

pub use self::diff::difference;
pub use self::fetch::{HostRules, RulesOfHosts};
use crate::path::locate;
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};
use crate::toolbox::Toolbox;

#[cfg(test)]
mod tests;

/// Longest text a built-in tool hands back, in bytes: below the cap of a result in the context, so
/// that notes on how to go on are never cut off.
const TEXT_BYTES_MAX: usize = 30 << 10;

/// Longest input of a built-in tool in bytes; `write` has no smaller one.
const INPUT_BYTES_MAX: u64 = 16 << 20;

/// Says which absolute paths a recursive search leaves out because they need a person's word.
pub type LeftOut = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// What the built-in tools need to know of where they run.
#[derive(Clone)]
pub struct BuiltinConfig {
    /// The executable that is started as `EXE keeper DIR` around a shell command.
    pub keeper_exe: PathBuf,
    /// The shell that commands run in: a bash, looked for by its name if it is no path.
    pub shell: String,
    /// The complete environment of shell commands.
    pub shell_env: Vec<(String, String)>,
    /// Time a shell command has when it does not say, in ms.
    pub shell_timeout_ms: u64,
    /// Most time a shell command may ask for, in ms.
    pub shell_timeout_max_ms: u64,
    /// What `grep`, `glob` and `list` do not show below the folder they were asked for.
    pub left_out: LeftOut,
    /// What `fetch` makes its requests with; without it nothing is fetched.
    pub web: Option<Arc<dyn Web>>,
    /// What rules there are for the hosts that `fetch` is led to.
    pub rules_of_hosts: RulesOfHosts,
}

impl BuiltinConfig {
    /// An empty environment, 2 minutes for a command and 10 at most, searches that leave nothing
    /// out, no web.
    #[must_use]
    pub fn new(keeper_exe: PathBuf) -> Self {
        Self {
            keeper_exe,
            shell: "bash".to_owned(),
            shell_env: Vec::new(),
            shell_timeout_ms: shell::TIMEOUT_MS,
            shell_timeout_max_ms: shell::TIMEOUT_MAX_MS,
            left_out: Arc::new(|_| false),
            web: None,
            rules_of_hosts: Arc::new(|_, _| HostRules::default()),
        }
    }
}

impl fmt::Debug for BuiltinConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment may hold secrets: names only.
        let names: Vec<&str> = self
            .shell_env
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("BuiltinConfig")
            .field("keeper_exe", &self.keeper_exe)
            .field("shell", &self.shell)
            .field("shell_env", &names)
            .field("shell_timeout_ms", &self.shell_timeout_ms)
            .field("shell_timeout_max_ms", &self.shell_timeout_max_ms)
            .finish_non_exhaustive()
    }
}

/// The built-in tools, ready to be called.
#[must_use]
pub fn toolbox(config: BuiltinConfig) -> Toolbox {
    let left_out = || Arc::clone(&config.left_out);
    let tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(read::ReadTool::new()),
        Arc::new(write::WriteTool::new()),
        Arc::new(edit::EditTool::new()),
        Arc::new(grep::GrepTool::new(left_out())),
        Arc::new(glob::GlobTool::new(left_out())),
        Arc::new(list::ListTool::new(left_out())),
        Arc::new(shell::ShellTool::new(config.clone())),
        Arc::new(todo::TodoTool::new()),
        Arc::new(ask_user::AskUserTool::new()),
        Arc::new(shell::JobTool::new()),
        Arc::new(fetch::FetchTool::new(
            config.web.clone(),
            Arc::clone(&config.rules_of_hosts),
        )),
        Arc::new(wait_for::WaitForTool::new(shell::ShellTool::new(config))),
    ];
    #[expect(clippy::expect_used, reason = "a test holds the names apart")]
    Toolbox::new(tools).expect("built-in tools have names of their own")
}

/// The descriptions of the built-in tools, in the order of [`toolbox`].
#[must_use]
pub fn specs() -> Vec<ToolSpec> {
    vec![
        read::spec(),
        write::spec(),
        edit::spec(),
        grep::spec(),
        glob::spec(),
        list::spec(),
        shell::spec(),
        todo::spec(),
        ask_user::spec(),
        shell::job_spec(),
        fetch::spec(),
        wait_for::spec(),
    ]
}

/// A plan for one path.
fn plan_for_path(
    fact: PathFact,
    actions: impl FnOnce(PathFact) -> Vec<Action>,
    class: ReplayClass,
    essence: String,
) -> Plan {
    let resolved = vec![fact.resolved.clone()];
    Plan {
        actions: actions(fact),
        replay: ReplayPlan { class },
        essence: one_line(&essence),
        resolved,
        executes: Vec::new(),
    }
}

/// A plan to read a file or folder.
fn plan_read(asked: &str, cx: &PlanCx, essence: String) -> Result<Plan, InputError> {
    let fact = locate(asked, &cx.cwd)?;
    let actions = |path| vec![Action::ReadPath { path }];
    Ok(plan_for_path(fact, actions, ReplayClass::Free, essence))
}

/// Refuses a path that holds a mask token: no file is called that.
fn refuse_token_in_path(path: &str, cx: &PlanCx) -> Result<(), InputError> {
    if cx.masks.tokens(path).is_empty() {
        return Ok(());
    }
    Err(InputError::new(
        "\"path\" holds a mask token: the real name is not shown to you, so ask the person to change \
         this file",
    ))
}

/// The path that was judged; the only one a call may touch.
fn judged(call: &Call) -> Result<&Path, Failed> {
    let path = call.request.resolved.first().map(Path::new);
    path.ok_or_else(|| Failed::untouched("Not run: the request names no path decided upon."))
}

/// Spends `permit` on `act` where blocking is allowed, if the request is the one decided upon.
fn run_blocking(
    permit: Permit,
    call: Call,
    act: impl FnOnce(&Permit, &Call) -> Finish + Send + 'static,
) -> BoxFuture<'static, Finish> {
    Box::pin(async move {
        if !permit.admits(&call.request) {
            return not_admitted();
        }
        let run = tokio::task::spawn_blocking(move || act(&permit, &call));
        run.await
            .unwrap_or_else(|error| unsure(format!("the tool itself broke off: {error}")))
    })
}

/// What a call comes to whose request is not the one decided upon.
fn not_admitted() -> Finish {
    Finish::failed("Not run: the request changed since it was decided upon.")
}

/// Why a call did not do what it was asked, as the model reads it.
#[derive(Debug)]
enum Failed {
    /// Nothing was changed.
    Untouched(String),
    /// Something was changed, but it may not outlast a power cut.
    Unsure(String),
}

impl Failed {
    fn untouched(text: impl Into<String>) -> Self {
        Self::Untouched(text.into())
    }
}

impl From<InputError> for Failed {
    fn from(error: InputError) -> Self {
        Self::Untouched(error.message)
    }
}

/// What a call comes to.
fn settle(result: Result<Finish, Failed>) -> Finish {
    match result {
        Ok(finish) => finish,
        Err(Failed::Untouched(text)) => Finish::failed(text),
        Err(Failed::Unsure(why)) => unsure(why),
    }
}

/// The outcome of a call that began and cannot vouch for its end.
fn unsure(why: String) -> Finish {
    let failed = Finish::failed(why.clone());
    Finish {
        failed_before_effect: false,
        in_doubt: Some(why),
        ..failed
    }
}

/// `1 line`, `2 lines`; thousands are set apart.
fn count(number: u64, noun: &str) -> String {
    let plural = match noun {
        _ if number == 1 => noun.to_owned(),
        "match" => "matches".to_owned(),
        "entry" => "entries".to_owned(),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number))
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A foreign name or text in one line: control characters are written as escapes, so that it
/// cannot pass for something else.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// A text of an input that says something, in no more than `bytes_max` bytes.
fn text_of(text: &str, name: &str, bytes_max: usize) -> Result<String, InputError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InputError::new(format!("\"{name}\" is empty")));
    }
    if text.len() > bytes_max {
        let bytes = text.len();
        let message = format!("\"{name}\" has {bytes} bytes: keep it below {bytes_max}");
        return Err(InputError::new(message));
    }
    Ok(text.to_owned())
}

/// The first `chars_max` characters of `text`, and whether that is less than all.
fn first_chars(text: &str, chars_max: usize) -> (&str, bool) {
    match text.char_indices().nth(chars_max) {
        Some((cut, _)) => (&text[..cut], true),
        None => (text, false),
    }
}
