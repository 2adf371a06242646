//! Whole conversations over HTTP with the strict scripted server.

use std::sync::Arc;
use std::time::Duration;

use bowline_core::{FailureKind, HistoryItem};
use bowline_model::ApiKey;
use bowline_model::scenario::{Call, CutPoint, Fault, Scenario, Step, Stop};
use bowline_testkit::{Chunking, Options, ScriptedServer};
use serde_json::json;

use crate::support::{CHUNKINGS, Talk, chat, first_reply, to_the_end};

fn start(steps: Vec<Step>, chunking: Chunking) -> ScriptedServer {
    let options = Options {
        chunking,
        require_reasoning_back: true,
        api_key: Some("sk-test-secret".to_owned()),
        ..Options::default()
    };
    ScriptedServer::start(Scenario::new(steps), options)
}

fn talk(server: &ScriptedServer) -> Talk {
    let provider = chat(&server.base_url(), |config| {
        config.api_key = Some(ApiKey::new("sk-test-secret"));
        config.headers = vec![("x-team".to_owned(), "harness-team".to_owned())];
    });
    Talk::new(provider, "find it: gr\u{fc}n \u{1F9F5}")
}

pub(crate) fn conversation() -> Vec<Step> {
    let read = |path: &str| Call::new("read", json!({"path": path}));
    vec![
        Step {
            text: Some("I look at gr\u{fc}n \u{1F9F5}.".to_owned()),
            reasoning: Some("where could it be".to_owned()),
            ..Step::calls(vec![
                read("a\u{e9}.txt"),
                read("b.txt"),
                Call::new("grep", json!({})),
            ])
        },
        Step {
            calls: vec![
                Call {
                    id: Some("same".to_owned()),
                    ..read("c")
                };
                2
            ],
            ..Step::default()
        },
        Step::calls(vec![Call::new("no_such_tool", json!({}))]),
        Step::calls(vec![Call::new("bad name!", json!({}))]),
        Step {
            stop: Some(Stop::Length),
            ..Step::text("and then I")
        },
        Step::text("done"),
    ]
}

