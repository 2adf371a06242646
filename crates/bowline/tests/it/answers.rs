//! `--output-schema`: the final answer fits, or the run says that it does not.

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

fn schema(scratch: &Scratch) -> String {
    let schema = json!({
        "type": "object",
        "properties": { "files": { "type": "array", "items": { "type": "string" } } },
        "required": ["files"],
        "additionalProperties": false
    });
    let path = scratch.path("schema.json");
    std::fs::write(&path, schema.to_string()).expect("written");
    path.display().to_string()
}

/// Plays replies with the schema in force; gives the result and the checks that were recorded.
fn play(scratch: &Scratch, steps: &Value, code: i32) -> (Value, Vec<Value>) {
    let schema = schema(scratch);
    let ran = scratch.play("full", steps, &["--output-schema", &schema]);
    let result = ran.expect(code, &[]).json();
    let events = scratch.events();
    let checks = of_kind(&events, "AnswerChecked");
    (
        result,
        checks.into_iter().map(|one| one["data"].clone()).collect(),
    )
}

#[test]
fn an_answer_that_fits_at_once_is_the_result() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "list", "input": {} }],
          "expect": { "prompt_contains": ["fits this JSON Schema", "additionalProperties"] } },
        { "text": "Here:\n```json\n{ \"files\": [\"a\", \"b\"] }\n```" }
    ]);
    let (result, checks) = play(&scratch, &steps, 0);
    assert_eq!(result["stop_reason"], "done");
    assert_eq!(result["result"], "{\"files\":[\"a\",\"b\"]}");
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0]["answer"], json!({ "files": ["a", "b"] }));
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_again_with_the_exact_problems() {
    let scratch = Scratch::new();
    let steps = json!([
        { "text": "All done, three files." },
        { "text": "{\"files\": [1]}", "expect": { "prompt_contains": ["not valid JSON"] } },
        { "text": "{\"files\": []}", "expect": { "prompt_contains": ["/files/0: 1 is not of type"] } }
    ]);
    let (result, checks) = play(&scratch, &steps, 0);
    assert_eq!(result["result"], "{\"files\":[]}");
    assert_eq!(checks.len(), 3);
    assert!(
        checks[1]["problems"][0]
            .as_str()
            .expect("a text")
            .starts_with("/files/0")
    );
}

#[test]
fn an_answer_that_never_fits_ends_the_turn_after_three_repairs() {
    let scratch = Scratch::new();
    let steps = json!([{ "text": "no", "repeat": 9 }]);
    let (result, checks) = play(&scratch, &steps, 1);
    assert_eq!(result["stop_reason"], "answer_invalid");
    assert!(
        result["result"]
            .as_str()
            .expect("a text")
            .contains("does not fit the schema")
    );
    assert_eq!(checks.len(), 4, "the first answer and three repairs");
    assert_eq!(result["steps"], 4);
}

#[test]
fn a_later_turn_without_a_schema_is_free_again() {
    let scratch = Scratch::new();
    let schema = schema(&scratch);
    let model = scratch.scenario(&json!([
        { "text": "{\"files\":[]}" }, { "text": "plain words" }
    ]));
    scratch
        .run(&["exec", "--model", &model, "--output-schema", &schema, "go"])
        .expect(0, &["{\"files\":[]}"]);
    scratch
        .run(&["exec", "--continue", "and in words?"])
        .expect(0, &["plain words"]);
}

#[test]
fn what_is_no_schema_is_refused_before_anything_is_spent() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([{ "text": "x" }]));
    let table: [(&str, &[&str]); 4] = [
        ("{ \"type\": ", &["not valid JSON", "bad.json"]),
        ("{ \"type\": \"objekt\" }", &["no JSON Schema", "objekt"]),
        (
            "{ \"$ref\": \"https://example.com/s.json\" }",
            &["no JSON Schema"],
        ),
        ("[]", &["no JSON Schema"]),
    ];
    for (text, parts) in table {
        let path = scratch.file("bad.json", text).display().to_string();
        scratch
            .run(&["exec", "--model", &model, "--output-schema", &path, "go"])
            .expect(2, parts);
    }
    scratch
        .run(&[
            "exec",
            "--model",
            &model,
            "--output-schema",
            "none.json",
            "go",
        ])
        .expect(2, &["none.json", "No such file"]);
    assert!(!scratch.home().exists());
}
