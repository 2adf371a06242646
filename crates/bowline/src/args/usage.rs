//! `bowline usage ...`

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand, ValueEnum};

use crate::examples;

/// What `bowline usage` sums over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum UsageBy {
    /// Sessions.
    Session,
    /// Days, by UTC.
    #[default]
    Day,
    /// Models.
    Model,
    /// Tools that replies asked for.
    Tool,
    /// Root folders of sessions.
    Project,
}

/// `bowline usage`
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that is typed or not"
)]
pub struct Usage {
    /// What else can be done with it.
    #[command(subcommand)]
    pub command: Option<UsageCommand>,
    /// What to sum over.
    #[arg(long, value_enum, default_value_t)]
    pub by: UsageBy,
    /// Only calls since: 2h, 7d, a date by UTC such as 2026-11-25, or a time as RFC 3339.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only calls until then; a date counts whole.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Only calls of this session: any unique part at either end of its id.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// How good the bounds were that was set aside by, against what calls really used.
    #[arg(long, conflicts_with = "open")]
    pub accuracy: bool,
    /// What is set aside and not settled.
    #[arg(long)]
    pub open: bool,
    /// What was sent where, and what that may cost beside money, against cheaper endpoints.
    #[arg(long, conflicts_with_all = ["open", "accuracy", "csv"])]
    pub risk: bool,
    /// One JSON object; with --accuracy or --open one JSON array.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// A table of comma-separated values, with a head.
    #[arg(long)]
    pub csv: bool,
}

/// `bowline usage ...`
#[derive(Debug, Subcommand)]
pub enum UsageCommand {
    /// Hold the provider's own usage export against the journals: use that was not ours shows here.
    #[command(after_help = examples::USAGE_RECONCILE)]
    Reconcile(Reconcile),
    /// Say what a model call used whose process is gone: what is set aside for it is free again.
    #[command(after_help = examples::USAGE_SETTLE)]
    Settle(SettleUsage),
    /// Count again from the journals what the ledger has lost.
    Rebuild,
}

/// `bowline usage reconcile`
#[derive(Debug, ClapArgs)]
pub struct Reconcile {
    /// The export: OpenAI's or Anthropic's usage table or JSON, or any table with time, model and
    /// tokens; `-` reads it from standard input.
    pub file: PathBuf,
    /// Hold it against calls of this provider or named endpoint; may be given again. Without it,
    /// against those that the export is about.
    #[arg(long, value_name = "NAME")]
    pub provider: Vec<String>,
    /// Differences up to so many percent of what the provider lists are let pass.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    pub tolerance: String,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline usage settle`
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("took").required(true))]
pub struct SettleUsage {
    /// What is set aside, as `bowline usage --open` shows it: any unique part at either end.
    pub attempt: String,
    /// Tokens it read.
    #[arg(long, value_name = "N", group = "took", requires = "tokens_out")]
    pub tokens_in: Option<u64>,
    /// Tokens it wrote.
    #[arg(long, value_name = "N", requires = "tokens_in")]
    pub tokens_out: Option<u64>,
    /// What it cost. Without it, what the tokens cost at the price of its session.
    #[arg(long, value_name = "USD", requires = "tokens_in")]
    pub usd: Option<String>,
    /// It was never made, or took nothing.
    #[arg(long, group = "took")]
    pub nothing: bool,
}
