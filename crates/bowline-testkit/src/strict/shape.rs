//! Top-level parameters of whichever dialect: their types and ranges.

use serde_json::{Map, Value};

use super::{Checked, Kind, Violation};

/// Refuses a parameter that is there, not null and not `wanted`.
pub(super) fn typed(
    body: &Map<String, Value>,
    key: &str,
    wanted: &str,
    holds: impl Fn(&Value) -> bool,
) -> Checked {
    match body.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(value) if holds(value) => Ok(()),
        Some(value) => {
            let message = format!("invalid type for '{key}': expected {wanted}, got {value}");
            Err(Violation::new(Kind::WrongType, key, message))
        }
    }
}

/// Refuses a number outside `least` to `most`.
pub(super) fn in_range(body: &Map<String, Value>, key: &str, least: f64, most: f64) -> Checked {
    match body.get(key).and_then(Value::as_f64) {
        Some(number) if !(least..=most).contains(&number) => {
            let message = format!("invalid '{key}': {number} is not within {least} to {most}");
            Err(Violation::new(Kind::OutOfRange, key, message))
        }
        _ => Ok(()),
    }
}
