//! `bowline usage --risk`: what was sent where, and what that may cost beside money.

use std::path::Path;

use bowline_core::ModelPlace;
use bowline_core::amounts::{dollars, grouped};
use bowline_core::decision::Layer;
use bowline_journal::{Error, Store};
use bowline_model::catalog;
use bowline_runtime::config::Effective;
use bowline_runtime::usage::risk::{Candidate, Exposure, Figures, Line, Other, Span, lines};
use serde_json::{Value, json};

use super::Found;
use crate::args::{Force, Usage};
use crate::config_file::{self, CONFIG_BYTES_MAX};
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};
use crate::{prices, wire};

/// Endpoints that are shown for each model; JSON has all.
const OTHERS_SHOWN: usize = 6;

/// Runs the command.
pub(super) fn run(store: &Store, args: &Usage, found: &Found) -> Result<u8, Failure> {
    let places = Places::find()?;
    let figures = figures(&places)?;
    let here = std::path::absolute(Path::new("."))
        .map_err(|error| Failure::usage(format!("the working folder: {error}")))?;
    let config = wire::configure(&places, &here, &Force::default())?;
    let mut exposure = Exposure::default();
    for session in store.list()? {
        if !found.is_wanted(session) {
            continue;
        }
        match store
            .read_only(session)
            .and_then(|reader| reader.read_intact())
        {
            Ok(intact) => {
                let events = intact.events.iter().map(|recorded| &recorded.event);
                exposure.add(&figures, events, &found.when);
            }
            // It was deleted meanwhile.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let lines = lines(&figures, &exposure, &candidates(&config, &places)?);
    if args.json {
        print::line(&as_json(&figures, &lines).to_string());
    } else if lines.is_empty() {
        print::err_line("no model was called then");
    } else {
        let look = Look::of_stdout();
        for line in lines.iter().flat_map(|line| shown(&look, line)) {
            print::line(&print::clean(&line));
        }
        for line in look.wrap(&footing(&figures), 0) {
            print::err_line(&line);
        }
    }
    Ok(0)
}

/// The built-in figures with the person's own over them.
fn figures(places: &Places) -> Result<Figures, Failure> {
    let built_in = Figures::built_in().map_err(|error| Failure::stopped(error.to_string()))?;
    let file = places.user_risk();
    match config_file::read(Layer::User, &file, CONFIG_BYTES_MAX)? {
        Some(text) => built_in
            .with(&file.display().to_string(), &text)
            .map_err(|error| Failure::usage(error.to_string())),
        None => Ok(built_in),
    }
}

/// Everywhere that tables and configuration name and whose price is known, and local endpoints.
fn candidates(config: &Effective, places: &Places) -> Result<Vec<Candidate>, Failure> {
    let endpoints = config.endpoints();
    let place = |name: &str| match endpoints.iter().find(|endpoint| endpoint.name == name) {
        Some(endpoint) => {
            let own = catalog::default_base_url(&endpoint.api).unwrap_or_default();
            let address = endpoint.base_url.as_deref().unwrap_or(own);
            ModelPlace::of_address(&endpoint.api, address)
        }
        None => match catalog::default_base_url(name) {
            Some(own) => ModelPlace::of_address(name, own),
            None => ModelPlace::Elsewhere(name.to_owned()),
        },
    };
    let known = prices::all(config, places)?.into_iter();
    let mut all: Vec<Candidate> = known
        .filter(|known| known.facts.price.is_some())
        .map(|known| Candidate {
            place: place(known.id.provider()),
            price: known.facts.price,
            model: known.id.to_string(),
        })
        .collect();
    // What is asked on one's own machines costs nothing by the token.
    let local = endpoints.iter().filter_map(|endpoint| {
        let model = format!("{}/{}", endpoint.name, endpoint.model.as_ref()?);
        let place = place(&endpoint.name);
        let is_new = place.is_local() && !all.iter().any(|known| known.model == model);
        is_new.then_some(Candidate {
            model,
            place,
            price: None,
        })
    });
    let local: Vec<Candidate> = local.collect();
    all.extend(local);
    Ok(all)
}

fn as_json(figures: &Figures, lines: &[Line]) -> Value {
    let classes: Vec<Value> = figures
        .classes
        .iter()
        .map(|class| {
            json!({ "name": class.name, "globs": class.globs, "whole_bytes": class.whole_bytes,
                "cost_usd": class.cost_usd, "source": class.source, "assumption": class.assumption })
        })
        .collect();
    let destinations: Vec<Value> = figures
        .destinations
        .iter()
        .map(|to| {
            json!({ "name": to.name, "hosts": to.hosts, "likelihood_ppm": to.likelihood_ppm,
                "source": to.source, "assumption": to.assumption })
        })
        .collect();
    json!({
        "lines": lines,
        "figures": { "date": figures.date, "classes": classes, "destinations": destinations },
    })
}

fn shown(look: &Look, line: &Line) -> Vec<String> {
    let spent = if line.is_priced {
        dollars(line.spent_micro_usd)
    } else {
        "price unknown".to_owned()
    };
    let head = format!(
        "{} at {} ({}): {} requests, {spent}, expected loss {} a year",
        line.model,
        line.place,
        line.destination,
        grouped(line.requests),
        range(line.loss_micro_usd)
    );
    let mut text = look.wrap(&head, 0);
    for (class, sent) in &line.sent {
        let sent = format!(
            "{class}: {} bytes sent, {} with repeats",
            grouped(sent.distinct_bytes),
            grouped(sent.total_bytes)
        );
        text.extend(
            look.wrap(&sent, 2)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    if line.masked_secrets > 0 {
        text.push(format!(
            "  {} secrets masked, not sent",
            line.masked_secrets
        ));
    }
    for other in line.others.iter().take(OTHERS_SHOWN) {
        text.extend(
            look.wrap(&instead(other), 2)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    let more = line.others.len().saturating_sub(OTHERS_SHOWN);
    if more > 0 {
        text.push(format!("  {more} more cheaper ones: --json lists them"));
    }
    text
}

fn instead(other: &Other) -> String {
    let even = other.break_even_ppm.map_or_else(
        || "nothing sent could be lost".to_owned(),
        |even| format!("breaks even at {}", percents(even)),
    );
    format!(
        "instead {} at {}: saves {}, adds {} of risk, net {}; {even}",
        other.model,
        other.place,
        money(other.saved_micro_usd),
        range(other.added_micro_usd),
        range(other.net_micro_usd),
    )
}

fn money(micro_usd: i128) -> String {
    let whole = dollars(u64::try_from(micro_usd.unsigned_abs()).unwrap_or(u64::MAX));
    if micro_usd < 0 {
        format!("-{whole}")
    } else {
        whole
    }
}

fn range(span: Span) -> String {
    if span.low == span.high {
        money(span.low)
    } else {
        format!("{} to {}", money(span.low), money(span.high))
    }
}

/// Millionths as percent, exact.
fn percents(ppm: Span) -> String {
    let one = |ppm: i128| {
        if ppm >= 1_000_000 {
            return "no likelihood below certainty".to_owned();
        }
        format!("{}.{:04} % a year", ppm / 10_000, ppm % 10_000)
    };
    match (one(ppm.low), one(ppm.high)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low} to {high}"),
    }
}

fn footing(figures: &Figures) -> String {
    let assumed = figures.classes.iter().filter(|class| class.assumption);
    let assumed = assumed.map(|class| class.name.as_str());
    let to = figures.destinations.iter().filter(|to| to.assumption);
    let assumed: Vec<&str> = assumed.chain(to.map(|to| to.name.as_str())).collect();
    let assumed = match assumed.as_slice() {
        [] => String::new(),
        all => format!(
            " Assumptions stand in those for {}: put your own into risk.toml beside config.toml.",
            all.join(", ")
        ),
    };
    format!(
        "figures of {}; --json shows each with its source.{assumed}",
        figures.date
    )
}
