//! What every list of tables in a configuration file has in common (`[[providers]]`, `[[models]]`):
//! where a thing stands, fields that nobody knows, names that are there twice.

use std::fmt::Display;
use std::ops::Range;

use toml_edit::{ArrayOfTables, Item, Table};

use super::parse::{ConfigError, Origin};

/// Says where a thing stands: the file, and the line of an offset in it.
pub(super) struct Place<'a> {
    pub(super) origin: &'a dyn Fn(Option<Range<usize>>) -> Origin,
    /// The whole text of the file.
    pub(super) file_text: &'a str,
}

impl Place<'_> {
    pub(super) fn error(
        &self,
        span: Option<Range<usize>>,
        what: String,
        next: impl Into<String>,
    ) -> ConfigError {
        let origin = (self.origin)(span);
        let file = origin.file.unwrap_or_default();
        let place = match origin.line {
            Some(line) => format!("{file}:{line}"),
            None => file,
        };
        ConfigError {
            place,
            what,
            next: next.into(),
        }
    }

    /// The tables of the list called `list`, each of which is a `thing`.
    pub(super) fn tables<'i>(
        &self,
        item: &'i Item,
        list: &str,
        thing: &str,
    ) -> Result<&'i ArrayOfTables, ConfigError> {
        item.as_array_of_tables().ok_or_else(|| {
            let what = format!("`{list}` is {}", item.type_name());
            let next = format!("Write each {thing} as a table that begins with [[{list}]].");
            self.error(item.span(), what, next)
        })
    }

    /// Refuses the second of two tables with one name. `named` gives the name and the line of each.
    pub(super) fn refuse_doubles<N: Display + PartialEq>(
        &self,
        tables: &ArrayOfTables,
        named: impl Iterator<Item = (N, Option<u32>)>,
        thing: &str,
        next: &str,
    ) -> Result<(), ConfigError> {
        let mut earlier: Vec<(N, Option<u32>)> = Vec::new();
        for (table, (name, line)) in tables.iter().zip(named) {
            if let Some((_, first)) = earlier.iter().find(|(known, _)| *known == name) {
                let first = first.unwrap_or_default();
                let what = format!("{thing} `{name}` is there twice (line {first})");
                return Err(self.error(table.span(), what, next));
            }
            earlier.push((name, line));
        }
        Ok(())
    }

    /// Refuses a field that is none of `fields`. `has` begins the sentence that lists them.
    pub(super) fn refuse_unknown(
        &self,
        table: &Table,
        list: &str,
        fields: &[&str],
        has: &str,
    ) -> Result<(), ConfigError> {
        for (field, _) in table.iter() {
            if fields.contains(&field) {
                continue;
            }
            let next = match nearest(field, fields) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("{has} {}.", fields.join(", ")),
            };
            let what = format!("unknown key `{list}.{field}`");
            return Err(self.error(span_of(table, field), what, next));
        }
        Ok(())
    }

    /// The text of a field, if it is there.
    pub(super) fn text(
        &self,
        table: &Table,
        list: &str,
        field: &str,
    ) -> Result<Option<String>, ConfigError> {
        let Some(item) = table.get(field) else {
            return Ok(None);
        };
        match item.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.error(
                span_of(table, field),
                format!(
                    "`{list}.{field}` must be a text in quotes, got {}",
                    item.type_name()
                ),
                "Put it in quotes.",
            )),
        }
    }

    /// A value as it is spelled in the file.
    pub(super) fn spelled(&self, item: &Item) -> Option<&str> {
        self.file_text.get(item.span()?)
    }
}

fn nearest<'a>(field: &str, fields: &[&'a str]) -> Option<&'a str> {
    fields
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, field), *known))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, known)| known)
}

/// Where a field stands.
pub(super) fn span_of(table: &Table, field: &str) -> Option<Range<usize>> {
    let key = table.key(field).and_then(toml_edit::Key::span);
    key.or_else(|| table.get(field).and_then(Item::span))
}
