//! The command line.

mod audit;
mod memory;
mod policy;
mod scrub;
mod usage;

pub use policy::{Backtest, Case, Policy};

use std::path::PathBuf;

use bowline_core::decision::Scope;
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub use self::audit::{
    Audit, AuditExplain, AuditExport, AuditQuery, AuditTier, AuditVerdict, AuditVerify,
};
pub use self::memory::{Memory, MemoryAdd, MemoryEdit, MemoryPlace};
pub use self::scrub::Scrub;
pub use self::usage::{Reconcile, SettleUsage, Usage, UsageBy, UsageCommand};
use crate::examples;

/// An agent loop that holds under load, never slips, and comes undone when you want it to.
#[derive(Debug, Parser)]
#[command(
    name = "bowline",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = examples::ALL
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be typed after `bowline`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Give the agent a task and watch it done.
    #[command(after_help = examples::EXEC)]
    Exec(Box<Exec>),
    /// Let sessions go on: one, or all that can.
    #[command(after_help = examples::RESUME)]
    Resume(Resume),
    /// See a whole task done by an embedded scripted model: no key, no network.
    #[command(after_help = examples::DEMO)]
    Demo(Demo),
    /// List, show, export and delete sessions.
    #[command(subcommand, after_help = examples::SESSIONS)]
    Sessions(Sessions),
    /// Show the events of a session, as recorded.
    #[command(after_help = examples::EVENTS)]
    Events(Events),
    /// Show what happened to the installation: starts, ends, crashes, failures, refusals.
    #[command(after_help = examples::LOG)]
    Log(Log),
    /// Say on one page why a session ended, waits or broke.
    #[command(after_help = examples::WHY)]
    Why(Why),
    /// Show what the model is sent, block by block: tokens, cached or not, and why it is there.
    #[command(after_help = examples::CONTEXT)]
    Context(Context),
    /// Print a session as a conversation, whole, or what the model was sent at a step.
    #[command(after_help = examples::TRANSCRIPT)]
    Transcript(Transcript),
    /// List tools, show one, or call one by hand.
    #[command(subcommand, after_help = examples::TOOLS)]
    Tools(Tools),
    /// List and show what can be typed.
    #[command(subcommand, after_help = examples::COMMANDS)]
    Commands(Commands),
    /// Show the configuration in force.
    #[command(subcommand, after_help = examples::CONFIG)]
    Config(Config),
    /// Show what a folder's own files would start, and trust them as they are now.
    #[command(after_help = examples::TRUST)]
    Trust(Trust),
    /// List what is known of models, show one, or take in a table of prices.
    #[command(subcommand, after_help = examples::MODELS)]
    Models(Models),
    /// Say what the rules do: find bad ones, try others, write some.
    #[command(subcommand, after_help = examples::POLICY)]
    Policy(Policy),
    /// List all that waits, over all sessions: questions, parties, calls in doubt, sessions on hold.
    #[command(after_help = examples::INBOX)]
    Inbox(Inbox),
    /// Allow what a session waits for.
    #[command(after_help = examples::APPROVE)]
    Approve(Approve),
    /// Deny what a session waits for, or decline a question.
    #[command(after_help = examples::DENY)]
    Deny(Deny),
    /// Answer a question that the agent asks.
    #[command(after_help = examples::ANSWER)]
    Answer(Reply),
    /// Give words to a session; while a turn runs, the agent reads them after its running calls.
    #[command(after_help = examples::SEND)]
    Send(Send),
    /// Watch a session that another process drives.
    #[command(after_help = examples::WATCH)]
    Watch(Watch),
    /// End the process that owns a session and take the session over.
    #[command(after_help = examples::TAKE_OVER)]
    TakeOver(TakeOver),
    /// Say what became of a call whose outcome is unknown.
    #[command(after_help = examples::SETTLE)]
    Settle(Settle),
    /// Tell a session that what it waits for has come.
    #[command(after_help = examples::SIGNAL)]
    Signal(Signal),
    /// Put a session on hold: what runs comes to its end, nothing new is begun.
    #[command(after_help = examples::PAUSE)]
    Pause(Pause),
    /// Make a session's conversation shorter now; the journal keeps the whole.
    #[command(after_help = examples::COMPACT)]
    Compact(Compact),
    /// See what instruction files the model is given here, add a line to one or edit it.
    #[command(subcommand, after_help = examples::MEMORY)]
    Memory(Memory),
    /// List commands that run in the background, or stop one.
    #[command(subcommand, after_help = examples::JOBS)]
    Jobs(Jobs),
    /// Show what was used and what it cost, by day, session, model, tool or project.
    #[command(after_help = examples::USAGE)]
    Usage(Usage),
    /// Ask what was decided, by whom and why, and prove it.
    #[command(subcommand, after_help = examples::AUDIT)]
    Audit(Audit),
    /// Mask the secrets in a text: a filter.
    #[command(after_help = examples::SCRUB)]
    Scrub(Scrub),
    /// Look at everything a run needs, and say how to mend what is wrong.
    #[command(after_help = examples::DOCTOR)]
    Doctor(Doctor),
    /// Print the completions of a shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print a manual page, or write all of them.
    #[command(after_help = examples::MAN)]
    Man(Man),
    /// Write the generated pages of the documentation.
    #[command(hide = true)]
    Docs {
        /// The folder to write to.
        #[arg(long)]
        out: PathBuf,
    },
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON object at the end.
    Json,
    /// One JSON object a line, as things happen.
    StreamJson,
}

