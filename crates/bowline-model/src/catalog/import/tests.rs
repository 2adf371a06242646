//! Foreign tables: real samples, each peculiarity of a row, and bytes that are no table.

use bowline_core::price::{LongRates, Price, Rates};
use proptest::prelude::*;

use super::{Form, ImportError, Imported, read};
use crate::catalog::{built_in, table};

const MODELS_DEV: &str = include_str!("../../../../../fixtures/models/models.dev.json");
const LITELLM: &str = include_str!("../../../../../fixtures/models/litellm.json");
const DAY: &str = "2026-11-26";

fn imported(text: &str) -> Imported {
    read(text.as_bytes(), DAY, None).unwrap()
}

/// The only row, as a line of a table.
#[track_caller]
fn line(text: &str) -> String {
    let read = imported(text);
    assert!(read.skipped.is_empty(), "{:?}", read.skipped);
    let [row] = read.rows.as_slice() else {
        panic!("{:?}", read.rows);
    };
    row.to_string()
}

fn rates(input: u64, output: u64, read: u64, write: u64) -> Rates {
    Rates {
        input_micro_usd_per_mtok: input,
        output_micro_usd_per_mtok: output,
        cache_read_micro_usd_per_mtok: read,
        cache_write_micro_usd_per_mtok: write,
    }
}

#[track_caller]
fn price(read: &Imported, id: &str) -> Price {
    let row = read.rows.iter().find(|row| row.id.to_string() == id);
    row.unwrap_or_else(|| panic!("{id} is missing"))
        .price
        .unwrap()
}

#[test]
fn a_real_sample_of_models_dev_is_read() {
    let read = imported(MODELS_DEV);
    assert_eq!(read.form, Form::ModelsDev);
    assert_eq!((read.rows.len(), read.skipped.len()), (32, 3));
    assert!(
        read.skipped.iter().all(|row| !row.is_broken),
        "{:?}",
        read.skipped
    );
    assert_eq!(
        price(&read, "anthropic/claude-haiku-4-5").rates,
        rates(1_000_000, 5_000_000, 100_000, 1_250_000)
    );
    assert_eq!(
        price(&read, "openai/gpt-5.4"),
        Price {
            rates: rates(2_500_000, 15_000_000, 250_000, 2_500_000),
            long: Some(LongRates {
                above_input_tokens: 272_000,
                rates: rates(5_000_000, 22_500_000, 500_000, 5_000_000),
            }),
        }
    );
    let thinking = price(&read, "alibaba/qwen-plus").rates;
    assert_eq!(
        thinking.output_micro_usd_per_mtok, 4_000_000,
        "reasoning counts as output"
    );
}

#[test]
fn a_real_sample_of_litellm_is_read() {
    let read = imported(LITELLM);
    assert_eq!(read.form, Form::Litellm);
    let broken: Vec<_> = read.skipped.iter().filter(|row| row.is_broken).collect();
    assert!(broken.is_empty(), "{broken:?}");
    assert_eq!(
        (read.rows.len(), read.skipped.len()),
        (28, 8),
        "{:#?}",
        read.skipped
    );
    assert_eq!(
        price(&read, "anthropic/claude-haiku-5-5"),
        Price {
            rates: rates(100_000, 500_000, 10_000, 125_000),
            long: Some(LongRates {
                above_input_tokens: 100_000,
                rates: rates(500_000, 2_500_000, 50_000, 625_000),
            }),
        }
    );
    assert_eq!(
        price(&read, "openai/gpt-6-astra").long.unwrap().rates,
        rates(20_000_000, 75_000_000, 2_000_000, 25_000_000)
    );
    let named = |name: &str| {
        read.skipped
            .iter()
            .find(|row| row.name.ends_with(name))
            .unwrap()
    };
    assert_eq!(
        named("text-embedding-3-small").why,
        "it does not answer in text"
    );
    assert_eq!(named("openai/container").why, "it has no price for tokens");
    assert_eq!(
        named("pplx-7b-online").why,
        "it has a price for each request"
    );
}

