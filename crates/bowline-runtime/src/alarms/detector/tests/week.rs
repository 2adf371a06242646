//! A week of work with an agent, from a seed: days, pauses, sessions that grow, turns, caches that
//! run out, calls that fail. Times, tokens and calls vary by factors, as they do.

use bowline_core::{SessionId, Usage};
use uuid::Uuid;

use super::super::{Alarm, Detector, Seen};

pub(super) const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// A Monday morning in 2027.
const START_MS: u64 = 1_799_625_600_000 + 9 * HOUR_MS;

/// How work differs from a steady one, as factors.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) price: f64,
    pub(super) output: f64,
    pub(super) results: f64,
    pub(super) pace: f64,
    pub(super) turns: f64,
    pub(super) tool_errors: f64,
    pub(super) provider_errors: f64,
    pub(super) breaks: bool,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            price: 1.0,
            output: 1.0,
            results: 1.0,
            pace: 1.0,
            turns: 1.0,
            tool_errors: 0.12,
            provider_errors: 0.01,
            breaks: false,
        }
    }
}

/// An alarm, and how long after the beginning of the work.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) after_ms: u64,
    pub(super) alarm: Alarm,
}

/// The week as it goes.
#[derive(Clone)]
pub(super) struct Week {
    random: u64,
    now_ms: u64,
    session: u128,
    context: u64,
    /// How much of it the provider has seen.
    sent: u64,
    left_in_session: u64,
    left_in_turn: u64,
    last_reply_ms: u64,
    steps: u64,
    /// When, and how much in millionths of a dollar.
    spent: Vec<(u64, u64)>,
    hours: std::collections::BTreeSet<u64>,
}

