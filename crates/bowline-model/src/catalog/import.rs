//! Reads tables of models that others keep: the `api.json` of models.dev and litellm's
//! `model_prices_and_context_window.json`. They are foreign: a row that cannot be read is named and
//! left out, the others count.

mod litellm;
mod members;
mod merge;
mod models_dev;

use bowline_core::ModelRef;
use bowline_core::price::{LongRates, Price, Rates};

use self::members::Members;
use super::decimal;
use super::table::Row;

pub use merge::{Changed, Merged, merge};

/// Whose form a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `api.json` of models.dev.
    ModelsDev,
    /// `model_prices_and_context_window.json` of litellm.
    Litellm,
}

impl Form {
    /// Its name, one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModelsDev => "models.dev",
            Self::Litellm => "litellm",
        }
    }
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What the table calls it. Foreign text.
    pub name: String,
    /// Why, in one sentence without a full stop.
    pub why: String,
    /// Whether the row is broken, not just of no use here.
    pub is_broken: bool,
}

/// What a foreign table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Whose form it has.
    pub form: Form,
    /// Its models with a price, by id; each once.
    pub rows: Vec<Row>,
    /// What was left out, in the order written.
    pub skipped: Vec<Skipped>,
}

/// Why nothing could be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is not JSON, or no object.
    #[error("it is no JSON object: {what}")]
    NotJson {
        /// What is wrong and where.
        what: String,
    },
    /// It is JSON of another form.
    #[error(
        "it has neither form that is known: models.dev's `api.json` holds providers with `models`, \
         litellm's `model_prices_and_context_window.json` holds models with `litellm_provider`"
    )]
    UnknownForm,
}

/// Reads a table of either form. `day` is when, such as `2026-11-26`; with `only`, rows of other
/// providers are not looked at.
///
/// # Errors
/// [`ImportError`] when it is no table of either form. A row that cannot be read is no error.
pub fn read(bytes: &[u8], day: &str, only: Option<&str>) -> Result<Imported, ImportError> {
    let not_json = |what: String| ImportError::NotJson { what };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| not_json(format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let top = Members::read(text).map_err(|error| not_json(error.to_string()))?;
    let form = form_of(&top).ok_or(ImportError::UnknownForm)?;
    let mut found = Found {
        only,
        day,
        form,
        rows: Vec::new(),
        skipped: Vec::new(),
    };
    match form {
        Form::ModelsDev => models_dev::read(&top, &mut found),
        Form::Litellm => litellm::read(&top, &mut found),
    }
    Ok(found.imported())
}

/// The first member that tells decides.
fn form_of(top: &Members<'_>) -> Option<Form> {
    top.iter().find_map(|(_, value)| {
        let member = Members::read(value.get()).ok()?;
        if member.get("models").is_some() {
            Some(Form::ModelsDev)
        } else {
            member.get("litellm_provider").map(|_| Form::Litellm)
        }
    })
}

/// What is found while a table is read.
struct Found<'a> {
    only: Option<&'a str>,
    day: &'a str,
    form: Form,
    rows: Vec<Row>,
    skipped: Vec<Skipped>,
}

/// Why a row is left out.
enum Unfit {
    /// It is broken.
    Broken(String),
    /// It is of no use here.
    Other(&'static str),
}

/// What a row says besides its name.
struct Said {
    context_tokens: Option<u64>,
    output_tokens_max: Option<u64>,
    price: Price,
}

impl Found<'_> {
    /// Whether rows of this provider are asked for.
    fn wants(&self, provider: &str) -> bool {
        self.only.is_none_or(|only| only == provider)
    }

    /// Takes a row in, or notes why not.
    fn take(&mut self, provider: &str, model: &str, said: Result<Said, Unfit>) {
        let id: Result<ModelRef, _> = format!("{provider}/{model}").parse();
        let id = id
            .ok()
            .filter(|id| Row::can_name(id) && id.provider() == provider);
        let unfit = match (id, said) {
            (Some(id), Ok(said)) => {
                self.rows.push(Row {
                    id,
                    context_tokens: said.context_tokens,
                    output_tokens_max: said.output_tokens_max,
                    price: Some(said.price),
                    since: self.day.to_owned(),
                    seen: self.form.name().to_owned(),
                });
                return;
            }
            (_, Err(unfit)) => unfit,
            (None, Ok(_)) => {
                Unfit::Broken("its name is empty, too long or has blanks in it".to_owned())
            }
        };
        self.skip(format!("{provider}/{model}"), unfit);
    }

