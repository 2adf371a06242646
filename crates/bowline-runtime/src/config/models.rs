//! `[[models]]`: what a person says of a model, laid over what tables know of it.

use bowline_core::ModelRef;
use bowline_core::price::{LongRates, ModelFacts, Price, Rates};
use bowline_model::catalog::decimal::{self, DecimalError, USD_PER_MTOK};
use bowline_model::catalog::table;
use toml_edit::{Item, Table};

use super::parse::{ConfigError, Origin};
use super::tables::{Place, span_of};

/// Fields of one `[[models]]` table.
const FIELDS: [&str; 7] = [
    "id",
    "context_tokens",
    "output_tokens_max",
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cache_read_usd_per_mtok",
    "cache_write_usd_per_mtok",
];

/// The most tokens that a length may be given as.
const TOKENS_MAX: i64 = 1_000_000_000;

/// What one `[[models]]` table says. Prices are in millionths of a dollar for a million tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// The model, of a built-in provider or of a named endpoint.
    pub id: ModelRef,
    /// The most tokens of a request and its reply together.
    pub context_tokens: Option<u64>,
    /// The longest reply in tokens.
    pub output_tokens_max: Option<u64>,
    /// Tokens read that come from no cache.
    pub input: Option<u64>,
    /// Tokens written.
    pub output: Option<u64>,
    /// Tokens served from the provider's cache.
    pub cache_read: Option<u64>,
    /// Tokens put into the provider's cache.
    pub cache_write: Option<u64>,
    /// Where it stands.
    pub origin: Origin,
}

/// Reads every `[[models]]` table of one file.
pub(super) fn read(item: &Item, place: &Place<'_>) -> Result<Vec<ModelEntry>, ConfigError> {
    let tables = place.tables(item, "models", "model")?;
    let entries = tables
        .iter()
        .map(|table| entry(table, place))
        .collect::<Result<Vec<_>, _>>()?;
    let named = entries.iter().map(|one| (&one.id, one.origin.line));
    place.refuse_doubles(tables, named, "model", "Say all of a model in one table.")?;
    Ok(entries)
}

fn entry(table: &Table, place: &Place<'_>) -> Result<ModelEntry, ConfigError> {
    place.refuse_unknown(table, "models", &FIELDS, "A model has")?;
    let id = place.text(table, "models", "id")?.ok_or_else(|| {
        let next = "Give it one, such as id = \"openai/gpt-5\" or id = \"ENDPOINT/MODEL\".";
        place.error(table.span(), "a model without `id`".to_owned(), next)
    })?;
    let id = id.parse().map_err(|error: String| {
        place.error(span_of(table, "id"), error, "Name the provider first.")
    })?;
    let price = |field: &str| price(table, field, place);
    Ok(ModelEntry {
        id,
        context_tokens: length(table, "context_tokens", place)?,
        output_tokens_max: length(table, "output_tokens_max", place)?,
        input: price("input_usd_per_mtok")?,
        output: price("output_usd_per_mtok")?,
        cache_read: price("cache_read_usd_per_mtok")?,
        cache_write: price("cache_write_usd_per_mtok")?,
        origin: (place.origin)(table.span()),
    })
}

fn length(table: &Table, field: &str, place: &Place<'_>) -> Result<Option<u64>, ConfigError> {
    let Some(item) = table.get(field) else {
        return Ok(None);
    };
    let count = item
        .as_integer()
        .filter(|count| (1..=TOKENS_MAX).contains(count));
    count
        .and_then(|count| u64::try_from(count).ok())
        .map(Some)
        .ok_or_else(|| {
            let what = format!("`models.{field}` must be a whole number of tokens");
            let next = format!("Use 1 to {TOKENS_MAX}.");
            place.error(span_of(table, field), what, next)
        })
}

/// A price as it is spelled: no binary number stands between the text and the amount.
fn price(table: &Table, field: &str, place: &Place<'_>) -> Result<Option<u64>, ConfigError> {
    let Some(item) = table.get(field) else {
        return Ok(None);
    };
    let wrong = |what: String| {
        let next = "Write US dollars for a million tokens, such as 2.50.";
        place.error(
            span_of(table, field),
            format!("`models.{field}` {what}"),
            next,
        )
    };
    let is_number = item.as_integer().is_some() || item.as_float().is_some();
    let text = place.spelled(item).filter(|_| is_number);
    let Some(text) = text.map(str::trim) else {
        return Err(wrong(format!("must be a number, got {}", item.type_name())));
    };
    match decimal::price(text, USD_PER_MTOK) {
        Ok(amount) if amount.is_exact => Ok(Some(amount.micro_usd_per_mtok)),
        Ok(_) => Err(wrong(format!("is {text}: only six decimals count"))),
        Err(DecimalError::NotANumber) => {
            Err(wrong(format!("is {text}: that is no decimal number")))
        }
        Err(error) => Err(wrong(format!("is {text}: that {error}"))),
    }
}

