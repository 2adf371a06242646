//! Judges what happens in a session by what is usual for its model and project. Pure.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::alarm::{AlarmCause, AlarmWindow, Metric};
use bowline_core::{SessionId, Usage};
use bowline_journal::PastAttempt;

use super::Window;
use super::evidence::Evidence;
use super::hours::{Hours, Spent};
use super::rule::{Bounds, Rule};
use super::seen::Seen;
use super::series::{Series, usual};

/// How long after a reply the provider's cache can be counted on, in milliseconds.
const CACHED_MS: u64 = 5 * 60 * 1_000;
/// Fewer tokens read than this say nothing about the cache.
const CACHED_LEAST_TOKENS: u64 = 2_048;

/// An alarm without what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// What is watched.
    pub metric: Metric,
    /// The figure.
    pub figure: u64,
    /// The median of the window.
    pub baseline: u64,
    /// How far figures usually lie from it.
    pub spread: u64,
    /// What the figure had to stay within.
    pub limit: u64,
    /// What it was held against.
    pub window: AlarmWindow,
    /// The likely cause.
    pub cause: AlarmCause,
}

/// What the hours that are over usually cost, kept for as long as the hour lasts.
#[derive(Debug, Clone, Copy)]
struct UsualHour {
    at_hour: u64,
    bounds: Bounds,
    steps: u64,
    window: AlarmWindow,
}

/// Baselines and what was seen lately, of one model in one project.
#[derive(Debug, Clone)]
pub struct Detector {
    window: Window,
    tokens: Series,
    hits: Series,
    errors: Series,
    turns: Series,
    hours: Hours,
    usual_hour: Option<UsualHour>,
    evidence: Evidence,
    /// Calls of the turn that is not over; `None` before the first one.
    turn_calls: Option<u64>,
    last_reply: Option<(SessionId, u64)>,
    /// What was said and has not come back to normal.
    open: BTreeSet<Metric>,
}

impl Detector {
    /// One that has seen nothing yet: it learns.
    #[must_use]
    pub fn new(window: Window) -> Self {
        let span_ms = window.span_ms();
        let series = |metric| Series::new(window.steps, span_ms, Rule::of(metric).lately);
        Self {
            window,
            tokens: series(Metric::TokensPerStep),
            hits: series(Metric::CacheHits),
            errors: series(Metric::Errors),
            turns: series(Metric::CallsPerTurn),
            hours: Hours::new(span_ms),
            usual_hour: None,
            evidence: Evidence::new(window.steps),
            turn_calls: None,
            last_reply: None,
            open: BTreeSet::new(),
        }
    }

    /// Learns from attempts of before, oldest first. What was out of the ordinary when `session` was
    /// left is not said again. `turn` is the turn of it that is not over.
    pub fn learn(&mut self, past: &[PastAttempt], session: SessionId, turn: Option<u32>) {
        let mut turns: BTreeMap<(SessionId, u32), (u64, u64)> = BTreeMap::new();
        for one in past {
            let calls = turns.entry((one.session, one.turn)).or_default();
            *calls = (one.at_ms, calls.1 + u64::from(one.asked));
        }
        self.turn_calls = turn
            .and_then(|turn| turns.remove(&(session, turn)))
            .map(|(_, calls)| calls);
        let mut turns: Vec<(u64, u64)> = turns.into_values().collect();
        turns.sort_unstable();
        for (at_ms, calls) in turns {
            self.end_turn(at_ms, calls);
        }
        let detailed = past.len().saturating_sub(self.window.steps);
        for (at, one) in past.iter().enumerate() {
            if at >= detailed {
                self.learn_step(one);
            } else {
                self.spend(one.at_ms, one.cost_micro_usd);
            }
        }
        let Some(last) = past.last().filter(|last| last.session == session) else {
            return;
        };
        let at_ms = last.at_ms;
        for metric in Metric::ALL {
            if let Some((figure, bounds, _)) = self.standing(metric, at_ms)
                && bounds.is_beyond(figure)
            {
                self.open.insert(metric);
            }
        }
    }

    fn learn_step(&mut self, one: &PastAttempt) {
        let cost_micro_usd = one.cost_micro_usd;
        if !one.is_replied {
            self.fail(one.at_ms, cost_micro_usd);
            return;
        }
        self.reply(one.at_ms, one.session, one.usage, cost_micro_usd);
        for call in &one.calls {
            self.result(one.at_ms, &call.tool, call.result_bytes, call.failed);
        }
    }

