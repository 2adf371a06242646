//! A table of models as text, one a line: what the built-in one and the imported one are written in.
//! It is searched line by line; only the line that is asked for is read.

use std::fmt;

use bowline_core::ModelRef;
use bowline_core::price::{LongRates, ModelFacts, Price, Rates};

use super::decimal::{self, USD_PER_MTOK};

/// What a table says of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The model as the table names it, in one of which other names may end with a date.
    pub id: ModelRef,
    /// The most tokens of a request and its reply together.
    pub context_tokens: Option<u64>,
    /// The longest reply in tokens.
    pub output_tokens_max: Option<u64>,
    /// What it costs.
    pub price: Option<Price>,
    /// The day from which this is known, such as `2026-11-26`.
    pub since: String,
    /// Who says so, in one word.
    pub seen: String,
}

/// What stands where nothing is known.
const NONE: &str = "-";

impl Row {
    /// Reads one line. `None` for a remark, an empty line and one that is no row.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let mut words = line.split_whitespace();
        let id = words.next()?.parse().ok()?;
        let context_tokens = count(words.next()?)?;
        let output_tokens_max = count(words.next()?)?;
        let rates = [words.next()?, words.next()?, words.next()?, words.next()?];
        let long = words.next()?;
        let price = match rates {
            [NONE, NONE, NONE, NONE] if long == NONE => None,
            rates => Some(Price {
                rates: read_rates(rates)?,
                long: read_long(long)?,
            }),
        };
        let (since, seen) = (words.next()?, words.next()?);
        words.next().is_none().then(|| Self {
            id,
            context_tokens,
            output_tokens_max,
            price,
            since: since.to_owned(),
            seen: seen.to_owned(),
        })
    }

    /// What the row says of a model, with where that is from.
    #[must_use]
    pub fn facts(&self, source: String) -> ModelFacts {
        ModelFacts {
            context_tokens: self.context_tokens,
            output_tokens_max: self.output_tokens_max,
            price: self.price,
            source,
        }
    }

    /// Whether both say the same of a model, whoever says it since when.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        let said = |row: &Self| (row.context_tokens, row.output_tokens_max, row.price);
        said(self) == said(other)
    }

    /// Whether a line can hold it: a model's name without blanks, and not too long.
    #[must_use]
    pub fn can_name(id: &ModelRef) -> bool {
        let text = id.to_string();
        text.len() <= ID_BYTES_MAX
            && !text.starts_with('#')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    }
}

/// The longest `provider/model` that a table takes, in bytes.
pub const ID_BYTES_MAX: usize = 200;

/// `None` for what is no number, `Some(None)` for what is not known.
fn count(word: &str) -> Option<Option<u64>> {
    match word {
        NONE => Some(None),
        digits => digits.parse().ok().map(Some),
    }
}

fn read_rates([input, output, read, write]: [&str; 4]) -> Option<Rates> {
    let micro = |word: &str| Some(decimal::price(word, USD_PER_MTOK).ok()?.micro_usd_per_mtok);
    let input = micro(input)?;
    let cached = |word: &str| {
        if word == NONE {
            Some(input)
        } else {
            micro(word)
        }
    };
    Some(Rates {
        input_micro_usd_per_mtok: input,
        output_micro_usd_per_mtok: micro(output)?,
        cache_read_micro_usd_per_mtok: cached(read)?,
        cache_write_micro_usd_per_mtok: cached(write)?,
    })
}

fn read_long(word: &str) -> Option<Option<LongRates>> {
    if word == NONE {
        return Some(None);
    }
    let (above, rates) = word.split_once(':')?;
    let mut rates = rates.split('/');
    let four = [rates.next()?, rates.next()?, rates.next()?, rates.next()?];
    if rates.next().is_some() {
        return None;
    }
    Some(Some(LongRates {
        above_input_tokens: above.parse().ok()?,
        rates: read_rates(four)?,
    }))
}

/// Rates for long requests as a line has them: the length, a colon, the four prices; `-` if none.
#[must_use]
pub fn show_long(long: Option<&LongRates>) -> String {
    long.map_or_else(
        || NONE.to_owned(),
        |long| {
            let rates = shown(&long.rates).join("/");
            format!("{}:{rates}", long.above_input_tokens)
        },
    )
}

/// The four prices of some rates in dollars, in the order of a line.
fn shown(rates: &Rates) -> [String; 4] {
    [
        rates.input_micro_usd_per_mtok,
        rates.output_micro_usd_per_mtok,
        rates.cache_read_micro_usd_per_mtok,
        rates.cache_write_micro_usd_per_mtok,
    ]
    .map(decimal::show)
}

impl fmt::Display for Row {
    /// The line that [`Row::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: Option<u64>| count.map_or_else(|| NONE.to_owned(), |n| n.to_string());
        let none = || [NONE; 4].map(str::to_owned);
        let rates = self.price.map_or_else(none, |price| shown(&price.rates));
        let long = self.price.and_then(|price| price.long);
        let long = show_long(long.as_ref());
        write!(
            f,
            "{} {} {} {} {long} {} {}",
            self.id,
            count(self.context_tokens),
            count(self.output_tokens_max),
            rates.join(" "),
            self.since,
            self.seen
        )
    }
}

/// Every row of a table, in the order written.
pub fn rows(table: &str) -> impl Iterator<Item = Row> {
    table.lines().filter_map(Row::parse)
}

/// The row of a model: the one of its very name, else, if the name ends with a date, the one of the
/// name without it. No looser likeness counts: `gpt-5` says nothing of `gpt-5-pro`.
#[must_use]
pub fn find(table: &str, provider: &str, model: &str) -> Option<Row> {
    names(model).find_map(|name| line_of(table, &format!("{provider}/{name}")))
}

/// The names under which a model may stand in a table, its own first.
pub fn names(model: &str) -> impl Iterator<Item = &str> {
    std::iter::once(model).chain(without_date(model))
}

fn line_of(table: &str, id: &str) -> Option<Row> {
    table.lines().find_map(|line| {
        let rest = line.strip_prefix(id)?;
        rest.starts_with(char::is_whitespace)
            .then(|| Row::parse(line))
            .flatten()
    })
}

/// A name without the date it ends with: `-20250929` or `-2025-08-07`.
fn without_date(model: &str) -> Option<&str> {
    let (family, last) = model.rsplit_once('-')?;
    let family = if last.len() == 8 && last.is_ascii() {
        is_date([&last[..4], &last[4..6], &last[6..]]).then_some(family)?
    } else {
        let (rest, month) = family.rsplit_once('-')?;
        let (family, year) = rest.rsplit_once('-')?;
        is_date([year, month, last]).then_some(family)?
    };
    (!family.is_empty()).then_some(family)
}

/// Whether these are year, month and day of this century.
fn is_date([year, month, day]: [&str; 3]) -> bool {
    let within = |text: &str, length: usize, least: u32, most: u32| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text
                .parse()
                .is_ok_and(|number| (least..=most).contains(&number))
    };
    within(year, 4, 2000, 2099) && within(month, 2, 1, 12) && within(day, 2, 1, 31)
}

#[cfg(test)]
mod tests;
