//! Adds an allow rule to the text of a configuration file; everything else in it stays as it is.

use bowline_core::decision::Layer;
use toml_edit::{Array, DocumentMut, Item, Table};

use super::parse::{ConfigError, Value, parse};

/// The key that holds the rules.
const KEY: &str = "permissions.allow";

/// A file with the rule in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The whole text; `None` when the rule was there already.
    pub text: Option<String>,
    /// The line of the rule, from 1.
    pub line: Option<u32>,
}

/// The text of the user's configuration `file` with `rule` among those that allow.
///
/// # Errors
/// [`ConfigError`] when the text is no configuration, before or afterwards.
pub fn with_allow_rule(file: &str, text: &str, rule: &str) -> Result<Remembered, ConfigError> {
    if let Some(line) = line_of(file, text, rule)? {
        return Ok(Remembered { text: None, line });
    }
    let wrong = |what: &str| ConfigError {
        place: file.to_owned(),
        what: what.to_owned(),
        next: format!("Add \"{}\" to {KEY} by hand.", rule.escape_default()),
    };
    let mut document: DocumentMut = text
        .parse()
        .map_err(|_| wrong("it cannot be changed without losing what it says"))?;
    let permissions = document
        .entry("permissions")
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or_else(|| wrong("`permissions` is no table"))?;
    permissions
        .entry("allow")
        .or_insert_with(|| toml_edit::value(Array::new()))
        .as_array_mut()
        .ok_or_else(|| wrong("`permissions.allow` is no list"))?
        .push(rule);
    let text = document.to_string();
    let line = line_of(file, &text, rule)?
        .ok_or_else(|| wrong("the rule is not found in it afterwards"))?;
    Ok(Remembered {
        text: Some(text),
        line,
    })
}

/// The line of the rule in the file, if the rule is there.
fn line_of(file: &str, text: &str, rule: &str) -> Result<Option<Option<u32>>, ConfigError> {
    let entries = parse(Layer::User, file, text)?;
    let rules = entries.iter().filter(|entry| entry.key.name == KEY);
    let mut rules = rules.flat_map(|entry| match &entry.value {
        Value::Rules(rules) => rules.as_slice(),
        _ => &[],
    });
    Ok(rules
        .find(|(known, _)| known == rule)
        .map(|(_, line)| *line))
}
