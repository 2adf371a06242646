//! A provider that reports more than could be: it is recorded, the session stops, and goes on only
//! when a person says so.

use serde_json::json;

use crate::support::{Scratch, of_kind};

#[test]
fn a_provider_that_reports_too_much_stops_the_session_until_a_person_says_so() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "text": "one", "usage": { "input_tokens": 900_000, "output_tokens": 5 } },
        { "text": "two", "usage": { "input_tokens": 900_100, "output_tokens": 5 } },
    ]));
    scratch.config(&format!(
        "[[models]]\nid = \"{model}\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n"
    ));
    let exec = ["exec", "--model", &model, "--output", "json"];
    let ran = scratch.run(&[&exec[..], &["go"]].concat());
    ran.expect(4, &["reported 900,000 input", "bowline resume"]);
    let events = scratch.events();
    let overran = of_kind(&events, "UsageOverran");
    assert_eq!(overran.len(), 1, "{events:?}");
    assert_eq!(overran[0]["data"]["stops"], true);
    assert_eq!(ran.json()["cost_micro_usd"], 900_005);

    let id = scratch.sessions().pop().expect("a session");
    let again = ["exec", "--resume", &id, "--output", "json", "and this"];
    scratch.run(&again).expect(4, &["the model was not asked"]);
    let asked = |events: &[serde_json::Value]| of_kind(events, "AttemptReserved").len();
    assert_eq!(asked(&scratch.events()), 1);

    scratch.run(&["resume", &id]).expect(0, &[]);
    assert_eq!(asked(&scratch.events()), 1, "letting it go on asks nobody");
    scratch.run(&again).expect(0, &["two"]);
}

#[test]
fn with_nothing_at_stake_a_report_over_the_bound_is_recorded_and_the_session_goes_on() {
    let scratch = Scratch::new();
    let usage = json!({ "input_tokens": 8_000, "output_tokens": 5 });
    let ran = scratch.play("ask", &json!([{ "text": "one", "usage": usage }]), &[]);
    ran.expect(0, &["one"]);
    let events = scratch.events();
    let overran = of_kind(&events, "UsageOverran");
    assert_eq!(overran.len(), 1, "{events:?}");
    assert_eq!(overran[0]["data"]["stops"], false);
}
