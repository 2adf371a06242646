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
    /// Opens one in your editor; shows what changed before it is written.
    Edit(MemoryEdit),
}

/// `bowline memory add`
#[derive(Debug, ClapArgs)]
pub struct MemoryAdd {
    /// The words.
    pub text: String,
    /// Which file.
    #[command(flatten)]
    pub place: MemoryPlace,
    /// Write it without asking.
    #[arg(long)]
    pub yes: bool,
}

/// `bowline memory edit`
#[derive(Debug, ClapArgs)]
pub struct MemoryEdit {
    /// Which file.
    #[command(flatten)]
    pub place: MemoryPlace,
    /// Write it without asking.
    #[arg(long)]
    pub yes: bool,
}

/// Which instruction file is meant.
#[derive(Debug, ClapArgs)]
pub struct MemoryPlace {
    /// Your own, which every session is given.
    #[arg(long, conflicts_with_all = ["project", "local"])]
    pub user: bool,
    /// The one at the root of the project (so without any of the three).
    #[arg(long, conflicts_with = "local")]
    pub project: bool,
    /// The one of this folder.
    #[arg(long, value_name = "FOLDER")]
    pub local: Option<PathBuf>,
}
