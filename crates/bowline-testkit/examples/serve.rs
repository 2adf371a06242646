//! Plays a scenario file over HTTP until stdin closes or enough requests were answered.
//!
//! `cargo run -p bowline-testkit --example serve -- SCENARIO.json [--port N] [--max-requests N] [--reasoning-back] [--lenient] [--log FILE [--pace MS]]`
//! prints the base URL on its first line (Anthropic's dialect takes it without `/v1`). What the
//! server refused goes to stderr at the end, and the exit code is then 1; 2 for a wrong command
//! line or scenario. With `--reasoning-back` the reasoning of a reply must come back with it; with
//! `--lenient` nothing is checked, for clients behind a proxy that writes history anew. With `--log`
//! the server counts tokens and caches as providers do, and writes at the end what `cachecost`
//! reads; its clock goes on by `--pace` with each request.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Billing, Options, ScriptedServer};

const USAGE: &str = "usage: serve SCENARIO.json [--port N] [--max-requests N] [--reasoning-back] \
                     [--lenient] [--log FILE [--pace MS]]";

struct Arguments {
    scenario: String,
    port: u16,
    max_requests: Option<usize>,
    reasoning_back: bool,
    lenient: bool,
    log: Option<String>,
    pace_ms: u64,
}

fn main() -> ExitCode {
    let code = parse().and_then(run).unwrap_or_else(|error| {
        drop(writeln!(io::stderr(), "serve: {error}"));
        2
    });
    ExitCode::from(code)
}

fn parse() -> Result<Arguments, Box<dyn Error>> {
    let mut parsed = Arguments {
        scenario: String::new(),
        port: 0,
        max_requests: None,
        reasoning_back: false,
        lenient: false,
        log: None,
        pace_ms: 0,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => parsed.port = arguments.next().ok_or(USAGE)?.parse()?,
            "--max-requests" => {
                parsed.max_requests = Some(arguments.next().ok_or(USAGE)?.parse()?);
            }
            "--reasoning-back" => parsed.reasoning_back = true,
            "--lenient" => parsed.lenient = true,
            "--log" => parsed.log = Some(arguments.next().ok_or(USAGE)?),
            "--pace" => parsed.pace_ms = arguments.next().ok_or(USAGE)?.parse()?,
            path if parsed.scenario.is_empty() && !path.starts_with("--") => {
                parsed.scenario = path.to_owned();
            }
            _ => return Err(USAGE.into()),
        }
    }
    if parsed.scenario.is_empty() {
        Err(USAGE.into())
    } else {
        Ok(parsed)
    }
}

fn run(arguments: Arguments) -> Result<u8, Box<dyn Error>> {
    let path = &arguments.scenario;
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let scenario = Scenario::from_json(&text).map_err(|error| format!("{path}: {error}"))?;
    let options = Options {
        port: arguments.port,
        strict: !arguments.lenient,
        require_reasoning_back: arguments.reasoning_back,
        billing: match arguments.log {
            Some(_) => Billing::Cached,
            None => Billing::Scenario,
        },
        pace_ms: arguments.pace_ms,
        ..Options::default()
    };
    let server = Arc::new(ScriptedServer::try_start(scenario, options)?);
    writeln!(io::stdout(), "{}", server.base_url())?;
    io::stdout().flush()?;

    let (end, ended) = mpsc::channel();
    if let Some(count) = arguments.max_requests {
        let (server, end) = (Arc::clone(&server), end.clone());
        std::thread::spawn(move || {
            while !server.wait_for_answers(count, Duration::from_secs(3600)) {}
            end.send(())
        });
    }
    std::thread::spawn(move || {
        let read = io::copy(&mut io::stdin(), &mut io::sink());
        end.send(()).and(Ok(read))
    });
    ended.recv()?;

    if let Some(path) = &arguments.log {
        std::fs::write(path, server.log()).map_err(|error| format!("{path}: {error}"))?;
    }
    let violations = server.violations();
    for violation in &violations {
        writeln!(io::stderr(), "{violation}")?;
    }
    Ok(u8::from(!violations.is_empty()))
}
