//! Rows of the audit as a SARIF 2.1.0 log: every rule that decided is a rule, every decision a
//! result. What was allowed is a `pass`, what asked a `review`, what was refused a `fail`.

use std::collections::BTreeMap;

use bowline_journal::AuditRow;
use serde_json::{Value, json};

use crate::command::VERSION;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What results name their rule by: its text, and where it stands.
type RuleKey<'a> = (&'a str, &'a str, Option<&'a str>, Option<u32>);

fn key(row: &AuditRow) -> RuleKey<'_> {
    (&row.rule, &row.layer, row.file.as_deref(), row.line)
}

/// The log.
pub(super) fn log(rows: &[AuditRow]) -> Value {
    let mut index: BTreeMap<RuleKey<'_>, usize> = BTreeMap::new();
    for row in rows {
        index.entry(key(row)).or_default();
    }
    for (number, at) in index.values_mut().enumerate() {
        *at = number;
    }
    let rules: Vec<Value> = index
        .iter()
        .map(|((text, layer, file, line), number)| {
            json!({
                "id": id(*number),
                "name": text,
                "shortDescription": { "text": described(text, layer) },
                "properties": { "layer": layer, "file": file, "line": line },
            })
        })
        .collect();
    let results = rows.iter().map(|row| result(row, index[&key(row)]));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "bowline",
                "version": VERSION,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "results": results.collect::<Vec<Value>>(),
        }],
    })
}

fn id(number: usize) -> String {
    format!("BWL{:04}", number + 1)
}

fn described(rule: &str, layer: &str) -> String {
    match rule {
        "" => "no rule was recorded".to_owned(),
        rule => format!("the rule {rule}, {}", layer.replace('_', " ")),
    }
}

fn result(row: &AuditRow, rule: usize) -> Value {
    let (kind, level) = match row.verdict.as_str() {
        "allow" => ("pass", "none"),
        "ask" => ("review", "none"),
        _ => ("fail", "warning"),
    };
    let message = match row.reason.as_str() {
        "" => format!("{}: {}", row.verdict, row.essence),
        reason => format!("{}: {}. {reason}", row.verdict, row.essence),
    };
    let mut locations: Vec<Value> = row
        .paths
        .iter()
        .map(|path| json!({ "physicalLocation": { "artifactLocation": { "uri": uri(path) } } }))
        .collect();
    if locations.is_empty() {
        let name = format!("session {}", row.session);
        locations.push(json!({ "logicalLocations": [{ "name": name, "kind": "session" }] }));
    }
    json!({
        "ruleId": id(rule),
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": { "text": message },
        "locations": locations,
        "partialFingerprints": { "record/v1": format!("{}/{}", row.session, row.seq) },
        "properties": row,
    })
}

/// An absolute path as a `file` URI.
fn uri(path: &str) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