impl Week {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            now_ms: START_MS,
            session: u128::from(seed) << 64,
            context: 0,
            sent: 0,
            left_in_session: 0,
            left_in_turn: 0,
            last_reply_ms: 0,
            steps: 0,
            spent: Vec::new(),
            hours: std::collections::BTreeSet::new(),
        }
    }

    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn hours(&self) -> usize {
        self.hours.len()
    }

    pub(super) const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// What was spent in an hour from `from_ms` on, in millionths of a dollar.
    pub(super) fn spent_micro_usd(&self, from_ms: u64) -> u64 {
        let hour = from_ms..=from_ms + HOUR_MS;
        let within = self.spent.iter().filter(|(at, _)| hour.contains(at));
        within.map(|(_, cost)| cost).sum()
    }

    /// Goes on at nine the next day.
    pub(super) fn next_morning(&mut self) {
        self.now_ms = (self.now_ms / DAY_MS + 1) * DAY_MS + 9 * HOUR_MS;
        self.left_in_session = 0;
    }

    /// Works for so many steps.
    pub(super) fn play(&mut self, detector: &mut Detector, work: &Work, steps: u64) -> Vec<Told> {
        let began_ms = self.now_ms;
        let mut told = Vec::new();
        for _ in 0..steps {
            self.step(detector, work, began_ms, &mut told);
        }
        told
    }

    /// Works for so long.
    pub(super) fn play_for(
        &mut self,
        detector: &mut Detector,
        work: &Work,
        span_ms: u64,
    ) -> Vec<Told> {
        let began_ms = self.now_ms;
        let mut told = Vec::new();
        while self.now_ms < began_ms + span_ms {
            self.step(detector, work, began_ms, &mut told);
        }
        told.retain(|one: &Told| one.after_ms <= span_ms);
        told
    }

    fn step(&mut self, detector: &mut Detector, work: &Work, began_ms: u64, told: &mut Vec<Told>) {
        self.steps += 1;
        let mut see = |now_ms: u64, session: u128, seen: Seen| {
            let session = SessionId::from_uuid(Uuid::from_u128(session));
            let alarms = detector.see(now_ms, session, &seen);
            let after_ms = now_ms - began_ms;
            told.extend(alarms.into_iter().map(|alarm| Told { after_ms, alarm }));
        };
        if self.left_in_session == 0 {
            self.session += 1;
            (self.context, self.sent) = (3_000, 0);
            self.left_in_session = self.around(35.0 * work.turns, 0.6);
            self.left_in_turn = 0;
        }
        if self.left_in_turn == 0 {
            // A person reads and thinks; at night and at noon nobody works.
            self.now_ms += (self.around(100_000.0, 1.0).min(2_000_000) as f64 / work.pace) as u64;
            let hour = self.now_ms / HOUR_MS % 24;
            match hour {
                12 => self.now_ms += HOUR_MS,
                18.. => self.next_day(),
                _ => {}
            }
            self.left_in_turn = self.around(6.0 * work.turns, 0.8);
            see(self.now_ms, self.session, Seen::TurnBegan);
            if work.breaks {
                see(self.now_ms, self.session, broke());
            }
        }
        self.now_ms += (self.around(14_000.0, 0.6) as f64 / work.pace) as u64;
        self.hours.insert(self.now_ms / HOUR_MS);
        self.left_in_session -= 1;
        self.left_in_turn -= 1;
        if self.chance(work.provider_errors) {
            let cost_micro_usd = 0;
            see(self.now_ms, self.session, Seen::Failed { cost_micro_usd });
            return;
        }
        let (usage, cost_micro_usd) = self.usage(work);
        self.spent.push((self.now_ms, cost_micro_usd));
        self.last_reply_ms = self.now_ms;
        let asked = u32::from(self.left_in_turn > 0) + u32::from(self.chance(0.2));
        let seen = Seen::Replied {
            usage: Some(usage),
            cost_micro_usd,
            asked,
        };
        see(self.now_ms, self.session, seen);
        for _ in 0..asked {
            let tool = ["shell", "shell", "read", "edit"][self.below(4) as usize];
            let times = if tool == "shell" { work.results } else { 1.0 };
            let bytes = (self.around(1_500.0, 1.0) as f64 * times) as u64;
            self.context += bytes / 4;
            let failed = self.chance(work.tool_errors);
            let tool = tool.to_owned();
            let seen = Seen::Result {
                tool,
                bytes,
                failed,
            };
            see(self.now_ms, self.session, seen);
        }
    }

    fn next_day(&mut self) {
        let days = if self.now_ms / DAY_MS % 7 == START_MS / DAY_MS % 7 + 4 {
            3
        } else {
            1
        };
        self.now_ms = (self.now_ms / DAY_MS + days) * DAY_MS + 9 * HOUR_MS + self.below(1_800_000);
    }

    /// What a step takes and costs, at the prices of a usual model.
    fn usage(&mut self, work: &Work) -> (Usage, u64) {
        let output_tokens = (self.around(220.0, 0.8) as f64 * work.output) as u64;
        let input_tokens = self.context + self.around(200.0, 0.9);
        let is_cached = self.now_ms - self.last_reply_ms < 300_000 && !work.breaks;
        let cached_input_tokens = if is_cached { self.sent } else { 0 };
        self.sent = input_tokens;
        self.context = input_tokens + output_tokens;
        let usage = Usage {
            input_tokens,
            cached_input_tokens,
            output_tokens,
            ..Usage::default()
        };
        let new_tokens = usage.input_tokens - cached_input_tokens;
        let cost = 3.75 * new_tokens as f64
            + 0.3 * cached_input_tokens as f64
            + 15.0 * output_tokens as f64;
        // A context that is full is begun anew.
        if self.context > 160_000 {
            (self.context, self.sent) = (20_000, 0);
        }
        (usage, (cost * work.price) as u64)
    }

    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// A whole number around a median, at least 1: its logarithm varies by `sigma`.
    fn around(&mut self, median: f64, sigma: f64) -> u64 {
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        (median * (sigma * normal).exp()).round().max(1.0) as u64
    }
}

fn broke() -> Seen {
    Seen::Broke {
        block: "system".to_owned(),
        field: "line 3".to_owned(),
        lost_tokens: 9_000,
        is_explained: true,
    }
}
