//! `bowline scrub`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// What `bowline scrub` reads and how it answers.
#[derive(Debug, ClapArgs)]
pub struct Scrub {
    /// Files, one after the other; `-`, or none, is standard input.
    pub file: Vec<PathBuf>,
    /// Read one JSON object a line with `id` and `text`, and answer each with one: `id`, `text`,
    /// `spans` (`start` and `end` in characters of the original, `type`).
    #[arg(long)]
    pub jsonl: bool,
    /// Say on standard error how much was masked, by kind.
    #[arg(long)]
    pub summary: bool,
}
