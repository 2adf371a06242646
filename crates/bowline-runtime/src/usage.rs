//! What was used: sums over model calls by session, day, model, tool or project, how good the bounds
//! were, and what a provider says of the same calls.
//!
//! Pure: rows come from the journals' index, exports as bytes.

pub mod accuracy;
pub mod csv;
pub mod export;
pub mod reconcile;
pub mod risk;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::amounts::Amounts;
use bowline_core::{SessionId, Usage};
use bowline_journal::{CallRow, UsageRow};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// The key of replies that asked for no call.
pub const ANSWER: &str = "answer";
/// The key of calls that never brought a reply.
pub const NO_REPLY: &str = "no reply";

/// What sums are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Sessions, by id.
    Session,
    /// Days by UTC, such as `2026-11-25`.
    #[default]
    Day,
    /// Models, as provider/model.
    Model,
    /// Tools that replies asked for. What a step took is split over its calls in equal parts, what
    /// is left over goes to the first.
    Tool,
    /// Root folders of sessions.
    Project,
}

impl By {
    /// The name in JSON and as a column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Day => "day",
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Project => "project",
        }
    }
}

/// Sums over some model calls. Every try of a step is a call of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Model calls that have an outcome. By tool: whose reply asked for it, so one that asked for
    /// several tools is counted with each.
    pub calls: u64,
    /// Of those, the ones that failed.
    pub failed: u64,
    /// Of those, the ones of which the provider did not say what they used, and which may have
    /// used something: they are charged at the worst case.
    pub unreported: u64,
    /// Of those, the ones that used tokens at an unknown price.
    pub unpriced: u64,
    /// Tokens as the providers reported them.
    pub reported: Usage,
    /// Tokens and money that count against caps.
    #[serde(serialize_with = "whole")]
    pub charged: Amounts,
    /// What was set aside for the same calls.
    #[serde(serialize_with = "whole")]
    pub reserved: Amounts,
    /// Model calls without an outcome.
    pub open: u64,
    /// What is set aside for those.
    #[serde(serialize_with = "whole")]
    pub open_reserved: Amounts,
    /// Tool calls that replies asked for.
    pub tool_calls: u64,
    /// Bytes of text that their results brought into conversations.
    pub result_bytes: u64,
}

/// Tokens and money, zeros too.
fn whole<S: Serializer>(amounts: &Amounts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("Amounts", 3)?;
    object.serialize_field("input_tokens", &amounts.input_tokens)?;
    object.serialize_field("output_tokens", &amounts.output_tokens)?;
    object.serialize_field("cost_micro_usd", &amounts.cost_micro_usd)?;
    object.end()
}

/// The sums of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The session, day, model, tool or project.
    pub key: String,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Sums by key, and over all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What they are taken over.
    pub by: By,
    /// Days in order; others with the dearest first.
    pub groups: Vec<Group>,
    /// Over all of them.
    pub total: Sums,
}

impl Report {
    /// Sums up calls; `tools` are the tool calls that their replies asked for.
    #[must_use]
    pub fn of(rows: &[UsageRow], tools: &[CallRow], by: By) -> Self {
        let asked = Asked::of(rows, tools);
        let mut groups: BTreeMap<String, Sums> = BTreeMap::new();
        let mut total = Sums::default();
        for row in rows {
            total.add(row, 1, 0);
            match by {
                By::Tool => asked.split(row, &mut groups),
                by => groups.entry(key(row, by)).or_default().add(row, 1, 0),
            }
        }
        let of: BTreeMap<(SessionId, &str), &UsageRow> =
            rows.iter().map(|row| (row.id(), row)).collect();
        for call in tools {
            let Some(row) = of.get(&(call.session, call.attempt.as_str())) else {
                continue;
            };
            let key = match by {
                By::Tool => call.tool.clone(),
                by => key(row, by),
            };
            for sums in [groups.entry(key).or_default(), &mut total] {
                sums.tool_calls += 1;
                sums.result_bytes = sums.result_bytes.saturating_add(call.result_bytes);
            }
        }
        let groups = groups.into_iter().map(|(key, sums)| Group { key, sums });
        let mut groups: Vec<Group> = groups.collect();
        if by != By::Day {
            groups.sort_by_key(|group| std::cmp::Reverse(group.sums.weight()));
        }
        Self { by, groups, total }
    }
}

impl Sums {
    /// What larger sums are told by: money, then tokens.
    #[must_use]
    pub fn weight(&self) -> (u64, u64) {
        let charged = &self.charged;
        (charged.cost_micro_usd, charged.total_tokens())
    }

    /// Adds one of so many equal parts of a call; the first has what is left over.
    fn add(&mut self, row: &UsageRow, parts: u64, part: u64) {
        if row.is_open() {
            self.open += 1;
            self.open_reserved = self.open_reserved.plus(&share(&row.reserved, parts, part));
            return;
        }
        self.calls += 1;
        self.failed += u64::from(row.outcome == "failed");
        let used = row.charged.total_tokens() > 0;
        self.unreported += u64::from(used && !row.is_reported);
        self.unpriced += u64::from(used && !row.is_priced);
        self.reported += share_usage(&row.usage, parts, part);
        self.charged = self.charged.plus(&share(&row.charged, parts, part));
        self.reserved = self.reserved.plus(&share(&row.reserved, parts, part));
    }
}

