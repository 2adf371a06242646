//! The scripted provider: what it plays, and that a restart does not confuse it.

use std::sync::Arc;
use std::time::Duration;

use bowline_core::event::ReplyStop;
use bowline_core::{Block, FailureKind};
use bowline_model::scenario::{Call, CutPoint, Expect, Fault, Scenario, Step, Stop};
use bowline_model::{Delta, ScriptedProvider};
use serde_json::json;

use crate::support::{Talk, new_id};

fn talk(steps: Vec<Step>) -> Talk {
    let scenario = Scenario::new(steps);
    scenario.validate().unwrap();
    Talk::new(ScriptedProvider::new(scenario, new_id()), "go")
}

#[tokio::test(start_paused = true)]
async fn a_step_is_told_in_pieces_after_its_delay() {
    let text = "a text of more than one piece, w\u{ef}th letters";
    let mut talk = talk(vec![Step {
        text: Some(text.to_owned()),
        reasoning: Some("hm".to_owned()),
        delay_ms: Some(5_000),
        ..Step::calls(vec![
            Call::new("read", json!({"path": "{k}"})),
            Call::new("read", json!({})),
        ])
    }]);
    let began = tokio::time::Instant::now();
    let reply = talk.ask().await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(
        (reply.message.text().as_str(), talk.heard_text().as_str()),
        (text, text)
    );
    assert!(matches!(&reply.message.blocks[0], Block::Reasoning { text, .. } if text == "hm"));
    let calls: Vec<_> = reply
        .message
        .calls()
        .map(|call| call.arguments.as_str())
        .collect();
    assert_eq!(calls, ["{\"path\":\"0\"}", "{}"]);
    let heard = talk.heard.lock().unwrap();
    assert!(
        heard
            .iter()
            .filter(|delta| matches!(delta, Delta::Text(_)))
            .count()
            > 1
    );
    assert_eq!(
        heard.last(),
        Some(&Delta::CallBegun {
            tool: "read".to_owned()
        })
    );
}

#[tokio::test(start_paused = true)]
async fn faults_are_the_failures_that_http_would_give() {
    let status = |status: u16| Fault::Status {
        status,
        retry_after_s: Some(3),
        body: None,
    };
    let faulty = |fault: Fault| Step {
        fault: Some(fault),
        text: Some("some words".to_owned()),
        ..Step::calls(vec![Call::new("read", json!({"path": "a"}))])
    };
    let garbage = Fault::Garbage {
        text: "<html>".to_owned(),
    };
    let frames = vec!["data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}".to_owned()];
    let cases = [
        (Step::fault(status(429)), FailureKind::RateLimited),
        (Step::fault(status(500)), FailureKind::Unavailable),
        (Step::fault(status(401)), FailureKind::Auth),
        (
            faulty(Fault::Cut {
                at: CutPoint::Start,
            }),
            FailureKind::Cut,
        ),
        (faulty(Fault::Cut { at: CutPoint::Text }), FailureKind::Cut),
        (
            faulty(Fault::Cut {
                at: CutPoint::Arguments,
            }),
            FailureKind::Cut,
        ),
        (
            faulty(Fault::Cut {
                at: CutPoint::BeforeEnd,
            }),
            FailureKind::Cut,
        ),
        (Step::fault(Fault::Reset), FailureKind::Cut),
        (Step::fault(Fault::Hang { at: None }), FailureKind::Timeout),
        (Step::fault(garbage), FailureKind::Malformed),
        (Step::fault(Fault::Raw { frames }), FailureKind::Cut),
        (Step::text(""), FailureKind::Empty),
    ];
    for (step, kind) in cases {
        let mut talk = talk(vec![step.clone(), Step::text("done")]);
        let failure = talk.ask().await.unwrap_err();
        assert_eq!(failure.kind, kind, "{step:?}: {}", failure.message);
        let asks_to_wait = matches!(step.fault, Some(Fault::Status { .. }));
        assert_eq!(failure.retry_after_ms, asks_to_wait.then_some(3_000));
        assert_eq!(talk.ask().await.unwrap().message.text(), "done", "{step:?}");
    }
}

#[tokio::test]
async fn each_place_is_found_again_after_a_restart() {
    let steps = vec![
        Step {
            repeat: Some(2),
            ..Step::calls(vec![Call::new("read", json!({}))])
        },
        Step::fault(Fault::Reset),
        Step::text(""),
        Step {
            stop: Some(Stop::Length),
            ..Step::text("")
        },
        Step::fault(Fault::Reset),
        Step::text("end"),
    ];
    let provider = || ScriptedProvider::new(Scenario::new(steps.clone()), new_id());
    let mut talk = Talk::new(provider(), "go");
    let mut seen = Vec::new();
    for _ in 0..8 {
        // Another provider each time: nothing may live in memory.
        talk.provider = Arc::new(provider());
        seen.push(match talk.ask().await {
            Ok(reply) if reply.stop == ReplyStop::Length => "length".to_owned(),
            Ok(reply) if reply.message.calls().count() > 0 => "call".to_owned(),
            Ok(reply) => reply.message.text(),
            Err(failure) => format!("{:?}", failure.kind),
        });
    }
    assert_eq!(
        seen,
        [
            "call", "call", "Cut", "Empty", "length", "Cut", "end", "end"
        ]
    );
}

#[tokio::test]
async fn a_try_that_was_interrupted_is_answered_again() {
    let mut talk = talk(vec![Step::text("first"), Step::text("second")]);
    // The process died while the first reply was on its way.
    talk.failed = 1;
    assert_eq!(talk.ask().await.unwrap().message.text(), "first");
    assert_eq!(talk.ask().await.unwrap().message.text(), "second");
}

#[tokio::test]
async fn expectations_are_checked_against_the_request() {
    let expecting = |expect: Expect| Step {
        expect: Some(expect),
        ..Step::text("ok")
    };
    let strings = |text: &str| vec![text.to_owned()];
    let calls = || Step::calls(vec![Call::new("read", json!({}))]);
    let check = async |expect: Expect, holds: bool| {
        let mut talk = talk(vec![calls(), expecting(expect.clone())]);
        talk.ask().await.unwrap();
        match talk.ask().await {
            Ok(_) => assert!(holds, "{expect:?}"),
            Err(failure) => {
                assert!(!holds, "{expect:?}: {}", failure.message);
                assert_eq!(failure.kind, FailureKind::BadRequest, "not worth a retry");
                assert!(failure.message.contains("steps[1]"), "{}", failure.message);
            }
        }
    };
    let with = |result: &str| Expect {
        last_result_contains: strings(result),
        ..Expect::default()
    };
    check(with("result of read"), true).await;
    check(with("result of grep"), false).await;
    let with = |prompt: &str| Expect {
        prompt_contains: strings(prompt),
        ..Expect::default()
    };
    check(with("You are a test."), true).await;
    check(with("go"), true).await;
    check(with("result of read"), true).await;
    check(with("nowhere"), false).await;
    check(
        Expect {
            tools_contain: strings("grep"),
            ..Expect::default()
        },
        true,
    )
    .await;
    check(
        Expect {
            tools_lack: strings("grep"),
            ..Expect::default()
        },
        false,
    )
    .await;
}

#[tokio::test]
async fn a_used_up_scenario_says_so() {
    let mut talk = talk(vec![Step::calls(vec![Call::new("read", json!({}))])]);
    talk.ask().await.unwrap();
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert!(failure.message.contains("used up"), "{}", failure.message);
}
