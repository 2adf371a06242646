//! Lays what was read over what was imported before, and says what becomes different.

use std::collections::BTreeMap;

use crate::catalog::table::{Row, rows};

/// A model whose figures become others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What was known.
    pub old: Row,
    /// What is to be known.
    pub new: Row,
}

/// A table with what was read laid over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The whole text of the new table.
    pub text: String,
    /// Models that were not known.
    pub new: Vec<Row>,
    /// Models that were known otherwise, from the table or built in.
    pub changed: Vec<Changed>,
    /// How many say the same as before.
    pub same: usize,
    /// How many of the table before are kept because nothing new is said of them.
    pub kept: usize,
}

/// How the file of imported rows begins.
const HEADER: &str = "# Written by `bowline models import`: what models cost, one a line, as the built-in table has it.\n\
                      # id context reply input output read write long since from\n";

/// Lays `read` over the imported table `before` (empty if there is none). `built_in` says what the
/// program itself knows of a model, to tell what is new.
#[must_use]
pub fn merge(before: &str, read: &[Row], built_in: impl Fn(&Row) -> Option<Row>) -> Merged {
    let mut table: BTreeMap<String, Row> =
        rows(before).map(|row| (row.id.to_string(), row)).collect();
    let before = table.len();
    let mut merged = Merged {
        text: String::new(),
        new: Vec::new(),
        changed: Vec::new(),
        same: 0,
        kept: 0,
    };
    let mut met = 0;
    for row in read {
        let old = table.insert(row.id.to_string(), row.clone());
        met += usize::from(old.is_some());
        match old.or_else(|| built_in(row)) {
            None => merged.new.push(row.clone()),
            Some(old) if old.says_as(row) => merged.same += 1,
            Some(old) => merged.changed.push(Changed {
                old,
                new: row.clone(),
            }),
        }
    }
    merged.kept = before - met;
    merged.text.push_str(HEADER);
    for row in table.values() {
        merged.text.push_str(&row.to_string());
        merged.text.push('\n');
    }
    merged
}

#[cfg(test)]
mod tests;
