//! The one binary: parses arguments, wires the parts together, ends with the right exit code.
#![forbid(unsafe_code)]
#![expect(
    unreachable_pub,
    reason = "a binary has no outside: pub means shared between modules"
)]

mod answer_schema;
mod args;
mod catalogue;
mod choose;
mod command;
mod config_file;
mod config_folder;
mod demo;
mod endpoint;
mod examples;
mod face;
mod failure;
mod image;
mod places;
mod prices;
mod print;
mod project;
mod search_path;
mod terminal;
mod wire;

use std::process::ExitCode;

use bowline_tools::confine::inside::INSIDE;
use clap::Parser as _;

fn main() -> ExitCode {
    // A keeper lives for milliseconds: it must not pay for anything the rest of Bowline needs.
    let mut raw = std::env::args_os().skip(1);
    let first = raw.next();
    if first.as_ref().is_some_and(|first| first == "keeper") {
        return command::keeper::run(raw.next());
    }
    // Nor must what makes the way out of a sandbox, and then becomes the command.
    if first.is_some_and(|first| first == INSIDE) {
        return command::inside::run(raw);
    }
    if std::env::args_os().len() < 2 {
        print::err_line(examples::SHORT);
        return ExitCode::from(2);
    }
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return failure::usage(&error),
    };
    match command::run(args) {
        Ok(code) => ExitCode::from(print::checked(code)),
        Err(failure) => failure.report(),
    }
}
