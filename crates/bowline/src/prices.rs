//! What is known of a model here: what the configuration says of it, over the imported table, over
//! the built-in one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bowline_core::ModelRef;
use bowline_core::price::ModelFacts;
use bowline_model::catalog::{self, table};
use bowline_runtime::config::{Effective, entry_to_fill_in};

use crate::failure::Failure;
use crate::places::Places;

#[cfg(test)]
mod tests;

/// The largest imported table that is read, in bytes: some 100,000 models.
pub const TABLE_BYTES_MAX: u64 = 16 << 20;

/// The table that `bowline models import` wrote.
pub struct Imported {
    file: PathBuf,
    /// Its text; empty if nothing was ever imported.
    pub text: String,
}

impl Imported {
    /// Reads it. Only the line that is asked for is ever looked into.
    pub fn read(places: &Places) -> Result<Self, Failure> {
        let file = places.imported_models();
        let cannot = |why: String| {
            Failure::usage(format!(
                "{}: {why}. Import again, or remove it to go on without it",
                file.display()
            ))
        };
        let text = match std::fs::metadata(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(cannot(format!("cannot be read: {error}"))),
            Ok(meta) if !meta.is_file() => return Err(cannot("is not a file".to_owned())),
            Ok(meta) if meta.len() > TABLE_BYTES_MAX => {
                return Err(cannot("is larger than 16 MiB".to_owned()));
            }
            Ok(_) => std::fs::read_to_string(&file)
                .map_err(|error| cannot(format!("cannot be read: {error}")))?,
        };
        Ok(Self { file, text })
    }

    fn find(&self, provider: &str, model: &str) -> Option<ModelFacts> {
        table::find(&self.text, provider, model).map(|row| self.facts(&row))
    }

    /// What a row of it says.
    pub fn facts(&self, row: &table::Row) -> ModelFacts {
        row.facts(format!(
            "{}: {} by {} of {}",
            self.file.display(),
            row.id,
            row.seen,
            row.since
        ))
    }
}

/// What is known of a model that is asked at `base_url` (the usual address if `None`). Nobody knows
/// what another server than the provider's own one charges, but for what the configuration says.
///
/// # Errors
/// When the imported table cannot be read.
pub fn facts(
    config: &Effective,
    places: &Places,
    model: &ModelRef,
    base_url: Option<&str>,
) -> Result<ModelFacts, Failure> {
    if model.provider() == "scripted" {
        return Ok(config.model_facts(model, None, None));
    }
    let imported = Imported::read(places)?;
    let own = own_provider(config, model, base_url);
    let own_model = own.and_then(|own| format!("{own}/{}", model.model()).parse().ok());
    let is_named = config
        .endpoints()
        .iter()
        .any(|endpoint| endpoint.name == model.provider());
    // Tables know many providers by name; an endpoint of that name is taken to be that provider.
    let by_name = is_named.then(|| imported.find(model.provider(), model.model()));
    let by_own = || imported.find(own?, model.model());
    let found = by_name.flatten().or_else(by_own);
    let built_in = own_model.and_then(|model| catalog::facts(&model));
    Ok(config.model_facts(model, found, built_in))
}

/// The provider whose own address is asked.
fn own_provider<'a>(
    config: &'a Effective,
    model: &'a ModelRef,
    base_url: Option<&str>,
) -> Option<&'a str> {
    let mut endpoints = config.endpoints().iter();
    match endpoints.find(|endpoint| endpoint.name == model.provider()) {
        Some(endpoint) => catalog::own_provider(&endpoint.api, endpoint.base_url.as_deref()),
        None => catalog::own_provider(model.provider(), base_url),
    }
}

/// What to do about a model whose price nobody knows: the words of a refusal.
pub fn unknown_price(model: &ModelRef, places: &Places) -> String {
    format!(
        "what `{model}` costs is not known, so no cap in money can be held. Put this into {}:\n\n{}\n\
         with its prices (0 if it costs nothing), or take in a table of prices with `bowline models \
         import FILE`, or leave the cap out: --max-tokens needs no price",
        places.user_config().display(),
        entry_to_fill_in(model)
    )
}

/// Who says most about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The built-in table.
    BuiltIn,
    /// The imported table.
    Imported,
    /// The configuration.
    Config,
}

impl From {
    /// In lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Imported => "imported",
            Self::Config => "config",
        }
    }
}

/// A model of a list.
pub struct Known {
    /// Its name.
    pub id: ModelRef,
    /// What is known of it, when asked at its provider's own address.
    pub facts: ModelFacts,
    /// Who says so.
    pub from: From,
}

/// Every model that tables and configuration name, by name.
///
/// # Errors
/// When the imported table cannot be read.
pub fn all(config: &Effective, places: &Places) -> Result<Vec<Known>, Failure> {
    let imported = Imported::read(places)?;
    let imported: BTreeMap<String, (ModelRef, ModelFacts)> = table::rows(&imported.text)
        .map(|row| (row.id.to_string(), (row.id.clone(), imported.facts(&row))))
        .collect();
    let names: BTreeMap<String, ModelRef> = catalog::built_in()
        .map(|row| row.id)
        .chain(imported.values().map(|(id, _)| id.clone()))
        .chain(config.models().iter().map(|entry| entry.id.clone()))
        .map(|id| (id.to_string(), id))
        .collect();
    let known = |(name, id): (String, ModelRef)| {
        let row = imported.get(&name).map(|(_, facts)| facts.clone());
        let from = if config.models().iter().any(|entry| entry.id == id) {
            From::Config
        } else if row.is_some() {
            From::Imported
        } else {
            From::BuiltIn
        };
        Known {
            facts: config.model_facts(&id, row, catalog::facts(&id)),
            id,
            from,
        }
    };
    Ok(names.into_iter().map(known).collect())
}
