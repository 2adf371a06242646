//! Whole conversations in Anthropic's dialect over HTTP with the strict scripted server.

use bowline_core::{Block, FailureKind, ReasoningEffort};
use bowline_model::scenario::{Call, CutPoint, Fault, Scenario, Step};
use bowline_model::{ApiKey, Delta, Dialect};
use bowline_testkit::{Chunking, Options, ScriptedServer};
use serde_json::{Value, json};

use crate::server::conversation;
use crate::support::{CHUNKINGS, Talk, first_reply, speaker, to_the_end};

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
    let provider = speaker(Dialect::Anthropic, &server.root_url(), |config| {
        config.api_key = Some(ApiKey::new("sk-test-secret"));
    });
    let mut talk = Talk::new(provider, "find it: gr\u{fc}n \u{1F9F5}");
    talk.request.reasoning = Some(ReasoningEffort::High);
    talk
}

/// A request without its cache marks, up to where its messages end.
fn messages(body: &Value) -> Vec<Value> {
    bowline_testkit::strict::anthropic::normal(body)
}

#[tokio::test]
async fn a_conversation_holds_in_every_chunking() {
    for chunking in CHUNKINGS {
        let server = start(conversation(), chunking);
        let mut talk = talk(&server);
        let first = first_reply(&mut talk).await;
        assert!(first.message.extra.contains_key("provider_specific"));
        let Block::Opaque(thought) = &first.message.blocks[0] else {
            panic!("{:?}", first.message.blocks)
        };
        assert_eq!(thought.value["thinking"], "where could it be");
        {
            let heard = talk.heard.lock().unwrap();
            let thought = |delta: &&Delta| matches!(delta, Delta::Reasoning(_));
            assert!(heard.iter().filter(thought).count() > 1);
        }
        to_the_end(&mut talk).await;
        assert_eq!(server.violations(), [], "{chunking:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), 6);
        assert_eq!(requests[0].path, "/v1/messages");
        assert_eq!(requests[0].header("anthropic-version"), Some("2023-06-01"));
        assert_eq!(requests[0].header("authorization"), None);
        for (before, after) in requests.iter().zip(&requests[1..]) {
            let (before, after) = (messages(&before.body), messages(&after.body));
            assert_eq!(after[..before.len()], before, "only the marks move");
        }
        let sent = &requests[1].body["messages"][1]["content"];
        let types: Vec<&Value> = sent
            .as_array()
            .unwrap()
            .iter()
            .map(|b| &b["type"])
            .collect();
        let expect = [
            "thinking",
            "text",
            "redacted_thinking",
            "tool_use",
            "tool_use",
            "tool_use",
        ];
        assert_eq!(types, expect);
        assert_eq!(sent[3]["caller"], json!({"type": "direct"}));
    }
}

#[tokio::test]
async fn thinking_stays_as_it_is_within_a_round() {
    let thinks = Step {
        reasoning: Some("hm".to_owned()),
        ..Step::calls(vec![Call::new("read", json!({}))])
    };
    let acts = Step::calls(vec![Call::new("read", json!({}))]);
    for (first, expect) in [(thinks, true), (acts.clone(), false)] {
        let server = start(
            vec![first, acts.clone(), Step::text("done")],
            Chunking::Frames,
        );
        let mut talk = talk(&server);
        for _ in 0..3 {
            talk.ask().await.unwrap();
        }
        assert_eq!(server.violations(), []);
        let thinking = |at: usize| server.requests()[at].body.get("thinking").is_some();
        assert_eq!(
            [thinking(0), thinking(1), thinking(2)],
            [true, expect, expect]
        );
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
    let raw = |frame: Value| {
        let kind = frame["type"].as_str().unwrap_or_default();
        Step::fault(Fault::Raw {
            frames: vec![format!("event: {kind}\ndata: {frame}")],
        })
    };
    let overloaded =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let cases = [
        (cut(CutPoint::Start), FailureKind::Cut),
        (cut(CutPoint::Text), FailureKind::Cut),
        (cut(CutPoint::Arguments), FailureKind::Cut),
        (cut(CutPoint::BeforeEnd), FailureKind::Cut),
        (Step::fault(Fault::Reset), FailureKind::Cut),
        (status(429), FailureKind::RateLimited),
        (status(529), FailureKind::Unavailable),
        (status(500), FailureKind::Unavailable),
        (status(401), FailureKind::Auth),
        (status(403), FailureKind::Auth),
        (status(404), FailureKind::NotFound),
        (status(413), FailureKind::BadRequest),
        (status(400), FailureKind::BadRequest),
        (Step::text(""), FailureKind::Empty),
        (raw(overloaded), FailureKind::Unavailable),
        (raw(json!({"type": "ping"})), FailureKind::Cut),
        (raw(json!({"choices": []})), FailureKind::Malformed),
    ];
    for (step, kind) in cases {
        let server = start(vec![step.clone(), Step::text("done")], Chunking::Frames);
        let mut talk = talk(&server);
        let failure = talk.ask().await.unwrap_err();
        assert_eq!(failure.kind, kind, "{step:?}: {}", failure.message);
        if failure.status.is_some() {
            assert_eq!(failure.retry_after_ms, Some(2_000), "{step:?}");
        }
        assert_eq!(talk.ask().await.unwrap().message.text(), "done", "{step:?}");
        assert_eq!(server.violations(), [], "{step:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_with_the_right_variable() {
    let server = start(vec![Step::text("done")], Chunking::Frames);
    let ask = |key: Option<&str>| {
        let provider = speaker(Dialect::Anthropic, &server.root_url(), |config| {
            config.api_key = key.map(ApiKey::new);
        });
        async move { Talk::new(provider, "hi").ask().await.unwrap_err() }
    };
    let failure = ask(Some("sk-wrong-secret")).await;
    assert_eq!(failure.kind, FailureKind::Auth);
    let message = &failure.message;
    assert!(message.contains("check ANTHROPIC_API_KEY"), "{message}");
    assert!(!message.contains("sk-wrong"), "{message}");
    let message = ask(None).await.message;
    assert!(message.contains("set ANTHROPIC_API_KEY"), "{message}");
}
