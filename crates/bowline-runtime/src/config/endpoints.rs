//! `[[providers]]`: named endpoints, each a dialect, an address and where its key comes from.

use std::ops::Range;

use bowline_core::configured::{Endpoint, HeaderSource, KeySource};
use toml_edit::{Item, Table, TableLike, Value as Toml};

use super::parse::ConfigError;
use super::tables::{Place, span_of};

/// Dialects that an endpoint can speak, by the name of the provider that speaks them.
pub const API_NAMES: [&str; 3] = ["openai-chat", "openai", "anthropic"];

/// Names that `[[providers]]` cannot take: they mean something already.
const BUILT_IN: [&str; 4] = ["openai-chat", "openai", "anthropic", "scripted"];

/// Fields of one `[[providers]]` table.
const FIELDS: [&str; 8] = [
    "name",
    "api",
    "base_url",
    "model",
    "key_env",
    "key_command",
    "key_file",
    "headers",
];

/// Reads every `[[providers]]` table of one file.
pub(super) fn read(item: &Item, place: &Place<'_>) -> Result<Vec<Endpoint>, ConfigError> {
    let tables = place.tables(item, "providers", "endpoint")?;
    let endpoints = tables
        .iter()
        .map(|table| endpoint(table, place))
        .collect::<Result<Vec<_>, _>>()?;
    let named = endpoints.iter().map(|one| (&one.name, one.origin.line));
    place.refuse_doubles(tables, named, "endpoint", "Give each a name of its own.")?;
    Ok(endpoints)
}

fn endpoint(table: &Table, place: &Place<'_>) -> Result<Endpoint, ConfigError> {
    place.refuse_unknown(table, "providers", &FIELDS, "An endpoint has")?;
    let missing = |field: &str, next: String| {
        place.error(table.span(), format!("an endpoint without `{field}`"), next)
    };
    let name = place.text(table, "providers", "name")?.ok_or_else(|| {
        let next = "Give it one, such as name = \"work\": --model work/MODEL then asks it.";
        missing("name", next.to_owned())
    })?;
    check_name(&name, table, place)?;
    let api = place.text(table, "providers", "api")?.ok_or_else(|| {
        let next = format!("Say which dialect it speaks: {}.", API_NAMES.join(", "));
        missing("api", next)
    })?;
    if !API_NAMES.contains(&api.as_str()) {
        return Err(place.error(
            span_of(table, "api"),
            format!("`{api}` is no dialect"),
            format!("Use {}.", API_NAMES.join(", ")),
        ));
    }
    let base_url = place.text(table, "providers", "base_url")?;
    if let Some(url) = &base_url {
        check_url(url, table, place)?;
    }
    let model = place.text(table, "providers", "model")?;
    if model.as_deref() == Some("") {
        let next = "Name a model, or leave the line out.";
        return Err(place.error(span_of(table, "model"), "`model` is empty".to_owned(), next));
    }
    Ok(Endpoint {
        name,
        api,
        base_url,
        model,
        key: key_source(table, place)?,
        headers: headers(table, place)?,
        origin: (place.origin)(table.span()),
    })
}

fn check_name(name: &str, table: &Table, place: &Place<'_>) -> Result<(), ConfigError> {
    let at = span_of(table, "name");
    if BUILT_IN.contains(&name) {
        return Err(place.error(
            at,
            format!("`{name}` is built in and cannot be defined anew"),
            format!("Give it a name of its own, such as `my-{name}`, and say api = \"{name}\"."),
        ));
    }
    let letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if starts_well && name.len() <= 64 && name.bytes().all(letter) {
        return Ok(());
    }
    let next =
        "Use up to 64 lower-case letters, digits, `-`, `_` and `.`, a letter or digit first.";
    Err(place.error(at, format!("`{name}` cannot name an endpoint"), next))
}

