//! Events as JSON: `{"at_ms": .., "kind": "..", "data": {..}}`.

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Event, Fact};

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 3)?;
        event.serialize_field("at_ms", &self.at_ms)?;
        event.serialize_field("kind", self.fact.kind())?;
        match &self.fact {
            Fact::SessionStarted(data) => event.serialize_field("data", data)?,
            Fact::OwnerChanged(data) => event.serialize_field("data", data)?,
            Fact::SettingsChanged(data) => event.serialize_field("data", data)?,
            Fact::BlocksDropped(data) => event.serialize_field("data", data)?,
            Fact::PromptAccepted(data) => event.serialize_field("data", data)?,
            Fact::TurnStarted(data) => event.serialize_field("data", data)?,
            Fact::NoticeAdded(data) => event.serialize_field("data", data)?,
            Fact::AttemptReserved(data) => event.serialize_field("data", data)?,
            Fact::AttemptFailed(data) => event.serialize_field("data", data)?,
            Fact::ModelReplied(data) => event.serialize_field("data", data)?,
            Fact::CallRejected(data) => event.serialize_field("data", data)?,
            Fact::Decided(data) => event.serialize_field("data", data)?,
            Fact::DecisionAnswered(data) => event.serialize_field("data", data)?,
            Fact::QuestionAnswered(data) => event.serialize_field("data", data)?,
            Fact::CallStarted(data) => event.serialize_field("data", data)?,
            Fact::CallFinished(data) => event.serialize_field("data", data)?,
            Fact::CallFailed(data) => event.serialize_field("data", data)?,
            Fact::CallInDoubt(data) => event.serialize_field("data", data)?,
            Fact::CallFoundUnstarted(data) => event.serialize_field("data", data)?,
            Fact::AnswerChecked(data) => event.serialize_field("data", data)?,
            Fact::CancelRequested(data) => event.serialize_field("data", data)?,
            Fact::TurnEnded(data) => event.serialize_field("data", data)?,
            Fact::CallParked(data) => event.serialize_field("data", data)?,
            Fact::WaitEnded(data) => event.serialize_field("data", data)?,
            Fact::SignalReceived(data) => event.serialize_field("data", data)?,
            Fact::CallSettled(data) => event.serialize_field("data", data)?,
            Fact::DecisionLapsed(data) => event.serialize_field("data", data)?,
            Fact::SessionPaused(data) => event.serialize_field("data", data)?,
            Fact::SessionContinued(data) => event.serialize_field("data", data)?,
            Fact::SessionAdopted(data) => event.serialize_field("data", data)?,
            Fact::UsageOverran(data) => event.serialize_field("data", data)?,
            Fact::TimeRanOut(data) => event.serialize_field("data", data)?,
            Fact::ShareGranted(data) => event.serialize_field("data", data)?,
            Fact::ShareSettled(data) => event.serialize_field("data", data)?,
            Fact::ShareRaised(data) => event.serialize_field("data", data)?,
            Fact::PolicyRecorded(data) => event.serialize_field("data", data)?,
            Fact::CompactionBegun(data) => event.serialize_field("data", data)?,
            Fact::HistoryCompacted(data) => event.serialize_field("data", data)?,
            Fact::CompactionFailed(data) => event.serialize_field("data", data)?,
            Fact::CompactionAbandoned(data) => event.serialize_field("data", data)?,
            Fact::PrefixBroken(data) => event.serialize_field("data", data)?,
            Fact::PromptChanged(data) => event.serialize_field("data", data)?,
            Fact::LoopNoticed(data) => event.serialize_field("data", data)?,
            Fact::ContentKept(data) => event.serialize_field("data", data)?,
        }
        event.end()
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    at_ms: u64,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        let fact = fact(&raw.kind, raw.data.get()).map_err(D::Error::custom)?;
        Ok(Self {
            at_ms: raw.at_ms,
            fact,
        })
    }
}

fn fact(kind: &str, data: &str) -> Result<Fact, serde_json::Error> {
    use serde_json::from_str as read;
    Ok(match kind {
        "SessionStarted" => Fact::SessionStarted(read(data)?),
        "OwnerChanged" => Fact::OwnerChanged(read(data)?),
        "SettingsChanged" => Fact::SettingsChanged(read(data)?),
        "BlocksDropped" => Fact::BlocksDropped(read(data)?),
        "PromptAccepted" => Fact::PromptAccepted(read(data)?),
        "TurnStarted" => Fact::TurnStarted(read(data)?),
        "NoticeAdded" => Fact::NoticeAdded(read(data)?),
        "AttemptReserved" => Fact::AttemptReserved(read(data)?),
        "AttemptFailed" => Fact::AttemptFailed(read(data)?),
        "ModelReplied" => Fact::ModelReplied(read(data)?),
        "CallRejected" => Fact::CallRejected(read(data)?),
        "Decided" => Fact::Decided(read(data)?),
        "DecisionAnswered" => Fact::DecisionAnswered(read(data)?),
        "QuestionAnswered" => Fact::QuestionAnswered(read(data)?),
        "CallStarted" => Fact::CallStarted(read(data)?),
        "CallFinished" => Fact::CallFinished(read(data)?),
        "CallFailed" => Fact::CallFailed(read(data)?),
        "CallInDoubt" => Fact::CallInDoubt(read(data)?),
        "CallFoundUnstarted" => Fact::CallFoundUnstarted(read(data)?),
        "AnswerChecked" => Fact::AnswerChecked(read(data)?),
        "CancelRequested" => Fact::CancelRequested(read(data)?),
        "TurnEnded" => Fact::TurnEnded(read(data)?),
        "CallParked" => Fact::CallParked(read(data)?),
        "WaitEnded" => Fact::WaitEnded(read(data)?),
        "SignalReceived" => Fact::SignalReceived(read(data)?),
        "CallSettled" => Fact::CallSettled(read(data)?),
        "DecisionLapsed" => Fact::DecisionLapsed(read(data)?),
        "SessionPaused" => Fact::SessionPaused(read(data)?),
        "SessionContinued" => Fact::SessionContinued(read(data)?),
        "SessionAdopted" => Fact::SessionAdopted(read(data)?),
        "UsageOverran" => Fact::UsageOverran(read(data)?),
        "TimeRanOut" => Fact::TimeRanOut(read(data)?),
        "ShareGranted" => Fact::ShareGranted(read(data)?),
        "ShareSettled" => Fact::ShareSettled(read(data)?),
        "ShareRaised" => Fact::ShareRaised(read(data)?),
        "PolicyRecorded" => Fact::PolicyRecorded(read(data)?),
        "CompactionBegun" => Fact::CompactionBegun(read(data)?),
        "HistoryCompacted" => Fact::HistoryCompacted(Box::new(read(data)?)),
        "CompactionFailed" => Fact::CompactionFailed(read(data)?),
        "CompactionAbandoned" => Fact::CompactionAbandoned(read(data)?),
        "PrefixBroken" => Fact::PrefixBroken(read(data)?),
        "PromptChanged" => Fact::PromptChanged(Box::new(read(data)?)),
        "LoopNoticed" => Fact::LoopNoticed(read(data)?),
        "ContentKept" => Fact::ContentKept(read(data)?),
        other => {
            return Err(serde_json::Error::custom(format_args!(
                "event `{other}` is not known to this version: it was written by a newer Bowline"
            )));
        }
    })
}
