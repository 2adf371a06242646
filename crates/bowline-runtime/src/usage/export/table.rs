//! Tables of usage: columns are found by their names.

use super::super::DAY_MS;
use super::super::csv::{self, Record};
use super::{Billed, Form, NOT_KNOWN, number, time};

const HOUR_MS: u64 = 3_600_000;

/// Where the columns are.
struct Columns {
    from: usize,
    to: Option<usize>,
    model: Option<usize>,
    /// All that together is the input.
    input: Vec<usize>,
    output: usize,
    cost: Option<usize>,
    request_id: Option<usize>,
    key: Option<usize>,
}

const TIMES: [&str; 12] = [
    "start_time_iso",
    "start_time",
    "usage_date_utc",
    "usage_date_(utc)",
    "timestamp",
    "time",
    "date",
    "datetime",
    "day",
    "hour",
    "created_at",
    "created",
];
const MODELS: [&str; 4] = ["model", "model_version", "model_id", "snapshot_id"];
const INPUTS: [&str; 4] = [
    "input_tokens",
    "prompt_tokens",
    "context_tokens",
    "tokens_in",
];
const OUTPUTS: [&str; 5] = [
    "output_tokens",
    "usage_output_tokens",
    "completion_tokens",
    "generated_tokens",
    "tokens_out",
];
const COSTS: [&str; 5] = ["cost", "cost_usd", "usd", "amount_usd", "amount"];
const REQUEST_IDS: [&str; 3] = ["request_id", "requestid", "id"];
const KEYS: [&str; 3] = ["api_key", "api_key_id", "key"];
/// Inputs that a table tells apart.
const APART: [&str; 5] = [
    "usage_input_tokens_no_cache",
    "usage_input_tokens_cache_write",
    "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
    "usage_input_tokens_cache_read",
];

/// Reads a table.
pub(super) fn read(text: &str) -> Result<(Form, Vec<Billed>, bool), String> {
    let records = csv::read(text)?;
    let (head, rows) = records.split_first().ok_or_else(|| NOT_KNOWN.to_owned())?;
    let names: Vec<String> = head.cells.iter().map(|name| plain(name)).collect();
    let (form, columns) = columns(&names)?;
    let read =
        |row: &Record| line(row, &columns).map_err(|why| format!("line {}: {why}", row.line));
    let mut lines = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let without_end = columns.to.is_none();
    if without_end && columns.request_id.is_none() {
        give_ends(&mut lines);
    }
    Ok((form, lines, false))
}

/// A column's name as it is compared.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

fn columns(names: &[String]) -> Result<(Form, Columns), String> {
    let find = |wanted: &[&str]| {
        let at = |name: &&str| names.iter().position(|known| known == name);
        wanted.iter().find_map(at)
    };
    let apart: Vec<usize> = APART.iter().filter_map(|name| find(&[name])).collect();
    let is_apart = find(&APART[..1]).is_some();
    let form = if is_apart {
        Form::AnthropicTable
    } else if find(&["start_time"]).is_some() && find(&["num_model_requests"]).is_some() {
        Form::OpenaiTable
    } else {
        Form::Table
    };
    let input = if is_apart {
        apart
    } else {
        find(&INPUTS).into_iter().collect()
    };
    let (Some(from), Some(output), false) = (find(&TIMES), find(&OUTPUTS), input.is_empty()) else {
        return Err(NOT_KNOWN.to_owned());
    };
    let columns = Columns {
        from,
        to: find(&["end_time_iso", "end_time"]),
        model: find(&MODELS),
        input,
        output,
        cost: find(&COSTS),
        request_id: find(&REQUEST_IDS),
        key: find(&KEYS),
    };
    Ok((form, columns))
}

fn line(row: &Record, columns: &Columns) -> Result<Billed, String> {
    let cell = |at: usize| row.cells.get(at).map_or("", |cell| cell.trim());
    let words = |at: Option<usize>| {
        let text = at.map_or("", cell);
        (!text.is_empty()).then(|| text.to_owned())
    };
    let tokens = |at: usize| match cell(at) {
        // A day without use has empty cells.
        "" => Ok(0),
        text => number::whole(text).ok_or_else(|| format!("`{}` is no count", shown(text))),
    };
    let moment = |at: usize| {
        let text = cell(at);
        time(text).ok_or_else(|| format!("`{}` is no time", shown(text)))
    };
    let (from_ms, span_ms) = moment(columns.from)?;
    let to_ms = match columns.to {
        Some(at) => moment(at)?.0,
        None => from_ms + span_ms.unwrap_or_default(),
    };
    let cost = words(columns.cost).map(|text| {
        number::scaled(&text, 6).ok_or_else(|| format!("`{}` is no amount", shown(&text)))
    });
    let mut input_tokens = 0_u64;
    for at in &columns.input {
        input_tokens = input_tokens.saturating_add(tokens(*at)?);
    }
    Ok(Billed {
        place: format!("line {}", row.line),
        from_ms,
        to_ms,
        model: words(columns.model),
        input_tokens,
        output_tokens: tokens(columns.output)?,
        cost_micro_usd: cost.transpose()?,
        request_id: words(columns.request_id),
        key: words(columns.key),
    })
}

/// A cell, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Lines that tell only when they begin are each about a day if all begin with a day, else about
/// an hour.
fn give_ends(lines: &mut [Billed]) {
    let is_daily = lines.iter().all(|line| line.from_ms % DAY_MS == 0);
    let span_ms = if is_daily { DAY_MS } else { HOUR_MS };
    for line in lines {
        line.from_ms -= line.from_ms % span_ms;
        line.to_ms = line.from_ms + span_ms;
    }
}