fn check_url(url: &str, table: &Table, place: &Place<'_>) -> Result<(), ConfigError> {
    let at = span_of(table, "base_url");
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
        return Err(place.error(
            at,
            "`base_url` must begin with http:// or https:// and name a host".to_owned(),
            "Write it as https://host/v1; for anthropic without /v1.",
        ));
    };
    if rest
        .split('/')
        .next()
        .is_some_and(|host| host.contains('@'))
    {
        // It is not shown: what stands before the @ may be a password.
        return Err(place.error(
            at,
            "`base_url` holds a user name or password".to_owned(),
            "Take it out, and send it as a header, or as the key.",
        ));
    }
    Ok(())
}

fn key_source(table: &Table, place: &Place<'_>) -> Result<KeySource, ConfigError> {
    let given: Vec<&str> = ["key_env", "key_command", "key_file"]
        .into_iter()
        .filter(|field| table.contains_key(field))
        .collect();
    if let [_, second, ..] = given[..] {
        return Err(place.error(
            span_of(table, second),
            format!("{} are both there", given.join(" and ")),
            "Keep one: a key has one source.",
        ));
    }
    if let Some(name) = place.text(table, "providers", "key_env")? {
        let at = span_of(table, "key_env");
        return Ok(KeySource::Env(variable(name, at, place)?));
    }
    if let Some(file) = place.text(table, "providers", "key_file")? {
        if !file.starts_with('/') && !file.starts_with("~/") {
            return Err(place.error(
                span_of(table, "key_file"),
                format!("`{file}` is no absolute path"),
                "Write it from / or from ~/.",
            ));
        }
        return Ok(KeySource::File(file));
    }
    match table.get("key_command") {
        None => Ok(KeySource::None),
        Some(item) => command(item, table, place).map(KeySource::Command),
    }
}

/// A list is a program with its arguments; a text is a line for `sh`.
fn command(item: &Item, table: &Table, place: &Place<'_>) -> Result<Vec<String>, ConfigError> {
    let wrong = || {
        let what = "`providers.key_command` must be a list of texts, or one text for sh";
        let next = "Write it as [\"pass\", \"show\", \"work/key\"].";
        place.error(span_of(table, "key_command"), what.to_owned(), next)
    };
    let words: Vec<String> = match item {
        Item::Value(Toml::String(line)) => {
            vec!["sh".to_owned(), "-c".to_owned(), line.value().clone()]
        }
        Item::Value(Toml::Array(words)) => words
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    if words
        .first()
        .is_none_or(|program| program.trim().is_empty())
    {
        return Err(wrong());
    }
    Ok(words)
}

fn variable(
    name: String,
    at: Option<Range<usize>>,
    place: &Place<'_>,
) -> Result<String, ConfigError> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit_first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    if !name.is_empty() && !digit_first && name.bytes().all(letter) {
        return Ok(name);
    }
    // The value is not shown: somebody may have put the key itself there.
    let what = "this is no name of an environment variable".to_owned();
    let next = "Give the variable's name, such as WORK_API_KEY, never the key itself.";
    Err(place.error(at, what, next))
}

fn headers(table: &Table, place: &Place<'_>) -> Result<Vec<(String, HeaderSource)>, ConfigError> {
    let Some(item) = table.get("headers") else {
        return Ok(Vec::new());
    };
    let at = span_of(table, "headers");
    let wrong = |what: String| {
        let next = "Write headers = { \"X-Name\" = \"value\", \"X-Key\" = \"env:NAME\" }.";
        place.error(at.clone(), what, next)
    };
    let fields: &dyn TableLike = item
        .as_table_like()
        .ok_or_else(|| wrong("`providers.headers` must be a table".to_owned()))?;
    let mut headers = Vec::new();
    for (name, value) in fields.iter() {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(wrong(format!("`{name}` cannot name a header")));
        }
        let value = value
            .as_str()
            .ok_or_else(|| wrong(format!("header `{name}` must be a text in quotes")))?;
        let source = match value.strip_prefix("env:") {
            Some(from) => HeaderSource::Env(variable(from.to_owned(), at.clone(), place)?),
            None => HeaderSource::Plain(value.to_owned()),
        };
        headers.push((name.to_owned(), source));
    }
    Ok(headers)
}
