//! Long sessions before servers that keep a prompt cache as providers do: the prefix never breaks,
//! what could be read from the cache is, and the input costs hardly more than the least it could.
//!
//! `BOWLINE_CACHE_STEPS=200` plays that many steps instead of a sample.

use std::fmt::Write as _;
use std::time::Duration;

use bowline_model::scenario::{Call, Scenario, Step};
use bowline_testkit::optimum::Report;
use bowline_testkit::{Billing, Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Ran, Scratch};

/// Steps of a turn, the answer included.
const TURN: usize = 10;

fn wanted() -> usize {
    let wanted = std::env::var("BOWLINE_CACHE_STEPS").ok();
    let steps: usize = wanted.and_then(|text| text.parse().ok()).unwrap_or(30);
    steps.next_multiple_of(TURN)
}

fn call(tool: &str, input: Value) -> Call {
    Call {
        tool: tool.to_owned(),
        input: input.as_object().cloned(),
        ..Call::default()
    }
}

/// What the model does in one step: it reads, edits, searches, keeps its list, and now and then
/// asks for more at once than a mark looks back over.
fn step(number: usize) -> Step {
    let read = |file: usize| call("read", json!({ "path": format!("f{}.txt", file % 12) }));
    let place = number % TURN;
    if place == TURN - 1 {
        return Step {
            text: Some(format!("Part {number} is done, and the tests pass.")),
            ..Step::default()
        };
    }
    let calls = match place {
        0 => vec![call(
            "todo",
            json!({ "items": [
            { "text": format!("part {number}"), "status": "in_progress" },
            { "text": "tests", "status": "pending" }] }),
        )],
        3 => vec![call("read", json!({ "path": "small.txt" })); 25],
        4 => vec![call(
            "write",
            json!({ "path": format!("n{number}.txt"),
            "content": format!("line {number}\n").repeat(20) }),
        )],
        5 => vec![call(
            "edit",
            json!({ "path": format!("n{}.txt", number - 1),
            "edits": [{ "old": format!("line {0}\nline {0}\n", number - 1),
                "new": format!("changed {number}\n"), "all": true }] }),
        )],
        8 => vec![
            call("grep", json!({ "pattern": "harness", "path": "." })),
            read(number),
        ],
        6 => vec![call(
            "shell",
            json!({ "command": format!("seq {number} {}", number + 40) }),
        )],
        _ => vec![read(number)],
    };
    Step {
        text: Some(format!(
            "Step {number}: I look at the next part of the work."
        )),
        reasoning: Some(format!("What does step {number} need?")),
        calls,
        ..Step::default()
    }
}

