//! Rows of the audit as comma-separated values.

use bowline_journal::AuditRow;
use bowline_runtime::usage::csv::{cell, row};

const HEAD: [&str; 20] = [
    "at_ms", "session", "seq", "what", "decision", "call", "verdict", "by", "scope", "mode",
    "tool", "essence", "reason", "rule", "layer", "tier", "file", "line", "paths", "hosts",
];

/// A table with a head. Several paths or hosts stand in one cell, a line each.
pub(super) fn rows(rows: &[AuditRow]) -> String {
    let mut table = row(&HEAD.map(str::to_owned));
    for one in rows {
        let what = serde_json::to_value(one.what).unwrap_or_default();
        let line = one.line.map(|line| line.to_string());
        let cells = [
            one.at_ms.to_string(),
            one.session.to_string(),
            one.seq.to_string(),
            what.as_str().unwrap_or_default().to_owned(),
            one.decision.clone(),
            one.call.clone(),
            one.verdict.clone(),
            one.by.clone(),
            one.scope.clone(),
            one.mode.clone(),
            one.tool.clone(),
            one.essence.clone(),
            one.reason.clone(),
            one.rule.clone(),
            one.layer.clone(),
            one.tier.clone(),
            one.file.clone().unwrap_or_default(),
            line.unwrap_or_default(),
            one.paths.join("\n"),
            one.hosts.join("\n"),
        ];
        table.push_str(&row(&cells.map(|text| cell(&text))));
    }
    table
}
