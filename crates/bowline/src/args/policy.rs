//! What `bowline policy ...` takes.

use std::path::PathBuf;

use clap::Subcommand;

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
}
