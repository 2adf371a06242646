//! Everything that a server may send instead of a reply, over real connections, in each dialect:
//! a clear failure or a sound reply, never a panic, never a call that was not finished.

mod frames;
mod raw;
mod rows;

use std::thread::JoinHandle;
use std::time::Duration;

use bowline_core::event::ReplyStop;
use bowline_core::{FailureKind, ProviderFailure};
use bowline_model::{Dialect, Reply, Timeouts};
use serde_json::{Map, Value};

use crate::support::{Talk, speaker};
use raw::{End, Sent, serve};

/// What must come of a row.
#[derive(Clone, Debug)]
enum Expect {
    /// A failure of this kind whose message holds this.
    Fails(FailureKind, &'static str),
    /// A failure of one of these kinds: the dialects see the same bytes differently.
    FailsAs(&'static [FailureKind]),
    /// A reply: its text, its calls that may run, its calls that may not, its end.
    Says(&'static str, usize, usize, ReplyStop),
}

/// One thing that a server sends.
struct Row {
    name: &'static str,
    sent: Sent,
    expect: Expect,
}

fn row(name: &'static str, sent: Sent, expect: Expect) -> Row {
    Row { name, sent, expect }
}

/// Long enough for a busy machine, short enough for a test that waits for it.
const IDLE: Duration = Duration::from_millis(1500);

/// A provider's base URL for a server at `address`.
fn base_url(dialect: Dialect, address: &str) -> String {
    if dialect.name() == frames::ANTHROPIC {
        address.to_owned()
    } else {
        format!("{address}/v1")
    }
}

/// The time limits of every row: only [`End::Trickling`] needs one on the whole.
fn limits() -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(500),
        idle: IDLE,
        ..Timeouts::default()
    }
}

async fn ask(
    dialect: Dialect,
    address: &str,
    timeouts: Timeouts,
) -> Result<Reply, ProviderFailure> {
    let provider = speaker(dialect, &base_url(dialect, address), |config| {
        config.timeouts = timeouts;
    });
    Talk::new(provider, "hi").ask().await
}

fn check(dialect: Dialect, row: &Row, outcome: Result<Reply, ProviderFailure>) {
    let at = format!("{}, {}", dialect.name(), row.name);
    match (&row.expect, outcome) {
        (Expect::Fails(kind, part), Err(failure)) => {
            assert_eq!(failure.kind, *kind, "{at}: {}", failure.message);
            let message = &failure.message;
            assert!(
                message.contains(part),
                "{at}: `{part}` is missing in: {message}"
            );
            presentable(&at, &failure);
        }
        (Expect::FailsAs(kinds), Err(failure)) => {
            assert!(kinds.contains(&failure.kind), "{at}: {failure:?}");
            presentable(&at, &failure);
        }
        (Expect::Says(text, runnable, others, stop), Ok(reply)) => {
            assert_eq!(reply.message.text(), *text, "{at}");
            assert_eq!(reply.stop, *stop, "{at}");
            let may_run = |call: &&bowline_core::ToolCall| {
                call.fault.is_none()
                    && !call.name.is_empty()
                    && serde_json::from_str::<Map<String, Value>>(&call.arguments).is_ok()
            };
            let calls = reply.message.calls().count();
            let ready = reply.message.calls().filter(may_run).count();
            assert_eq!(
                (ready, calls - ready),
                (*runnable, *others),
                "{at}: {reply:?}"
            );
        }
        (expect, outcome) => panic!("{at}: {expect:?}, got {outcome:?}"),
    }
}

/// A message for a person: one line, of a bearable length, without anything that moves a cursor,
/// naming the server it is about.
fn presentable(at: &str, failure: &ProviderFailure) {
    let message = &failure.message;
    assert!(!message.contains(char::is_control), "{at}: {message:?}");
    assert!(message.chars().count() < 700, "{at}: {message}");
    let names_it = message.contains("127.0.0.1") || message.contains("/m-1 replied");
    assert!(names_it, "{at}: {message}");
    if failure.kind == FailureKind::Malformed {
        assert!(message.contains("check"), "{at} says what to do: {message}");
    }
}

/// Waits for the server to see that the client hung up; the runtime must go on for that.
async fn over(server: JoinHandle<()>) {
    tokio::task::spawn_blocking(move || server.join())
        .await
        .unwrap()
        .unwrap();
}

async fn run(rows: impl Fn(Dialect) -> Vec<Row>) {
    for dialect in Dialect::ALL {
        for row in rows(dialect) {
            let (address, server) = serve(row.sent.clone());
            let outcome = ask(dialect, &address, limits()).await;
            check(dialect, &row, outcome);
            over(server).await;
        }
    }
}

#[test]
fn there_are_rows_enough() {
    for dialect in Dialect::ALL {
        let name = dialect.name();
        let lists = [
            rows::bodies(name),
            rows::streams(name),
            rows::calls(name),
            rows::connections(name),
            rows::errors(name),
            rows::endless(name),
            rows::other_dialects(name),
        ];
        let mut names: Vec<&str> = lists.iter().flatten().map(|row| row.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "every row has a name of its own");
        assert!(count >= 60, "{count} for {name}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_reply() {
    run(|dialect| rows::bodies(dialect.name())).await;
}

#[tokio::test]
async fn streams_in_odd_shapes() {
    run(|dialect| rows::streams(dialect.name())).await;
}

#[tokio::test]
async fn calls_that_are_not_whole_are_never_ready_to_run() {
    run(|dialect| rows::calls(dialect.name())).await;
}

#[tokio::test]
async fn connections_that_end_too_early_or_too_late() {
    run(|dialect| rows::connections(dialect.name())).await;
}

#[tokio::test]
async fn errors_in_the_middle_of_a_success() {
    run(|dialect| rows::errors(dialect.name())).await;
}

#[tokio::test]
async fn what_has_no_end_is_given_one() {
    run(|dialect| rows::endless(dialect.name())).await;
}

#[tokio::test]
async fn the_wrong_dialect_at_the_url_is_named() {
    run(|dialect| rows::other_dialects(dialect.name())).await;
}

#[tokio::test]
async fn a_server_that_takes_no_connection_is_given_up() {
    let (address, _listener, _waiting) = raw::full_queue();
    for dialect in Dialect::ALL {
        let failure = ask(dialect, &address, limits()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Connect, "{}", failure.message);
        assert!(failure.message.contains("timed out"), "{}", failure.message);
        presentable(dialect.name(), &failure);
    }
}

#[tokio::test]
async fn a_server_that_trickles_is_given_up() {
    for dialect in Dialect::ALL {
        let mut sent = Sent::open([": still here\n\n"]);
        sent.end = End::Trickling;
        let (address, server) = serve(sent);
        let timeouts = Timeouts {
            whole: IDLE / 2,
            ..limits()
        };
        let failure = ask(dialect, &address, timeouts).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.message);
        assert!(
            failure.message.contains("was not over after"),
            "{}",
            failure.message
        );
        presentable(dialect.name(), &failure);
        over(server).await;
    }
}
