//! `bowline policy ...`: what the rules say, and what other ones would have said.

mod backtest;
mod check;
mod explain;
mod import;
mod lint;
mod safeguards;
mod suggest;

use std::io;
use std::path::Path;

use bowline_core::decision::Layer;
use bowline_journal::{Error, Store};
use bowline_runtime::config::{FileRule, NewRule, WithRules, parse_rules, with_rules};
use bowline_runtime::rules::recorded::Calls;
use bowline_runtime::since;

use crate::args::Policy;
use crate::config_file::{self, RULES_BYTES_MAX};
use crate::config_folder;
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
        Policy::Backtest(args) => backtest::run(&places, &args),
        Policy::Adopt {
            backtest,
            yes_widen,
        } => backtest::adopt(&places, &backtest, yes_widen),
        Policy::Suggest { since, json } => suggest::run(&places, since.as_deref(), json),
        Policy::Import { file, write, json } => import::run(&places, &file, write, json),
    }
}

/// The text and the rules of a file that is named, as rules of the user.
fn rules_of(file: &Path) -> Result<(String, Vec<FileRule>), Failure> {
    let text = config_file::read(Layer::User, file, RULES_BYTES_MAX)?
        .ok_or_else(|| Failure::usage(format!("{}: there is no such file", file.display())))?;
    let rules = parse_rules(Layer::User, &file.display().to_string(), &text)?;
    Ok((text, rules))
}

/// The judged calls of all sessions of this machine, from `when` on.
pub fn recorded(places: &Places, when: Option<&str>) -> Result<Calls, Failure> {
    let now_ms = crate::command::clock().now_ms();
    let since_ms = match when {
        Some(text) => {
            since(text, now_ms).map_err(|why| Failure::usage(format!("--since: {why}")))?
        }
        None => 0,
    };
    let store = Store::at(&places.state);
    let mut calls = Calls::default();
    for session in store.list()? {
        // What a session from elsewhere says of decisions was not decided here.
        if store.is_imported(session) {
            continue;
        }
        match store
            .read_only(session)
            .and_then(|reader| reader.read_intact())
        {
            Ok(intact) => calls.add(session, &intact.events, since_ms),
            // It was deleted meanwhile.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(calls)
}

/// Adds rules to the file of rules at `file`, in a folder that others may change too.
pub fn add_rules(file: &Path, rules: &[NewRule]) -> Result<WithRules, Failure> {
    let cannot = |error: io::Error| {
        Failure::stopped(format!("{}: {error}. Nothing was written", file.display()))
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    let _held = config_folder::hold(folder).map_err(cannot)?;
    let text = config_file::read(Layer::User, file, RULES_BYTES_MAX)?.unwrap_or_default();
    let with = with_rules(&file.display().to_string(), &text, rules)?;
    if let Some(text) = &with.text {
        config_folder::replace(file, text).map_err(cannot)?;
    }
    Ok(with)
}
