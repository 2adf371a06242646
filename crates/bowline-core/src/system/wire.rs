//! System events as JSON. Reading keeps what it does not know.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Level, SystemEvent, SystemFact};
use crate::id::{RunId, SessionId};

impl Serialize for SystemEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("SystemEvent", 6)?;
        event.serialize_field("at_ms", &self.at_ms)?;
        event.serialize_field("run", &self.run)?;
        match &self.session {
            Some(session) => event.serialize_field("session", session)?,
            None => event.skip_field("session")?,
        }
        event.serialize_field("level", &self.level)?;
        event.serialize_field("kind", self.fact.kind())?;
        match &self.fact {
            SystemFact::Started(data) => event.serialize_field("data", data)?,
            SystemFact::Stopped(data) => event.serialize_field("data", data)?,
            SystemFact::Crashed(data) => event.serialize_field("data", data)?,
            SystemFact::EndFound(data) => event.serialize_field("data", data)?,
            SystemFact::Recovered(data) => event.serialize_field("data", data)?,
            SystemFact::OwnerEnded(data) => event.serialize_field("data", data)?,
            SystemFact::JournalRepaired(data) => event.serialize_field("data", data)?,
            SystemFact::SessionPruned(data) => event.serialize_field("data", data)?,
            SystemFact::ConfigChanged(data) => event.serialize_field("data", data)?,
            SystemFact::ProjectTrusted(data) => event.serialize_field("data", data)?,
            SystemFact::TrustRevoked(data) => event.serialize_field("data", data)?,
            SystemFact::SettingsChanged(data) => event.serialize_field("data", data)?,
            SystemFact::ProviderFailed(data) => event.serialize_field("data", data)?,
            SystemFact::ReplyStopped(data) => event.serialize_field("data", data)?,
            SystemFact::CallRefused(data) => event.serialize_field("data", data)?,
            SystemFact::CallLeftInDoubt(data) => event.serialize_field("data", data)?,
            SystemFact::BudgetStopped(data) => event.serialize_field("data", data)?,
            SystemFact::SandboxDenied(data) => event.serialize_field("data", data)?,
            SystemFact::AlarmRaised(data) => event.serialize_field("data", data)?,
            SystemFact::StorageFailed(data) => event.serialize_field("data", data)?,
            SystemFact::LogRotated(data) => event.serialize_field("data", data)?,
            SystemFact::LogDamaged(data) => event.serialize_field("data", data)?,
            SystemFact::Other { data, .. } => event.serialize_field("data", data)?,
        }
        event.end()
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    at_ms: u64,
    run: RunId,
    session: Option<SessionId>,
    #[serde(borrow)]
    level: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'de> Deserialize<'de> for SystemEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        // A level of a newer version is at least worth a look.
        let level = raw.level.parse().unwrap_or(Level::Warning);
        Ok(Self {
            at_ms: raw.at_ms,
            run: raw.run,
            session: raw.session,
            level,
            fact: fact(&raw.kind, raw.data.get()),
        })
    }
}

/// Reads a fact; what this version does not know, or knows in another form, is kept as it is.
fn fact(kind: &str, data: &str) -> SystemFact {
    known(kind, data).unwrap_or_else(|| SystemFact::Other {
        kind: kind.to_owned(),
        data: serde_json::from_str(data).unwrap_or_default(),
    })
}

fn known(kind: &str, data: &str) -> Option<SystemFact> {
    fn read<'a, T: Deserialize<'a>>(data: &'a str) -> Option<T> {
        serde_json::from_str(data).ok()
    }
    Some(match kind {
        "Started" => SystemFact::Started(read(data)?),
        "Stopped" => SystemFact::Stopped(read(data)?),
        "Crashed" => SystemFact::Crashed(read(data)?),
        "EndFound" => SystemFact::EndFound(read(data)?),
        "Recovered" => SystemFact::Recovered(read(data)?),
        "OwnerEnded" => SystemFact::OwnerEnded(read(data)?),
        "JournalRepaired" => SystemFact::JournalRepaired(read(data)?),
        "SessionPruned" => SystemFact::SessionPruned(read(data)?),
        "ConfigChanged" => SystemFact::ConfigChanged(read(data)?),
        "ProjectTrusted" => SystemFact::ProjectTrusted(read(data)?),
        "TrustRevoked" => SystemFact::TrustRevoked(read(data)?),
        "SettingsChanged" => SystemFact::SettingsChanged(read(data)?),
        "ProviderFailed" => SystemFact::ProviderFailed(read(data)?),
        "ReplyStopped" => SystemFact::ReplyStopped(read(data)?),
        "CallRefused" => SystemFact::CallRefused(read(data)?),
        "CallLeftInDoubt" => SystemFact::CallLeftInDoubt(read(data)?),
        "BudgetStopped" => SystemFact::BudgetStopped(read(data)?),
        "SandboxDenied" => SystemFact::SandboxDenied(read(data)?),
        "AlarmRaised" => SystemFact::AlarmRaised(read(data)?),
        "StorageFailed" => SystemFact::StorageFailed(read(data)?),
        "LogRotated" => SystemFact::LogRotated(read(data)?),
        "LogDamaged" => SystemFact::LogDamaged(read(data)?),
        _ => return None,
    })
}
