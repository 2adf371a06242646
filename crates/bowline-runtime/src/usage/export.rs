//! What a provider says was used, read from the exports that providers give. Nothing in them is
//! believed beyond that.

mod json;
mod number;
mod table;
#[cfg(test)]
mod tests;

pub use number::scaled;
use serde::Serialize;

/// The largest export that is read, in bytes.
pub const MOST_BYTES: u64 = 64 << 20;

/// Which export it is, told by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// OpenAI's usage dashboard: a table by day or hour and model.
    OpenaiTable,
    /// OpenAI's organisation usage interface: pages of buckets, as JSON.
    OpenaiBuckets,
    /// Anthropic's console: a table by day or hour, model and key.
    AnthropicTable,
    /// Anthropic's usage report: pages of buckets, as JSON.
    AnthropicBuckets,
    /// Any other table with a time, tokens in and out, and perhaps a model, cost and request id.
    Table,
}

impl Form {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiTable => "OpenAI usage table",
            Self::OpenaiBuckets => "OpenAI usage buckets",
            Self::AnthropicTable => "Anthropic usage table",
            Self::AnthropicBuckets => "Anthropic usage report",
            Self::Table => "usage table",
        }
    }

    /// The providers whose calls such an export is about; empty for any.
    #[must_use]
    pub const fn providers(self) -> &'static [&'static str] {
        match self {
            Self::OpenaiTable | Self::OpenaiBuckets => &["openai", "openai-chat"],
            Self::AnthropicTable | Self::AnthropicBuckets => &["anthropic"],
            Self::Table => &[],
        }
    }
}

/// One line of an export: what one model used in one span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billed {
    /// Where it stands, for people: `line 7` or `bucket 3`.
    pub place: String,
    /// When the span begins, in milliseconds since 1970.
    pub from_ms: u64,
    /// When it ends; the same as its beginning for a single call.
    pub to_ms: u64,
    /// The model as the provider names it; `None` when the line is about every model.
    pub model: Option<String>,
    /// Tokens read, cached ones and those written to a cache included.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// The cost in millionths of a dollar, where it is told.
    pub cost_micro_usd: Option<u64>,
    /// The id of the request, where the line is about one.
    pub request_id: Option<String>,
    /// The key that was used, by id or name, where it is told.
    pub key: Option<String>,
}

/// An export, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Which form it has.
    pub form: Form,
    /// Its lines, those without any use left out.
    pub lines: Vec<Billed>,
    /// The time it is about, from its first moment to its last, in milliseconds since 1970.
    pub covers_ms: (u64, u64),
    /// Whether it says that there is more than it holds.
    pub has_more: bool,
}

/// The times that are believed, in milliseconds since 1970: from 2000 to 2100.
const TIMES_MS: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;
/// The longest line of an export: longer spans cannot be held against single days.
const LONGEST_MS: u64 = super::DAY_MS + 2 * 3_600_000;
/// The longest time that one export is about.
const MOST_COVERED_MS: u64 = 3_700 * super::DAY_MS;

/// Reads an export of any form.
///
/// # Errors
/// One sentence that says what is wrong, and where.
pub fn read(bytes: &[u8]) -> Result<Export, String> {
    read_any(bytes).map_err(|why| {
        // It may hold words of the file.
        let plain = why.chars().map(|it| if it.is_control() { ' ' } else { it });
        plain.take(MESSAGE_CHARS).collect()
    })
}

/// The longest message.
const MESSAGE_CHARS: usize = 400;

fn read_any(bytes: &[u8]) -> Result<Export, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| NOT_KNOWN.to_owned())?;
    let start = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    let (form, mut lines, has_more) = match start.chars().next() {
        None => return Err("the file is empty".to_owned()),
        Some('{' | '[') => json::read(start)?,
        Some(_) => table::read(text)?,
    };
    let Some(from_ms) = lines.iter().map(|line| line.from_ms).min() else {
        return Err("it holds no line".to_owned());
    };
    for line in &lines {
        check(line)?;
    }
    let to_ms = lines.iter().map(|line| line.to_ms).max().unwrap_or(from_ms);
    if to_ms - from_ms > MOST_COVERED_MS {
        return Err("it covers more than ten years".to_owned());
    }
    lines.retain(|line| {
        let used = line.input_tokens > 0 || line.output_tokens > 0;
        used || line.cost_micro_usd > Some(0)
    });
    Ok(Export {
        form,
        lines,
        covers_ms: (from_ms, to_ms),
        has_more,
    })
}

fn check(line: &Billed) -> Result<(), String> {
    let place = &line.place;
    if !(TIMES_MS.contains(&line.from_ms) && TIMES_MS.contains(&line.to_ms)) {
        return Err(format!("{place}: its time cannot be"));
    }
    if line.to_ms < line.from_ms {
        return Err(format!("{place}: it ends before it begins"));
    }
    if line.to_ms - line.from_ms > LONGEST_MS {
        return Err(format!(
            "{place}: it is about more than a day: export by day or hour"
        ));
    }
    Ok(())
}

/// What can be read.
const NOT_KNOWN: &str = "this is no usage export that is known: give the table or the JSON of \
     OpenAI's or Anthropic's usage page or interface, or a table with the columns time, model, \
     input_tokens, output_tokens and perhaps cost and request_id";

/// A point in time, and how long it is for if that can be told.
fn time(text: &str) -> Option<(u64, Option<u64>)> {
    let text = text.trim();
    if let Some(date_ms) = super::date_ms(text) {
        return Some((date_ms, Some(super::DAY_MS)));
    }
    if let Ok(seconds) = text.parse::<u64>() {
        // Seconds or milliseconds since 1970.
        let at_ms = match seconds {
            0..100_000_000_000 => seconds.checked_mul(1_000)?,
            milliseconds => milliseconds,
        };
        return Some((at_ms, None));
    }
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        // Without a zone it is UTC.
        let civil: jiff::civil::DateTime = text.trim_end_matches(" UTC").parse().ok()?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    })?;
    Some((u64::try_from(at.as_millisecond()).ok()?, None))
}
