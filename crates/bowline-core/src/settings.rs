//! What is in force in a session: model, mode, limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::amounts::{Cap, CapScope, Caps, RateLimits};
use crate::configured::Configured;
use crate::price::{ModelFacts, Price};

/// How much runs unasked (section 7 of the design).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Reads run; what would ask is refused.
    ReadOnly,
    /// Reads run; the rest asks.
    #[default]
    Ask,
    /// Plus file tools writing ordinary workspace paths.
    Edit,
    /// Plus understood shell commands inside the sandbox.
    Auto,
    /// Whatever no rule denies or asks.
    Full,
}

impl Mode {
    /// Every mode, strictest first.
    pub const ALL: [Self; 5] = [
        Self::ReadOnly,
        Self::Ask,
        Self::Edit,
        Self::Auto,
        Self::Full,
    ];

    /// The spelling used on the command line and in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Ask => "ask",
            Self::Edit => "edit",
            Self::Auto => "auto",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| format!("unknown mode `{text}`: use read-only, ask, edit, auto or full"))
    }
}

/// What happens to a call that needs a person when none is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnAsk {
    /// The turn is parked until somebody answers.
    #[default]
    Park,
    /// The call is refused and the model is told.
    Refuse,
}

impl OnAsk {
    /// Whether questions wait.
    #[must_use]
    pub fn is_park(&self) -> bool {
        *self == Self::Park
    }
}

impl FromStr for OnAsk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "park" => Ok(Self::Park),
            "refuse" => Ok(Self::Refuse),
            _ => Err(format!("unknown value `{text}`: use park or refuse")),
        }
    }
}

/// How much a model should think before it answers. What a model makes of it is its own affair;
/// without one the provider's default is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningEffort {
    /// Not at all, where the model can be told so.
    Off,
    /// A little.
    Low,
    /// As much as ordinary work needs.
    Medium,
    /// As much as it takes.
    High,
}

impl ReasoningEffort {
    /// The spelling used on the command line and in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Tokens set aside for thinking: the budget that a model is told which wants one. No reply may
    /// be limited to so little that it and some words do not fit.
    #[must_use]
    pub const fn thinking_tokens(self) -> u64 {
        match self {
            Self::Off => 0,
            Self::Low => 4_096,
            Self::Medium => 10_240,
            Self::High => 20_480,
        }
    }
}

impl FromStr for ReasoningEffort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Off, Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|effort| effort.name() == text)
            .ok_or_else(|| format!("unknown effort `{text}`: use off, low, medium or high"))
    }
}

/// A model as `provider/model`; the model part may itself hold slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelRef {
    provider: String,
    model: String,
}

impl ModelRef {
    /// The part before the first slash, such as `openai-chat`.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The part after the first slash: what the provider calls the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl FromStr for ModelRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((provider, model)) if !provider.is_empty() && !model.is_empty() => Ok(Self {
                provider: provider.to_owned(),
                model: model.to_owned(),
            }),
            _ => Err(format!(
                "`{text}` is not a model: write provider/model, such as openai-chat/gpt-5"
            )),
        }
    }
}

impl TryFrom<String> for ModelRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ModelRef> for String {
    fn from(model: ModelRef) -> Self {
        model.to_string()
    }
}

/// Hard caps of one session. `None` means no cap but for steps, which always have one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Model calls in one turn.
    pub max_steps: u32,
    /// Tokens over the whole session, reserved before each call.
    pub max_tokens: Option<u64>,
    /// Longest reply in tokens to ask the provider for; the model's own limit if none.
    pub max_output_tokens: Option<u64>,
    /// What else is capped, by turn, session, project and day.
    #[serde(default, skip_serializing_if = "Caps::is_empty")]
    pub caps: Caps,
    /// How fast all sessions of the state folder together may use tokens.
    #[serde(default, skip_serializing_if = "RateLimits::is_empty")]
    pub rates: RateLimits,
    /// The part of its parent's budget that a child session may use; `None` for one without
    /// parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Cap>,
    /// What is done about an agent that goes round in circles.
    #[serde(default, skip_serializing_if = "LoopGuard::is_stop")]
    pub loops: LoopGuard,
}

impl Limits {
    /// The step cap where nobody set one: far above ordinary work, low enough to stop a runaway.
    pub const DEFAULT_MAX_STEPS: u32 = 1_000;
    /// The cap on the tokens of a session where nobody set one: a thousand steps with a full
    /// context of 200,000 tokens.
    pub const DEFAULT_MAX_TOKENS: u64 = 200_000_000;
    /// The cap on the money of a session where nobody set one and the price is known, in
    /// millionths of a dollar: $20.
    pub const DEFAULT_MAX_MICRO_USD: u64 = 20_000_000;
    /// The cap on the money of a day where nobody set one and the price is known, in millionths of
    /// a dollar: $100.
    pub const DEFAULT_DAY_MICRO_USD: u64 = 100_000_000;
}

