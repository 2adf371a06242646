//! The configuration in force: recorded when a session begins, taken from the record when it goes
//! on. What the files say by then only tightens it.

use std::path::Path;

use bowline_core::{Configured, ModelRef, RuleInForce, Settings, State, TrustState, Verdict};
use bowline_runtime::config::{Effective, Endpoint, HeaderSource, KeySource, tightened};

use super::shell_env::is_credential;
use crate::command::exec::Change;
use crate::endpoint;
use crate::failure::Failure;
use crate::places::Places;
use crate::prices;

#[cfg(test)]
mod tests;

/// What a session that asks `model` takes from the configuration, with the places of this process.
pub fn configured(
    config: &Effective,
    places: &Places,
    model: &ModelRef,
    by_hand: Vec<RuleInForce>,
) -> Configured {
    let text = |path: &Path| path.display().to_string();
    let real = |path: &Path| {
        path.canonicalize()
            .map_or_else(|_| text(path), |real| text(&real))
    };
    let mut configured = config.configured(model);
    configured.rules.splice(0..0, by_hand);
    configured.home = places.home.as_deref().map(text);
    configured.private = vec![
        text(&places.state),
        real(&places.state),
        text(&places.config),
        real(&places.config),
    ];
    configured.private.dedup();
    configured
}

/// The part of it that is recorded: without an endpoint that may hold a secret.
///
/// `secrets` are what was fetched to ask it, and the values of its headers.
pub fn recordable(mut configured: Configured, secrets: &[String], places: &Places) -> Configured {
    let Some(endpoint) = &mut configured.endpoint else {
        return configured;
    };
    if let KeySource::File(file) = &mut endpoint.key
        && let Ok(path) = endpoint::key_path(file, places)
    {
        *file = path.display().to_string();
    }
    if may_hold_secret(endpoint, secrets) {
        configured.endpoint = None;
    }
    configured
}

/// Whether an endpoint's table holds something that is, or reads like, a secret. A doubt is a yes:
/// such an endpoint is looked up by its name later.
fn may_hold_secret(endpoint: &Endpoint, secrets: &[String]) -> bool {
    let plain: Vec<&str> = endpoint
        .headers
        .iter()
        .filter_map(|(_, source)| match source {
            HeaderSource::Plain(value) => Some(value.as_str()),
            HeaderSource::Env(_) => None,
        })
        .collect();
    let is_fetched = |text: &str| {
        let mut fetched = secrets.iter().filter(|one| !plain.contains(&one.as_str()));
        fetched.any(|secret| text.contains(secret.as_str()))
    };
    let reads_like_one =
        |name: &str, text: &str| is_credential(name, text) || is_random(text) || is_fetched(text);
    let headers = endpoint.headers.iter().any(|(name, source)| match source {
        HeaderSource::Plain(value) => reads_like_one(name, value),
        HeaderSource::Env(_) => false,
    });
    let command = match &endpoint.key {
        KeySource::Command(words) => words.iter().any(|word| reads_like_one("word", word)),
        _ => false,
    };
    let address = endpoint.base_url.as_deref();
    headers || command || address.is_some_and(|url| url.contains('?') || reads_like_one("url", url))
}

/// Whether a text holds a run of letters and digits that nobody would choose as a word.
fn is_random(text: &str) -> bool {
    let mut runs = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    runs.any(|run| {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        run.len() >= 32 || (run.len() >= 12 && digits > 0 && digits < run.len())
    })
}

/// What a session that goes on is driven with.
pub struct GoingOn {
    /// The settings from now on.
    pub settings: Settings,
    /// The configuration in this process: what is in force, and its own private places beside.
    pub here: Configured,
    /// The endpoints among which the model's one is found.
    pub endpoints: Vec<Endpoint>,
    /// Who changed something, of the command line and the configuration.
    pub by: &'static str,
    /// What a person is told, a line each.
    pub told: Vec<String>,
}