/// The prices of the built-in table are those of the samples, where both have a row that is current.
#[test]
fn the_built_in_table_agrees_with_the_sample_of_litellm() {
    let read = imported(LITELLM);
    let mut same = 0;
    for row in built_in() {
        let other = read.rows.iter().find(|other| other.id == row.id);
        if let Some(other) = other {
            assert_eq!(row.price, other.price, "{}", row.id);
            same += 1;
        }
    }
    assert!(same >= 14, "{same}");
}

#[test]
fn rows_of_models_dev_are_read_as_they_mean() {
    let one = |cost: &str| format!(r#"{{"p": {{"models": {{"m": {cost}}}}}}}"#);
    for (row, expect) in [
        (
            r#"{"cost": {"input": 3, "output": 15.0, "cache_read": 0.30, "cache_write": null}}"#,
            "p/m - - 3 15 0.3 3 - 2026-11-26 models.dev",
        ),
        (
            r#"{"cost": {"input": 0, "output": 0}, "limit": {"context": 8000, "output": 0}}"#,
            "p/m 8000 - 0 0 0 0 - 2026-11-26 models.dev",
        ),
        (
            r#"{"cost": {"input": 1, "output": 2, "context_over_200k": {"input": 2, "output": 1}}}"#,
            "p/m - - 1 2 1 1 200000:2/2/2/2 2026-11-26 models.dev",
        ),
        (
            r#"{"cost": {"input": 1, "output": 2, "tiers": [
                {"input": 4, "output": 8, "tier": {"size": 256000}},
                {"input": 2, "output": 9, "tier": {"size": 32000}}]}}"#,
            "p/m - - 1 2 1 1 32000:4/9/4/4 2026-11-26 models.dev",
        ),
        (
            r#"{"cost": {"input": 2.9000000000000004, "output": 0.39999999999999997}}"#,
            "p/m - - 2.9 0.4 2.9 2.9 - 2026-11-26 models.dev",
        ),
        (
            r#"{"cost": {"input": 9, "output": 9}, "cost": {"input": 1, "output": 1}}"#,
            "p/m - - 1 1 1 1 - 2026-11-26 models.dev",
        ),
    ] {
        assert_eq!(line(&one(row)), expect);
    }
}

#[test]
fn rows_of_litellm_are_read_as_they_mean() {
    let one = |rest: &str| format!(r#"{{"m": {{"litellm_provider": "p", {rest}}}}}"#);
    for (row, expect) in [
        (
            r#""input_cost_per_token": 3e-06, "output_cost_per_token": 1.5E-05, "max_tokens": 4096"#,
            "p/m - 4096 3 15 3 3 - 2026-11-26 litellm",
        ),
        (
            r#""input_cost_per_token": 0.0000001, "output_cost_per_token": 4e-07,
               "output_cost_per_reasoning_token": 9e-07, "max_input_tokens": 32000.0"#,
            "p/m 32000 - 0.1 0.9 0.1 0.1 - 2026-11-26 litellm",
        ),
        (
            r#""input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
               "input_cost_per_token_above_200k_tokens": 2e-06,
               "output_cost_per_token_above_128k_tokens": 3e-06,
               "input_cost_per_token_above_200k_tokens_batches": 9e-06"#,
            "p/m - - 1 2 1 1 128000:2/3/2/2 2026-11-26 litellm",
        ),
    ] {
        assert_eq!(line(&one(row)), expect);
    }
    let twice = r#"{"p/m": {"litellm_provider": "p", "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06,
            "max_input_tokens": 9},
        "m": {"litellm_provider": "p", "input_cost_per_token": 2e-06, "output_cost_per_token": 2e-06,
            "max_input_tokens": 7}}"#;
    assert_eq!(line(twice), "p/m 7 - 2 5 2 2 - 2026-11-26 litellm");
}

