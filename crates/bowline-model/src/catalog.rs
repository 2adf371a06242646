//! Which providers there are, what each needs to be reached, and what their models cost.

pub mod decimal;
pub mod import;
pub mod table;

use bowline_core::ModelRef;
use bowline_core::price::ModelFacts;

use table::Row;

/// The built-in table. It is no more than text until a model is looked up.
const TABLE: &str = include_str!("catalog/models.txt");

/// The day on which the built-in table was reviewed.
const TABLE_DATE: &str = "2026-11-26";

/// What the built-in table knows of a model that is asked at its provider's own address (see
/// [`own_provider`]); what another server charges for the same name, nobody knows.
///
/// A name with a date, such as `claude-sonnet-4-5-20250929`, is looked up without it if it has no
/// row of its own. Takes some microseconds.
#[must_use]
pub fn facts(model: &ModelRef) -> Option<ModelFacts> {
    let row = row(model)?;
    let source = format!(
        "built-in table of {TABLE_DATE}: {} since {}",
        row.id, row.since
    );
    Some(row.facts(source))
}

/// The row that [`facts`] are from.
#[must_use]
pub fn row(model: &ModelRef) -> Option<Row> {
    table::find(TABLE, priced_as(model.provider()), model.model())
}

/// Every row of the built-in table. The models of `openai` are those of `openai-chat` too.
pub fn built_in() -> impl Iterator<Item = Row> {
    table::rows(TABLE)
}

/// The provider under which tables list the models of this one: the two OpenAI dialects are one
/// provider with one list of prices.
#[must_use]
pub fn priced_as(provider: &str) -> &str {
    match provider {
        "openai-chat" => "openai",
        other => other,
    }
}

/// The provider whose own address is asked in this dialect at this address (its default if `None`);
/// `None` for any other server, whose prices are its own.
#[must_use]
pub fn own_provider<'a>(dialect: &'a str, base_url: Option<&str>) -> Option<&'a str> {
    let own = default_base_url(dialect)?;
    let is_own = base_url.is_none_or(|url| url.trim_end_matches('/') == own);
    is_own.then(|| priced_as(dialect))
}

/// The names that may stand before the slash in `--model provider/model`.
#[must_use]
pub const fn provider_names() -> &'static [&'static str] {
    &["openai", "openai-chat", "anthropic", "scripted"]
}

/// The environment variable that holds the key for `provider`; `None` if it takes no key.
#[must_use]
pub fn key_variable(provider: &str) -> Option<&'static str> {
    match provider {
        "openai" | "openai-chat" => Some("OPENAI_API_KEY"),
        "anthropic" => Some("ANTHROPIC_API_KEY"),
        _ => None,
    }
}

/// Where `provider` is reached when nobody says otherwise. The two OpenAI dialects carry `/v1`
/// and append only the last part of the path; Anthropic's appends `/v1/messages` itself.
#[must_use]
pub fn default_base_url(provider: &str) -> Option<&'static str> {
    match provider {
        "openai" | "openai-chat" => Some("https://api.openai.com/v1"),
        "anthropic" => Some("https://api.anthropic.com"),
        _ => None,
    }
}

/// The model that `provider` is asked for when there is a key and nobody names a model. A name
/// that goes out of use is answered with 404, which says to name another one.
#[must_use]
pub fn default_model(provider: &str) -> Option<&'static str> {
    match provider {
        "anthropic" => Some("claude-sonnet-5"),
        "openai" => Some("gpt-5"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
