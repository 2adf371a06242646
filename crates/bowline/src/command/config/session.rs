//! `bowline config show --session ID`: what is in force in a session, and where it comes from.

use bowline_core::configured::ConfigOrigin;
use bowline_core::{Fact, Seq, Settings, Verdict};
use bowline_journal::Store;
use serde_json::{Value, json};

use super::{origin, place};
use crate::endpoint;
use crate::failure::Failure;
use crate::print;

/// One value in force.
struct Row {
    name: &'static str,
    value: Value,
    /// Where the configuration sets it, as recorded.
    origin: Option<ConfigOrigin>,
    /// The event that put it in force since the session began, and who asked for it.
    changed: Option<(Seq, String)>,
}

/// Shows what is in force in the session of that id.
pub(super) fn show(store: &Store, id: &str, as_json: bool) -> Result<u8, Failure> {
    let id = store.resolve(id)?;
    let intact = store.read_only(id)?.read_intact()?;
    let mut rows: Vec<Row> = Vec::new();
    let mut is_recorded = false;
    for recorded in &intact.events {
        let (settings, by) = match &recorded.event.fact {
            Fact::SessionStarted(started) => (&started.settings, None),
            Fact::SettingsChanged(change) => (&change.settings, Some(&change.by)),
            Fact::SessionAdopted(adopted) => (&adopted.settings, Some(&adopted.by)),
            _ => continue,
        };
        is_recorded = settings.configured.is_some();
        let before = std::mem::replace(&mut rows, in_force(settings));
        for row in &mut rows {
            let same = |old: &&Row| (old.name, &old.value) == (row.name, &row.value);
            row.changed = match before.iter().find(same) {
                Some(old) => old.changed.clone(),
                None => by.map(|by| (recorded.receipt.seq, by.clone())),
            };
        }
    }
    if as_json {
        let rows: Vec<Value> = rows.iter().map(row_as_json).collect();
        print::line(&Value::Array(rows).to_string());
    } else {
        rows.iter().for_each(line);
        if !is_recorded {
            print::line("begun before the rest was recorded: it takes what the files say");
        }
    }
    match intact.finding {
        Some(damage) => Err(damage.into()),
        None => Ok(0),
    }
}

fn in_force(settings: &Settings) -> Vec<Row> {
    let limits = &settings.limits;
    let mut rows: Vec<Row> = [
        ("model", json!(settings.model)),
        ("base_url", json!(settings.base_url)),
        ("reasoning", json!(settings.reasoning)),
        ("mode", json!(settings.mode)),
        ("on_ask", json!(settings.on_ask)),
        ("ask_expires_ms", json!(settings.ask_expires_ms)),
        ("max_steps", json!(limits.max_steps)),
        ("max_tokens", json!(limits.max_tokens)),
        ("max_output_tokens", json!(limits.max_output_tokens)),
        ("loops", json!(limits.loops)),
    ]
    .into_iter()
    .map(|(name, value)| {
        let key = name.trim_end_matches("_ms");
        let configured = settings.configured.as_deref();
        Row {
            name,
            value,
            origin: configured.and_then(|known| known.origins.get(key).cloned()),
            changed: None,
        }
    })
    .collect();
    let Some(configured) = &settings.configured else {
        return rows;
    };
    rows.push(Row {
        name: "shell.timeout_ms",
        value: json!(configured.shell_timeout_ms),
        origin: configured.origins.get("shell.timeout_ms").cloned(),
        changed: None,
    });
    if !configured.env_pass.is_empty() {
        rows.push(Row {
            name: "shell.env_pass",
            value: json!(configured.env_pass.join(", ")),
            origin: configured.origins.get("shell.env_pass").cloned(),
            changed: None,
        });
    }
    rows.extend(configured.endpoint.as_ref().map(|endpoint| Row {
        name: "providers",
        value: json!(endpoint::described(endpoint)),
        origin: Some(endpoint.origin.clone()),
        changed: None,
    }));
    rows.extend(configured.rules.iter().map(|rule| Row {
        name: match rule.verdict {
            Verdict::Allow => "permissions.allow",
            Verdict::Ask => "permissions.ask",
            Verdict::Deny => "permissions.deny",
        },
        value: json!(rule.source.rule),
        origin: Some(ConfigOrigin {
            layer: rule.source.layer,
            file: rule.source.file.clone(),
            line: rule.source.line,
        }),
        changed: None,
    }));
    rows
}

fn line(row: &Row) {
    let value = match &row.value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut from = match (&row.origin, &row.changed) {
        (Some(origin), _) => place(origin),
        (None, Some(_)) => "set".to_owned(),
        (None, None) => "default".to_owned(),
    };
    if let Some((seq, by)) = &row.changed {
        from.push_str(&format!(", since event {} by {by}", seq.0));
    }
    print::line(&print::clean(&format!(
        "{:17}  {value}  ({from})",
        row.name
    )));
}

fn row_as_json(row: &Row) -> Value {
    json!({
        "name": row.name,
        "value": row.value,
        "origin": row.origin.as_ref().map_or_else(|| json!({ "layer": "default" }), origin),
        "changed": row.changed.as_ref().map(|(seq, by)| json!({ "seq": seq, "by": by })),
    })
}
