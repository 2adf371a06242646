//! Whole conversations in the Responses dialect over HTTP with the strict scripted server.

use std::sync::Arc;

use bowline_core::event::ReplyStop;
use bowline_core::{Block, FailureKind, ReasoningEffort};
use bowline_model::scenario::{Call, CutPoint, Fault, Scenario, Step};
use bowline_model::{ApiKey, Dialect};
use bowline_testkit::{Chunking, Options, ScriptedServer};
use serde_json::json;

use crate::server::conversation;
use crate::support::{CHUNKINGS, Talk, first_reply, person, speaker};

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
    let provider = speaker(Dialect::Responses, &server.base_url(), |config| {
        config.api_key = Some(ApiKey::new("sk-test-secret"));
    });
    Talk::new(provider, "find it: gr\u{fc}n \u{1F9F5}")
}

#[tokio::test]
async fn a_conversation_holds_in_every_chunking() {
    for chunking in CHUNKINGS {
        let server = start(conversation(), chunking);
        let mut talk = talk(&server);
        let first = first_reply(&mut talk).await;
        let Block::Opaque(thought) = &first.message.blocks[0] else {
            panic!("{:?}", first.message.blocks)
        };
        assert_eq!(thought.value["summary"][0]["text"], "where could it be");
        let kept = first.message.calls().map(|call| call.kept.clone().unwrap());
        assert!(
            kept.into_iter()
                .all(|kept| kept.value["provider_specific"].is_object())
        );
        for _ in 0..3 {
            talk.ask().await.unwrap();
        }
        assert_eq!(talk.ask().await.unwrap().stop, ReplyStop::Length);
        talk.request.history.push(Arc::new(person("go on")));
        talk.request.reasoning = Some(ReasoningEffort::High);
        assert_eq!(talk.ask().await.unwrap().message.text(), "done");
        assert_eq!(server.violations(), [], "{chunking:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), 6);
        assert_eq!(requests[0].path, "/v1/responses");
        let kept = requests[0].raw.len() - 2;
        assert!(requests[1].raw.starts_with(&requests[0].raw[..kept]));
    }
}

#[tokio::test]
async fn faults_become_failures_and_the_next_try_succeeds() {
    let cut = |at: CutPoint| Step {
        text: Some("a rather long text".to_owned()),
        reasoning: Some("hm".to_owned()),
        fault: Some(Fault::Cut { at }),
        ..Step::calls(vec![Call::new("read", json!({"path": "abcdefgh"}))])
    };
    let status = |status: u16| {
        Step::fault(Fault::Status {
            status,
            retry_after_s: Some(2),
            body: None,
        })
    };
    let raw = |frame: &str| {
        Step::fault(Fault::Raw {
            frames: vec![frame.to_owned()],
        })
    };
    let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}"#;
    let too_long = r#"{"type":"error","code":"context_length_exceeded","message":"m"}"#;
    let cases = [
        (cut(CutPoint::Start), FailureKind::Cut),
        (cut(CutPoint::Text), FailureKind::Cut),
        (cut(CutPoint::Arguments), FailureKind::Cut),
        (cut(CutPoint::BeforeEnd), FailureKind::Cut),
        (Step::fault(Fault::Reset), FailureKind::Cut),
        (status(429), FailureKind::RateLimited),
        (status(503), FailureKind::Unavailable),
        (status(401), FailureKind::Auth),
        (status(404), FailureKind::NotFound),
        (status(400), FailureKind::BadRequest),
        (Step::text(""), FailureKind::Empty),
        (raw("<html>"), FailureKind::Malformed),
        (raw(&format!("data: {failed}")), FailureKind::Unavailable),
        (
            raw(&format!("event: error\ndata: {too_long}")),
            FailureKind::TooLong,
        ),
        (raw("data: [DONE]"), FailureKind::Cut),
        (raw("data: {\"choices\":[]}"), FailureKind::Malformed),
    ];
    for (step, kind) in cases {
        let server = start(vec![step.clone(), Step::text("done")], Chunking::Frames);
        let mut talk = talk(&server);
        let failure = talk.ask().await.unwrap_err();
        assert_eq!(failure.kind, kind, "{step:?}: {}", failure.message);
        if failure.status.is_some() {
            assert_eq!(failure.retry_after_ms, Some(2_000));
        }
        assert_eq!(talk.ask().await.unwrap().message.text(), "done", "{step:?}");
        assert_eq!(server.violations(), [], "{step:?}");
    }
}

/// The control: a client that drops the reasoning, as an encoder without the model's name does, is
/// refused by the same server.
#[tokio::test]
async fn a_client_that_drops_reasoning_is_refused() {
    let server = start(conversation(), Chunking::Frames);
    let mut talk = talk(&server);
    talk.ask().await.unwrap();
    talk.request.model = "openai/m-2".parse().unwrap();
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert!(
        failure.message.contains("must be passed back"),
        "{}",
        failure.message
    );
}
