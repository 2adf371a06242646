//! Alarms: a figure of a session that lies far from what is usual for its model and project, or a
//! tool that is no longer what the model was told.
//!
//! An alarm is a fact about the installation, and a line for those who watch. What it does to the
//! session is a command like any other: it changes nothing by itself.

use serde::{Deserialize, Serialize};

use crate::settings::ModelRef;

/// What is watched. All figures are whole numbers in the unit that is named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Tokens that one step reads past the provider's cache and writes.
    TokensPerStep,
    /// Money within the last hour, in millionths of a dollar.
    UsdPerHour,
    /// How much of what a step reads comes from the provider's cache, in thousandths. Too little is
    /// what alarms.
    CacheHits,
    /// Tool calls in one turn.
    CallsPerTurn,
    /// How many of the last model and tool calls failed, in thousandths.
    Errors,
    /// Tools that are not what the model was told of them; a number of tools.
    Tools,
    /// Breaks of the prompt's prefix that nothing recorded explains; a number of breaks.
    Prefix,
}

impl Metric {
    /// Every metric, in the order of listings.
    pub const ALL: [Self; 7] = [
        Self::TokensPerStep,
        Self::UsdPerHour,
        Self::CacheHits,
        Self::CallsPerTurn,
        Self::Errors,
        Self::Tools,
        Self::Prefix,
    ];

    /// The spelling used in configuration and on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokensPerStep => "tokens_per_step",
            Self::UsdPerHour => "usd_per_hour",
            Self::CacheHits => "cache_hits",
            Self::CallsPerTurn => "calls_per_turn",
            Self::Errors => "errors",
            Self::Tools => "tools",
            Self::Prefix => "prefix",
        }
    }

    /// A figure of it, for people.
    fn shown(self, figure: u64) -> String {
        match self {
            Self::TokensPerStep => format!("{figure} tokens per step"),
            Self::UsdPerHour => format!("{} within an hour", dollars(figure)),
            Self::CacheHits => format!("{} of the input from the cache", percent(figure)),
            Self::CallsPerTurn => format!("{figure} calls in one turn"),
            Self::Errors => format!("{} of the last calls failed", percent(figure)),
            Self::Tools if figure == 1 => "a tool is not what the model was told".to_owned(),
            Self::Tools => format!("{figure} tools are not what the model was told"),
            Self::Prefix => "the prefix of the prompt broke".to_owned(),
        }
    }
}

fn dollars(micro_usd: u64) -> String {
    let cents = micro_usd.saturating_add(5_000) / 10_000;
    format!("${}.{:02}", cents / 100, cents % 100)
}

fn percent(thousandths: u64) -> String {
    format!("{} %", thousandths.saturating_add(5) / 10)
}

/// What an alarm does.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AlarmAction {
    /// It is said and recorded.
    #[default]
    Note,
    /// One line is added to a configured file, too.
    WebhookFile,
    /// The session is put on hold, and a person at the terminal is asked whether it goes on.
    Ask,
    /// The session is put on hold until somebody lets it go on.
    Pause,
}

impl AlarmAction {
    /// The spelling used in configuration and on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::WebhookFile => "webhook_file",
            Self::Ask => "ask",
            Self::Pause => "pause",
        }
    }

    /// Whether it puts the session on hold.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Ask | Self::Pause)
    }
}

impl std::str::FromStr for AlarmAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Note, Self::WebhookFile, Self::Ask, Self::Pause]
            .into_iter()
            .find(|action| action.name() == text)
            .ok_or_else(|| format!("unknown action `{text}`: use note, webhook_file, ask or pause"))
    }
}

/// What most likely caused it: the strongest evidence that was seen shortly before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AlarmCause {
    /// A tool is described otherwise than the model was told.
    Tool {
        /// Its name.
        tool: String,
        /// What differs: `description`, a place in its schema, or `removed`.
        field: String,
    },
    /// The prefix of the prompt broke.
    Prefix {
        /// The block that changed.
        block: String,
        /// Its field.
        field: String,
        /// Tokens that had to be read anew.
        lost_tokens: u64,
    },
    /// The model repeats itself.
    Loop {
        /// What was seen.
        evidence: String,
    },
    /// Results of a tool grew.
    ToolOutput {
        /// The tool.
        tool: String,
        /// Bytes that it brought into the conversation per step, lately.
        bytes_per_step: u64,
        /// The same, as usual.
        usual_bytes_per_step: u64,
    },
    /// The model writes more.
    ModelOutput {
        /// Tokens written per step, lately.
        tokens_per_step: u64,
        /// The same, as usual.
        usual_tokens_per_step: u64,
    },
    /// A token costs more.
    Price {
        /// Millionths of a dollar per million tokens, lately.
        micro_usd_per_mtok: u64,
        /// The same, as usual.
        usual_micro_usd_per_mtok: u64,
    },
    /// Child sessions spend.
    Children {
        /// What they spent within the last hour, in millionths of a dollar.
        cost_micro_usd: u64,
    },
    /// There are more steps.
    MoreSteps {
        /// Steps within the last hour.
        steps_per_hour: u64,
        /// The same, as usual.
        usual_steps_per_hour: u64,
    },
    /// Model calls fail.
    Provider {
        /// How many of the last ones.
        failed: u64,
        /// Of so many.
        of: u64,
    },
    /// Calls of a tool fail.
    ToolFailures {
        /// The tool that fails most.
        tool: String,
        /// How many of its last calls.
        failed: u64,
    },
    /// Nothing that was seen explains it.
    Unknown,
    /// A cause of a newer version.
    #[serde(other)]
    Other,
}

