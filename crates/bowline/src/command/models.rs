//! `bowline models list|show|import`: what models take and cost, and who says so.

mod import;

use std::path::PathBuf;

use bowline_core::ModelRef;
use bowline_core::amounts::{dollars, grouped};
use bowline_core::price::{ModelFacts, Price, Rates};
use bowline_model::catalog::{decimal, priced_as};
use bowline_runtime::config::Effective;
use serde_json::{Value, json};

use crate::args::{Force, Models};
use crate::failure::Failure;
use crate::places::Places;
use crate::prices::{self, From, Known};
use crate::{print, wire};

/// Runs the command.
pub fn run(args: &Models) -> Result<u8, Failure> {
    let places = Places::find()?;
    match args {
        Models::Import {
            file,
            provider,
            dry_run,
        } => import::run(&places, file, provider.as_deref(), *dry_run),
        Models::List { provider, json } => {
            let known = prices::all(&config(&places)?, &places)?;
            list(known, provider.as_deref(), *json)
        }
        Models::Show { id, json } => show(&config(&places)?, &places, id, *json),
    }
}

/// The configuration of this folder.
fn config(places: &Places) -> Result<Effective, Failure> {
    let here = PathBuf::from(".");
    let here = std::path::absolute(&here)
        .map_err(|error| Failure::usage(format!("{}: {error}", here.display())))?;
    wire::configure(places, &here, &Force::default())
}

fn list(known: Vec<Known>, provider: Option<&str>, as_json: bool) -> Result<u8, Failure> {
    let known: Vec<Known> = match provider {
        None => known,
        Some(name) => known
            .into_iter()
            .filter_map(|known| of_provider(known, name))
            .collect(),
    };
    if as_json {
        let all: Vec<Value> = known
            .iter()
            .map(|known| model_as_json(&known.id, &known.facts, Some(known.from)))
            .collect();
        print::line(&Value::Array(all).to_string());
        return Ok(0);
    }
    if known.is_empty() {
        print::err_line(&print::clean(&format!(
            "no model of `{}` is known",
            provider.unwrap_or_default()
        )));
        return Ok(0);
    }
    print::err_line("lengths in tokens, prices in US dollars for a million tokens");
    let head = ["context", "reply", "input", "output", "cached", "from"];
    print::line(&columns("model", &head.map(str::to_owned)));
    for known in &known {
        print::line(&print::clean(&row(known)));
    }
    Ok(0)
}

/// A model under the name that is asked for, if it is one of that provider's.
fn of_provider(known: Known, name: &str) -> Option<Known> {
    if known.id.provider() == name {
        return Some(known);
    }
    (known.id.provider() == priced_as(name)).then_some(())?;
    let id = format!("{name}/{}", known.id.model()).parse().ok()?;
    Some(Known { id, ..known })
}

/// The width of the names in a list; a longer one has a line of its own.
const NAME_WIDTH: usize = 31;

fn columns(name: &str, cells: &[String; 6]) -> String {
    let [context, reply, input, output, cached, from] = cells;
    let cells = format!("{context:>7} {reply:>6} {input:>7} {output:>7} {cached:>7}  {from}");
    if name.chars().count() > NAME_WIDTH {
        format!("{name}\n{:NAME_WIDTH$} {cells}", "")
    } else {
        format!("{name:NAME_WIDTH$} {cells}")
    }
}

fn row(known: &Known) -> String {
    let facts = &known.facts;
    let length = |tokens: Option<u64>| tokens.map_or_else(|| "-".to_owned(), short);
    let price = |rate: fn(&Rates) -> u64| {
        let rates = facts.price.map(|price| price.rates);
        rates.map_or_else(|| "unknown".to_owned(), |rates| decimal::show(rate(&rates)))
    };
    let cells = [
        length(facts.context_tokens),
        length(facts.output_tokens_max),
        price(|rates| rates.input_micro_usd_per_mtok),
        price(|rates| rates.output_micro_usd_per_mtok),
        price(|rates| rates.cache_read_micro_usd_per_mtok),
        known.from.name().to_owned(),
    ];
    columns(&known.id.to_string(), &cells)
}

