//! Parsing, checks and playback of scenarios.

use serde_json::json;

use super::*;

fn parse(text: &str) -> Scenario {
    Scenario::from_json(text).unwrap()
}

fn steps(steps: Value) -> Scenario {
    Scenario::from_value(json!({"version": 1, "steps": steps})).unwrap()
}

fn answer(reply: Reply) -> Answer {
    match reply {
        Reply::Answer(answer) => answer,
        Reply::Failure { message, .. } => panic!("expected an answer, got: {message}"),
    }
}

fn failure(reply: Reply) -> (FailureKind, String) {
    match reply {
        Reply::Failure { kind, message } => (kind, message),
        Reply::Answer(answer) => panic!("expected a failure, got: {answer:?}"),
    }
}

#[test]
fn every_key_of_the_format_is_read_and_written_back() {
    let document = json!({
        "version": 1, "name": "all", "model": "m",
        "usage": {"input_tokens": 7, "output_tokens": 2, "cached_input_tokens": 3},
        "steps": [
            {"text": "I look.", "reasoning": "hm",
             "calls": [{"tool": "grep", "input": {"pattern": "x"}, "id": "a"},
                       {"tool": "read", "raw_arguments": "{\"pa"}],
             "delay_ms": 5, "repeat": 2,
             "expect": {"last_result_contains": ["a"], "last_result_lacks": ["b"],
                        "prompt_contains": ["c"], "prompt_lacks": ["d"],
                        "tools_contain": ["e"], "tools_lack": ["f"], "history": "compacted"},
             "usage": {"input_tokens": 1, "output_tokens": 1, "cached_input_tokens": 1},
             "stop": "length"},
            {"fault": {"kind": "status", "status": 429, "retry_after_s": 1, "body": "slow down"}},
            {"text": "t", "fault": {"kind": "cut", "at": "text"}},
            {"fault": {"kind": "reset"}},
            {"fault": {"kind": "hang", "at": "start"}},
            {"fault": {"kind": "garbage", "text": "<html>"}},
            {"fault": {"kind": "raw", "frames": ["data: x"]}},
            {"text": "done"}]
    });
    let scenario = Scenario::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(&scenario).unwrap(), document);
}

/// Checks the message for a document.
fn refuse(document: &Value, expect: &str) {
    let message = Scenario::from_value(document.clone())
        .unwrap_err()
        .to_string();
    assert_eq!(message, expect, "{document}");
}

/// Checks the message for a document whose second step is `step`.
fn refuse_step(step: Value, expect: &str) {
    refuse(
        &json!({"version": 1, "steps": [{"text": "a"}, step]}),
        expect,
    );
}

#[test]
fn unknown_keys_and_words_name_the_nearest_one() {
    refuse(
        &json!({"version": 1, "steps": [{"text": "a"}, {"text": "b"}, {"text": "c"}, {"cals": []}]}),
        "steps[3].cals: unknown key, did you mean calls?",
    );
    refuse_step(
        json!({"calls": [{"tol": "x"}]}),
        "steps[1].calls[0].tol: unknown key, did you mean tool?",
    );
    refuse_step(
        json!({"text": "x", "zzzzzz": 1}),
        "steps[1].zzzzzz: unknown key, known here: text, reasoning, calls, delay_ms, repeat, expect, \
         usage, stop, fault",
    );
    refuse_step(
        json!({"text": "x", "expect": {"prompt_contain": []}}),
        "steps[1].expect.prompt_contain: unknown key, did you mean prompt_contains?",
    );
    refuse_step(
        json!({"fault": {"kind": "statsu"}}),
        "steps[1].fault.kind: \"statsu\" is not known, did you mean status?",
    );
    refuse_step(
        json!({"fault": {"kind": "status", "satus": 429}}),
        "steps[1].fault.satus: unknown key, did you mean status?",
    );
    refuse_step(
        json!({"fault": {"kind": "reset", "at": "text"}}),
        "steps[1].fault.at: unknown key, known here: kind",
    );
    refuse_step(
        json!({"fault": {}}),
        "steps[1].fault: needs a \"kind\": status, cut, reset, hang, garbage, raw",
    );
    refuse_step(
        json!({"text": "x", "stop": "lenght"}),
        "steps[1].stop: \"lenght\" is not known, did you mean length?",
    );
}