#[tokio::test]
async fn a_conversation_holds_in_every_chunking() {
    for chunking in CHUNKINGS {
        let server = start(conversation(), chunking);
        let mut talk = talk(&server);
        let first = first_reply(&mut talk).await;
        assert!(first.message.extra.contains_key("provider_specific"));
        to_the_end(&mut talk).await;
        assert_eq!(server.violations(), [], "{chunking:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), 6);
        assert_eq!(requests[0].header("x-team"), Some("harness-team"));
        let sent = &requests[1].body["messages"][2]["tool_calls"][1];
        let signature = json!({"signature": "signature-0-call_0_1"});
        assert_eq!(sent["extra_content"], signature, "it comes back");
        assert!(
            requests[0]
                .header("user-agent")
                .unwrap()
                .starts_with("bowline/")
        );
        assert!(
            requests[1]
                .raw
                .starts_with(&requests[0].raw[..requests[0].raw.len() - 2])
        );
    }
}

#[tokio::test]
async fn faults_become_failures_and_the_next_try_succeeds() {
    let cut = |at: CutPoint| Step {
        text: Some("a rather long text".to_owned()),
        fault: Some(Fault::Cut { at }),
        ..Step::calls(vec![Call::new("read", json!({"path": "abcdefgh"}))])
    };
    let status = |status: u16| Fault::Status {
        status,
        retry_after_s: Some(2),
        body: None,
    };
    let raw = |frame: &str| Fault::Raw {
        frames: vec![frame.to_owned()],
    };
    let cases = [
        (cut(CutPoint::Start), FailureKind::Cut),
        (cut(CutPoint::Text), FailureKind::Cut),
        (cut(CutPoint::Arguments), FailureKind::Cut),
        (cut(CutPoint::BeforeEnd), FailureKind::Cut),
        (Step::fault(Fault::Reset), FailureKind::Cut),
        (Step::fault(status(429)), FailureKind::RateLimited),
        (Step::fault(status(503)), FailureKind::Unavailable),
        (Step::fault(status(401)), FailureKind::Auth),
        (Step::fault(status(404)), FailureKind::NotFound),
        (Step::fault(status(400)), FailureKind::BadRequest),
        (Step::text(""), FailureKind::Empty),
        (
            Step::fault(Fault::Garbage {
                text: "<html>".to_owned(),
            }),
            FailureKind::Malformed,
        ),
        (
            Step::fault(raw("data: {\"error\":{\"message\":\"m\",\"code\":500}}")),
            FailureKind::Unavailable,
        ),
        (Step::fault(raw("data: [DONE]")), FailureKind::Cut),
    ];
    for (step, kind) in cases {
        let server = start(vec![step.clone(), Step::text("done")], Chunking::Frames);
        let mut talk = talk(&server);
        let failure = talk.ask().await.unwrap_err();
        assert_eq!(failure.kind, kind, "{step:?}: {}", failure.message);
        if failure.status.is_some_and(|status| status != 500) {
            assert_eq!(failure.retry_after_ms, Some(2_000));
        }
        assert_eq!(talk.ask().await.unwrap().message.text(), "done", "{step:?}");
        assert_eq!(server.violations(), [], "{step:?}");
    }
}

#[tokio::test]
async fn silence_ends_in_a_timeout_and_connections_are_reused() {
    let hang = Step {
        fault: Some(Fault::Hang {
            at: Some(CutPoint::Text),
        }),
        ..Step::text("words")
    };
    let at_once = Step::fault(Fault::Hang { at: None });
    let server = start(vec![hang, at_once, Step::text("done")], Chunking::Frames);
    let provider = chat(&server.base_url(), |config| {
        config.api_key = Some(ApiKey::new("sk-test-secret"));
        config.timeouts.idle = Duration::from_millis(200);
    });
    let mut talk = Talk::new(provider, "hi");
    for _ in 0..2 {
        let failure = talk.ask().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.message);
        assert!(failure.message.contains("for 0.2 s"), "{}", failure.message);
    }
    assert_eq!(talk.ask().await.unwrap().message.text(), "done");
}

#[tokio::test]
async fn a_wrong_key_is_told_without_showing_it() {
    let server = start(vec![Step::text("done")], Chunking::Frames);
    let provider = chat(&server.base_url(), |config| {
        config.api_key = Some(ApiKey::new("sk-wrong-secret"));
    });
    let failure = Talk::new(provider, "hi").ask().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Auth);
    assert!(
        failure.message.contains("OPENAI_API_KEY"),
        "{}",
        failure.message
    );
    assert!(!failure.message.contains("sk-wrong"), "{}", failure.message);
    let failure = Talk::new(chat(&server.base_url(), |_| {}), "hi")
        .ask()
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("set OPENAI_API_KEY"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn dropping_the_future_ends_the_attempt() {
    let slow = Step {
        delay_ms: Some(600_000),
        ..Step::text("never")
    };
    let server = Arc::new(start(vec![slow], Chunking::Frames));
    let mut talk = talk(&server);
    let wait = |wait: fn(&ScriptedServer, usize, Duration) -> bool| {
        let server = Arc::clone(&server);
        tokio::task::spawn_blocking(move || wait(&server, 1, Duration::from_secs(30)))
    };
    tokio::select! {
        reply = talk.ask() => panic!("{reply:?}"),
        arrived = wait(ScriptedServer::wait_for_requests) => assert!(arrived.unwrap()),
    }
    // The server stops waiting once the client has hung up.
    assert!(wait(ScriptedServer::wait_for_answers).await.unwrap());
}

#[tokio::test]
async fn a_reply_becomes_a_whole_exchange() {
    let server = start(conversation(), Chunking::Frames);
    let mut talk = talk(&server);
    talk.ask().await.unwrap();
    let last = talk.request.history.last().unwrap();
    assert!(matches!(last.as_ref(), HistoryItem::Exchange(one) if one.results().len() == 3));
}
