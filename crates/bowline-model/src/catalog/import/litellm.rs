//! The form of litellm: models, each with its `litellm_provider`; prices in dollars for one token.

use bowline_core::price::{LongRates, Price, Rates};

use super::members::Members;
use super::{Form, Found, Four, NO_PRICE, Said, Unfit, amount, long_of, tokens, too_many};
use crate::catalog::decimal::USD_PER_TOKEN;

/// A row that explains the form.
const SAMPLE: &str = "sample_spec";

/// Kinds of model that answer in text.
const MODES: [&str; 3] = ["chat", "completion", "responses"];

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const READ: &str = "cache_read_input_token_cost";
const WRITE: &str = "cache_creation_input_token_cost";

pub(super) fn read(top: &Members<'_>, found: &mut Found<'_>) {
    debug_assert_eq!(found.form, Form::Litellm);
    for (name, value) in top.iter().filter(|(name, _)| *name != SAMPLE) {
        let row = Members::read(value.get()).ok();
        let provider = row.as_ref().and_then(|row| row.text("litellm_provider"));
        let Some((row, provider)) = row.as_ref().zip(provider) else {
            // Whose it is, nobody can say: it is named unless one provider is asked for.
            if found.only.is_none() {
                let is_alias = row.is_some_and(|row| row.get("alias_of").is_some());
                found.skip(
                    name.to_owned(),
                    if is_alias { ALIAS } else { no_provider() },
                );
            }
            continue;
        };
        if found.wants(&provider) {
            // Some rows name their provider again in front.
            let model = name.strip_prefix(&provider);
            let model = model
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(name);
            found.take(&provider, model, said(row));
        }
    }
}

/// What the name stands for today, it may not stand for tomorrow.
const ALIAS: Unfit =
    Unfit::Other("it is another name for a model, and may come to mean another one");

fn no_provider() -> Unfit {
    Unfit::Broken("it does not name its `litellm_provider`".to_owned())
}

fn said(row: &Members<'_>) -> Result<Said, Unfit> {
    if row.is_too_many() {
        return Err(too_many());
    }
    if row
        .text("mode")
        .is_some_and(|mode| !MODES.contains(&mode.as_str()))
    {
        return Err(Unfit::Other("it does not answer in text"));
    }
    let of = |name: &str| amount(row.get(name), name, USD_PER_TOKEN);
    if of("input_cost_per_request")?.is_some_and(|price| price > 0) {
        return Err(Unfit::Other("it has a price for each request"));
    }
    let mut four = four(row, "")?;
    // Reasoning is counted as output.
    let reasoning = of("output_cost_per_reasoning_token")?.unwrap_or(0);
    four.output = four.output.map(|output| output.max(reasoning));
    let rates = four.rates().ok_or(NO_PRICE)?;
    let output = tokens(row.get("max_output_tokens"));
    Ok(Said {
        // Where input and reply have lengths of their own, both together may be longer than this.
        context_tokens: tokens(row.get("max_input_tokens")),
        output_tokens_max: output.or_else(|| tokens(row.get("max_tokens"))),
        price: Price {
            rates,
            long: long(row, &rates)?,
        },
    })
}

fn four(row: &Members<'_>, suffix: &str) -> Result<Four, Unfit> {
    let of = |name: &str| {
        let name = format!("{name}{suffix}");
        amount(row.get(&name), &name, USD_PER_TOKEN)
    };
    Ok(Four {
        input: of(INPUT)?,
        output: of(OUTPUT)?,
        read: of(READ)?,
        write: of(WRITE)?,
    })
}

/// Prices above a length are members such as `input_cost_per_token_above_200k_tokens`.
fn long(row: &Members<'_>, below: &Rates) -> Result<Option<LongRates>, Unfit> {
    let mut steps = Vec::new();
    for (name, _) in row.iter().filter(|(_, value)| value.get() != "null") {
        let priced = [INPUT, OUTPUT, READ, WRITE];
        let suffix = priced.iter().find_map(|price| name.strip_prefix(price));
        let Some((suffix, length)) = suffix.and_then(|suffix| Some((suffix, above(suffix)?)))
        else {
            continue;
        };
        steps.push(LongRates {
            above_input_tokens: length,
            rates: four(row, suffix)?.long_rates(below),
        });
    }
    Ok(long_of(steps))
}

/// The length in `_above_200k_tokens`.
fn above(suffix: &str) -> Option<u64> {
    let thousands = suffix.strip_prefix("_above_")?.strip_suffix("k_tokens")?;
    let thousands: u64 = thousands.parse().ok()?;
    thousands.checked_mul(1_000)
}
