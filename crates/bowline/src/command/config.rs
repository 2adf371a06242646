//! `bowline config show`: every key, its value and where it comes from.

mod session;

use std::path::PathBuf;

use bowline_journal::Store;
use bowline_runtime::config::{Endpoint, KEYS, Kind, ModelEntry, Origin, Shown, Value};
use serde_json::json;

use crate::args::{Config, Force};
use crate::endpoint;
use crate::failure::Failure;
use crate::places::{Places, project_config};
use crate::{print, wire};

/// Runs the command.
pub fn run(args: &Config) -> Result<u8, Failure> {
    let Config::Show { cd, session, json } = args;
    let places = Places::find()?;
    if let Some(id) = session {
        return session::show(&Store::at(&places.state), id, *json);
    }
    let cwd = cd.clone().unwrap_or_else(|| PathBuf::from("."));
    let cwd = std::path::absolute(&cwd)
        .map_err(|error| Failure::usage(format!("{}: {error}", cwd.display())))?;
    let effective = wire::configure(&places, &cwd, &Force::default())?;
    if *json {
        let keys: Vec<_> = effective.shown.iter().map(as_json).collect();
        print::line(&serde_json::Value::Array(keys).to_string());
        return Ok(0);
    }
    print::line(&format!("user file     {}", places.user_config().display()));
    print::line(&format!("project file  {}", project_config(&cwd).display()));
    if let Some(line) = crate::project::line(&effective.project) {
        let (name, state) = line.split_once(": ").unwrap_or((&line, ""));
        print::line(&print::visible(&format!("{name:14}{state}")));
    }
    print::line(&format!("state folder  {}\n", places.state.display()));
    let width = KEYS.iter().map(|key| key.name.len()).max().unwrap_or(0);
    for shown in &effective.shown {
        let value = shown.value.as_ref().map_or_else(|| "-".to_owned(), text);
        let origin = shown
            .origin
            .as_ref()
            .map_or_else(|| "default".to_owned(), place);
        print::line(&print::clean(&format!(
            "{:width$}  {value}  ({origin})",
            shown.key.name
        )));
        for (origin, why) in &shown.passed_over {
            print::line(&print::clean(&format!(
                "{:width$}  not used: {} ({why})",
                "",
                place(origin)
            )));
        }
    }
    Ok(0)
}

/// A value in words.
pub fn text(value: &Value) -> String {
    match value {
        Value::Ports(ports) => ports
            .iter()
            .map(u16::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        Value::Endpoints(endpoints) => {
            let lines: Vec<String> = endpoints.iter().map(endpoint::described).collect();
            lines.join("; ")
        }
        Value::Models(entries) => entries
            .iter()
            .map(|entry| entry.id.to_string())
            .collect::<Vec<_>>()
            .join(", "),
        Value::Names(names) => names.join(", "),
        Value::Text(text) => text.clone(),
        Value::Whole(number) => number.to_string(),
        Value::Rules(rules) => rules
            .iter()
            .map(|(rule, _)| rule.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn place(origin: &Origin) -> String {
    match (&origin.file, origin.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        _ => "command line".to_owned(),
    }
}

fn as_json(shown: &Shown) -> serde_json::Value {
    let value = match &shown.value {
        None => serde_json::Value::Null,
        Some(Value::Text(text)) => json!(text),
        Some(Value::Whole(number)) => json!(number),
        Some(Value::Rules(rules)) => {
            json!(rules.iter().map(|(rule, _)| rule).collect::<Vec<_>>())
        }
        Some(Value::Ports(ports)) => json!(ports),
        Some(Value::Names(names)) => json!(names),
        Some(Value::Endpoints(endpoints)) => endpoints.iter().map(endpoint_as_json).collect(),
        Some(Value::Models(entries)) => entries.iter().map(model_as_json).collect(),
    };
    json!({
        "name": shown.key.name,
        "value": value,
        "origin": shown.origin.as_ref().map_or_else(|| json!({ "layer": "default" }), origin),
        "not_used": shown.passed_over.iter()
            .map(|(place, why)| json!({ "origin": origin(place), "why": why }))
            .collect::<Vec<_>>(),
        "help": shown.key.help,
        "kind": kind(shown.key.kind),
    })
}

fn origin(origin: &Origin) -> serde_json::Value {
    json!({ "layer": origin.layer, "file": origin.file, "line": origin.line })
}

/// An endpoint without anything secret: no key, no header's value.
fn endpoint_as_json(endpoint: &Endpoint) -> serde_json::Value {
    let headers: Vec<&str> = endpoint
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    json!({
        "name": endpoint.name,
        "api": endpoint.api,
        "base_url": endpoint.base_url,
        "model": endpoint.model,
        "key": endpoint::key_in_words(&endpoint.key),
        "headers": headers,
        "origin": origin(&endpoint.origin),
    })
}

/// What one `[[models]]` table says, prices in millionths of a dollar.
fn model_as_json(entry: &ModelEntry) -> serde_json::Value {
    json!({
        "id": entry.id,
        "context_tokens": entry.context_tokens,
        "output_tokens_max": entry.output_tokens_max,
        "input_micro_usd_per_mtok": entry.input,
        "output_micro_usd_per_mtok": entry.output,
        "cache_read_micro_usd_per_mtok": entry.cache_read,
        "cache_write_micro_usd_per_mtok": entry.cache_write,
        "origin": origin(&entry.origin),
    })
}

/// A kind in words.
pub fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Whole { min, max } => format!("whole number, {min} to {max}"),
        Kind::Choice(words) => words.join(" | "),
        Kind::Span => "span of time, or never".to_owned(),
        Kind::Usd => "dollars, to the millionth".to_owned(),
        Kind::Rules => "list of rules".to_owned(),
        Kind::Ports => "list of ports".to_owned(),
        Kind::Names => "list of names".to_owned(),
        Kind::Endpoints => "tables `[[providers]]`".to_owned(),
        Kind::Models => "tables `[[models]]`".to_owned(),
    }
}
