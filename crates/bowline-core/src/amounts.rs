//! What is capped: amounts that are spent or set aside, and the caps over them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::usage::Usage;

/// What running a session uses up. Sums never wrap: they stop at the largest number, which is
/// above every cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Amounts {
    /// Tokens read, cached ones included.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// Money in millionths of a US dollar.
    #[serde(skip_serializing_if = "is_zero")]
    pub cost_micro_usd: u64,
    /// Replies of the model.
    #[serde(skip_serializing_if = "is_zero")]
    pub steps: u64,
    /// Tool calls that were started.
    #[serde(skip_serializing_if = "is_zero")]
    pub tool_calls: u64,
    /// Time at work in milliseconds, without the time that people are waited for.
    #[serde(skip_serializing_if = "is_zero")]
    pub wall_ms: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serialiser gives a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Amounts {
    /// Nothing.
    pub const ZERO: Self = Self {
        input_tokens: 0,
        output_tokens: 0,
        cost_micro_usd: 0,
        steps: 0,
        tool_calls: 0,
        wall_ms: 0,
    };

    /// The tokens that a provider reported; no money.
    #[must_use]
    pub const fn tokens(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            ..Self::ZERO
        }
    }

    /// Tokens read and written.
    #[must_use]
    pub const fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    fn each(&self, other: &Self, join: fn(u64, u64) -> u64) -> Self {
        Self {
            input_tokens: join(self.input_tokens, other.input_tokens),
            output_tokens: join(self.output_tokens, other.output_tokens),
            cost_micro_usd: join(self.cost_micro_usd, other.cost_micro_usd),
            steps: join(self.steps, other.steps),
            tool_calls: join(self.tool_calls, other.tool_calls),
            wall_ms: join(self.wall_ms, other.wall_ms),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    /// What is left of each after `other` is taken away; never below nothing.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.each(other, u64::saturating_sub)
    }

    /// The larger of each.
    #[must_use]
    pub fn at_least(&self, other: &Self) -> Self {
        self.each(other, u64::max)
    }

    /// Whether there is nothing of anything.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// How much there is of one measure.
    #[must_use]
    pub const fn of(&self, measure: Measure) -> u64 {
        match measure {
            Measure::InputTokens => self.input_tokens,
            Measure::OutputTokens => self.output_tokens,
            Measure::Tokens => self.total_tokens(),
            Measure::Cost => self.cost_micro_usd,
            Measure::Steps => self.steps,
            Measure::ToolCalls => self.tool_calls,
            Measure::Wall => self.wall_ms,
        }
    }
}

/// What a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Tokens read.
    InputTokens,
    /// Tokens written.
    OutputTokens,
    /// Tokens read and written.
    Tokens,
    /// Money in millionths of a US dollar.
    Cost,
    /// Replies of the model.
    Steps,
    /// Tool calls started.
    ToolCalls,
    /// Time at work in milliseconds.
    Wall,
}

impl Measure {
    /// Every measure, in the order of lists.
    pub const ALL: [Self; 7] = [
        Self::InputTokens,
        Self::OutputTokens,
        Self::Tokens,
        Self::Cost,
        Self::Steps,
        Self::ToolCalls,
        Self::Wall,
    ];

