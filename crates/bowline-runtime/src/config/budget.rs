//! Keys of budgets: caps by scope and measure, and limits on rates.

use bowline_core::amounts::{CapScope, Measure, RateLimits};
use bowline_core::configured::RuleInForce;
use bowline_core::decision::Layer;
use bowline_core::settings::{LoopGuard, SummaryBy};
use bowline_core::{CacheTtl, ContextSettings, Limits};
use bowline_model::catalog::decimal::{self, USD_PER_MTOK};
use bowline_policy::{Pattern, Rule};

use super::keys::{KeySpec, Kind, ProjectUse};
use super::layers::Effective;
use super::parse::Value;
use super::span::span_ms;

/// The most that a number of tokens, steps or calls may be.
const COUNT_MAX: u64 = 1_000_000_000_000;

/// The key of a cap on a count: tokens, steps, calls.
pub(super) const fn count(name: &'static str, help: &'static str) -> KeySpec {
    KeySpec {
        name,
        kind: Kind::Whole {
            min: 1,
            max: COUNT_MAX,
        },
        default: None,
        project: ProjectUse::Tightens,
        help,
    }
}

/// The key of a cap on money.
pub(super) const fn money(
    name: &'static str,
    default: Option<&'static str>,
    help: &'static str,
) -> KeySpec {
    KeySpec {
        name,
        kind: Kind::Usd,
        default,
        project: ProjectUse::Tightens,
        help,
    }
}

/// The key of a cap on time.
pub(super) const fn time(name: &'static str, help: &'static str) -> KeySpec {
    KeySpec {
        name,
        kind: Kind::Span,
        default: None,
        project: ProjectUse::Tightens,
        help,
    }
}

/// The same key, for what holds over all folders: a project's file can only lower it.
pub(super) const fn of_all(key: KeySpec) -> KeySpec {
    KeySpec {
        project: ProjectUse::OnlyTightens,
        ..key
    }
}

/// Reads an amount of money in millionths of a dollar.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn micro_usd(text: &str) -> Result<u64, String> {
    let amount = decimal::price(text, USD_PER_MTOK).map_err(|error| error.to_string())?;
    if !amount.is_exact {
        return Err(format!("`{text}` has more than six decimals"));
    }
    Ok(amount.micro_usd_per_mtok)
}

/// The value of a key as an amount, if it is one; `never` is no cap.
pub(super) fn amount(kind: Kind, value: &Value) -> Option<u64> {
    match (kind, value) {
        (_, Value::Whole(number)) => Some(*number),
        // Every value was checked when it was read.
        (Kind::Usd, Value::Text(text)) => micro_usd(text).ok(),
        (Kind::Span, Value::Text(text)) => span_ms(text).ok().flatten(),
        _ => None,
    }
}

/// The key of a cap.
#[must_use]
pub fn cap_key(scope: CapScope, measure: Measure) -> String {
    match (scope, measure) {
        (CapScope::Turn, Measure::Steps) => "max_steps".to_owned(),
        (CapScope::Session, Measure::Tokens) => "max_tokens".to_owned(),
        (CapScope::Session, Measure::Cost) => "max_usd".to_owned(),
        _ => format!("budget.{}.{}", scope.name(), measure.key()),
    }
}

/// Lays out the caps by what `amount_of` says of each key.
fn limits_of(amount_of: impl Fn(&str) -> Option<u64>) -> Limits {
    let steps = amount_of("max_steps").and_then(|steps| u32::try_from(steps).ok());
    let mut limits = Limits {
        max_steps: steps.unwrap_or(Limits::DEFAULT_MAX_STEPS),
        max_tokens: amount_of("max_tokens"),
        max_output_tokens: amount_of("max_output_tokens"),
        rates: RateLimits {
            tokens_per_minute: amount_of("rate.tokens_per_minute"),
            tokens_per_hour: amount_of("rate.tokens_per_hour"),
        },
        ..Limits::default()
    };
    for scope in CapScope::ALL {
        for measure in Measure::ALL {
            let is_elsewhere = matches!(
                (scope, measure),
                (CapScope::Turn, Measure::Steps) | (CapScope::Session, Measure::Tokens)
            );
            if let (false, Some(cap)) = (is_elsewhere, limits.caps.of_mut(scope)) {
                *cap.on_mut(measure) = amount_of(&cap_key(scope, measure));
            }
        }
    }
    limits
}

