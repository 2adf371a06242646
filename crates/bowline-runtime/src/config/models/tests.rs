//! `[[models]]`: what it takes, and how it lies over what tables know.

use bowline_core::decision::Layer;
use bowline_core::price::{LongRates, ModelFacts, Price, Rates};
use bowline_core::{Mode, ModelRef};

use super::super::{Effective, Layers, parse};
use super::entry_to_fill_in;

fn laid(user: &str) -> Effective {
    let mut layers = Layers::default();
    layers.add(parse(Layer::User, "user.toml", user).unwrap());
    layers.resolve()
}

fn model(id: &str) -> ModelRef {
    id.parse().unwrap()
}

fn rates([input, output, read, write]: [u64; 4]) -> Rates {
    Rates {
        input_micro_usd_per_mtok: input,
        output_micro_usd_per_mtok: output,
        cache_read_micro_usd_per_mtok: read,
        cache_write_micro_usd_per_mtok: write,
    }
}

fn known(four: [u64; 4], long: Option<[u64; 4]>, source: &str) -> Option<ModelFacts> {
    Some(ModelFacts {
        context_tokens: Some(1000),
        output_tokens_max: Some(100),
        price: Some(Price {
            rates: rates(four),
            long: long.map(|four| LongRates {
                above_input_tokens: 500,
                rates: rates(four),
            }),
        }),
        source: source.to_owned(),
    })
}

/// The entry whole, of a model that nobody knows.
#[track_caller]
fn alone(entry: &str) -> ModelFacts {
    laid(&format!("[[models]]\nid = \"p/m\"\n{entry}")).model_facts(&model("p/m"), None, None)
}

#[test]
fn dollars_are_taken_as_they_are_spelled() {
    for (text, micro) in [
        ("3", 3_000_000),
        ("3.0", 3_000_000),
        ("0.1", 100_000),
        ("0.3", 300_000),
        ("1_000.25", 1_000_250_000),
        ("+1.5", 1_500_000),
        ("2.5e-1", 250_000),
        ("0.000001", 1),
        ("0", 0),
    ] {
        let entry = format!("input_usd_per_mtok = {text} # remark\noutput_usd_per_mtok={text}");
        let price = alone(&entry).price.unwrap();
        assert_eq!(
            price,
            Price {
                rates: rates([micro; 4]),
                long: None
            },
            "{text}"
        );
    }
}

#[test]
fn an_entry_of_its_own_gives_what_it_says() {
    let facts = alone("context_tokens = 8_000\noutput_tokens_max = 1000\n");
    assert_eq!(
        facts,
        ModelFacts {
            context_tokens: Some(8000),
            output_tokens_max: Some(1000),
            price: None,
            source: "user.toml:1".to_owned(),
        }
    );
    assert_eq!(
        alone("input_usd_per_mtok = 1").price,
        None,
        "half a price is none"
    );
    assert_eq!(alone("cache_read_usd_per_mtok = 1").price, None);
    let cached = alone(
        "input_usd_per_mtok = 4\noutput_usd_per_mtok = 8\ncache_read_usd_per_mtok = 0.4\ncache_write_usd_per_mtok = 5",
    );
    let four = [4_000_000, 8_000_000, 400_000, 5_000_000];
    assert_eq!(cached.price.unwrap().rates, rates(four));
}

#[test]
fn an_entry_lies_over_the_tables_and_is_never_cheaper_by_what_it_leaves_out() {
    #[track_caller]
    fn check(entry: &str, four: [u64; 4], long: Option<[u64; 4]>) {
        let config = laid(&format!("[[models]]\nid = \"openai/gpt-5\"\n{entry}"));
        let table = known([10, 50, 1, 12], Some([20, 75, 2, 25]), "the table");
        let facts = config.model_facts(&model("openai/gpt-5"), None, table.clone());
        let long = long.map(|four| LongRates {
            above_input_tokens: 500,
            rates: rates(four),
        });
        assert_eq!(
            facts.price,
            Some(Price {
                rates: rates(four),
                long
            }),
            "{entry}"
        );
        assert_eq!(facts.context_tokens, Some(1000));
        assert_eq!(facts.source, "user.toml:1, else the table");
    }
    let usd = |micro: u64| format!("0.{micro:06}");
    let entry = |fields: &[(&str, u64)]| {
        let line = |(name, micro): &(&str, u64)| format!("{name}_usd_per_mtok = {}\n", usd(*micro));
        fields.iter().map(line).collect::<String>()
    };
    check("", [10, 50, 1, 12], Some([20, 75, 2, 25]));
    check(
        &entry(&[("output", 60)]),
        [10, 60, 1, 12],
        Some([20, 75, 2, 25]),
    );
    check(
        &entry(&[("output", 90)]),
        [10, 90, 1, 12],
        Some([20, 90, 2, 25]),
    );
    check(
        &entry(&[("cache_read", 3)]),
        [10, 50, 3, 12],
        Some([20, 75, 3, 25]),
    );
    check(
        &entry(&[("input", 5)]),
        [5, 50, 5, 12],
        Some([20, 75, 5, 25]),
    );
    check(
        &entry(&[("input", 30)]),
        [30, 50, 30, 30],
        Some([30, 75, 30, 30]),
    );
    check(&entry(&[("input", 5), ("output", 6)]), [5, 6, 5, 12], None);
    check(
        &entry(&[
            ("input", 5),
            ("output", 6),
            ("cache_read", 1),
            ("cache_write", 2),
        ]),
        [5, 6, 1, 2],
        None,
    );
}

