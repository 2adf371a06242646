//! What is said of inputs that do not fit.

use serde_json::json;

use super::*;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 9},
            "case": {"type": "string", "enum": ["sensitive", "ignore"]},
            "all": {"type": "boolean"},
            "edits": {"type": "array", "minItems": 1, "maxItems": 2, "items": {
                "type": "object",
                "properties": {"old": {"type": "string"}, "new": {"type": "string"}},
                "required": ["old", "new"],
                "additionalProperties": false
            }}
        },
        "required": ["path"],
        "additionalProperties": false
    })
}

#[test]
fn says_what_does_not_fit() {
    let check_input = |input: Value, expect: &str| {
        let found = check(&schema(), &input).err().map(|error| error.message);
        assert_eq!(found.as_deref().unwrap_or("fits"), expect, "{input}");
    };
    check_input(json!({"path": "a"}), "fits");
    check_input(json!({"path": "a", "limit": null}), "fits");
    check_input(
        json!({"path": "a", "limit": 3, "case": "ignore", "all": true}),
        "fits",
    );
    check_input(
        json!({"path": "a", "edits": [{"old": "x", "new": ""}]}),
        "fits",
    );
    check_input(json!({}), r#"missing "path""#);
    check_input(json!({"path": null}), r#"missing "path""#);
    check_input(json!([1]), "the input must be a JSON object, got a list");
    check_input(json!({"path": 3}), r#""path" must be a text, got 3"#);
    check_input(
        json!({"path": {"a": 1}}),
        r#""path" must be a text, got an object"#,
    );
    check_input(
        json!({"path": "a", "limit": "abc"}),
        r#""limit" must be a whole number, got "abc""#,
    );
    check_input(
        json!({"path": "a", "limit": "3"}),
        r#""limit" must be a whole number, got "3""#,
    );
    check_input(
        json!({"path": "a", "limit": 1.5}),
        r#""limit" must be a whole number, got 1.5"#,
    );
    check_input(
        json!({"path": "a", "limit": 0}),
        r#""limit" must be at least 1, got 0"#,
    );
    check_input(
        json!({"path": "a", "limit": -4}),
        r#""limit" must be at least 1, got -4"#,
    );
    check_input(
        json!({"path": "a", "limit": 10}),
        r#""limit" must be at most 9, got 10"#,
    );
    check_input(
        json!({"path": "a", "all": "yes"}),
        r#""all" must be true or false, got "yes""#,
    );
    check_input(
        json!({"path": "a", "case": "no"}),
        r#""case" must be one of "sensitive", "ignore", got "no""#,
    );
    check_input(
        json!({"path": "a", "edits": []}),
        r#""edits" needs at least 1 entry, got 0"#,
    );
    check_input(
        json!({"path": "a", "edits": {}}),
        r#""edits" must be a list, got an object"#,
    );
    check_input(
        json!({"path": "a", "edits": [{"old": "x"}]}),
        r#"missing "edits[0].new""#,
    );
    check_input(
        json!({"path": "a", "edits": [{"old": "x", "new": "y"}, {"old": "x", "new": 2}]}),
        r#""edits[1].new" must be a text, got 2"#,
    );
}

#[test]
fn names_the_key_that_was_meant() {
    let check_input = |input: Value, expect: &str| {
        assert_eq!(
            check(&schema(), &input).unwrap_err().message,
            expect,
            "{input}"
        );
    };
    check_input(
        json!({"file_path": "a"}),
        r#"missing "path"; unknown key "file_path": did you mean "path"?"#,
    );
    check_input(
        json!({"path": "a", "Limit": 1}),
        r#"unknown key "Limit": did you mean "limit"?"#,
    );
    check_input(
        json!({"path": "a", "limits": 1}),
        r#"unknown key "limits": did you mean "limit"?"#,
    );
    check_input(
        json!({"path": "a", "zzz": 1}),
        r#"unknown key "zzz": the keys are "path", "limit", "case", "all", "edits""#,
    );
    check_input(
        json!({"path": "a", "edits": [{"old_string": "x", "new_string": "y"}]}),
        r#"missing "edits[0].old"; missing "edits[0].new"; unknown key "edits[0].old_string": did you mean "old"?; unknown key "edits[0].new_string": did you mean "new"?"#,
    );
}

#[test]
fn tells_at_most_five_problems() {
    let input = json!({"path": "a", "q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 1, "q6": 1});
    let message = check(&schema(), &input).unwrap_err().message;
    assert_eq!(message.matches("unknown key").count(), 5);
}

#[test]
fn broken_json_is_placed() {
    let message = parse(r#"{"path": "a""#).unwrap_err().message;
    assert!(
        message.contains("not valid JSON") && message.contains("line 1 column"),
        "{message}"
    );
    assert_eq!(parse(" ").unwrap(), json!({}));
    assert_eq!(parse(r#"{"path": "a"}"#).unwrap(), json!({"path": "a"}));
}
