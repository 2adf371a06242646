//! What `bowline policy ...` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `bowline policy check` and `explain` look at.
#[derive(Debug, clap::Args)]
pub struct Case {
    /// The command: one text for the shell, or its words after `--`.
    #[arg(required_unless_present = "jsonl")]
    pub command: Vec<String>,
    /// Calls described in a file, one JSON object a line (`-` for stdin).
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub jsonl: Option<PathBuf>,
    /// The mode; the configured one if none.
    #[arg(long)]
    pub mode: Option<String>,
    /// One more rule that allows.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// One more rule that denies.
    #[arg(long, value_name = "RULE")]
    pub deny: Vec<String>,
    /// A further folder of the workspace.
    #[arg(long, value_name = "DIR")]
    pub add_dir: Vec<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline policy ...`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Say what would be decided about a shell command here, and why.
    Check(Case),
    /// Show how a shell command is understood: each part with its verdict, rule and runner-up.
    Explain(Case),
    /// List the safeguards of the shell analysis.
    Safeguards {
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Find rules that do nothing, or more than they should.
    Lint {
        /// A file of rules to look at instead of those in force in this folder.
        file: Option<PathBuf>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Try rules on recorded calls: which would be newly allowed, asked, denied.
    Backtest(Backtest),
    /// Put a file of rules in force as your own, once it was shown what it allows.
    Adopt {
        #[command(flatten)]
        backtest: Backtest,
        /// Without a terminal: yes to a file that allows more, with the number of recorded calls
        /// that were shown as newly allowed.
        #[arg(long, value_name = "NEWLY_ALLOWED")]
        yes_widen: Option<usize>,
    },
    /// Suggest the fewest rules that would have saved the most prompts.
    Suggest {
        /// Only what was asked since: a time, a day, or a span such as 30d.
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take over permission rules from a .claude/settings.json.
    Import {
        /// The settings file.
        file: PathBuf,
        /// Write them: to the rules of the project that the file is of, or to your own.
        #[arg(long)]
        write: bool,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Rules to be tried, and on what.
#[derive(Debug, Clone, Args)]
pub struct Backtest {
    /// A file of rules, which stands in place of your own one.
    pub file: PathBuf,
    /// Add its rules to your own instead.
    #[arg(long)]
    pub add: bool,
    /// Only calls that were judged since: a time, a day, or a span such as 30d.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}
