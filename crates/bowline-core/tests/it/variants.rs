//! The variants of an enum as its source names them, so that a table of errors misses one that is new.
//!
//! The tests of other crates take this file by its path.

use std::collections::BTreeSet;
use std::fmt::Debug;

/// The variants of the public enum `name` in `source`.
pub(crate) fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let start = format!("pub enum {name} {{\n");
    let (_, rest) = source.split_once(&start).unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.map(variant).collect()
}

/// The name of a value's variant.
pub(crate) fn name(value: &impl Debug) -> String {
    variant(&format!("{value:?}"))
}

/// The variant's name at the beginning of a text.
fn variant(text: &str) -> String {
    let letters = text.chars().take_while(char::is_ascii_alphanumeric);
    letters.collect()
}
