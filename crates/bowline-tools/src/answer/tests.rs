//! What counts as an answer, and what is told of one that does not fit.

use serde_json::{Value, json};

use super::AnswerSchema;

fn schema() -> AnswerSchema {
    AnswerSchema::compile(&json!({
        "type": "object",
        "properties": { "n": { "type": "integer", "minimum": 1 } },
        "required": ["n"],
        "additionalProperties": false
    }))
    .unwrap()
}

#[test]
fn the_answer_is_the_whole_text_or_its_one_fenced_block() {
    let good = json!({ "n": 3 });
    for reply in [
        "{\"n\": 3}",
        "  \n{\"n\":3}\n",
        "```json\n{\"n\": 3}\n```",
        "Here it is:\n\n```\n{\n  \"n\": 3\n}\n```\nDone.",
        "  ```json\n{\"n\": 3}\n  ```",
    ] {
        assert_eq!(schema().check(reply), Ok(good.clone()), "{reply}");
    }
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    let table = [
        ("", "not valid JSON"),
        ("three", "not valid JSON"),
        ("It is {\"n\": 3}", "not valid JSON"),
        ("```\n{\"n\": 3}", "not valid JSON"),
        ("```\n{\"n\": }\n```", "fenced block is not valid JSON"),
        ("```\n1\n```\n```\n2\n```", "several fenced blocks"),
        ("[]", "(the whole): "),
        ("{\"n\": 0}", "/n: "),
        ("{}", "\"n\""),
        ("{\"n\": 1, \"x\": 1}", "'x'"),
    ];
    for (reply, part) in table {
        let problems = schema().check(reply).unwrap_err();
        assert!(problems[0].contains(part), "{reply}: {problems:?}");
    }
}

#[test]
fn problems_are_bounded() {
    let many = AnswerSchema::compile(&json!({ "items": { "type": "string" } })).unwrap();
    let reply = Value::from((0..500).collect::<Vec<_>>()).to_string();
    let problems = many.check(&reply).unwrap_err();
    assert_eq!(problems.len(), 11);
    assert_eq!(problems[10], "and 490 more");
    let long = AnswerSchema::compile(&json!({ "maxLength": 1 })).unwrap();
    let problems = long
        .check(&json!("x".repeat(10_000)).to_string())
        .unwrap_err();
    assert!(problems[0].chars().count() <= 303, "{}", problems[0].len());
}

#[test]
fn what_is_no_schema_is_refused_and_nothing_is_fetched() {
    for schema in [
        json!({ "type": "objekt" }),
        json!({ "$ref": "https://example.com/schema.json" }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!(3),
        json!({ "pattern": "(" }),
    ] {
        let error = AnswerSchema::compile(&schema).unwrap_err();
        assert!(error.to_string().contains("no JSON Schema"), "{error}");
    }
}
