//! What `bowline policy ...` takes.

use std::path::PathBuf;

use clap::Subcommand;

/// `bowline policy ...`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Find rules that do nothing, or more than they should.
    Lint {
        /// A file of rules to look at instead of those in force in this folder.
        file: Option<PathBuf>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
}
