//! Configuration: a fixed list of keys, layers of files, and the origin of every value.
//!
//! Files are TOML. An unknown key, a wrong type or a value out of range is an error that names
//! file, line and the nearest known key. A project's own files can only tighten until a person
//! trusts them, with the very content that they have then.

mod alarms;
mod budget;
mod endpoints;
mod keys;
mod layers;
mod models;
mod parse;
mod project;
mod rule_file;
mod rule_write;
mod span;
mod standing;
mod tables;

pub use bowline_core::configured::{Endpoint, HeaderSource, KeySource};
pub use budget::{cap_key, tightened};
pub use endpoints::API_NAMES;
pub use keys::{KEYS, KeySpec, Kind, ProjectUse};
pub use layers::{Effective, Layers, Shown};
pub use models::{ModelEntry, entry_to_fill_in};
pub use parse::{ConfigError, Entry, Origin, Value, parse, parse_flag};
pub use project::{
    PROJECT_CONFIG, PROJECT_FOLDER, PROJECT_RULES, ProjectContent, ProjectFile, ProjectFiles,
};
pub use rule_file::{FileRule, RULES_MAX, parse_rules};
pub use rule_write::{NewRule, WithRules, rules_text, with_rules};
pub use standing::{Item, ItemStanding, ProjectStanding, ProjectTrust};

#[cfg(test)]
mod tests;
