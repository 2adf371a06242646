//! Adds rules to the text of a file of rules; everything else in it stays as it is.

use bowline_core::Verdict;
use bowline_core::decision::Layer;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::parse::ConfigError;
use super::rule_file::parse_rules;

/// A rule to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// What it says.
    pub verdict: Verdict,
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: Option<String>,
    /// Examples of what it allows, or has no say in.
    pub allows: Vec<String>,
}

/// A file with rules in it that were not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithRules {
    /// The whole text; `None` when all of them were there already.
    pub text: Option<String>,
    /// The line of each rule, from 1, in the order given.
    pub lines: Vec<Option<u32>>,
}

/// The text of rules, as tables of a file of rules.
#[must_use]
pub fn rules_text(rules: &[NewRule]) -> String {
    let mut document = DocumentMut::new();
    let mut tables = ArrayOfTables::new();
    for rule in rules {
        tables.push(table(rule));
    }
    document.insert("rule", Item::ArrayOfTables(tables));
    document.to_string()
}

fn table(rule: &NewRule) -> Table {
    let mut table = Table::new();
    let key = rule.verdict.name();
    table.insert(key, value(&rule.rule));
    if let Some(reason) = &rule.reason {
        table.insert("reason", value(reason));
    }
    if !rule.allows.is_empty() {
        let allows: Array = rule.allows.iter().map(String::as_str).collect();
        table.insert("allows", value(allows));
    }
    table
}

/// The text of the file of rules `file` with `rules` at its end, those that are there left out. The
/// whole is read again, with its examples, before it is given back.
///
/// # Errors
/// [`ConfigError`] when the text is no file of rules, before or afterwards.
pub fn with_rules(file: &str, text: &str, rules: &[NewRule]) -> Result<WithRules, ConfigError> {
    let before = parse_rules(Layer::User, file, text)?;
    let is_missing = |new: &&NewRule| {
        !before
            .iter()
            .any(|one| one.rule.verdict == new.verdict && one.rule.source.rule == new.rule)
    };
    let missing: Vec<NewRule> = rules.iter().filter(is_missing).cloned().collect();
    let mut whole = text.to_owned();
    if !missing.is_empty() {
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        if !whole.is_empty() {
            whole.push('\n');
        }
        whole.push_str(&rules_text(&missing));
    }
    let after = parse_rules(Layer::User, file, &whole)?;
    let line_of = |new: &NewRule| {
        let mut same = after
            .iter()
            .filter(|one| one.rule.verdict == new.verdict && one.rule.source.rule == new.rule);
        same.next().and_then(|one| one.rule.source.line)
    };
    Ok(WithRules {
        lines: rules.iter().map(line_of).collect(),
        text: (!missing.is_empty()).then_some(whole),
    })
}

#[cfg(test)]
mod tests;