/// Lays what was recorded, what flags change and what the files say now over each other; `None`
/// before the session has begun.
pub fn going_on(
    state: &State,
    change: Change,
    config: &Effective,
    places: &Places,
) -> Result<Option<GoingOn>, Failure> {
    let Some(before) = state.settings() else {
        return Ok(None);
    };
    let model = change.model().unwrap_or(&before.model).clone();
    let now = configured(config, places, &model, Vec::new());
    let distrusted = without_lost_trust(before, config);
    let before = distrusted.as_ref().unwrap_or(before);
    let mut settings = change.apply_to(before, &now, config.limits());
    let is_by_hand = settings != *before;
    tighten_limits(&mut settings, config);
    if settings.model_facts.is_none() {
        let address = settings.base_url.as_deref();
        let facts = prices::facts(config, places, &settings.model, address)?;
        settings.model_facts = Some(Box::new(facts));
    }
    hold_money_caps(&mut settings, config, places)?;
    let mut told = Vec::new();
    if distrusted.is_some() {
        told.push(trust_is_lost(config));
    }
    let mut added = Vec::new();
    if let Some(in_force) = &mut settings.configured {
        added = in_force.tighten(&now);
        settings.limits = tightened(settings.limits, in_force.rules.iter());
        told.extend(stricter(&added));
        told.extend(elsewhere(in_force, &now));
    }
    let here = match settings.configured.as_deref() {
        Some(in_force) => in_force.clone().beside(&now),
        // It was begun before this was recorded: what the files say now is all there is.
        None => now,
    };
    let recorded = here.endpoint.iter();
    let recorded = recorded.filter(|one| one.name == model.provider());
    let endpoints = recorded.chain(config.endpoints()).cloned().collect();
    let by = match (is_by_hand, added.is_empty() && distrusted.is_none()) {
        (_, true) => "the command line",
        (true, false) => "the command line and the configuration",
        (false, false) => "the configuration",
    };
    Ok(Some(GoingOn {
        settings,
        here,
        endpoints,
        by,
        told,
    }))
}

/// The settings without what a trusted project set, where its files are others by now or the trust
/// in them was taken back; `None` where nothing changes.
fn without_lost_trust(before: &Settings, config: &Effective) -> Option<Settings> {
    let known = before.configured.as_deref()?;
    let Some(TrustState::Trusted { content }) = &known.trust else {
        return None;
    };
    let now = config.project.content.map(|content| content.to_hex());
    if now.as_ref() == Some(content) && !config.project.revoked {
        return None;
    }
    let mut settings = before.clone();
    let mut configured = known.clone();
    for name in configured.distrust() {
        match name.as_str() {
            "mode" => settings.mode = settings.mode.min(config.mode()),
            "base_url" => settings.base_url = None,
            "shell.timeout_ms" => {
                let now = config.whole("shell.timeout_ms");
                configured.shell_timeout_ms = configured.shell_timeout_ms.min(now).or(now);
            }
            cap if cap.starts_with("max_") || cap.starts_with("budget.") => {
                settings.limits = settings.limits.and(&config.limits());
            }
            // Whatever else there is loosens nothing.
            _ => {}
        }
        configured.origins.remove(&name);
    }
    settings.configured = Some(Box::new(configured));
    Some(settings)
}

fn trust_is_lost(config: &Effective) -> String {
    let changed = match config.project.changed.as_slice() {
        [] => String::new(),
        files => format!(" ({} changed)", files.join(", ")),
    };
    format!(
        "the project's own files are no longer those that were trusted{changed}: what they allowed \
         is out of force. `bowline trust --show` shows what waits"
    )
}

/// What is managed, and what holds over all sessions, holds as it is now.
fn tighten_limits(settings: &mut Settings, config: &Effective) {
    let managed = config.managed_limits();
    let shared = config.limits().shared();
    settings.limits = settings.limits.and(&managed).and(&shared);
}

/// A cap on money that a person set is kept or refused; a default one holds where the price is
/// known.
pub fn hold_money_caps(
    settings: &mut Settings,
    config: &Effective,
    places: &Places,
) -> Result<(), Failure> {
    if settings.price().is_some() {
        return Ok(());
    }
    for (scope, is_set) in config.money_caps() {
        if is_set {
            return Err(Failure::usage(prices::unknown_price(
                &settings.model,
                places,
            )));
        }
        if let Some(cap) = settings.limits.caps.of_mut(scope) {
            cap.cost_micro_usd = None;
        }
    }
    Ok(())
}

/// Most rules that are told one by one.
const TOLD_RULES: usize = 5;

fn stricter(added: &[RuleInForce]) -> Option<String> {
    let shown = added.iter().take(TOLD_RULES).map(|rule| {
        let word = if rule.verdict == Verdict::Deny {
            "deny"
        } else {
            "ask"
        };
        format!("{word} {}", rule.source.place())
    });
    let shown: Vec<String> = shown.collect();
    let more = match added.len().saturating_sub(TOLD_RULES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!added.is_empty()).then(|| {
        format!(
            "the configuration is stricter than when the session began; in force from here on: \
             {}{more}",
            shown.join(", ")
        )
    })
}

/// Says that the files describe the endpoint otherwise than it is asked.
fn elsewhere(in_force: &Configured, now: &Configured) -> Option<String> {
    let (kept, other) = (in_force.endpoint.as_ref()?, now.endpoint.as_ref()?);
    let is_other = kept.name == other.name && !kept.is_as(other);
    is_other.then(|| {
        format!(
            "`{}` is asked as recorded ({}); the configuration says otherwise now: --model {}/MODEL \
             or --reconfigure takes that on",
            kept.name,
            endpoint::described(kept),
            kept.name
        )
    })
}
