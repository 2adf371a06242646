//! What may have caused an alarm: what was seen lately, held against what was seen before.

use std::collections::{BTreeMap, VecDeque};

use bowline_core::Usage;
use bowline_core::alarm::{AlarmCause, Metric};

use super::LATELY_STEPS;
use super::hours::Spent;

/// How many steps something that was seen once may explain.
const REMEMBERED_STEPS: u64 = 2 * LATELY_STEPS as u64;
/// Of how many calls the rate of errors is taken.
pub(super) const OPERATIONS: usize = 30;
/// How much larger than usual a part must be to be named as the cause.
const TIMES: f64 = 1.5;
/// Growth of a tool's results that is worth naming, in bytes per step.
const BYTES_LEAST: f64 = 2_000.0;

/// What one step brought.
#[derive(Debug, Clone, Default)]
struct Step {
    output_tokens: u64,
    tokens: u64,
    cost_micro_usd: u64,
    bytes: BTreeMap<String, u64>,
}

/// A model or a tool call that came to an end.
#[derive(Debug, Clone)]
struct Operation {
    /// The tool; `None` for the model.
    tool: Option<String>,
    failed: bool,
}

/// Something that happened at one step.
type AtStep<T> = Option<(u64, T)>;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    most: usize,
    count: u64,
    steps: VecDeque<Step>,
    operations: VecDeque<Operation>,
    tool: Option<(String, String)>,
    broke: AtStep<(String, String, u64)>,
    looped: AtStep<String>,
}

impl Evidence {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    pub(super) fn step(&mut self, usage: Usage, cost_micro_usd: u64) {
        self.count += 1;
        while self.steps.len() >= self.most {
            self.steps.pop_front();
        }
        self.steps.push_back(Step {
            output_tokens: usage.output_tokens,
            tokens: usage.total_tokens(),
            cost_micro_usd,
            bytes: BTreeMap::new(),
        });
    }

    pub(super) fn result(&mut self, tool: &str, bytes: u64) {
        if let Some(step) = self.steps.back_mut() {
            *step.bytes.entry(tool.to_owned()).or_default() += bytes;
        }
    }

    pub(super) fn operation(&mut self, tool: Option<&str>, failed: bool) {
        if self.operations.len() >= OPERATIONS {
            self.operations.pop_front();
        }
        self.operations.push_back(Operation {
            tool: tool.map(str::to_owned),
            failed,
        });
    }

    /// How many of the last calls failed, in thousandths; `None` before there are enough.
    pub(super) fn errors(&self) -> Option<u64> {
        let failed = self.operations.iter().filter(|one| one.failed).count();
        (self.operations.len() == OPERATIONS).then(|| (failed * 1_000 / OPERATIONS) as u64)
    }

    pub(super) fn tool_differs(&mut self, tool: &str, field: &str) {
        let differs = || (tool.to_owned(), field.to_owned());
        self.tool.get_or_insert_with(differs);
    }

    pub(super) fn broke(&mut self, block: &str, field: &str, lost_tokens: u64) {
        let what = (block.to_owned(), field.to_owned(), lost_tokens);
        self.broke = Some((self.count, what));
    }

    pub(super) fn looped(&mut self, evidence: &str) {
        self.looped = Some((self.count, evidence.to_owned()));
    }

    /// The likely cause of an alarm. `hour` is the last one, `usual_steps` what an hour usually has.
    pub(super) fn cause(&self, metric: Metric, hour: Spent, usual_steps: u64) -> AlarmCause {
        let found = match metric {
            Metric::CacheHits => self.prefix(),
            Metric::TokensPerStep => self
                .prefix()
                .or_else(|| self.repeats())
                .or_else(|| self.tool_output())
                .or_else(|| self.model_output()),
            Metric::UsdPerHour => children(hour)
                .or_else(|| self.prefix())
                .or_else(|| self.repeats())
                .or_else(|| self.tool_output())
                .or_else(|| self.model_output())
                .or_else(|| self.price())
                .or_else(|| more_steps(hour, usual_steps)),
            Metric::CallsPerTurn => self.repeats(),
            Metric::Errors => self.failures(),
            Metric::Tools | Metric::Prefix => None,
        };
        found.unwrap_or(AlarmCause::Unknown)
    }

    fn is_recent(&self, at: u64) -> bool {
        self.count.saturating_sub(at) <= REMEMBERED_STEPS
    }

