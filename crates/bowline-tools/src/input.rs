//! Holds a model's input against a tool's schema and says what is wrong in the model's terms.
//!
//! Covers what the schemas of tools use: `type`, `properties`, `required`,
//! `additionalProperties: false`, `items`, `enum`, `minimum`, `maximum`, `minItems`, `maxItems`.
//! Other keywords are not looked at. `null` counts as absent where a key may be absent.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::tool::InputError;

#[cfg(test)]
mod tests;

/// Problems told at once; the rest would only repeat them.
const PROBLEMS_MAX: usize = 5;

/// Parses arguments as the model wrote them; nothing at all counts as `{}`.
///
/// # Errors
/// [`InputError`] says where the text stops being JSON.
pub fn parse(arguments: &str) -> Result<Value, InputError> {
    if arguments.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_str(arguments).map_err(|error| {
        InputError::new(format!(
            "the arguments are not valid JSON: {error}; send one JSON object"
        ))
    })
}

/// Checks `input` against `schema` and reads it as `T`.
///
/// # Errors
/// [`InputError`] lists what does not fit: which key, what was expected, what came.
pub fn read<T: DeserializeOwned>(schema: &Value, input: &Value) -> Result<T, InputError> {
    check(schema, input)?;
    T::deserialize(input)
        .map_err(|error| InputError::new(format!("the input does not fit: {error}")))
}

/// Checks `input` against `schema`.
///
/// # Errors
/// As [`read`].
pub fn check(schema: &Value, input: &Value) -> Result<(), InputError> {
    let mut problems = Vec::new();
    look(schema, input, "", &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    problems.truncate(PROBLEMS_MAX);
    Err(InputError::new(problems.join("; ")))
}

fn look(schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let Some(wanted) = schema.get("type").and_then(Value::as_str) else {
        return look_at_choice(schema, value, place, problems);
    };
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    };
    if !fits {
        let what = if place.is_empty() {
            "the input".to_owned()
        } else {
            quoted(place)
        };
        problems.push(format!(
            "{what} must be {}, got {}",
            kind_name(wanted),
            shown(value)
        ));
        return;
    }
    match value {
        Value::Object(map) => look_at_object(schema, map, place, problems),
        Value::Array(items) => look_at_array(schema, items, place, problems),
        Value::Number(_) => look_at_number(schema, value, place, problems),
        _ => look_at_choice(schema, value, place, problems),
    }
}

fn look_at_object(
    schema: &Value,
    map: &Map<String, Value>,
    place: &str,
    problems: &mut Vec<String>,
) {
    let empty = Map::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let required: Vec<&str> = list(schema, "required")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|key| map.get(*key).is_none_or(Value::is_null))
        .collect();
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for key in &missing {
        problems.push(format!("missing {}", quoted(&join(place, key))));
    }
    for (key, value) in map {
        match known.get(key) {
            Some(_) if value.is_null() => {}
            Some(schema) => look(schema, value, &join(place, key), problems),
            None if closed => problems.push(unknown_key(key, place, &missing, known)),
            None => {}
        }
    }
}

fn look_at_array(schema: &Value, items: &[Value], place: &str, problems: &mut Vec<String>) {
    let bound = |name| schema.get(name).and_then(Value::as_u64);
    let count = items.len() as u64;
    if let Some(least) = bound("minItems").filter(|least| count < *least) {
        problems.push(format!(
            "{} needs at least {least} entry, got {count}",
            quoted(place)
        ));
    }
    if let Some(most) = bound("maxItems").filter(|most| count > *most) {
        problems.push(format!(
            "{} takes at most {most} entries, got {count}",
            quoted(place)
        ));
    }
    let Some(schema) = schema.get("items") else {
        return;
    };
    for (index, item) in items.iter().enumerate() {
        look(schema, item, &format!("{place}[{index}]"), problems);
    }
}

fn look_at_number(schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let Some(number) = value.as_f64() else { return };
    let bound = |name| {
        schema
            .get(name)
            .and_then(|bound| Some((bound, bound.as_f64()?)))
    };
    if let Some((least, _)) = bound("minimum").filter(|(_, least)| number < *least) {
        problems.push(format!(
            "{} must be at least {least}, got {value}",
            quoted(place)
        ));
    }
    if let Some((most, _)) = bound("maximum").filter(|(_, most)| number > *most) {
        problems.push(format!(
            "{} must be at most {most}, got {value}",
            quoted(place)
        ));
    }
}

fn look_at_choice(schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let choices = list(schema, "enum");
    if choices.is_empty() || choices.contains(value) {
        return;
    }
    let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
    let choices = choices.join(", ");
    problems.push(format!(
        "{} must be one of {choices}, got {}",
        quoted(place),
        shown(value)
    ));
}

fn unknown_key(key: &str, place: &str, missing: &[&str], known: &Map<String, Value>) -> String {
    let name = quoted(&join(place, key));
    let nearest = known
        .keys()
        .max_by(|one, other| likeness(key, one, missing).total_cmp(&likeness(key, other, missing)));
    match nearest {
        Some(nearest) if likeness(key, nearest, missing) >= 0.7 => {
            format!("unknown key {name}: did you mean {}?", quoted(nearest))
        }
        _ => {
            let known: Vec<String> = known.keys().map(|key| quoted(key)).collect();
            format!("unknown key {name}: the keys are {}", known.join(", "))
        }
    }
}

/// How alike two keys are, from 0 to 1 and a little more for one that is missing.
fn likeness(key: &str, candidate: &str, missing: &[&str]) -> f64 {
    let key = key.to_lowercase();
    let is_part = key.split(['_', '-']).any(|word| word == candidate);
    let likeness = if is_part {
        1.0
    } else {
        strsim::jaro_winkler(&key, candidate)
    };
    likeness
        + if missing.contains(&candidate) {
            0.05
        } else {
            0.0
        }
}

fn list<'v>(schema: &'v Value, key: &str) -> &'v [Value] {
    schema
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn kind_name(kind: &str) -> &'static str {
    match kind {
        "object" => "a JSON object",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        _ => "a number",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(40) {
                Some((cut, _)) => format!("{}…", &text[..cut]),
                None => text,
            }
        }
    }
}
