//! Permission decisions as objects: recorded before anything runs, readable ever after.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::action::{Action, Question};
use crate::call::ReplayPlan;
use crate::id::{CallId, DecisionId};
use crate::kept::Keeping;
use crate::look::LookFact;
use crate::permit::Executed;
use crate::policy_record::TrustState;
use crate::profile::Confinement;
use crate::settings::{Mode, OnAsk};
use crate::spec::{Risk, Tier};
use crate::wait::Wait;

/// What a decision says. Ordered from mildest to strictest, so that the strictest of several is
/// their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may run.
    Allow,
    /// A person must say.
    Ask,
    /// It must not run.
    Deny,
}

impl Verdict {
    /// The word for it, in rules, lists and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// The layer a rule comes from, strongest first; a later one never loosens an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Built into Bowline.
    BuiltIn,
    /// Set by the machine's administrator.
    Managed,
    /// Given on the command line.
    CommandLine,
    /// The user's configuration.
    User,
    /// The project's configuration; untrusted, so it can only tighten.
    Project,
}

impl Layer {
    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::BuiltIn => "built in",
            Self::Managed => "managed configuration",
            Self::CommandLine => "command line",
            Self::User => "user configuration",
            Self::Project => "project configuration",
        }
    }
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuleSource {
    /// Its layer.
    pub layer: Layer,
    /// Its tier.
    pub tier: Tier,
    /// Its text, or the name of a built-in rule such as `mode:edit`.
    pub rule: String,
    /// The file it stands in, if any.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u32>,
}

impl RuleSource {
    /// The rule as people look it up: its text, and its file and line if it has some.
    #[must_use]
    pub fn place(&self) -> String {
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!(" in {file}:{line}"),
            (Some(file), None) => format!(" in {file}"),
            (None, _) => String::new(),
        };
        format!("`{}`{place}", self.rule)
    }
}

/// The judgement of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What would be done.
    pub action: Action,
    /// What was decided about it.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// The rule that decided.
    pub rule: RuleSource,
    /// The part of the shell command that it is about; none for what is not a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<Segment>,
    /// Other rules that matched and lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runner_up: Vec<RuleSource>,
}

/// A part of a shell command's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Segment {
    /// The part itself; empty if it does not fit the text.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        let range = usize::try_from(self.start)
            .ok()
            .zip(usize::try_from(self.end).ok());
        range
            .and_then(|(start, end)| text.get(start..end))
            .unwrap_or_default()
    }
}

/// What was known of the tool when a call of it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedTool {
    /// Its name.
    pub name: String,
    /// Who wrote it.
    pub tier: Tier,
    /// The worst it can do.
    pub risk: Risk,
}

/// How far an answer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This call.
    #[default]
    Once,
    /// The same request for the rest of the session.
    Session,
    /// From now on, as a rule in the user's configuration.
    Always,
}

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// Rules and mode.
    Policy,
    /// A person, through the named route (`command line`, `terminal`, ...).
    Person(String),
    /// An earlier answer with a wider scope.
    Grant(DecisionId),
}

/// One recorded decision about one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// The strictest verdict over all actions.
    pub verdict: Verdict,
    /// Who decided.
    pub by: DecidedBy,
    /// One line for people: the reason of the strictest action.
    pub reason: String,
    /// The request's digest: an approval holds for these very bytes and paths.
    pub digest: Digest,
    /// What the call would do, in a line: shown wherever the decision is.
    pub essence: String,
    /// Each action with its verdict and rule. A shell command comes whole first, then its parts,
    /// each with its segment.
    pub actions: Vec<Judged>,
    /// The tool as it was known; none in decisions of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<JudgedTool>,
    /// What it would change, as a diff, if it asks: for the person, never sent to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// What was looked at while the shell command was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<LookFact>,
    /// Whether the project's configuration was trusted; none in decisions of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustState>,
    /// Where content came from that may speak to the model for somebody else: what could carry data
    /// out asks because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// What was known of content that rules keep to local models; none where no rule does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeping: Option<Box<Keeping>>,
    /// The call in doubt that this one would repeat: it asks because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<CallId>,
    /// What became of questions.
    #[serde(default, skip_serializing_if = "OnAsk::is_park")]
    pub on_ask: OnAsk,
    /// What a crash allows for this call.
    pub replay: ReplayPlan,
    /// The mode in force.
    pub mode: Mode,
    /// How the call is confined when it runs, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Box<Confinement>>,
    /// What the call is known to execute: the allow holds for these contents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub executes: Vec<Executed>,
    /// How far it reaches.
    #[serde(default)]
    pub scope: Scope,
    /// When an open question lapses, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
    /// The hash of the rules in force.
    pub policy_hash: Digest,
    /// The version of the code that judged.
    pub analyser_version: u32,
}

impl Decision {
    /// The question to a person that it is about, if it is about one.
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        self.actions.iter().find_map(|judged| match &judged.action {
            Action::AskPerson { question } => Some(question),
            _ => None,
        })
    }

    /// What it waits for, if the call is one that waits.
    #[must_use]
    pub fn wait(&self) -> Option<&Wait> {
        self.actions.iter().find_map(|judged| match &judged.action {
            Action::AwaitParty { wait } => Some(wait),
            _ => None,
        })
    }

    /// Whether an answer given at `at_ms` comes too late.
    #[must_use]
    pub fn has_lapsed(&self, at_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|expires| at_ms > expires)
    }

    /// What the model is told when the call was not allowed to run.
    #[must_use]
    pub fn refusal_text(&self) -> String {
        let what = if self.verdict == Verdict::Ask {
            "needs a person's answer"
        } else {
            "was refused"
        };
        format!(
            "Not run: this call {what}. {} Nothing was changed. Go on another way, or say what you need.",
            self.reason
        )
    }
}