#[test]
fn a_broken_row_is_named_and_the_others_count() {
    for (text, names) in [
        (
            r#"{"p": {"models": {"a": 7, "b": {"cost": []}, "c": {"cost": {"input": "free", "output": 1}},
                "d": {"cost": {"input": -1, "output": 1}}, "e f": {"cost": {"input": 1, "output": 1}},
                "g": {"cost": {"input": 1, "output": 1, "tiers": [7]}}, "ok": {"cost": {"input": 1, "output": 1}}}},
              "q": []}"#,
            vec!["p/a", "p/b", "p/c", "p/d", "p/e f", "p/g", "q/*"],
        ),
        (
            r#"{"ok": {"litellm_provider": "p", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
                "a": [], "b": {}, "c": {"litellm_provider": 7},
                "d": {"litellm_provider": "x/y", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
                "e": {"litellm_provider": "p", "input_cost_per_token": NAN, "output_cost_per_token": 1e-06}}"#,
            vec![],
        ),
        (
            r#"{"ok": {"litellm_provider": "p", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
                "a": [], "b": {}, "c": {"litellm_provider": 7},
                "d": {"litellm_provider": "x/y", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
                "e": {"litellm_provider": "p", "input_cost_per_token": 1e99, "output_cost_per_token": 1e-06}}"#,
            vec!["a", "b", "c", "x/y/d", "p/e"],
        ),
    ] {
        if names.is_empty() {
            assert!(matches!(
                read(text.as_bytes(), DAY, None),
                Err(ImportError::NotJson { .. })
            ));
            continue;
        }
        let read = imported(text);
        let broken: Vec<_> = read.skipped.iter().filter(|row| row.is_broken).collect();
        let seen: Vec<_> = broken.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(seen, names, "{broken:?}");
        assert_eq!(read.rows.len(), 1);
    }
}

/// Each step is looked up among all fields: without a bound a row of a million would take hours.
#[test]
fn a_row_with_very_many_steps_is_broken_at_once() {
    let steps = (1..1_000).map(|n| format!(",\"input_cost_per_token_above_{n}k_tokens\":1"));
    let steps: String = steps.collect();
    let text = format!("{{\"m\":{{\"litellm_provider\":\"p\"{steps}}}}}");
    let read = imported(&text);
    assert_eq!(read.rows.len(), 0);
    assert!(
        read.skipped[0].why.contains("more fields"),
        "{:?}",
        read.skipped
    );
}

#[test]
fn one_provider_can_be_asked_for() {
    let only = |text: &str, provider| {
        let read = read(text.as_bytes(), DAY, Some(provider)).unwrap();
        assert!(read.rows.iter().all(|row| row.id.provider() == provider));
        read.rows.len()
    };
    assert_eq!(only(MODELS_DEV, "anthropic"), 6);
    assert_eq!(only(LITELLM, "deepseek"), 2);
    assert_eq!(only(LITELLM, "nobody"), 0);
}

#[test]
fn what_is_no_table_gives_one_clear_error() {
    for (bytes, part) in [
        (&b""[..], "no JSON object"),
        (b"\xff\xfe", "not UTF-8 from byte 0 on"),
        (b"[]", "no JSON object"),
        (b"{\"a\": {\"models\": {}}", "line 1 column"),
        (b"{}", "neither form"),
        (b"{\"a\": {\"cost\": 1}, \"b\": 2}", "neither form"),
    ] {
        let error = read(bytes, DAY, None).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let deep = format!("{{\"a\": {}", "[".repeat(1_000_000));
    assert!(read(deep.as_bytes(), DAY, None).is_err());
}

proptest! {
    /// A sample with something overwritten is read or refused; what is read can be written and read.
    #[test]
    fn a_damaged_sample_is_read_or_refused(
        is_litellm in any::<bool>(), at in 0_usize..10_000, with in "[\\[\\]{}\",:0-9e.\\-a-z ]{1,12}"
    ) {
        let sample = if is_litellm { LITELLM } else { MODELS_DEV };
        let mut bytes = sample.as_bytes().to_vec();
        bytes.splice(at..at + with.len(), with.bytes());
        if let Ok(found) = read(&bytes, DAY, None) {
            for row in found.rows {
                let line = row.to_string();
                prop_assert_eq!(table::Row::parse(&line), Some(row), "{}", line);
            }
        }
    }
}