#[test]
fn wrong_values_are_refused_with_place_and_remedy() {
    refuse_step(
        json!({"fault": {"kind": "status"}}),
        "steps[1].fault: key \"status\" is missing",
    );
    refuse_step(
        json!({"fault": {"kind": "status", "status": 200}}),
        "steps[1].fault.status: must be 400 to 599, is 200",
    );
    refuse_step(
        json!({"fault": {"kind": "cut", "at": "arguments"}}),
        "steps[1].fault.at: the step has no calls to cut",
    );
    refuse_step(json!({"text": 3}), "steps[1].text: must be a string, is 3");
    refuse_step(
        json!({"text": "x", "delay_ms": -1}),
        "steps[1].delay_ms: must be a whole number of at least 0, is -1",
    );
    refuse_step(
        json!({"text": "x", "repeat": 0}),
        "steps[1].repeat: must be at least 1, is 0",
    );
    refuse_step(
        json!({"calls": [{"tool": "x", "input": {}, "raw_arguments": ""}]}),
        "steps[1].calls[0]: give input or raw_arguments, not both",
    );
    refuse_step(
        json!({"calls": [{"input": {}}]}),
        "steps[1].calls[0]: key \"tool\" is missing",
    );
    refuse_step(
        json!({}),
        "steps[1]: answers nothing; for a reply with neither text nor call write \"text\": \"\"",
    );
    refuse(
        &json!({"version": 1, "steps": [{"text": "x"}],
            "usage": {"input_tokens": 1, "cached_input_tokens": 2}}),
        "usage.cached_input_tokens: 2 is more than the 1 input_tokens it is part of",
    );
}

