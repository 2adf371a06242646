//! The built-in table: every line is a row that can be vouched for, and what models it knows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bowline_core::ModelRef;

use super::{TABLE, TABLE_DATE, built_in, default_model, facts, own_provider, provider_names};

fn model(id: &str) -> ModelRef {
    id.parse().unwrap()
}

#[test]
fn every_line_of_the_table_is_a_row_that_two_others_say_too() {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
    let rows: Vec<_> = built_in().collect();
    assert_eq!(rows.len(), lines, "a line is no row");
    assert!((20..=60).contains(&lines), "{lines} rows");
    assert!(TABLE.starts_with(&format!(
        "# What models cost at their own providers, as of {TABLE_DATE}."
    )));
    let names: BTreeSet<_> = rows.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(names.len(), lines, "a model is there twice");
    for row in rows {
        let id = &row.id;
        assert!(["anthropic", "openai"].contains(&id.provider()), "{id}");
        assert!(row.seen.len() >= 2, "{id}: one source is not enough");
        assert!(row.since.as_str() <= TABLE_DATE, "{id}");
        let context = row.context_tokens.unwrap_or_default();
        let output = row.output_tokens_max.unwrap_or_default();
        assert!(output > 0 && output < context, "{id}");
        let price = row.price.expect("a price");
        let rates = price.rates;
        assert!(rates.input_micro_usd_per_mtok > 0, "{id}");
        assert!(
            rates.output_micro_usd_per_mtok >= rates.input_micro_usd_per_mtok,
            "{id}"
        );
        assert!(
            rates.cache_read_micro_usd_per_mtok <= rates.input_micro_usd_per_mtok,
            "{id}"
        );
        assert!(
            rates.cache_write_micro_usd_per_mtok >= rates.input_micro_usd_per_mtok,
            "{id}"
        );
        if let Some(long) = price.long {
            assert!(long.above_input_tokens < context, "{id}");
            let dearer = long.rates.input_micro_usd_per_mtok > rates.input_micro_usd_per_mtok;
            assert!(dearer, "{id}");
        }
    }
}

#[test]
fn the_models_that_are_asked_by_default_are_known() {
    let defaults = provider_names()
        .iter()
        .filter_map(|provider| Some(format!("{provider}/{}", default_model(provider)?)));
    for id in defaults {
        assert!(
            facts(&model(&id)).is_some_and(|facts| facts.price.is_some()),
            "{id}"
        );
    }
}

#[test]
fn a_model_is_found_under_its_own_name_and_with_a_date() {
    #[track_caller]
    fn check(id: &str, input: u64, source: &str) {
        let facts = facts(&model(id)).unwrap_or_else(|| panic!("{id} is not known"));
        let price = facts.price.unwrap();
        assert_eq!(price.rates.input_micro_usd_per_mtok, input, "{id}");
        assert!(facts.source.contains(source), "{}", facts.source);
    }
    check(
        "anthropic/claude-sonnet-5",
        2_000_000,
        "table of 2026-11-26: anthropic/claude-sonnet-5 since 2026-06-30",
    );
    check(
        "anthropic/claude-sonnet-4-5-20250929",
        3_000_000,
        "anthropic/claude-sonnet-4-5 since",
    );
    check("openai/gpt-5-2025-08-07", 1_250_000, "openai/gpt-5 since");
    check("openai-chat/gpt-5-mini", 250_000, "openai/gpt-5-mini since");
    for unknown in [
        "anthropic/claude-sonnet",
        "openai/gpt",
        "openai/gpt-5-turbo",
        "work/gpt-5",
        "scripted/x",
    ] {
        assert_eq!(facts(&model(unknown)), None, "{unknown}");
    }
}

#[test]
fn only_the_own_address_of_a_provider_has_its_prices() {
    for (dialect, base_url, own) in [
        ("anthropic", None, Some("anthropic")),
        ("openai-chat", None, Some("openai")),
        ("openai", Some("https://api.openai.com/v1"), Some("openai")),
        ("openai", Some("https://api.openai.com/v1/"), Some("openai")),
        ("openai", Some("https://api.openai.com"), None),
        ("openai", Some("http://127.0.0.1:8080/v1"), None),
        ("anthropic", Some("https://api.anthropic.com.example"), None),
        ("scripted", None, None),
    ] {
        assert_eq!(
            own_provider(dialect, base_url),
            own,
            "{dialect} {base_url:?}"
        );
    }
}

/// The bound is far above what it takes, in a build that is not optimised and on a busy machine;
/// it fails if the whole table is read anew for a look-up.
#[test]
fn a_look_up_takes_next_to_nothing() {
    let last = built_in().last().unwrap().id;
    let fastest = (0..50).map(|_| {
        let start = Instant::now();
        assert!(facts(&last).is_some());
        start.elapsed()
    });
    let fastest = fastest.min().unwrap();
    assert!(fastest < Duration::from_micros(300), "{fastest:?}");
}