impl ModelEntry {
    /// `file:line` of the entry.
    fn place(&self) -> String {
        match (&self.origin.file, self.origin.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            _ => "the configuration".to_owned(),
        }
    }

    /// The facts with what this entry says laid over them, field by field.
    fn over(&self, known: ModelFacts) -> ModelFacts {
        let source = match known.source.as_str() {
            "" => self.place(),
            below => format!("{}, else {below}", self.place()),
        };
        ModelFacts {
            context_tokens: self.context_tokens.or(known.context_tokens),
            output_tokens_max: self.output_tokens_max.or(known.output_tokens_max),
            price: self.price_over(known.price),
            source,
        }
    }

    /// A price that is known with this entry laid over it. Nothing is counted cheaper than one of
    /// the two says: where an entry has a price for input and none for the cache, tokens of the
    /// cache count as input, or as what is known if that is dearer; prices of long requests that
    /// are known are never below what the entry says, and do not hold where the entry has both
    /// prices, input and output.
    fn price_over(&self, known: Option<Price>) -> Option<Price> {
        let below = known.map(|price| price.rates);
        let input = self
            .input
            .or(below.map(|rates| rates.input_micro_usd_per_mtok))?;
        let cached = |own: Option<u64>, known: Option<u64>| match (own, known) {
            (Some(own), _) => own,
            (None, None) => input,
            (None, Some(known)) if self.input.is_some() => known.max(input),
            (None, Some(known)) => known,
        };
        let rates = Rates {
            input_micro_usd_per_mtok: input,
            output_micro_usd_per_mtok: self
                .output
                .or(below.map(|rates| rates.output_micro_usd_per_mtok))?,
            cache_read_micro_usd_per_mtok: cached(
                self.cache_read,
                below.map(|rates| rates.cache_read_micro_usd_per_mtok),
            ),
            cache_write_micro_usd_per_mtok: cached(
                self.cache_write,
                below.map(|rates| rates.cache_write_micro_usd_per_mtok),
            ),
        };
        let is_whole = self.input.is_some() && self.output.is_some();
        let long = known.and_then(|price| price.long).filter(|_| !is_whole);
        Some(Price {
            rates,
            long: long.map(|long| LongRates {
                rates: long.rates.or_dearer(&rates),
                ..long
            }),
        })
    }
}

/// What is known of a model: what the entry of the configuration says, over `imported`, over
/// `built_in`. `source` names all that say something; nothing is known where it is empty.
pub(super) fn facts(
    entries: &[ModelEntry],
    model: &ModelRef,
    imported: Option<ModelFacts>,
    built_in: Option<ModelFacts>,
) -> ModelFacts {
    let known = match (imported, built_in) {
        (Some(imported), built_in) => imported_over(imported, built_in),
        (None, built_in) => built_in.unwrap_or_default(),
    };
    // An entry for a name without its date holds for the name with one, as in tables.
    let entry = table::names(model.model()).find_map(|name| {
        let is_meant = |entry: &&ModelEntry| {
            entry.id.provider() == model.provider() && entry.id.model() == name
        };
        entries.iter().find(is_meant)
    });
    match entry {
        Some(entry) => entry.over(known),
        None => known,
    }
}

fn imported_over(imported: ModelFacts, built_in: Option<ModelFacts>) -> ModelFacts {
    let Some(built_in) = built_in else {
        return imported;
    };
    ModelFacts {
        context_tokens: imported.context_tokens.or(built_in.context_tokens),
        output_tokens_max: imported.output_tokens_max.or(built_in.output_tokens_max),
        price: imported.price.or(built_in.price),
        source: imported.source,
    }
}

/// The table to add to a configuration file so that the price of `model` is known. It is refused
/// until somebody puts numbers in the place of the question marks.
#[must_use]
pub fn entry_to_fill_in(model: &ModelRef) -> String {
    let id = toml_edit::Value::from(model.to_string());
    format!(
        "[[models]]\n\
         id = {id}\n\
         input_usd_per_mtok = \"?\"   # US dollars for a million tokens, such as 2.50\n\
         output_usd_per_mtok = \"?\"\n"
    )
}

#[cfg(test)]
mod tests;
