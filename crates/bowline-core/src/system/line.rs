//! A system fact in one line for people.

use super::{
    CallRefused, EndFound, EndedHow, ProjectTrusted, ProviderFailed, Recovered, SystemFact,
    SystemSettingsChanged,
};
use crate::usage::StopReason;

impl SystemFact {
    /// What happened, in one line. Foreign text in it is as it was recorded: clean it before it
    /// reaches a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Started(started) => format!(
                "{} by process {} (Bowline {}){}",
                started.command,
                started.pid,
                started.version,
                among(" in ", started.cwd.as_deref())
            ),
            Self::Stopped(stopped) => format!(
                "{}, exit {}{}",
                stopped.stop_reason.map_or("not driven", StopReason::name),
                stopped.exit_code,
                among(": ", stopped.detail.as_deref())
            ),
            Self::Crashed(crashed) => format!("{} at {}", crashed.message, crashed.location),
            Self::EndFound(found) => found_line(found),
            Self::Recovered(recovered) => recovered_line(recovered),
            Self::JournalRepaired(repaired) => format!(
                "{}; records 1 to {} were kept, at least {} are lost; the damaged file is {}",
                repaired.what, repaired.kept_seq, repaired.lost_records, repaired.kept_as
            ),
            Self::SessionPruned(pruned) => {
                format!("{}, {} bytes: {}", pruned.part, pruned.bytes, pruned.why)
            }
            Self::OwnerEnded(ended) => {
                let how = match ended.by_force {
                    true => "was ended by force",
                    false => "hung up when told",
                };
                format!("process {} {how}", ended.pid)
            }
            Self::ConfigChanged(changed) => changed.files.join(", "),
            Self::ProjectTrusted(trusted) => trusted_line(trusted),
            Self::TrustRevoked(revoked) => format!("{}, by {}", revoked.folder, revoked.by),
            Self::SettingsChanged(changed) => settings_line(changed),
            Self::ProviderFailed(failed) => provider_line(failed),
            Self::ReplyStopped(stopped) => {
                format!(
                    "{}{}",
                    stopped.stop.name(),
                    among(": ", stopped.detail.as_deref())
                )
            }
            Self::CallRefused(refused) => refused_line(refused),
            Self::CallLeftInDoubt(doubt) => format!("{}: {}", doubt.essence, doubt.why),
            Self::BudgetStopped(stopped) => {
                format!(
                    "{}{}",
                    stopped.stop.name(),
                    among(": ", stopped.detail.as_deref())
                )
            }
            Self::SandboxDenied(denied) => denied.what.clone(),
            Self::AlarmRaised(alarm) => alarm.line(),
            Self::StorageFailed(failed) => format!("{} (safe: {})", failed.message, failed.safe),
            Self::LogRotated(rotated) => format!(
                "records up to {} are in {}",
                rotated.before_seq, rotated.kept_as
            ),
            Self::LogDamaged(damaged) => {
                format!("{}; it is kept as {}", damaged.what, damaged.kept_as)
            }
            Self::Other { data, .. } => data.to_string(),
        }
    }
}

fn among(before: &str, text: Option<&str>) -> String {
    text.map_or(String::new(), |text| format!("{before}{text}"))
}

fn found_line(found: &EndFound) -> String {
    let session = found
        .ended_session
        .map_or(String::new(), |id| format!(", session {},", id.short()));
    let how = match found.how {
        EndedHow::Silently => "ended without a word: killed or power lost",
        EndedHow::Crashed => "crashed",
    };
    format!("run {}{session} {how}", found.ended_run.short())
}

fn settings_line(changed: &SystemSettingsChanged) -> String {
    let mode_before = changed
        .mode_before
        .filter(|before| *before != changed.mode)
        .map_or(String::new(), |before| format!("mode {before} -> "));
    let model_before = changed
        .model_before
        .as_ref()
        .filter(|before| **before != changed.model)
        .map_or(String::new(), |before| format!("model {before} -> "));
    format!(
        "{mode_before}mode {}, {model_before}model {}, by {}",
        changed.mode, changed.model, changed.by
    )
}

fn trusted_line(trusted: &ProjectTrusted) -> String {
    let ProjectTrusted {
        folder,
        content,
        items,
        by,
    } = trusted;
    let items = items.join("; ");
    format!("{folder} with content {content}: {items}, by {by}")
}

fn recovered_line(recovered: &Recovered) -> String {
    let mut parts = Vec::new();
    if recovered.dropped_bytes > 0 {
        parts.push(format!(
            "{} bytes that were never acknowledged were dropped",
            recovered.dropped_bytes
        ));
    }
    if recovered.resynced_records > 0 {
        parts.push(format!(
            "{} records were written anew",
            recovered.resynced_records
        ));
    }
    if !recovered.interrupted_calls.is_empty() {
        parts.push(format!(
            "{} calls were under way",
            recovered.interrupted_calls.len()
        ));
    }
    if recovered.interrupted_attempt {
        parts.push("a model call was under way".to_owned());
    }
    parts.join("; ")
}

fn provider_line(failed: &ProviderFailed) -> String {
    let tries = match failed.tries {
        0 | 1 => String::new(),
        tries => format!(" (after {tries} tries)"),
    };
    format!("{}{tries}", failed.message)
}

fn refused_line(refused: &CallRefused) -> String {
    let who = match (&refused.rule, &refused.by) {
        (Some(rule), _) => format!(" (rule {})", rule.place()),
        (None, Some(by)) => format!(" (by {by})"),
        (None, None) => String::new(),
    };
    format!("{}: {}{who}", refused.essence, refused.reason)
}