/// What is in force for a run.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Force {
    /// The model, as provider/model; scripted/PATH plays a scenario file.
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub model: Option<String>,
    /// The model's endpoint; for openai-chat it carries /v1.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// How much the model should think: off, low, medium or high.
    #[arg(long, value_name = "EFFORT")]
    pub reasoning: Option<String>,
    /// The folder to work in.
    #[arg(long, value_name = "DIR")]
    pub cd: Option<PathBuf>,
    /// A further folder to work in; may be given again.
    #[arg(long, value_name = "DIR")]
    pub add_dir: Vec<PathBuf>,
    /// How much runs unasked: read-only, ask, edit, auto or full.
    #[arg(long)]
    pub mode: Option<String>,
    /// What a question does when nobody is there: park (exit 3) or refuse.
    #[arg(long, value_name = "park|refuse")]
    pub on_ask: Option<String>,
    /// How long a question stays open: a span such as 12h or 7d, or never.
    #[arg(long, value_name = "SPAN")]
    pub ask_expires: Option<String>,
    /// Model calls at most in one turn.
    #[arg(long, alias = "max-turns", value_name = "N")]
    pub max_steps: Option<String>,
    /// Tokens at most over the session; set aside before each call.
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<String>,
    /// Money at most; refused while no price of the model is known.
    #[arg(long, value_name = "USD")]
    pub max_usd: Option<String>,
    /// Words added to the end of the system text.
    #[arg(long, value_name = "TEXT")]
    pub system_append: Option<String>,
    /// Environment variables with credentials that shell commands get, by name, with commas between.
    #[arg(long, value_name = "NAMES")]
    pub pass_env: Option<String>,
    /// Trust the project's own files for this run, if this is their hash: `bowline trust --show`
    /// prints it.
    #[arg(long, value_name = "HASH")]
    pub trust_project: Option<String>,
}

/// `bowline exec`
#[derive(Debug, ClapArgs)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that is typed or not"
)]
pub struct Exec {
    /// What to do; `-` reads it from standard input.
    pub prompt: Option<String>,
    #[command(flatten)]
    pub force: Force,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// Go on with the newest session of this folder.
    #[arg(long = "continue", conflicts_with = "resume", group = "goes_on")]
    pub continue_: bool,
    /// Go on with this session: any unique part at either end of its id.
    #[arg(long, value_name = "ID", group = "goes_on")]
    pub resume: Option<String>,
    /// Should a process own that session, end it first: for one that is stuck.
    #[arg(long, requires = "goes_on")]
    pub take_over: bool,
    /// Stay while something waits, and go on by itself once it is answered or there.
    #[arg(long)]
    pub wait: bool,
    /// The task takes the place of what waits: open questions are denied, waits end.
    #[arg(long)]
    pub supersede: bool,
    /// Put in force what the configuration files say now: endpoint, rules, shell time-out. Without
    /// it a session keeps what was recorded, and only stricter rules are added.
    #[arg(long, requires = "goes_on")]
    pub reconfigure: bool,
    /// The final answer must be JSON that fits this JSON Schema; `result` is then that JSON.
    #[arg(long, value_name = "FILE")]
    pub output_schema: Option<PathBuf>,
    /// An image that goes with the task: PNG, JPEG, GIF or WebP, 5 MiB at most; may be given again.
    #[arg(long, value_name = "FILE")]
    pub image: Vec<PathBuf>,
}