/// A length in few letters, never more than it is: `128K`, `1M`, `1.04M`.
fn short(tokens: u64) -> String {
    match tokens {
        0..1_000 => tokens.to_string(),
        1_000..1_000_000 => format!("{}K", tokens / 1_000),
        _ => {
            let hundredths = tokens / 10_000;
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            format!("{}M", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

/// A model as JSON; `from` is who says most, in lists.
fn model_as_json(id: &ModelRef, facts: &ModelFacts, from: Option<From>) -> Value {
    let mut object = json!({
        "id": id,
        "provider": id.provider(),
        "model": id.model(),
        "context_tokens": facts.context_tokens,
        "output_tokens_max": facts.output_tokens_max,
        "price": facts.price,
        "source": facts.source,
    });
    if let Some(from) = from {
        object["from"] = json!(from.name());
    }
    object
}

fn show(config: &Effective, places: &Places, id: &str, as_json: bool) -> Result<u8, Failure> {
    let model = named(config, places, id)?;
    let is_endpoint = |name: &str| config.endpoints().iter().any(|one| one.name == name);
    // As for a run: an address of the configuration is meant for built-in providers.
    let base_url = config
        .text("base_url")
        .filter(|_| !is_endpoint(model.provider()));
    let facts = prices::facts(config, places, &model, base_url)?;
    if facts.source.is_empty() {
        return Err(Failure::usage(unknown(&model, places, base_url)));
    }
    if as_json {
        print::line(&model_as_json(&model, &facts, None).to_string());
    } else {
        print::line(print::clean(&page(&model, &facts)).trim_end());
        if facts.price.is_none() {
            print::err_line(&print::clean(&prices::unknown_price(&model, places)));
        }
    }
    Ok(0)
}

fn unknown(model: &ModelRef, places: &Places, base_url: Option<&str>) -> String {
    let at = base_url.map_or_else(String::new, |url| {
        format!("`base_url` is {url}: what other servers charge is in no table. ")
    });
    format!("{at}{}", prices::unknown_price(model, places))
}

/// The model that is meant: `provider/model`, or a name that one provider only has.
fn named(config: &Effective, places: &Places, id: &str) -> Result<ModelRef, Failure> {
    if let Ok(model) = id.parse() {
        return Ok(model);
    }
    let all = prices::all(config, places)?;
    let mut exact = all.iter().filter(|known| known.id.model() == id);
    match (exact.next(), exact.next()) {
        (Some(known), None) => return Ok(known.id.clone()),
        (Some(_), Some(_)) => {
            let providers = all.iter().filter(|known| known.id.model() == id);
            let providers: Vec<&str> = providers.map(|known| known.id.provider()).collect();
            return Err(Failure::usage(format!(
                "`{id}` is a model of {}: name the provider too, as in {}/{id}",
                providers.join(", "),
                providers.first().unwrap_or(&"")
            )));
        }
        _ => {}
    }
    let like: Vec<String> = all
        .iter()
        .filter(|known| !id.is_empty() && known.id.model().contains(id))
        .take(LIKE_MAX)
        .map(|known| known.id.to_string())
        .collect();
    let like = if like.is_empty() {
        "`bowline models list` shows those that are known".to_owned()
    } else {
        format!("known are {}", like.join(", "))
    };
    Err(Failure::usage(format!(
        "no model is called `{id}`: write provider/model; {like}"
    )))
}

/// How many models of a similar name are named.
const LIKE_MAX: usize = 5;

/// A model on a page of text.
fn page(model: &ModelRef, facts: &ModelFacts) -> String {
    let length = |tokens: Option<u64>| {
        tokens.map_or_else(
            || "unknown".to_owned(),
            |tokens| format!("{} tokens", grouped(tokens)),
        )
    };
    let mut page = format!(
        "{model}\n\ncontext        {}\nlongest reply  {}\n",
        length(facts.context_tokens),
        length(facts.output_tokens_max)
    );
    page.push_str(&facts.price.map_or_else(
        || "price          unknown\n".to_owned(),
        |price| priced(&price),
    ));
    page.push_str(&format!("from           {}\n", facts.source));
    page
}

fn priced(price: &Price) -> String {
    let usual = "price          US dollars for a million tokens\n".to_owned() + &four(&price.rates);
    let long = price.long.map_or_else(String::new, |long| {
        let above = grouped(long.above_input_tokens);
        format!(
            "requests of more than {above} input tokens\n{}",
            four(&long.rates)
        )
    });
    usual + &long
}

fn four(rates: &Rates) -> String {
    [
        ("input", rates.input_micro_usd_per_mtok),
        ("output", rates.output_micro_usd_per_mtok),
        ("cache read", rates.cache_read_micro_usd_per_mtok),
        ("cache write", rates.cache_write_micro_usd_per_mtok),
    ]
    .map(|(name, rate)| format!("  {name:<12} {}\n", dollars(rate)))
    .concat()
}

#[cfg(test)]
mod tests;