/// What the replies of steps asked for.
struct Asked<'a> {
    /// The reply of each step.
    replies: BTreeMap<(SessionId, u32), &'a str>,
    /// The tools of each reply, in order.
    tools: BTreeMap<(SessionId, &'a str), Vec<&'a str>>,
}

impl<'a> Asked<'a> {
    fn of(rows: &'a [UsageRow], calls: &'a [CallRow]) -> Self {
        let replied = rows.iter().filter(|row| row.outcome == "replied");
        let replies = replied.map(|row| ((row.session, row.step), row.attempt.as_str()));
        let mut tools: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for call in calls {
            let key = (call.session, call.attempt.as_str());
            tools.entry(key).or_default().push(&call.tool);
        }
        Self {
            replies: replies.collect(),
            tools,
        }
    }

    /// Splits what a call took over the tools that the reply of its step asked for.
    fn split(&self, row: &UsageRow, groups: &mut BTreeMap<String, Sums>) {
        let reply = self.replies.get(&(row.session, row.step));
        let tools = reply.and_then(|reply| self.tools.get(&(row.session, *reply)));
        let tools: &[&str] = match (reply, tools) {
            (None, _) => &[NO_REPLY],
            (Some(_), None) => &[ANSWER],
            (Some(_), Some(tools)) => tools,
        };
        let parts = u64::try_from(tools.len()).unwrap_or(u64::MAX);
        let mut seen = BTreeSet::new();
        for (part, tool) in (0..).zip(tools) {
            let sums = groups.entry((*tool).to_owned()).or_default();
            let before = sums.counts();
            sums.add(row, parts, part);
            if !seen.insert(*tool) {
                sums.put_counts(before);
            }
        }
    }
}

impl Sums {
    const fn counts(&self) -> [u64; 5] {
        [
            self.calls,
            self.failed,
            self.unreported,
            self.unpriced,
            self.open,
        ]
    }

    const fn put_counts(&mut self, counts: [u64; 5]) {
        [
            self.calls,
            self.failed,
            self.unreported,
            self.unpriced,
            self.open,
        ] = counts;
    }
}

/// The key of a call, of every kind but tools.
fn key(row: &UsageRow, by: By) -> String {
    match by {
        By::Session => row.session.to_string(),
        By::Day => day(row.at_ms),
        By::Model => row.model.clone(),
        By::Project => row.project.clone(),
        By::Tool => ANSWER.to_owned(),
    }
}

/// The day of a time by UTC, such as `2026-11-25`.
#[must_use]
pub fn day(at_ms: u64) -> String {
    utc(at_ms).map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string())
}

/// A time by UTC to the minute, such as `2026-11-25 18:00`.
#[must_use]
pub fn minute(at_ms: u64) -> String {
    utc(at_ms).map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

fn utc(at_ms: u64) -> Option<jiff::Zoned> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC))
}

/// Which end of a span a time is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The span begins there; a date is the beginning of its day.
    Since,
    /// The span ends there; a date is the end of its day.
    Until,
}

/// Reads an end of a span in milliseconds since 1970: `30m`, `2h`, `7d` before `now_ms`, a date by
/// UTC, or a time as RFC 3339.
///
/// # Errors
/// A sentence that names what can be given.
pub fn point(text: &str, end: End, now_ms: u64) -> Result<u64, String> {
    if let Some(start_ms) = date_ms(text) {
        return Ok(match end {
            End::Since => start_ms,
            End::Until => start_ms + DAY_MS,
        });
    }
    crate::since(text, now_ms)
}

/// The beginning of a date by UTC, in milliseconds since 1970.
fn date_ms(text: &str) -> Option<u64> {
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(start.timestamp().as_millisecond()).ok()
}

/// One of so many equal parts; the first has what is left over.
const fn part_of(whole: u64, parts: u64, part: u64) -> u64 {
    let left_over = if part == 0 { whole % parts } else { 0 };
    whole / parts + left_over
}

fn share(whole: &Amounts, parts: u64, part: u64) -> Amounts {
    Amounts {
        input_tokens: part_of(whole.input_tokens, parts, part),
        output_tokens: part_of(whole.output_tokens, parts, part),
        cost_micro_usd: part_of(whole.cost_micro_usd, parts, part),
        ..Amounts::ZERO
    }
}

fn share_usage(whole: &Usage, parts: u64, part: u64) -> Usage {
    Usage {
        input_tokens: part_of(whole.input_tokens, parts, part),
        cached_input_tokens: part_of(whole.cached_input_tokens, parts, part),
        cache_write_tokens: part_of(whole.cache_write_tokens, parts, part),
        output_tokens: part_of(whole.output_tokens, parts, part),
        reasoning_tokens: part_of(whole.reasoning_tokens, parts, part),
    }
}