/// `bowline resume`
#[derive(Debug, ClapArgs)]
pub struct Resume {
    /// The session: any unique part at either end of its id.
    #[arg(required_unless_present = "all_ready")]
    pub id: Option<String>,
    /// Every session that can go on: answered, signalled, its time come, left unfinished.
    #[arg(long, conflicts_with_all = ["id", "wait"])]
    pub all_ready: bool,
    /// Stay while something waits, and go on by itself.
    #[arg(long)]
    pub wait: bool,
    /// How to print; with --all-ready one object a session.
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `bowline demo`
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// Where to unpack the sample project; a fresh temporary folder if not given.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `bowline sessions ...`
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// Sessions of every folder, newest first.
    List {
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// One session as a conversation.
    Show {
        /// Any unique part at either end of its id.
        id: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// One session, whole: its events, their chain, the stored bodies.
    Export {
        /// Any unique part at either end of its id.
        id: String,
        /// One JSON object (the only form there is).
        #[arg(long)]
        json: bool,
    },
    /// Take in a session that was exported, here or elsewhere.
    Import {
        /// The export; `-` reads it from standard input.
        file: PathBuf,
    },
    /// Remove a session for good.
    Delete {
        /// Any unique part at either end of its id.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Keep what is intact of a damaged session, and say what is lost.
    Repair {
        /// Any unique part at either end of its id.
        id: String,
        /// Only show what would be kept and dropped.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Show what is over the limits of age and size, and take it away with --yes.
    Prune(Prune),
    /// Build the index anew from the journals.
    Reindex,
}

/// `bowline sessions prune`
#[derive(Debug, ClapArgs)]
pub struct Prune {
    /// Sessions unchanged for so long: 30d, 12h, or since a date such as 2026-11-25. Takes the place
    /// of the limits for whole sessions in the configuration.
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<String>,
    /// The oldest sessions, until all together take no more than this: 2GB, 500MB. Takes the place
    /// of the limits for whole sessions in the configuration.
    #[arg(long, value_name = "SIZE")]
    pub over: Option<String>,
    /// Take away what is shown.
    #[arg(long)]
    pub yes: bool,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline events`
#[derive(Debug, ClapArgs)]
pub struct Events {
    /// The session: any unique part at either end of its id.
    pub id: String,
    /// One JSON object a line: seq, hash and the event.
    #[arg(long)]
    pub json: bool,
    /// Go on printing as events are recorded; ends with the turn.
    #[arg(long)]
    pub follow: bool,
}

/// `bowline log`
#[derive(Debug, ClapArgs)]
pub struct Log {
    /// Only what happened since: 2h, 30m, 7d, a date such as 2026-11-25, or a time as RFC 3339.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only what matters at least this much: info, notice, warning or error.
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Only this kind, such as ProviderFailed; may be given again.
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only what is about this session: any unique part at either end of its id.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// One JSON object a line: seq, hash and the event.
    #[arg(long)]
    pub json: bool,
    /// Go on printing as events are recorded, until Ctrl-C or until the reader goes away.
    #[arg(long)]
    pub follow: bool,
}

/// `bowline why`
#[derive(Debug, ClapArgs)]
pub struct Why {
    /// The session or a call of it: any unique part at either end of its id. Without it, the
    /// newest session of this folder, else the newest of all.
    pub id: Option<String>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline context`
#[derive(Debug, ClapArgs)]
pub struct Context {
    /// The session: any unique part at either end of its id.
    pub id: String,
    /// The request of this step, as it was sent last; without it, the one that comes next.
    #[arg(long, value_name = "N")]
    pub step: Option<u32>,
    /// One JSON object, as `docs/context.schema.json` says.
    #[arg(long)]
    pub json: bool,
}

/// `bowline transcript`
#[derive(Debug, ClapArgs)]
pub struct Transcript {
    /// The session: any unique part at either end of its id.
    pub id: String,
    /// Exactly what the model was sent at this step: the body of the request, byte for byte.
    #[arg(long, value_name = "STEP")]
    pub as_sent: Option<u32>,
    /// One JSON array, with results whole.
    #[arg(long, conflicts_with = "as_sent")]
    pub json: bool,
}

/// `bowline tools ...`
#[derive(Debug, Subcommand)]
pub enum Tools {
    /// Every tool.
    List {
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// One tool, whole.
    Show {
        /// Its name.
        name: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Run one tool by hand, judged like any call.
    #[command(after_help = examples::TOOLS_CALL)]
    Call(ToolCall),
}

/// `bowline tools call`
#[derive(Debug, ClapArgs)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// Its input: one JSON object.
    #[arg(long)]
    pub input: String,
    /// How much runs unasked.
    #[arg(long)]
    pub mode: Option<String>,
    /// A further folder to work in; may be given again.
    #[arg(long, value_name = "DIR")]
    pub add_dir: Vec<PathBuf>,
    /// A rule that allows; may be given again.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// A rule that denies; may be given again.
    #[arg(long, value_name = "RULE")]
    pub deny: Vec<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `bowline commands ...`
#[derive(Debug, Subcommand)]
pub enum Commands {
    /// Everything that can be typed.
    List {
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// One command, whole.
    Show {
        /// Its name, such as `sessions list`.
        #[arg(required = true, num_args = 1..)]
        name: Vec<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// `bowline config ...`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Every key, its value and where it comes from.
    Show {
        /// The folder whose project file counts.
        #[arg(long, value_name = "DIR")]
        cd: Option<PathBuf>,
        /// What is in force in this session instead, as recorded: any unique part of its id.
        #[arg(long, value_name = "ID", conflicts_with = "cd")]
        session: Option<String>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
}

/// `bowline trust`
#[derive(Debug, ClapArgs)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that is typed or not"
)]
pub struct Trust {
    /// The folder; the current one if left out.
    pub folder: Option<PathBuf>,
    /// Only show what would count.
    #[arg(long, conflicts_with_all = ["yes", "revoke", "list"])]
    pub show: bool,
    /// Do not ask: trust the files if this is their hash, as --show prints it.
    #[arg(long, value_name = "HASH", conflicts_with_all = ["revoke", "list"])]
    pub yes: Option<String>,
    /// Take the trust in this folder back.
    #[arg(long, conflicts_with = "list")]
    pub revoke: bool,
    /// Every folder that is trusted.
    #[arg(long, conflicts_with = "folder")]
    pub list: bool,
    /// One JSON object; with --list one JSON array.
    #[arg(long)]
    pub json: bool,
}

/// `bowline models ...`
#[derive(Debug, Subcommand)]
pub enum Models {
    /// What every known model takes and costs.
    List {
        /// Only the models of this provider or endpoint.
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// One model, whole, and who says so.
    Show {
        /// The model, as provider/model; the provider may be left out where only one has it.
        id: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take in a table of prices: models.dev's api.json, or litellm's
    /// `model_prices_and_context_window.json`.
    Import {
        /// The table; `-` reads it from standard input.
        file: PathBuf,
        /// Only the models of this provider, as the table calls it.
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
    },
}

/// `bowline jobs ...`
#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// Commands that agents left running in the background, of every session.
    List {
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Stop one.
    Stop {
        /// Its handle, such as bg:1a2b3c4d.
        job: String,
    },
}

/// `bowline answer`
#[derive(Debug, ClapArgs)]
pub struct Reply {
    /// The question: any unique part at either end of its id.
    pub id: String,
    /// The answer in your own words.
    #[arg(required_unless_present = "choice")]
    pub text: Option<String>,
    /// The number of the choice, from 1; may be given again where several may be chosen.
    #[arg(long, value_name = "N", conflicts_with = "text")]
    pub choice: Vec<usize>,
}

/// `bowline send`
#[derive(Debug, ClapArgs)]
pub struct Send {
    /// The session: any unique part at either end of its id.
    pub session: String,
    /// The words; `-` reads them from standard input.
    pub text: String,
    /// A name for this message: sent again under the same name it has no further effect.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

/// `bowline watch`
#[derive(Debug, ClapArgs)]
pub struct Watch {
    /// The session: any unique part at either end of its id.
    pub session: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `bowline take-over`
#[derive(Debug, ClapArgs)]
pub struct TakeOver {
    /// The session: any unique part at either end of its id.
    pub session: String,
}

/// How far an approval reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Reach {
    /// This call.
    #[default]
    Once,
    /// The same request for the rest of the session.
    Session,
    /// From now on: for the session, and as a rule in the user's configuration.
    Always,
}

impl Reach {
    /// The same as it is recorded.
    pub const fn scope(self) -> Scope {
        match self {
            Self::Once => Scope::Once,
            Self::Session => Scope::Session,
            Self::Always => Scope::Always,
        }
    }
}

/// `bowline approve`
#[derive(Debug, ClapArgs)]
pub struct Approve {
    /// What waits: any unique part at either end of its id; several may be given.
    #[arg(required = true, num_args = 1..)]
    pub id: Vec<String>,
    /// Words for the model.
    #[arg(long)]
    pub note: Option<String>,
    /// How far it reaches.
    #[arg(long, value_enum, default_value_t)]
    pub scope: Reach,
}

/// `bowline deny`
#[derive(Debug, ClapArgs)]
pub struct Deny {
    /// What waits: any unique part at either end of its id; several may be given.
    #[arg(required = true, num_args = 1..)]
    pub id: Vec<String>,
    /// Words for the model.
    #[arg(long)]
    pub note: Option<String>,
}

/// `bowline settle`
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("became").required(true))]
pub struct Settle {
    /// The call in doubt: any unique part at either end of its id.
    pub call: String,
    /// It did happen.
    #[arg(long, group = "became")]
    pub happened: bool,
    /// It did not happen.
    #[arg(long, group = "became")]
    pub did_not: bool,
    /// Words for the model.
    #[arg(long)]
    pub note: Option<String>,
}

/// `bowline signal`
#[derive(Debug, ClapArgs)]
pub struct Signal {
    /// The session: any unique part at either end of its id.
    pub session: String,
    /// The name of the wait, as `bowline inbox` shows it.
    pub name: String,
    /// What the model reads with it: a JSON value, 32 KiB at most.
    #[arg(long, value_name = "JSON")]
    pub payload: Option<String>,
}

/// `bowline pause`
#[derive(Debug, ClapArgs)]
pub struct Pause {
    /// The session: any unique part at either end of its id.
    pub session: String,
}

/// `bowline compact`
#[derive(Debug, ClapArgs)]
pub struct Compact {
    /// The session: any unique part at either end of its id.
    pub session: String,
    /// What the summary should keep above all.
    #[arg(long, value_name = "WORDS")]
    pub focus: Option<String>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline inbox`
#[derive(Debug, ClapArgs)]
pub struct Inbox {
    /// One JSON array.
    #[arg(long)]
    pub json: bool,
}

/// `bowline doctor`
#[derive(Debug, ClapArgs)]
pub struct Doctor {
    /// Ask the model for one word, through the ordinary way; this may cost a few tokens.
    #[arg(long)]
    pub online: bool,
    /// One JSON object: checks, problems, warnings.
    #[arg(long)]
    pub json: bool,
    /// The folder whose project file counts.
    #[arg(long, value_name = "DIR")]
    pub cd: Option<PathBuf>,
}

/// `bowline completions`
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `bowline man`
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// The command, such as `sessions list`; the first page if left out.
    pub command: Vec<String>,
    /// Write every page to this folder instead, as bowline-COMMAND.1.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}