    /// The last part of its configuration key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Tokens => "tokens",
            Self::Cost => "usd",
            Self::Steps => "steps",
            Self::ToolCalls => "tool_calls",
            Self::Wall => "time",
        }
    }

    /// An amount as a flag or a key takes it: a plain number, dollars, or a span of time.
    #[must_use]
    pub fn value(self, amount: u64) -> String {
        match self {
            Self::Cost => dollars(amount).replace(['$', ','], ""),
            Self::Wall => format!("{}s", amount.div_ceil(1_000)),
            _ => amount.to_string(),
        }
    }

    /// The same without its unit where that is a word.
    fn number(self, amount: u64) -> String {
        match self {
            Self::Cost | Self::Wall => self.show(amount),
            _ => grouped(amount),
        }
    }

    /// An amount of this measure, for people, such as `1,200 tokens` or `$0.03`.
    #[must_use]
    pub fn show(self, amount: u64) -> String {
        match self {
            Self::InputTokens => format!("{} input tokens", grouped(amount)),
            Self::OutputTokens => format!("{} output tokens", grouped(amount)),
            Self::Tokens => format!("{} tokens", grouped(amount)),
            Self::Cost => dollars(amount),
            Self::Steps => format!("{} steps", grouped(amount)),
            Self::ToolCalls => format!("{} tool calls", grouped(amount)),
            Self::Wall if amount.is_multiple_of(1_000) => format!("{} s", grouped(amount / 1_000)),
            Self::Wall => format!("{}.{:03} s", grouped(amount / 1_000), amount % 1_000),
        }
    }
}

/// An amount of money for people: `$1.25`; to the millionth where cents do not tell it.
#[must_use]
pub fn dollars(micro_usd: u64) -> String {
    let (whole, rest) = (micro_usd / 1_000_000, micro_usd % 1_000_000);
    let digits = format!("{rest:06}");
    let digits = digits.trim_end_matches('0');
    format!("${}.{digits:0<2}", grouped(whole))
}

/// A number with its thousands set apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// The most there may be of each measure; no limit where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cap {
    /// Tokens read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Tokens read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money in millionths of a US dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<u64>,
    /// Replies of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Tool calls started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<u64>,
    /// Time at work in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}

/// A cap that does not allow what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// What the cap counts.
    pub measure: Measure,
    /// The cap.
    pub cap: u64,
    /// What is spent or set aside under it.
    pub taken: u64,
    /// What is needed beside that.
    pub need: u64,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            measure,
            cap,
            taken,
            need,
        } = *self;
        write!(
            f,
            "{} of {} used, {} needed",
            measure.number(taken),
            measure.show(cap),
            measure.number(need)
        )
    }
}

impl Excess {
    /// One sentence for people: which budget is used up, and what lets the session go on.
    #[must_use]
    pub fn sentence(&self, scope: CapScope) -> String {
        let raise = self.raise(scope);
        format!("the {} budget is used up: {self}{raise}", scope.name())
    }

    /// The flag or key that a person raises, with the least value that is enough.
    fn raise(&self, scope: CapScope) -> String {
        let least = self.taken.saturating_add(self.need);
        let value = self.measure.value(least);
        match (scope, self.measure) {
            (CapScope::Session, Measure::Tokens) => format!("; to go on, --max-tokens {value}"),
            (CapScope::Session, Measure::Cost) => format!("; to go on, --max-usd {value}"),
            (CapScope::Share, _) => String::new(),
            (scope, measure) => format!(
                "; to go on, raise budget.{}.{} to {value}",
                scope.name(),
                measure.key()
            ),
        }
    }
}

impl Cap {
    /// No limit on anything.
    pub const NONE: Self = Self {
        input_tokens: None,
        output_tokens: None,
        tokens: None,
        cost_micro_usd: None,
        steps: None,
        tool_calls: None,
        wall_ms: None,
    };