impl Limits {
    /// All that caps a scope of this session by itself; what is over all sessions is the
    /// installation's to keep.
    #[must_use]
    pub fn cap(&self, scope: CapScope) -> Cap {
        match scope {
            CapScope::Session => self.caps.session.and(&Cap {
                tokens: self.max_tokens,
                ..Cap::default()
            }),
            CapScope::Share => self.share.unwrap_or_default(),
            other => *self.caps.of(other),
        }
    }
}

impl Limits {
    /// Both at once: the lower of each.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let least =
            |mine: Option<u64>, others: Option<u64>| [mine, others].into_iter().flatten().min();
        let mut caps = Caps::default();
        for scope in CapScope::ALL {
            if let Some(cap) = caps.of_mut(scope) {
                *cap = self.caps.of(scope).and(other.caps.of(scope));
            }
        }
        Self {
            max_steps: self.max_steps.min(other.max_steps),
            max_tokens: least(self.max_tokens, other.max_tokens),
            max_output_tokens: least(self.max_output_tokens, other.max_output_tokens),
            caps,
            rates: RateLimits {
                tokens_per_minute: least(
                    self.rates.tokens_per_minute,
                    other.rates.tokens_per_minute,
                ),
                tokens_per_hour: least(self.rates.tokens_per_hour, other.rates.tokens_per_hour),
            },
            share: self.share,
            loops: self.loops,
        }
    }

    /// The part of it that holds over other sessions too.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self {
            max_steps: u32::MAX,
            caps: Caps {
                project: self.caps.project,
                day: self.caps.day,
                ..Caps::default()
            },
            rates: self.rates,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_steps: Self::DEFAULT_MAX_STEPS,
            max_tokens: None,
            max_output_tokens: None,
            caps: Caps::default(),
            rates: RateLimits::default(),
            share: None,
            loops: LoopGuard::Stop,
        }
    }
}

/// What is done about an agent that goes round in circles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopGuard {
    /// Nothing.
    Off,
    /// The model is told.
    Nudge,
    /// The model is told; if it goes on, the turn ends.
    #[default]
    Stop,
}

impl LoopGuard {
    /// Every value with its spelling in configuration.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Off, "off"),
        (Self::Nudge, "nudge"),
        (Self::Stop, "stop"),
    ];

    /// Whether the turn ends.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        *self == Self::Stop
    }
}

/// How long a provider is asked to keep what it caches, where it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheTtl {
    /// As the session's pace makes it pay.
    #[default]
    Auto,
    /// Five minutes.
    FiveMinutes,
    /// An hour.
    Hour,
}

impl CacheTtl {
    /// Every value with its spelling in configuration.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Auto, "auto"),
        (Self::FiveMinutes, "5m"),
        (Self::Hour, "1h"),
    ];
}

/// Who writes summaries of a conversation that is made shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryBy {
    /// The model; without one, or when its summary does not do, Bowline itself.
    #[default]
    Model,
    /// Bowline itself: a list of what was done.
    Outline,
}

/// What is said of the conversation's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContextSettings {
    /// The most tokens that a request and its reply may have together, where a person says so;
    /// what is known of the model if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<u64>,
    /// The part of the window, in hundredths, over which the next request makes the conversation be
    /// compacted.
    pub compact_at_percent: u8,
    /// How long the provider is asked to keep what it caches.
    pub cache_ttl: CacheTtl,
    /// Who writes summaries.
    pub summary: SummaryBy,
}

impl ContextSettings {
    /// Where nobody said otherwise: the reply and an outsized step still fit beside it.
    pub const DEFAULT_COMPACT_AT_PERCENT: u8 = 80;

    /// Whether nobody said otherwise.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ContextSettings {
    fn default() -> Self {
        Self {
            window_tokens: None,
            compact_at_percent: Self::DEFAULT_COMPACT_AT_PERCENT,
            cache_ttl: CacheTtl::Auto,
            summary: SummaryBy::Model,
        }
    }
}

/// What is in force; recorded at the start and at every change, never recomputed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The model asked.
    pub model: ModelRef,
    /// The endpoint, if it is not the provider's own.
    pub base_url: Option<String>,
    /// How much the model should think; the provider's default if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningEffort>,
    /// How much runs unasked.
    pub mode: Mode,
    /// What happens to a question when nobody is there.
    pub on_ask: OnAsk,
    /// How long a question stays open, in milliseconds; for ever if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_expires_ms: Option<u64>,
    /// The caps.
    pub limits: Limits,
    /// What is said of the conversation's size.
    #[serde(default, skip_serializing_if = "ContextSettings::is_default")]
    pub context: ContextSettings,
    /// What is known of the model: its limits and its price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_facts: Option<Box<ModelFacts>>,
    /// What else the configuration said; `None` in sessions begun before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<Box<Configured>>,
}

impl Settings {
    /// Whether nothing but caps, prices and the conversation's size tells the two apart.
    #[must_use]
    pub fn differs_in_budget_only(&self, other: &Self) -> bool {
        let mut like = other.clone();
        like.limits = self.limits.clone();
        like.context = self.context;
        like.model_facts.clone_from(&self.model_facts);
        *self == like
    }

    /// What the model costs, if it is known.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        self.model_facts.as_ref().and_then(|facts| facts.price)
    }
}
