//! The SARIF log against the shape that the standard publishes: every object that is used, with
//! the fields it must and may have.

use serde_json::{Value, json};

use super::worked;

/// The part of the SARIF 2.1.0 schema that our logs use. Every object there refuses unknown fields.
const SCHEMA: &str = include_str!("sarif.schema.json");

#[test]
fn a_sarif_log_has_the_published_shape_and_its_rules_are_those_of_its_results() {
    let scratch = worked();
    let log = scratch
        .run(&["audit", "query", "--sarif"])
        .expect(0, &[])
        .json();
    let schema: Value = serde_json::from_str(SCHEMA).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a usable schema");
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|it| it.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{log}");
    let broken = json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": {} } }] });
    assert!(!validator.is_valid(&broken));

    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 5);
    for result in results {
        let at = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        assert_eq!(rules[at]["id"], result["ruleId"]);
        // Only what failed has a level.
        assert_eq!(
            result["kind"] == "fail",
            result["level"] != "none",
            "{result}"
        );
    }
    let refused = &results[2];
    assert_eq!(refused["kind"], "fail");
    let uri = &refused["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri.as_str().expect("a place").ends_with("docs/new.txt"));
}
