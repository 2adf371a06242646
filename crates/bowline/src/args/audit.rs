//! `bowline audit ...`

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use crate::examples;

/// `bowline audit ...`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Find decisions and answers over all sessions.
    #[command(after_help = examples::AUDIT_QUERY)]
    Query(Box<AuditQuery>),
    /// Show one decision whole.
    #[command(after_help = examples::AUDIT_SHOW)]
    Show {
        /// The decision: any unique part at either end of its id.
        id: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take a decision again from its record alone, and say whether it comes out the same.
    #[command(after_help = examples::AUDIT_EXPLAIN)]
    Explain(AuditExplain),
    /// Check that no record was changed, removed or put in.
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify(AuditVerify),
    /// Sign where every chain stands now; kept elsewhere, it shows a chain that was written anew.
    #[command(after_help = examples::AUDIT_ANCHOR)]
    Anchor {
        /// The key to sign with, instead of the one of this installation.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Write the anchor there, instead of to standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write out decisions with what it takes to verify them elsewhere.
    #[command(after_help = examples::AUDIT_EXPORT)]
    Export(AuditExport),
}

/// A verdict as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditVerdict {
    /// It may run.
    Allow,
    /// A person must say.
    Ask,
    /// It must not run.
    Deny,
}

/// A tier as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditTier {
    /// Part of Bowline, or of your configuration.
    BuiltIn,
    /// A plug-in or an MCP server.
    PlugIn,
    /// A skill.
    UserSkill,
}

/// `bowline audit query`
#[derive(Debug, ClapArgs)]
pub struct AuditQuery {
    /// Only since: 2h, 7d, a date by UTC such as 2026-11-25, or a time as RFC 3339.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only until then; a date counts whole.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Only of this session: any unique part at either end of its id.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Only about calls of this tool.
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,
    /// Only with this verdict.
    #[arg(long, value_enum)]
    pub verdict: Option<AuditVerdict>,
    /// Only where a rule whose text holds this decided about some part of the call.
    #[arg(long, value_name = "TEXT")]
    pub rule: Option<String>,
    /// Only where a rule or a tool of this tier was involved.
    #[arg(long, value_enum)]
    pub tier: Option<AuditTier>,
    /// Only where the call would read or write this path or something below it.
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Only where the call would reach this host or one below it.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Only by these: policy, grant, or a part of how a person answered, such as `command line`.
    #[arg(long, value_name = "WHO")]
    pub person: Option<String>,
    /// Only the newest so many; 50 where people read it, else all.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// One JSON array.
    #[arg(long, group = "form")]
    pub json: bool,
    /// A table of comma-separated values, with a head.
    #[arg(long, group = "form")]
    pub csv: bool,
    /// A SARIF 2.1.0 log, for tools that show findings.
    #[arg(long, group = "form")]
    pub sarif: bool,
}

/// `bowline audit explain`
#[derive(Debug, ClapArgs)]
pub struct AuditExplain {
    /// The decision: any unique part at either end of its id.
    #[arg(required_unless_present = "all")]
    pub id: Option<String>,
    /// Every decision there is.
    #[arg(long, conflicts_with = "id")]
    pub all: bool,
    /// With --all, every decision of this session.
    #[arg(long, value_name = "ID", requires = "all")]
    pub session: Option<String>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline audit verify`
#[derive(Debug, ClapArgs)]
pub struct AuditVerify {
    /// Only this session: any unique part at either end of its id.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Hold the chains against an anchor, too.
    #[arg(long, value_name = "FILE")]
    pub anchor: Option<PathBuf>,
    /// The key that the anchor must be signed with. Without it, this installation's own.
    #[arg(long, value_name = "KEY", requires = "anchor")]
    pub public_key: Option<String>,
    /// Check a file that `audit export` wrote instead, standing alone.
    #[arg(long, value_name = "FILE", conflicts_with = "session")]
    pub export: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `bowline audit export`
#[derive(Debug, ClapArgs)]
pub struct AuditExport {
    /// Only decisions since: 2h, 7d, a date by UTC such as 2026-11-25, or a time as RFC 3339.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only decisions until then; a date counts whole.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Only of this session: any unique part at either end of its id.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Write to this file, or to a file with today's date in this folder; `-` is standard output.
    #[arg(long, value_name = "FILE|DIR|-", default_value = "-")]
    pub out: PathBuf,
}
