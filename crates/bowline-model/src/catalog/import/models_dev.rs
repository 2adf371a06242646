//! The form of models.dev: providers, each with `models`; prices in dollars for a million tokens.

use bowline_core::price::{LongRates, Price, Rates};
use serde_json::value::RawValue;

use super::members::Members;
use super::{Form, Found, Four, NO_PRICE, Said, Unfit, amount, long_of, tokens, too_many};
use crate::catalog::decimal::USD_PER_MTOK;

/// Where `context_over_200k` begins.
const OVER_200K: u64 = 200_000;

pub(super) fn read(top: &Members<'_>, found: &mut Found<'_>) {
    debug_assert_eq!(found.form, Form::ModelsDev);
    for (provider, value) in top.iter().filter(|(_, value)| value.get() != "null") {
        if !found.wants(provider) {
            continue;
        }
        let models = Members::read(value.get())
            .ok()
            .and_then(|provider| provider.object("models"));
        let Some(models) = models else {
            let why = "the provider has no `models`".to_owned();
            found.take(provider, "*", Err(Unfit::Broken(why)));
            continue;
        };
        for (model, value) in models.iter() {
            found.take(provider, model, row(value));
        }
    }
}

fn row(value: &RawValue) -> Result<Said, Unfit> {
    let row =
        Members::read(value.get()).map_err(|_| Unfit::Broken("it is no object".to_owned()))?;
    if row.is_too_many() {
        return Err(too_many());
    }
    if let Some(modalities) = row.object("modalities")
        && let Some(output) = modalities.get("output")
        && serde_json::from_str::<Vec<String>>(output.get())
            .is_ok_and(|kinds| !kinds.iter().any(|kind| kind == "text"))
    {
        return Err(Unfit::Other("it does not answer in text"));
    }
    let cost = match row.get("cost").map(RawValue::get) {
        None | Some("null") => return Err(NO_PRICE),
        Some(cost) => {
            Members::read(cost).map_err(|_| Unfit::Broken("`cost` is no object".to_owned()))?
        }
    };
    let mut four = four(&cost)?;
    // Reasoning is counted as output.
    let reasoning = amount(cost.get("reasoning"), "reasoning", USD_PER_MTOK)?;
    four.output = four.output.map(|output| output.max(reasoning.unwrap_or(0)));
    let rates = four.rates().ok_or(NO_PRICE)?;
    let limit = row.object("limit");
    let length = |name: &str| tokens(limit.as_ref()?.get(name));
    Ok(Said {
        context_tokens: length("context"),
        output_tokens_max: length("output"),
        price: Price {
            rates,
            long: long(&cost, &rates)?,
        },
    })
}

fn four(cost: &Members<'_>) -> Result<Four, Unfit> {
    let of = |name: &str| amount(cost.get(name), name, USD_PER_MTOK);
    Ok(Four {
        input: of("input")?,
        output: of("output")?,
        read: of("cache_read")?,
        write: of("cache_write")?,
    })
}

fn long(cost: &Members<'_>, below: &Rates) -> Result<Option<LongRates>, Unfit> {
    let broken = || Unfit::Broken("`tiers` cannot be read".to_owned());
    let mut steps = Vec::new();
    if let Some(tiers) = cost.get("tiers").filter(|tiers| tiers.get() != "null") {
        let tiers: Vec<Members<'_>> = serde_json::from_str(tiers.get()).map_err(|_| broken())?;
        for tier in tiers {
            let of = tier.object("tier").ok_or_else(broken)?;
            steps.push(LongRates {
                above_input_tokens: tokens(of.get("size")).ok_or_else(broken)?,
                rates: four(&tier)?.long_rates(below),
            });
        }
    }
    if let Some(over) = cost.object("context_over_200k")
        && steps.is_empty()
    {
        steps.push(LongRates {
            above_input_tokens: OVER_200K,
            rates: four(&over)?.long_rates(below),
        });
    }
    Ok(long_of(steps))
}
