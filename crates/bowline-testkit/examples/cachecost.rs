//! What the input of a session cost, and the least that it could have cost.
//!
//! `cargo run -p bowline-testkit --example cachecost -- LOG` reads the log of a server (`serve --log
//! LOG`) and prints one JSON object; what it says, and by which formula, stands in
//! `bowline_testkit::optimum`. Exits 1 if the log cannot be read.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use bowline_testkit::optimum::Report;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "cachecost: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: cachecost LOG")?;
    let log = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let report = Report::of_log(&log)?;
    writeln!(io::stdout(), "{:#}", report.to_json())?;
    Ok(())
}