impl AlarmCause {
    /// The cause in a few words; foreign text in it is as it was recorded.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Tool { tool, field } if field == "removed" => {
                format!("tool `{tool}` is no longer there")
            }
            Self::Tool { tool, field } => format!("tool `{tool}` has another {field}"),
            Self::Prefix {
                block,
                field,
                lost_tokens,
            } => format!("the prefix broke at {block} ({field}), {lost_tokens} tokens read anew"),
            Self::Loop { evidence } => format!("a loop: {evidence}"),
            Self::ToolOutput {
                tool,
                bytes_per_step,
                usual_bytes_per_step,
            } => format!(
                "results of `{tool}` grew from {usual_bytes_per_step} to {bytes_per_step} bytes per step"
            ),
            Self::ModelOutput {
                tokens_per_step,
                usual_tokens_per_step,
            } => format!(
                "the model writes {tokens_per_step} tokens per step, usually {usual_tokens_per_step}"
            ),
            Self::Price {
                micro_usd_per_mtok,
                usual_micro_usd_per_mtok,
            } => format!(
                "a million tokens cost {}, usually {}",
                dollars(*micro_usd_per_mtok),
                dollars(*usual_micro_usd_per_mtok)
            ),
            Self::Children { cost_micro_usd } => {
                format!("child sessions spent {}", dollars(*cost_micro_usd))
            }
            Self::MoreSteps {
                steps_per_hour,
                usual_steps_per_hour,
            } => format!("{steps_per_hour} steps within an hour, usually {usual_steps_per_hour}"),
            Self::Provider { failed, of } => format!("{failed} of {of} model calls failed"),
            Self::ToolFailures { tool, failed } => format!("`{tool}` failed {failed} times"),
            Self::Unknown | Self::Other => "nothing that was seen explains it".to_owned(),
        }
    }
}

/// What a figure was held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmWindow {
    /// How many samples.
    pub samples: u64,
    /// From the oldest of them until the alarm, in milliseconds.
    pub span_ms: u64,
}

/// A figure lies far from what is usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRaised {
    /// Which.
    pub metric: Metric,
    /// The figure, in the unit of the metric.
    pub figure: u64,
    /// The median of the window; 0 where nothing is usual.
    pub baseline: u64,
    /// How far figures usually lie from it: the scaled median of the deviations.
    pub spread: u64,
    /// What the figure had to stay within.
    pub limit: u64,
    /// What it was held against.
    pub window: AlarmWindow,
    /// The model asked.
    pub model: ModelRef,
    /// The root folder of the session.
    pub project: String,
    /// The likely cause.
    pub cause: AlarmCause,
    /// What it does.
    pub action: AlarmAction,
    /// Why that could not be done, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl AlarmRaised {
    /// Figure, baseline and cause in one line; foreign text in it is as it was recorded.
    #[must_use]
    pub fn what(&self) -> String {
        let usual = match self.metric {
            Metric::Tools | Metric::Prefix => String::new(),
            metric => format!(
                ", usually {}",
                match metric {
                    Metric::UsdPerHour => dollars(self.baseline),
                    Metric::CacheHits | Metric::Errors => percent(self.baseline),
                    _ => self.baseline.to_string(),
                }
            ),
        };
        let figure = self.metric.shown(self.figure);
        format!("{figure}{usual}: {}", self.cause.line())
    }

    /// The same, and what the alarm does.
    #[must_use]
    pub fn line(&self) -> String {
        let done = match (&self.failed, self.action) {
            (Some(why), action) => format!("; {} could not be done: {why}", action.name()),
            (None, AlarmAction::Note | AlarmAction::WebhookFile) => String::new(),
            (None, AlarmAction::Ask | AlarmAction::Pause) => "; the session is on hold".to_owned(),
        };
        format!("{}{done}", self.what())
    }
}

#[cfg(test)]
mod tests;