    fn prefix(&self) -> Option<AlarmCause> {
        let broke = self.broke.as_ref().filter(|(at, _)| self.is_recent(*at));
        if let Some((_, (block, field, lost_tokens))) = broke {
            return Some(AlarmCause::Prefix {
                block: block.clone(),
                field: field.clone(),
                lost_tokens: *lost_tokens,
            });
        }
        let (tool, field) = self.tool.clone()?;
        Some(AlarmCause::Tool { tool, field })
    }

    fn repeats(&self) -> Option<AlarmCause> {
        let (_, evidence) = self.looped.as_ref().filter(|(at, _)| self.is_recent(*at))?;
        Some(AlarmCause::Loop {
            evidence: evidence.clone(),
        })
    }

    /// The steps before the last few, and those.
    fn split(&self) -> Option<[Vec<&Step>; 2]> {
        let at = self.steps.len().checked_sub(LATELY_STEPS)?;
        let all: Vec<&Step> = self.steps.iter().collect();
        let (before, lately) = all.split_at(at);
        (!before.is_empty()).then(|| [before.to_vec(), lately.to_vec()])
    }

    fn tool_output(&self) -> Option<AlarmCause> {
        let split = self.split()?;
        let mut tools: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for (side, steps) in split.iter().enumerate() {
            for (tool, bytes) in steps.iter().flat_map(|step| &step.bytes) {
                tools.entry(tool).or_default()[side] += share(*bytes, steps.len());
            }
        }
        let grown = |rates: &[f64; 2]| rates[1] - rates[0];
        let (tool, rates) = tools
            .into_iter()
            .max_by(|(_, one), (_, other)| grown(one).total_cmp(&grown(other)))?;
        let is_large = grown(&rates) >= BYTES_LEAST && rates[1] >= TIMES * rates[0];
        is_large.then(|| AlarmCause::ToolOutput {
            tool: tool.to_owned(),
            bytes_per_step: whole(rates[1]),
            usual_bytes_per_step: whole(rates[0]),
        })
    }

    fn model_output(&self) -> Option<AlarmCause> {
        let [usual, lately] = self.split()?.map(|steps| {
            let sum = steps.iter().map(|step| step.output_tokens).sum();
            share(sum, steps.len())
        });
        (lately >= TIMES * usual.max(1.0)).then(|| AlarmCause::ModelOutput {
            tokens_per_step: whole(lately),
            usual_tokens_per_step: whole(usual),
        })
    }

    fn price(&self) -> Option<AlarmCause> {
        let [usual, lately] = self.split()?.map(|steps| {
            let tokens: u64 = steps.iter().map(|step| step.tokens).sum();
            let cost: u64 = steps.iter().map(|step| step.cost_micro_usd).sum();
            let scaled = u128::from(cost) * 1_000_000 / u128::from(tokens.max(1));
            u64::try_from(scaled).unwrap_or(u64::MAX)
        });
        let is_dearer = usual > 0 && lately.saturating_mul(2) >= usual.saturating_mul(3);
        is_dearer.then_some(AlarmCause::Price {
            micro_usd_per_mtok: lately,
            usual_micro_usd_per_mtok: usual,
        })
    }

    fn failures(&self) -> Option<AlarmCause> {
        let mut failed: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        for one in self.operations.iter().filter(|one| one.failed) {
            *failed.entry(one.tool.as_deref()).or_default() += 1;
        }
        let (who, failed) = failed.into_iter().max_by_key(|(_, count)| *count)?;
        let asked = self.operations.iter().filter(|one| one.tool.is_none());
        Some(match who {
            Some(tool) => AlarmCause::ToolFailures {
                tool: tool.to_owned(),
                failed,
            },
            None => AlarmCause::Provider {
                failed,
                of: asked.count() as u64,
            },
        })
    }
}

fn children(hour: Spent) -> Option<AlarmCause> {
    let is_half = hour.children_micro_usd > hour.cost_micro_usd / 2;
    is_half.then_some(AlarmCause::Children {
        cost_micro_usd: hour.children_micro_usd,
    })
}

fn more_steps(hour: Spent, usual_steps: u64) -> Option<AlarmCause> {
    let is_more = usual_steps > 0 && hour.steps.saturating_mul(2) >= usual_steps.saturating_mul(3);
    is_more.then_some(AlarmCause::MoreSteps {
        steps_per_hour: hour.steps,
        usual_steps_per_hour: usual_steps,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures of this size are exact, and larger ones are near enough"
)]
fn share(sum: u64, of: usize) -> f64 {
    sum as f64 / of.max(1) as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is neither negative nor beyond what fits"
)]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}
