//! Which of configuration, imported table and built-in table counts, for which address.

use bowline_core::ModelRef;
use bowline_core::decision::Layer;
use bowline_core::price::ModelFacts;
use bowline_runtime::config::{Effective, Layers, parse};

use super::{all, facts, unknown_price};
use crate::places::Places;

const CONFIG: &str = r#"
[[providers]]
name = "mine"
api = "anthropic"
[[providers]]
name = "work"
api = "openai"
base_url = "https://llm.example.com/v1"
[[providers]]
name = "groq"
api = "openai-chat"
base_url = "https://groq.example.com/v1"
[[models]]
id = "work/gpt-5"
input_usd_per_mtok = 7
output_usd_per_mtok = 8
[[models]]
id = "scripted/a.json"
input_usd_per_mtok = 1
output_usd_per_mtok = 1
"#;

const TABLE: &str = "# remark\n\
    anthropic/claude-opus-5 - - 6 30 0.5 6.25 - 2026-11-01 litellm\n\
    groq/llama 8000 1000 0.5 0.6 - - - 2026-11-01 litellm\n\
    work/other 8000 1000 0.7 0.8 - - - 2026-11-01 litellm\n";

struct Here {
    places: Places,
    config: Effective,
    _folder: tempfile::TempDir,
}

fn here(config: &str, table: Option<&str>) -> Here {
    let folder = tempfile::tempdir().unwrap();
    let places = Places {
        state: folder.path().join("state"),
        config: folder.path().to_owned(),
        home: None,
    };
    if let Some(table) = table {
        std::fs::write(places.imported_models(), table).unwrap();
    }
    let mut layers = Layers::default();
    layers.add(parse(Layer::User, "config.toml", config).unwrap());
    Here {
        places,
        config: layers.resolve(),
        _folder: folder,
    }
}

impl Here {
    fn facts(&self, id: &str, base_url: Option<&str>) -> ModelFacts {
        let model: ModelRef = id.parse().unwrap();
        facts(&self.config, &self.places, &model, base_url).unwrap()
    }
}

#[test]
fn each_model_has_the_price_of_where_it_is_asked() {
    let here = here(CONFIG, Some(TABLE));
    let elsewhere = Some("http://127.0.0.1:8080");
    let own = Some("https://api.anthropic.com/");
    let imported = "models.txt: anthropic/claude-opus-5 by litellm of 2026-11-01";
    for (id, base_url, dollars, source) in [
        ("anthropic/claude-sonnet-5", None, "2.00", "built-in table"),
        ("anthropic/claude-sonnet-5", own, "2.00", "built-in table"),
        ("anthropic/claude-sonnet-5", elsewhere, "", ""),
        ("anthropic/claude-opus-5", None, "6.00", imported),
        ("anthropic/claude-opus-5", elsewhere, "", ""),
        ("mine/claude-opus-5-20260724", None, "6.00", imported),
        ("mine/claude-sonnet-5", None, "2.00", "built-in table"),
        ("work/gpt-5", None, "7.00", "config.toml:13"),
        ("work/gpt-5-mini", None, "", ""),
        ("groq/llama", None, "0.50", "models.txt: groq/llama"),
        ("openai-chat/gpt-5", None, "1.25", "built-in table"),
        ("scripted/a.json", None, "1.00", "config.toml"),
        ("scripted/b.json", None, "", ""),
    ] {
        let facts = here.facts(id, base_url);
        let input = facts
            .price
            .map(|price| price.rates.input_micro_usd_per_mtok);
        let shown = input
            .map(bowline_core::amounts::dollars)
            .unwrap_or_default();
        assert_eq!(
            shown.trim_start_matches('$'),
            dollars,
            "{id} {base_url:?}: {}",
            facts.source
        );
        assert!(facts.source.contains(source), "{id}: {}", facts.source);
    }
    let opus = here.facts("anthropic/claude-opus-5", None);
    let context = opus.context_tokens;
    assert_eq!(
        context,
        Some(1_000_000),
        "what the import leaves open is built in"
    );
}

#[test]
fn without_an_imported_table_the_built_in_one_counts() {
    let here = here("", None);
    assert_eq!(
        here.facts("openai/gpt-5", None).context_tokens,
        Some(400_000)
    );
    assert_eq!(here.facts("openai/nobody", None), ModelFacts::default());
}

#[test]
fn a_table_that_cannot_be_read_is_named() {
    let here = here("", None);
    std::fs::create_dir(here.places.imported_models()).unwrap();
    let model = "openai/gpt-5".parse().unwrap();
    let error = facts(&here.config, &here.places, &model, None).unwrap_err();
    assert!(
        error.message().contains("models.txt: is not a file"),
        "{}",
        error.message()
    );
    let scripted = "scripted/x".parse().unwrap();
    assert!(facts(&here.config, &here.places, &scripted, None).is_ok());
}

#[test]
fn lists_hold_every_model_once_in_order() {
    let here = here(CONFIG, Some(TABLE));
    let all = all(&here.config, &here.places).unwrap();
    let names: Vec<String> = all.iter().map(|known| known.id.to_string()).collect();
    assert!(
        names.is_sorted() && names.windows(2).all(|two| two[0] != two[1]),
        "{names:?}"
    );
    let from = |id: &str| {
        all.iter()
            .find(|known| known.id.to_string() == id)
            .unwrap()
            .from
            .name()
    };
    assert_eq!(from("work/gpt-5"), "config");
    assert_eq!(from("groq/llama"), "imported");
    assert_eq!(from("anthropic/claude-opus-5"), "imported");
    assert_eq!(from("openai/gpt-5"), "built-in");
}

/// What the refusal says is pasted and filled in, and then the price is known.
#[test]
fn the_refusal_of_an_unknown_price_says_what_to_write() {
    let nobody = here("", None);
    let model: ModelRef = "work/qwen3".parse().unwrap();
    let text = unknown_price(&model, &nobody.places);
    assert!(
        text.contains("config.toml") && text.contains("bowline models import FILE"),
        "{text}"
    );
    let (_, entry) = text.split_once("\n\n").unwrap();
    let (entry, _) = entry.split_once("\n\n").unwrap();
    assert!(
        parse(Layer::User, "f", entry).is_err(),
        "question marks are no price"
    );
    let filled = here(&entry.replace("\"?\"", "0.25"), None);
    let price = filled.facts("work/qwen3", None).price.unwrap();
    assert_eq!(price.rates.output_micro_usd_per_mtok, 250_000);
}
