//! Finds unknown keys and wrong types in a document by its schema, and names the nearest key.
//!
//! Covers what the derived scenario schema uses: `$ref`, `properties`, `required`, `items`,
//! `anyOf` and `oneOf` told apart by a `kind`, `type`, `enum`, `const`.

use serde_json::{Map, Value};

use super::ScenarioError;

/// Distance up to which two keys count as a slip of the keyboard.
const NEAR: usize = 2;

/// Checks `value` against `schema`, the root of a schema with `$defs`.
///
/// # Errors
/// The first unknown key, missing key, wrong type or unknown word, with its place.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), ScenarioError> {
    Walk { root: schema }.check(schema, value, "")
}

struct Walk<'a> {
    root: &'a Value,
}

impl Walk<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), ScenarioError> {
        if let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|path| path.strip_prefix("#/$defs/"))
        {
            return self.check(&self.root["$defs"][name], value, at);
        }
        if let Some(options) = schema["anyOf"]
            .as_array()
            .or_else(|| schema["oneOf"].as_array())
        {
            return self.check_options(options, value, at);
        }
        check_type(schema, value, at)?;
        match value {
            Value::Object(map) => self.check_object(schema, map, at),
            Value::Array(items) if schema["items"].is_object() => {
                items.iter().enumerate().try_for_each(|(i, item)| {
                    self.check(&schema["items"], item, &format!("{at}[{i}]"))
                })
            }
            Value::String(word) => check_word(&words(schema), word, at),
            _ => Ok(()),
        }
    }

    fn check_options(
        &self,
        options: &[Value],
        value: &Value,
        at: &str,
    ) -> Result<(), ScenarioError> {
        let is_null = |option: &&Value| option["type"] == "null";
        if value.is_null() && options.iter().any(|option| is_null(&option)) {
            return Ok(());
        }
        let tagged = || {
            options
                .iter()
                .filter(|option| option["properties"]["kind"].is_object())
        };
        if tagged().next().is_none() {
            let words: Vec<&str> = options.iter().flat_map(words).collect();
            if let (false, Value::String(word)) = (words.is_empty(), value) {
                return check_word(&words, word, at);
            }
            let option = options.iter().find(|option| !is_null(option));
            return option.map_or(Ok(()), |option| self.check(option, value, at));
        }
        let kinds: Vec<&str> = tagged()
            .flat_map(|option| words(&option["properties"]["kind"]))
            .collect();
        let Some(kind) = value["kind"].as_str() else {
            let message = format!("needs a \"kind\": {}", kinds.join(", "));
            return Err(ScenarioError::invalid(at, message));
        };
        check_word(&kinds, kind, &join(at, "kind"))?;
        tagged()
            .find(|option| words(&option["properties"]["kind"]).contains(&kind))
            .map_or(Ok(()), |option| self.check(option, value, at))
    }

    fn check_object(
        &self,
        schema: &Value,
        map: &Map<String, Value>,
        at: &str,
    ) -> Result<(), ScenarioError> {
        let Some(known) = schema["properties"].as_object() else {
            return Ok(());
        };
        for (key, value) in map {
            let Some(schema) = known.get(key) else {
                let known: Vec<&str> = known.keys().map(String::as_str).collect();
                let message = format!("unknown key, {}", suggest(key, &known, "known here"));
                return Err(ScenarioError::invalid(join(at, key), message));
            };
            self.check(schema, value, &join(at, key))?;
        }
        let required = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        match required.into_iter().find(|key| !map.contains_key(*key)) {
            Some(key) => Err(ScenarioError::invalid(
                at,
                format!("key \"{key}\" is missing"),
            )),
            None => Ok(()),
        }
    }
}

fn check_type(schema: &Value, value: &Value, at: &str) -> Result<(), ScenarioError> {
    let expected: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if expected.contains(&found) {
        return Ok(());
    }
    let wanted = match expected[0] {
        "integer" => "a whole number of at least 0",
        "string" => "a string",
        "array" => "an array",
        "object" => "an object",
        other => other,
    };
    let shown: String = value.to_string().chars().take(60).collect();
    Err(ScenarioError::invalid(
        at,
        format!("must be {wanted}, is {shown}"),
    ))
}

fn words(schema: &Value) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    listed
        .chain(schema.get("const"))
        .filter_map(Value::as_str)
        .collect()
}

fn check_word(words: &[&str], word: &str, at: &str) -> Result<(), ScenarioError> {
    if words.is_empty() || words.contains(&word) {
        return Ok(());
    }
    let message = format!(
        "\"{word}\" is not known, {}",
        suggest(word, words, "known are")
    );
    Err(ScenarioError::invalid(at, message))
}

fn suggest(word: &str, known: &[&str], list: &str) -> String {
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= NEAR || candidate.starts_with(word))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, candidate)) => format!("did you mean {candidate}?"),
        None => format!("{list}: {}", known.join(", ")),
    }
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}