    /// Takes in what happened; gives what is to be said about it.
    pub fn see(&mut self, at_ms: u64, session: SessionId, seen: &Seen) -> Vec<Alarm> {
        let concerned: &[Metric] = match seen {
            Seen::TurnBegan => {
                if let Some(calls) = self.turn_calls.replace(0) {
                    self.end_turn(at_ms, calls);
                }
                self.open.remove(&Metric::CallsPerTurn);
                &[]
            }
            Seen::Replied {
                usage,
                cost_micro_usd,
                asked,
            } => {
                self.reply(at_ms, session, *usage, *cost_micro_usd);
                *self.turn_calls.get_or_insert(0) += u64::from(*asked);
                &[
                    Metric::TokensPerStep,
                    Metric::UsdPerHour,
                    Metric::CacheHits,
                    Metric::CallsPerTurn,
                    Metric::Errors,
                ]
            }
            Seen::Failed { cost_micro_usd } => {
                self.fail(at_ms, *cost_micro_usd);
                &[Metric::UsdPerHour, Metric::Errors]
            }
            Seen::Result {
                tool,
                bytes,
                failed,
            } => {
                self.result(at_ms, tool, *bytes, *failed);
                &[Metric::Errors]
            }
            Seen::ChildSpent { cost_micro_usd } => {
                let spent = Spent {
                    cost_micro_usd: *cost_micro_usd,
                    children_micro_usd: *cost_micro_usd,
                    steps: 0,
                };
                self.hours.add(at_ms, &spent);
                &[Metric::UsdPerHour]
            }
            Seen::Broke {
                block,
                field,
                lost_tokens,
                is_explained,
            } => {
                self.evidence.broke(block, field, *lost_tokens);
                return match is_explained {
                    true => Vec::new(),
                    false => vec![broken(block, field, *lost_tokens)],
                };
            }
            Seen::Looped { evidence } => {
                self.evidence.looped(evidence);
                &[]
            }
        };
        let judged = concerned.iter();
        judged
            .filter_map(|metric| self.judge(*metric, at_ms))
            .collect()
    }

    /// Takes note that a tool is not what the model was told; gives the alarm.
    pub fn tool_differs(&mut self, tool: &str, field: &str) -> Alarm {
        self.evidence.tool_differs(tool, field);
        without_baseline(
            Metric::Tools,
            AlarmCause::Tool {
                tool: tool.to_owned(),
                field: field.to_owned(),
            },
        )
    }

    fn reply(&mut self, at_ms: u64, session: SessionId, usage: Option<Usage>, cost: u64) {
        self.spend(at_ms, cost);
        self.evidence.operation(None, false);
        self.rate_errors(at_ms);
        let before = self.last_reply.replace((session, at_ms));
        let Some(usage) = usage else {
            return;
        };
        self.evidence.step(usage, cost);
        let new_tokens = usage.input_tokens.saturating_sub(usage.cached_input_tokens);
        let tokens = new_tokens.saturating_add(usage.output_tokens);
        let rule = Rule::of(Metric::TokensPerStep);
        self.tokens.push(at_ms, rule.kept(number(tokens)));
        let follows = before.is_some_and(|(known, then)| {
            known == session && at_ms.saturating_sub(then) <= CACHED_MS
        });
        if follows && usage.input_tokens >= CACHED_LEAST_TOKENS {
            let hits = u128::from(usage.cached_input_tokens) * 1_000;
            let hits = u64::try_from(hits / u128::from(usage.input_tokens)).unwrap_or(1_000);
            self.hits.push(at_ms, number(hits));
        }
    }

    fn fail(&mut self, at_ms: u64, cost_micro_usd: u64) {
        self.spend(at_ms, cost_micro_usd);
        self.evidence.operation(None, true);
        self.rate_errors(at_ms);
    }

    fn result(&mut self, at_ms: u64, tool: &str, bytes: u64, failed: bool) {
        self.evidence.result(tool, bytes);
        self.evidence.operation(Some(tool), failed);
        self.rate_errors(at_ms);
    }

    fn rate_errors(&mut self, at_ms: u64) {
        if let Some(errors) = self.evidence.errors() {
            self.errors.push(at_ms, number(errors));
        }
    }

    fn spend(&mut self, at_ms: u64, cost_micro_usd: u64) {
        let spent = Spent {
            cost_micro_usd,
            steps: 1,
            ..Spent::default()
        };
        self.hours.add(at_ms, &spent);
    }