#[test]
fn a_document_of_another_kind_is_refused() {
    refuse(
        &json!({"version": 1, "steps": []}),
        "steps: needs at least one step",
    );
    refuse(&json!({"version": 1}), "key \"steps\" is missing");
    refuse(
        &json!({"version": 2, "stages": []}),
        "version: 2 is not supported, this build plays version 1",
    );
    refuse(
        &json!({"steps": []}),
        "key \"version\" is missing: \"version\": 1",
    );
    refuse(&json!([]), "a scenario is a JSON object");
    let error = Scenario::from_json("{\n  \"version\": 1,,\n}").unwrap_err();
    assert!(
        matches!(
            error,
            ScenarioError::Syntax {
                line: 2,
                column: 16,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn steps_answer_in_order_and_repeat() {
    let cursor = Cursor::new(steps(json!([
        {"calls": [{"tool": "shell", "input": {"command": "true {k}", "list": [{"n": "{k}{k}"}], "n": 3}},
                   {"tool": "x", "raw_arguments": "{k"}], "repeat": 2},
        {"text": "done {k}"}
    ])));
    for k in 0..2 {
        let played = answer(cursor.next(RequestView::default()));
        assert_eq!(
            (played.request, played.step, played.stop),
            (k, 0, Stop::ToolCalls)
        );
        assert_eq!(played.calls[0].id, format!("call_{k}_0"));
        let expect =
            json!({"command": format!("true {k}"), "list": [{"n": format!("{k}{k}")}], "n": 3});
        assert_eq!(played.calls[0].arguments, expect.to_string());
        assert_eq!(played.calls[1].arguments, "{k");
    }
    for k in 2..5 {
        let played = answer(cursor.next(RequestView::default()));
        assert_eq!(
            (played.request, played.step, played.stop),
            (k, 1, Stop::Stop)
        );
        assert_eq!(
            played.text.as_deref(),
            Some("done {k}"),
            "only inputs and ids are filled in"
        );
    }
}

#[test]
fn a_scenario_that_ends_in_a_call_is_used_up() {
    let cursor = Cursor::new(parse(
        r#"{"version":1,"name":"n","steps":[{"calls":[{"tool":"x"}]}]}"#,
    ));
    answer(cursor.next(RequestView::default()));
    let (kind, message) = failure(cursor.next(RequestView::default()));
    assert_eq!(kind, FailureKind::UsedUp);
    assert!(
        message.starts_with("scenario \"n\" is used up: request 1 came"),
        "{message}"
    );
}

#[test]
fn expectations_check_results_texts_and_tools() {
    let check = |expect: Value, holds: bool| {
        let cursor = Cursor::new(steps(json!([{"text": "ok", "expect": expect}])));
        let view = || RequestView {
            last_results: vec!["one red".into(), "two".into()],
            prompt_texts: vec![
                "system".into(),
                "fix it".into(),
                "one red".into(),
                "two".into(),
            ],
            tools: vec!["grep".into(), "read".into()],
        };
        match cursor.next(view()) {
            Reply::Answer(_) => assert!(holds, "{expect} must not hold"),
            Reply::Failure { kind, message } => {
                assert!(!holds, "{expect}: {message}");
                assert_eq!(kind, FailureKind::Unexpected);
                assert!(
                    message.starts_with("scenario failed at steps[0], request 0: "),
                    "{message}"
                );
                assert_eq!(
                    failure(cursor.next(view())).1,
                    message,
                    "a failed scenario stays failed"
                );
            }
        }
    };
    check(json!({"last_result_contains": ["red", "tw"]}), true);
    check(json!({"last_result_contains": ["red", "fix"]}), false);
    check(json!({"last_result_lacks": ["fix", "green"]}), true);
    check(json!({"last_result_lacks": ["two"]}), false);
    check(json!({"prompt_contains": ["fix", "red", "syst"]}), true);
    check(json!({"prompt_contains": ["blue"]}), false);
    check(json!({"prompt_lacks": ["blue"]}), true);
    check(json!({"prompt_lacks": ["system"]}), false);
    check(json!({"tools_contain": ["read", "grep"]}), true);
    check(json!({"tools_contain": ["rea"]}), false);
    check(json!({"tools_lack": ["shell"]}), true);
    check(json!({"tools_lack": ["grep"]}), false);
}

#[test]
fn playback_resumes_after_the_replies_that_a_history_holds() {
    let document = json!([
        {"text": "a", "repeat": 2}, {"fault": {"kind": "reset"}}, {"calls": [{"tool": "x"}]},
        {"text": "end"}
    ]);
    let check = |replies: usize, step: usize, request: usize| {
        let cursor = Cursor::after_replies(steps(document.clone()), replies);
        let played = answer(cursor.next(RequestView::default()));
        assert_eq!(
            (played.step, played.request),
            (step, request),
            "{replies} replies"
        );
    };
    check(0, 0, 0);
    check(1, 0, 1);
    check(2, 1, 2);
    check(3, 3, 4);
    check(4, 3, 5);
    check(6, 3, 7);
}

#[test]
fn many_threads_share_one_cursor() {
    let cursor = Cursor::new(steps(json!([{"calls": [{"tool": "x"}], "repeat": 400}])));
    let mut ids: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let next = |_| {
                        answer(cursor.next(RequestView::default())).calls[0]
                            .id
                            .clone()
                    };
                    (0..100).map(next).collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 400);
}

#[test]
fn the_schema_describes_every_key() {
    let schema = schema();
    let described = |schema: &Value| {
        let keys = schema["properties"].as_object().unwrap();
        for (key, value) in keys {
            let is_tag = key == "kind";
            assert!(
                is_tag || value["description"].is_string(),
                "{key} has no description"
            );
        }
    };
    described(&schema);
    assert_eq!(schema["additionalProperties"], json!(false));
    for name in ["Step", "Call", "Expect", "Usage"] {
        described(&schema["$defs"][name]);
        assert_eq!(
            schema["$defs"][name]["additionalProperties"],
            json!(false),
            "{name}"
        );
    }
    let faults = schema["$defs"]["Fault"]["oneOf"].as_array().unwrap();
    assert_eq!(faults.len(), 6);
    faults.iter().for_each(described);
}

#[test]
fn the_format_page_names_every_key_and_its_examples_play() {
    let page = include_str!("../../../../docs/scenario.md");
    let schema = schema();
    let mut objects = vec![&schema];
    objects.extend(["Step", "Call", "Expect", "Usage"].map(|name| &schema["$defs"][name]));
    objects.extend(schema["$defs"]["Fault"]["oneOf"].as_array().unwrap());
    for key in objects
        .iter()
        .flat_map(|object| object["properties"].as_object().unwrap().keys())
    {
        assert!(
            page.contains(&format!("`{key}`")),
            "docs/scenario.md does not name {key}"
        );
    }
    let examples: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        parse(example);
    }
}