#[test]
fn an_imported_row_lies_over_the_built_in_one_and_both_under_the_entry() {
    let built_in = known([10, 50, 1, 12], None, "built in");
    let mut imported = known([11, 51, 2, 13], None, "imported").unwrap();
    imported.context_tokens = None;
    let asked = model("openai/gpt-5-2025-08-07");
    let facts = laid("").model_facts(&asked, Some(imported.clone()), built_in.clone());
    assert_eq!(facts.price.unwrap().rates, rates([11, 51, 2, 13]));
    assert_eq!(
        (facts.context_tokens, facts.source.as_str()),
        (Some(1000), "imported")
    );
    let config = laid("[[models]]\nid = \"openai/gpt-5\"\noutput_tokens_max = 7\n");
    let facts = config.model_facts(&asked, Some(imported), built_in);
    assert_eq!(
        facts.output_tokens_max,
        Some(7),
        "a name with a date has the entry without it"
    );
    assert_eq!(facts.source, "user.toml:1, else imported");
    let other = config.model_facts(&model("openai/gpt-5-mini"), None, None);
    assert_eq!(other, ModelFacts::default());
}

/// An entry for `a/b` with this line in it, which is line 3 of the file.
fn with(line: &str) -> String {
    format!("[[models]]\nid = \"a/b\"\n{line}")
}

#[track_caller]
fn refused(text: &str, place: &str, part: &str) {
    let error = parse(Layer::User, "f", text).unwrap_err();
    assert_eq!(error.place, place, "{text}: {error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn an_amount_that_is_none_is_refused_with_its_line() {
    for (value, part) in [
        ("-0.1", "is -0.1: that is below zero"),
        ("nan", "is nan: that is no decimal number"),
        ("inf", "no decimal number"),
        ("0x10", "no decimal number"),
        ("2e6", "over a million dollars"),
        ("0.0000001", "only six decimals"),
        ("\"3\"", "must be a number, got string"),
        ("true", "must be a number, got boolean"),
    ] {
        for field in ["input", "output", "cache_read", "cache_write"] {
            let line = format!("{field}_usd_per_mtok = {value}");
            refused(&with(&line), "f:3", part);
        }
    }
    for (line, part) in [
        ("context_tokens = 0", "Use 1 to 1000000000"),
        ("context_tokens = 1.5", "whole number of tokens"),
        ("output_tokens_max = -1", "whole number of tokens"),
    ] {
        refused(&with(line), "f:3", part);
    }
}

#[test]
fn an_entry_that_is_none_is_refused_with_its_line() {
    refused("models = 1", "f:1", "begins with [[models]]");
    refused("[models]\nid = \"a/b\"", "f:1", "begins with [[models]]");
    refused("[[models]]\ncontext_tokens = 1", "f:1", "without `id`");
    refused("[[models]]\nid = 7", "f:2", "must be a text in quotes");
    refused("[[models]]\nid = \"b\"", "f:2", "Name the provider first");
    refused(
        &with("input_usd = 1"),
        "f:3",
        "unknown key `models.input_usd`",
    );
    refused(
        &with("context_token = 1"),
        "f:3",
        "Did you mean `context_tokens`?",
    );
    let twice = with("\n[[models]]\nid = \"a/b\"");
    refused(&twice, "f:4", "`a/b` is there twice (line 1)");
}

#[test]
fn a_project_says_nothing_of_models() {
    let entry = "[[models]]\nid = \"a/b\"\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 0\n";
    let mut layers = Layers::default();
    layers.add(parse(Layer::Project, "project.toml", entry).unwrap());
    let config = layers.resolve();
    assert!(config.models().is_empty());
    let shown = config
        .shown
        .iter()
        .find(|shown| shown.key.name == "models")
        .unwrap();
    assert_eq!(shown.passed_over.len(), 1);
    assert!(
        shown.passed_over[0]
            .1
            .contains("cannot say what a model costs")
    );
    assert_eq!(config.mode(), Mode::Ask);
}

#[test]
fn the_entry_to_fill_in_is_refused_until_it_is_filled_in() {
    let text = entry_to_fill_in(&model("work/my \"own\" model"));
    let error = parse(Layer::User, "f", &text).unwrap_err();
    assert!(error.to_string().contains("must be a number"), "{error}");
    let config = laid(&text.replace("\"?\"", "2.50"));
    assert_eq!(config.models()[0].id.model(), "my \"own\" model");
    assert_eq!(config.models()[0].input, Some(2_500_000));
}
