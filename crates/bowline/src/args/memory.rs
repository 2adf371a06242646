//! Arguments of `bowline memory`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// `bowline memory ...`
#[derive(Debug, Subcommand)]
pub enum Memory {
    /// The instruction files that a session here is given, with what they import and what is left out.
    List {
        /// The folder; the current one if none.
        #[arg(long, value_name = "FOLDER")]
        cd: Option<PathBuf>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Their text, as the model reads it.
    Show {
        /// The folder; the current one if none.
        #[arg(long, value_name = "FOLDER")]
        cd: Option<PathBuf>,
    },
    /// Adds a line at the end of one; shows it first.
    Add(MemoryAdd),
}

/// `bowline memory add`
#[derive(Debug, ClapArgs)]
pub struct MemoryAdd {
    /// The words.
    pub text: String,
    /// To your own, which every session is given.
    #[arg(long, conflicts_with_all = ["project", "local"])]
    pub user: bool,
    /// To the one at the root of the project (so without any of the three).
    #[arg(long, conflicts_with = "local")]
    pub project: bool,
    /// To the one of this folder.
    #[arg(long, value_name = "FOLDER")]
    pub local: Option<PathBuf>,
    /// Write it without asking.
    #[arg(long)]
    pub yes: bool,
}