    /// Whether there is no limit on anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The limit on one measure.
    #[must_use]
    pub const fn on(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::InputTokens => self.input_tokens,
            Measure::OutputTokens => self.output_tokens,
            Measure::Tokens => self.tokens,
            Measure::Cost => self.cost_micro_usd,
            Measure::Steps => self.steps,
            Measure::ToolCalls => self.tool_calls,
            Measure::Wall => self.wall_ms,
        }
    }

    /// The place of the limit on one measure.
    #[must_use]
    pub const fn on_mut(&mut self, measure: Measure) -> &mut Option<u64> {
        match measure {
            Measure::InputTokens => &mut self.input_tokens,
            Measure::OutputTokens => &mut self.output_tokens,
            Measure::Tokens => &mut self.tokens,
            Measure::Cost => &mut self.cost_micro_usd,
            Measure::Steps => &mut self.steps,
            Measure::ToolCalls => &mut self.tool_calls,
            Measure::Wall => &mut self.wall_ms,
        }
    }

    /// The first limit that `need` would pass when `taken` is spent or set aside already; `None`
    /// if it fits, to the last token and millionth. What is not needed is not held against a limit.
    #[must_use]
    pub fn excess(&self, taken: &Amounts, need: &Amounts) -> Option<Excess> {
        Measure::ALL.into_iter().find_map(|measure| {
            let cap = self.on(measure)?;
            let (taken, need) = (taken.of(measure), need.of(measure));
            let fits = need == 0 || taken.checked_add(need).is_some_and(|sum| sum <= cap);
            (!fits).then_some(Excess {
                measure,
                cap,
                taken,
                need,
            })
        })
    }

    /// How much of a measure is left; `None` without a limit.
    #[must_use]
    pub fn left(&self, measure: Measure, taken: &Amounts) -> Option<u64> {
        Some(self.on(measure)?.saturating_sub(taken.of(measure)))
    }

    /// Both at once: the lower limit of each measure.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = *self;
        for measure in Measure::ALL {
            let limits = [self.on(measure), other.on(measure)];
            *both.on_mut(measure) = limits.into_iter().flatten().min();
        }
        both
    }
}

/// Over what a cap reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapScope {
    /// One turn.
    Turn,
    /// One session with its children.
    Session,
    /// All sessions of one folder.
    Project,
    /// All sessions of the state folder in one day, by UTC.
    Day,
    /// The part of its parent's budget that a child session may use.
    Share,
}

impl CapScope {
    /// Every scope that is configured, narrowest first.
    pub const ALL: [Self; 4] = [Self::Turn, Self::Session, Self::Project, Self::Day];

    /// The scopes that a session keeps by itself.
    pub const OWN: [Self; 3] = [Self::Turn, Self::Session, Self::Share];

    /// The name in configuration and lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Session => "session",
            Self::Project => "project",
            Self::Day => "day",
            Self::Share => "share",
        }
    }
}

/// The caps of every scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// Over one turn.
    #[serde(skip_serializing_if = "Cap::is_empty")]
    pub turn: Cap,
    /// Over the session with its children.
    #[serde(skip_serializing_if = "Cap::is_empty")]
    pub session: Cap,
    /// Over all sessions of the same folder.
    #[serde(skip_serializing_if = "Cap::is_empty")]
    pub project: Cap,
    /// Over all sessions of the state folder in one day, by UTC.
    #[serde(skip_serializing_if = "Cap::is_empty")]
    pub day: Cap,
}

impl Caps {
    /// No cap anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The cap of one scope; a share is none of these, so nothing is capped there.
    #[must_use]
    pub fn of(&self, scope: CapScope) -> &Cap {
        match scope {
            CapScope::Turn => &self.turn,
            CapScope::Session => &self.session,
            CapScope::Project => &self.project,
            CapScope::Day => &self.day,
            CapScope::Share => &Cap::NONE,
        }
    }

    /// The place of the cap of one scope; `None` for a share, which is none of these.
    #[must_use]
    pub const fn of_mut(&mut self, scope: CapScope) -> Option<&mut Cap> {
        match scope {
            CapScope::Turn => Some(&mut self.turn),
            CapScope::Session => Some(&mut self.session),
            CapScope::Project => Some(&mut self.project),
            CapScope::Day => Some(&mut self.day),
            CapScope::Share => None,
        }
    }
}

/// The most tokens that may be used in any span of a minute and of an hour, over all sessions of
/// the state folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateLimits {
    /// In any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// In any hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_hour: Option<u64>,
}

impl RateLimits {
    /// No limit on any span.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests;