    fn end_turn(&mut self, at_ms: u64, calls: u64) {
        let rule = Rule::of(Metric::CallsPerTurn);
        self.turns.push(at_ms, rule.kept(number(calls)));
    }

    fn judge(&mut self, metric: Metric, at_ms: u64) -> Option<Alarm> {
        let (figure, bounds, window) = self.standing(metric, at_ms)?;
        if !bounds.is_beyond(figure) {
            if bounds.is_calm(figure) {
                self.open.remove(&metric);
            }
            return None;
        }
        if !self.open.insert(metric) {
            return None;
        }
        let usual_steps = self.usual_hour.map_or(0, |usual| usual.steps);
        let hour = self.hours.last_hour();
        Some(Alarm {
            metric,
            figure: whole(figure),
            baseline: whole(bounds.median),
            spread: whole(bounds.spread),
            limit: whole(bounds.limit),
            window,
            cause: self.evidence.cause(metric, hour, usual_steps),
        })
    }

    /// The figure of a metric now, what is usual, and from what that is known; `None` before enough
    /// was seen.
    fn standing(&mut self, metric: Metric, at_ms: u64) -> Option<(f64, Bounds, AlarmWindow)> {
        let rule = Rule::of(metric);
        let series = match metric {
            Metric::TokensPerStep => &self.tokens,
            Metric::CacheHits => &self.hits,
            Metric::Errors => &self.errors,
            Metric::CallsPerTurn => &self.turns,
            Metric::UsdPerHour => {
                let usual = self.usual_hour(at_ms)?;
                let figure = number(self.hours.last_hour().cost_micro_usd);
                return Some((figure, usual.bounds, usual.window));
            }
            Metric::Tools | Metric::Prefix => return None,
        };
        if (series.len() as u64) < rule.warm_up(self.window.warm_up) {
            return None;
        }
        let bounds = rule.bounds(series.usual(rule.side)?, series.len());
        let figure = match metric {
            Metric::CallsPerTurn => number(self.turn_calls?),
            Metric::Errors => series.last()?,
            _ => rule.figure(series.lately()?),
        };
        let window = AlarmWindow {
            samples: series.len() as u64,
            span_ms: at_ms.saturating_sub(series.since_ms()?),
        };
        Some((figure, bounds, window))
    }

    fn usual_hour(&mut self, at_ms: u64) -> Option<UsualHour> {
        let at_hour = at_ms / 3_600_000;
        if let Some(known) = self.usual_hour.filter(|known| known.at_hour == at_hour) {
            return Some(known);
        }
        let rule = Rule::of(Metric::UsdPerHour);
        let (mut costs, mut steps, mut since_ms) = (Vec::new(), Vec::new(), at_ms);
        for (began_ms, spent) in self.hours.over(at_ms) {
            since_ms = since_ms.min(began_ms);
            costs.push(rule.kept(number(spent.cost_micro_usd)));
            steps.push(number(spent.steps));
        }
        if (costs.len() as u64) < rule.warm_up(self.window.warm_up) {
            return None;
        }
        costs.sort_unstable_by(f64::total_cmp);
        steps.sort_unstable_by(f64::total_cmp);
        let found = UsualHour {
            at_hour,
            bounds: rule.bounds(usual(&costs, rule.side)?, costs.len()),
            steps: usual(&steps, rule.side).map_or(0, |usual| whole(usual.median)),
            window: AlarmWindow {
                samples: costs.len() as u64,
                span_ms: at_ms.saturating_sub(since_ms),
            },
        };
        self.usual_hour = Some(found);
        Some(found)
    }
}

fn broken(block: &str, field: &str, lost_tokens: u64) -> Alarm {
    without_baseline(
        Metric::Prefix,
        AlarmCause::Prefix {
            block: block.to_owned(),
            field: field.to_owned(),
            lost_tokens,
        },
    )
}

/// An alarm about what is never usual.
const fn without_baseline(metric: Metric, cause: AlarmCause) -> Alarm {
    Alarm {
        metric,
        figure: 1,
        baseline: 0,
        spread: 0,
        limit: 0,
        window: AlarmWindow {
            samples: 0,
            span_ms: 0,
        },
        cause,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures of this size are exact, and larger ones are near enough"
)]
const fn number(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is negative or too large is cut to what fits"
)]
fn whole(figure: f64) -> u64 {
    figure.round() as u64
}

#[cfg(test)]
mod tests;
