//! Every way in which a model call, a provider or a scenario can fail is provoked, and nothing
//! comes of it: no second request, no reply, no provider.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use bowline_core::{FailureKind, ProviderFailure};
use bowline_model::scenario::{Call, CutPoint, Fault, Scenario, ScenarioError, Step};
use bowline_model::sse::{SseError, SseParser};
use bowline_model::{ApiKey, Dialect, HttpProvider, ModelError, ProviderConfig};
use bowline_testkit::{Options, ScriptedServer};
use serde_json::json;

use crate::support::{Talk, chat, new_id};
use crate::variants::{name, variants};

/// Asks once; the server that played `step` got one request and no more.
async fn failed(step: Step) -> ProviderFailure {
    let server = ScriptedServer::start(Scenario::new(vec![step]), Options::default());
    let provider = chat(&server.base_url(), |config| {
        config.timeouts.idle = Duration::from_millis(200);
    });
    let mut talk = Talk::new(provider, "hi");
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{failure:?}");
    assert_eq!((talk.replies, talk.request.history.len()), (0, 1));
    failure
}

/// Asks a server that is not there.
async fn unreachable() -> ProviderFailure {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let provider = chat(&format!("http://{address}/v1"), |_| {});
    Talk::new(provider, "hi").ask().await.unwrap_err()
}

#[tokio::test]
async fn every_failure_of_a_model_call_is_provoked_and_makes_one_request() {
    let status = |status: u16| {
        Step::fault(Fault::Status {
            status,
            retry_after_s: None,
            body: None,
        })
    };
    let cut = Step {
        fault: Some(Fault::Cut {
            at: CutPoint::Arguments,
        }),
        ..Step::calls(vec![Call::new("read", json!({ "path": "abcdefgh" }))])
    };
    let too_long = Fault::Status {
        status: 400,
        retry_after_s: None,
        body: Some(r#"{"error": {"code": "context_length_exceeded", "message": "m"}}"#.to_owned()),
    };
    let garbage = Fault::Garbage {
        text: "<html>".to_owned(),
    };
    let table = [
        (cut, FailureKind::Cut),
        (Step::fault(Fault::Hang { at: None }), FailureKind::Timeout),
        (status(429), FailureKind::RateLimited),
        (status(503), FailureKind::Unavailable),
        (status(401), FailureKind::Auth),
        (status(404), FailureKind::NotFound),
        (status(400), FailureKind::BadRequest),
        (Step::fault(too_long), FailureKind::TooLong),
        (Step::fault(garbage), FailureKind::Malformed),
        (Step::text(""), FailureKind::Empty),
    ];
    let mut provoked = BTreeSet::from([name(&unreachable().await.kind)]);
    for (step, kind) in table {
        let failure = failed(step).await;
        assert_eq!(failure.kind, kind, "{}", failure.message);
        provoked.insert(name(&kind));
    }
    // Made by the engine and the drive loop, which know of them; their tests provoke them.
    for kind in [
        FailureKind::CutShort,
        FailureKind::Cancelled,
        FailureKind::Interrupted,
        FailureKind::Withheld,
    ] {
        assert!(provoked.insert(name(&kind)));
    }
    let all = variants(
        include_str!("../../../bowline-core/src/failure.rs"),
        "FailureKind",
    );
    println!("{} of {} kinds: {provoked:?}", provoked.len(), all.len());
    assert_eq!(provoked, all);
}

fn made(base_url: &str, adjust: impl FnOnce(&mut ProviderConfig)) -> ModelError {
    let mut config = ProviderConfig::new(Dialect::Chat, base_url, new_id());
    adjust(&mut config);
    match HttpProvider::new(config) {
        Err(error) => error,
        Ok(_) => panic!("{base_url} makes a provider"),
    }
}

const CHILD: &str = "MODEL_TEST_WITHOUT_CERTIFICATES";

/// The other half of the test below; does nothing unless it was started by it.
#[test]
fn child_without_certificates() {
    if std::env::var_os(CHILD).is_some() {
        let error = made("https://127.0.0.1:1/v1", |_| {});
        assert_eq!(name(&error), "Client", "{error}");
        println!("as expected: {error}");
    }
}

/// A provider cannot be made where no certificate is to be had; the environment is a child's.
fn client_of_nothing() -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "errors::child_without_certificates",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(
        child.status.success() && said.contains("as expected: "),
        "{said}"
    );
    "Client".to_owned()
}

#[test]
fn every_reason_why_there_is_no_provider_is_provoked() {
    let header = |config: &mut ProviderConfig| {
        config.headers = vec![("x team".to_owned(), "a".to_owned())];
    };
    let key = |config: &mut ProviderConfig| config.api_key = Some(ApiKey::new("sk-\nsecret"));
    let table = [
        (made("ftp://127.0.0.1/v1", |_| {}), "BaseUrl"),
        (made("no url", |_| {}), "BaseUrl"),
        (made("http://127.0.0.1:1/v1", header), "Header"),
        (made("http://127.0.0.1:1/v1", key), "Header"),
    ];
    let mut provoked = BTreeSet::from([client_of_nothing()]);
    for (error, expected) in table {
        assert_eq!(name(&error), expected, "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        provoked.insert(name(&error));
    }
    let all = variants(include_str!("../../src/lib.rs"), "ModelError");
    assert_eq!(provoked, all);
}

#[test]
fn every_reason_why_a_text_is_no_scenario_is_provoked() {
    let table = [
        ("{", "Syntax"),
        (r#"{ "version": 99, "steps": [] }"#, "Version"),
        (r#"{ "version": 1, "steps": [{ "txt": "a" }] }"#, "Invalid"),
    ];
    let mut provoked = BTreeSet::new();
    for (text, expected) in table {
        let error: ScenarioError = Scenario::from_json(text).unwrap_err();
        assert_eq!(name(&error), expected, "{error}");
        provoked.insert(name(&error));
    }
    let all = variants(include_str!("../../src/scenario.rs"), "ScenarioError");
    assert_eq!(provoked, all);
}

#[test]
fn an_event_of_a_stream_that_is_too_large_ends_the_reading() {
    let mut parser = SseParser::new(8);
    let mut events = Vec::new();
    let error = SseError::TooLarge { limit_bytes: 8 };
    assert_eq!(
        parser.push(b"data: 0123456789\n\n", &mut events),
        Err(error)
    );
    assert_eq!(parser.push(b"data: 1\n\n", &mut events), Err(error));
    assert_eq!(events.len(), 0);
    let all = variants(include_str!("../../src/sse.rs"), "SseError");
    assert_eq!(BTreeSet::from([name(&error)]), all);
}