impl Effective {
    /// The caps in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let mut limits = limits_of(|name| {
            let shown = self.shown.iter().find(|shown| shown.key.name == name)?;
            amount(shown.key.kind, shown.value.as_ref()?)
        });
        let loops = self.text("loops");
        let loops = LoopGuard::ALL
            .into_iter()
            .find(|(_, name)| loops == Some(*name));
        limits.loops = loops.map_or(LoopGuard::Stop, |(guard, _)| guard);
        tightened(limits, self.rules().iter())
    }

    /// What is said of the conversation's size.
    #[must_use]
    pub fn context(&self) -> ContextSettings {
        let amount_of = |name: &str| {
            let shown = self.shown.iter().find(|shown| shown.key.name == name)?;
            amount(shown.key.kind, shown.value.as_ref()?)
        };
        let ttl = self.text("context.cache_ttl");
        let ttl = CacheTtl::ALL
            .into_iter()
            .find(|(_, name)| ttl == Some(*name));
        let percent = amount_of("context.compact_at").and_then(|part| u8::try_from(part).ok());
        ContextSettings {
            window_tokens: amount_of("context.window"),
            compact_at_percent: percent.unwrap_or(ContextSettings::DEFAULT_COMPACT_AT_PERCENT),
            cache_ttl: ttl.map_or(CacheTtl::Auto, |(ttl, _)| ttl),
            summary: match self.text("context.summary") {
                Some("outline") => SummaryBy::Outline,
                _ => SummaryBy::Model,
            },
        }
    }

    /// The caps that the managed file sets, which nothing loosens; steps are unlimited where it
    /// says nothing.
    #[must_use]
    pub fn managed_limits(&self) -> Limits {
        let amount_of = |name: &str| {
            let set = self.managed.iter().find(|entry| entry.key.name == name)?;
            amount(set.key.kind, &set.value)
        };
        let mut limits = limits_of(amount_of);
        if amount_of("max_steps").is_none() {
            limits.max_steps = u32::MAX;
        }
        let is_managed = |rule: &&RuleInForce| rule.source.layer == Layer::Managed;
        tightened(limits, self.rules().iter().filter(is_managed))
    }

    /// The caps on money, with whether somebody set each: a default one holds only where the price
    /// is known.
    pub fn money_caps(&self) -> impl Iterator<Item = (CapScope, bool)> {
        CapScope::ALL.into_iter().filter_map(|scope| {
            let name = cap_key(scope, Measure::Cost);
            let shown = self.shown.iter().find(|shown| shown.key.name == name)?;
            let by_rule = scope == CapScope::Session && self.rules().iter().any(is_spend);
            (by_rule || shown.value.is_some()).then_some(())?;
            Some((scope, by_rule || shown.origin.is_some()))
        })
    }
}

/// The caps with what rules leave of a session's money: the least that one of them says.
#[must_use]
pub fn tightened<'r>(mut limits: Limits, rules: impl Iterator<Item = &'r RuleInForce>) -> Limits {
    let cap = &mut limits.caps.session.cost_micro_usd;
    for most in rules.filter_map(spend) {
        *cap = Some(cap.map_or(most, |cap| cap.min(most)));
    }
    limits
}

fn is_spend(rule: &RuleInForce) -> bool {
    spend(rule).is_some()
}

/// What a rule leaves of a session's money, in millionths of a dollar.
fn spend(rule: &RuleInForce) -> Option<u64> {
    if !rule.source.rule.trim_start().starts_with("spend(") {
        return None;
    }
    match Rule::parse(rule.verdict, rule.source.clone()).ok()?.pattern {
        Pattern::Spend(micro_usd) => Some(micro_usd),
        _ => None,
    }
}
