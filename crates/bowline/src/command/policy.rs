//! `bowline policy ...`: what the rules say, and what other ones would have said.

mod check;
mod explain;
mod lint;
mod safeguards;

use std::path::Path;

use bowline_core::decision::Layer;
use bowline_runtime::config::{FileRule, parse_rules};

use crate::args::Policy;
use crate::config_file::{self, RULES_BYTES_MAX};
use crate::failure::Failure;
use crate::places::Places;

/// Runs the command.
pub fn run(args: Policy) -> Result<u8, Failure> {
    let places = Places::find()?;
    match args {
        Policy::Check(case) => check::run(&places, &case),
        Policy::Explain(case) => explain::run(&places, &case),
        Policy::Safeguards { json } => Ok(safeguards::run(json)),
        Policy::Lint { file, json } => lint::run(&places, file.as_deref(), json),
    }
}

/// The rules of a file that is named, as rules of the user.
fn rules_of(file: &Path) -> Result<Vec<FileRule>, Failure> {
    let text = config_file::read(Layer::User, file, RULES_BYTES_MAX)?
        .ok_or_else(|| Failure::usage(format!("{}: there is no such file", file.display())))?;
    Ok(parse_rules(
        Layer::User,
        &file.display().to_string(),
        &text,
    )?)
}