    /// Notes a row that is left out.
    fn skip(&mut self, name: String, unfit: Unfit) {
        let (why, is_broken) = match unfit {
            Unfit::Broken(why) => (why, true),
            Unfit::Other(why) => (why.to_owned(), false),
        };
        self.skipped.push(Skipped {
            name,
            why,
            is_broken,
        });
    }

    /// Every model once: of two rows for one, the dearer price and the shorter lengths count.
    fn imported(mut self) -> Imported {
        self.rows.sort_by_cached_key(|row| row.id.to_string());
        self.rows.dedup_by(|later, first| {
            let is_same = later.id == first.id;
            if is_same {
                let shorter = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
                first.context_tokens = shorter(first.context_tokens, later.context_tokens);
                first.output_tokens_max = shorter(first.output_tokens_max, later.output_tokens_max);
                first.price = dearer_price(first.price, later.price);
            }
            is_same
        });
        Imported {
            form: self.form,
            rows: self.rows,
            skipped: self.skipped,
        }
    }
}

fn dearer_price(one: Option<Price>, other: Option<Price>) -> Option<Price> {
    let (Some(one), Some(other)) = (one, other) else {
        return one.or(other);
    };
    Some(Price {
        rates: one.rates.or_dearer(&other.rates),
        long: long_of(one.long.into_iter().chain(other.long)),
    })
}

/// Rates for long requests from steps of which a table may have many: from the first step on, the
/// dearest of all hold.
fn long_of(steps: impl IntoIterator<Item = LongRates>) -> Option<LongRates> {
    steps.into_iter().reduce(|one, other| LongRates {
        above_input_tokens: one.above_input_tokens.min(other.above_input_tokens),
        rates: one.rates.or_dearer(&other.rates),
    })
}

/// A price as a table has it, `None` where it has none.
fn amount(
    member: Option<&serde_json::value::RawValue>,
    name: &str,
    scale: i32,
) -> Result<Option<u64>, Unfit> {
    let Some(text) = member.map(serde_json::value::RawValue::get) else {
        return Ok(None);
    };
    if text == "null" {
        return Ok(None);
    }
    let read = decimal::price(text, scale);
    read.map(|amount| Some(amount.micro_usd_per_mtok))
        .map_err(|error| Unfit::Broken(format!("`{name}` {error}")))
}

/// A length in tokens; what is no whole number above zero is not known.
fn tokens(member: Option<&serde_json::value::RawValue>) -> Option<u64> {
    let text = member?.get();
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().ok().filter(|count| *count > 0)
}

/// The four amounts of some rates. `below` are those of shorter requests, if these are for long ones.
struct Four {
    input: Option<u64>,
    output: Option<u64>,
    read: Option<u64>,
    write: Option<u64>,
}

impl Four {
    /// Where a cache has no price of its own, its tokens count as input.
    fn rates(&self) -> Option<Rates> {
        let (input, output) = (self.input?, self.output?);
        Some(Rates {
            input_micro_usd_per_mtok: input,
            output_micro_usd_per_mtok: output,
            cache_read_micro_usd_per_mtok: self.read.unwrap_or(input),
            cache_write_micro_usd_per_mtok: self.write.unwrap_or(input),
        })
    }

    /// Rates of long requests; what is left out is as for shorter ones, never cheaper.
    fn long_rates(&self, below: &Rates) -> Rates {
        let filled = Self {
            input: Some(self.input.unwrap_or(below.input_micro_usd_per_mtok)),
            output: Some(self.output.unwrap_or(below.output_micro_usd_per_mtok)),
            read: self.read,
            write: self.write,
        };
        filled
            .rates()
            .map_or(*below, |rates| rates.or_dearer(below))
    }
}

fn too_many() -> Unfit {
    Unfit::Broken("it has more fields than a model can have".to_owned())
}

/// A row without a price.
const NO_PRICE: Unfit = Unfit::Other("it has no price for tokens");

#[cfg(test)]
mod tests;