/// A model of one dialect, and where its server is.
type Dialect = (&'static str, fn(&ScriptedServer) -> String);

const DIALECTS: [Dialect; 3] = [
    ("anthropic/claude-sonnet-4-5", ScriptedServer::root_url),
    ("openai/m-1", ScriptedServer::base_url),
    ("openai-chat/m-1", ScriptedServer::base_url),
];

fn workspace() -> Scratch {
    let scratch = Scratch::new();
    scratch.file("small.txt", "small\n");
    for file in 0..12 {
        let mut text = String::new();
        for line in 0..12 {
            writeln!(text, "{file}.{line}: the harness waits until it is done").expect("a text");
        }
        scratch.file(&format!("f{file}.txt"), text);
    }
    scratch
}

fn server(steps: usize, pace_ms: u64) -> ScriptedServer {
    let scenario = Scenario::new((0..steps).map(step).collect());
    let options = Options {
        billing: Billing::Cached,
        pace_ms,
        ..Options::default()
    };
    ScriptedServer::start(scenario, options)
}

/// Plays one turn: the mode and the date change from turn to turn.
fn turn(scratch: &Scratch, server: &ScriptedServer, dialect: Dialect, turn: usize) -> Ran {
    let (model, url) = dialect;
    let url = url(server);
    let mode = ["full", "edit", "full", "auto"][turn % 4];
    let prompt = format!("do part {turn}");
    let mut args = vec!["exec", "--model", model, "--base-url", &url, "--mode", mode];
    args.extend(["--on-ask", "refuse", "--output", "json", &prompt]);
    if turn > 0 {
        args.push("--continue");
    }
    // A day lies between the two at any time.
    let zone = ["AAA12", "BBB-14"][turn / 2 % 2];
    let output = scratch.command(&args).env("TZ", zone).output();
    let ran = crate::support::ran(&output.expect("it starts"));
    assert!(matches!(ran.code, 0 | 5), "{}\n{}", ran.out, ran.err);
    ran
}

/// Every request begins with the bytes of the one before it, cache marks and what follows the
/// conversation aside.
fn check_bytes(server: &ScriptedServer) {
    let plain = |raw: &[u8]| {
        let text = String::from_utf8_lossy(raw).into_owned();
        text.replace(r#","cache_control":{"type":"ephemeral"}"#, "")
            .replace(r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#, "")
    };
    let bodies: Vec<String> = server
        .requests()
        .iter()
        .map(|one| plain(&one.raw))
        .collect();
    for (at, pair) in bodies.windows(2).enumerate() {
        let same = pair[0].bytes().zip(pair[1].bytes());
        let same = same.take_while(|(one, other)| one == other).count();
        assert!(
            same + 160 > pair[0].len(),
            "request {}: {same} of {}",
            at + 1,
            pair[0].len()
        );
    }
}

fn report(server: &ScriptedServer) -> Report {
    Report::of_log(&server.log()).expect("a log")
}

#[test]
fn a_long_session_reads_what_it_can_from_the_cache_and_never_breaks_its_prefix() {
    let steps = wanted();
    for dialect in DIALECTS {
        let scratch = workspace();
        let server = server(steps, 15_000);
        for at in 0..steps / TURN {
            turn(&scratch, &server, dialect, at);
        }
        assert_eq!(server.violations(), []);
        assert_eq!(server.requests().len(), steps, "{}", dialect.0);
        let report = report(&server);
        println!("{}: {}", dialect.0, report.to_json());
        assert_eq!(report.breaks, []);
        check_bytes(&server);
        assert!(report.covered_permille() >= 950, "{report:?}");
        assert!(report.paid_permille() <= 1_050, "{report:?}");
        check_told(&server, steps / TURN);
        check_control(&server);
    }
}

/// A quarter of an hour lies between the turns of a session.
#[test]
fn an_hour_outlives_the_pauses_of_a_session() {
    let turns = 4;
    let with = |ttl: &str| {
        let scratch = workspace();
        scratch.config(&format!("[context]\ncache_ttl = \"{ttl}\"\n"));
        let server = server(turns * TURN, 15_000);
        for at in 0..turns {
            turn(&scratch, &server, DIALECTS[0], at);
            server.advance(Duration::from_secs(15 * 60));
        }
        assert_eq!(server.violations(), []);
        let report = report(&server);
        println!("{ttl}: {}", report.to_json());
        assert_eq!(report.breaks, []);
        report
    };
    let (short, hour) = (with("5m"), with("1h"));
    assert!(hour.covered_permille() >= 950, "{hour:?}");
    // What is written for an hour and never read again weighs more in so short a session.
    assert!(hour.paid_permille() <= 1_100, "{hour:?}");
    assert!(short.covered_permille() < 950, "{short:?}");
    assert!(short.paid > hour.paid);
}

/// The model is told of every change of mode and date, once, in words that are appended.
fn check_told(server: &ScriptedServer, turns: usize) {
    let requests = server.requests();
    let last = requests.last().map(|last| last.body.to_string());
    let last = last.unwrap_or_default();
    let told = |words: &str| last.matches(words).count();
    let modes = turns - 1;
    assert_eq!(told("The permission mode is now"), modes);
    assert_eq!(told("The date is now"), (turns - 1) / 2);
}

/// The control: a word of a tool's description that changes once is found, and is dear.
fn check_control(server: &ScriptedServer) {
    let log = server.log();
    let count = log.lines().count();
    let changed: Vec<String> = log
        .lines()
        .enumerate()
        .map(|(at, line)| match at {
            _ if at == count / 2 => line.replacen("\"description\":\"", "\"description\":\"! ", 1),
            _ => line.to_owned(),
        })
        .collect();
    let report = Report::of_log(&changed.join("\n")).expect("a log");
    let half = (count / 2) as u64;
    let places: Vec<&str> = report
        .breaks
        .iter()
        .map(|(_, place)| place.as_str())
        .collect();
    assert_eq!(places, ["tools[0]", "tools[0]"]);
    assert_eq!(report.breaks[0].0, half);
}
