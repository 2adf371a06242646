//! The schema says something about every kind there is.

use bowline_core::event::CATALOGUE;

use serde_json::Value;

use super::{facts, session_schema, stream_schema};

#[test]
fn every_reference_leads_somewhere_and_every_part_is_used() {
    for schema in [stream_schema(), session_schema()] {
        refers_well(&schema);
    }
}

fn refers_well(schema: &Value) {
    let text = schema.to_string();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for name in definitions.keys() {
        assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{name}");
    }
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once("\"#/$defs/") {
        let (name, after) = after.split_once('"').expect("a reference ends");
        assert!(definitions.contains_key(name), "{name}");
        rest = after;
    }
}

#[test]
fn every_kind_of_event_has_data_of_its_own() {
    let without: Vec<&str> = CATALOGUE
        .iter()
        .map(|(kind, _)| *kind)
        .filter(|kind| facts::data(kind).is_none())
        .collect();
    assert_eq!(
        without,
        Vec::<&str>::new(),
        "add them to face/schema/facts.rs"
    );
}
