//! The worked examples of docs/guide/risk.md, to the last digit.

use bowline_core::price::Rates;

use super::*;

/// The figures of the page: round, so that a person can follow.
const PAGE: &str = r#"
date = "2026-11-26"
[[class]]
name = "secret"
globs = ["vault/**"]
whole_bytes = 1000
cost_usd = [1_000_000, 4_000_000]
source = "the page"
[[class]]
name = "internal"
globs = ["**"]
whole_bytes = 1_000_000
cost_usd = [100_000, 500_000]
source = "the page"
[[destination]]
name = "local"
likelihood_ppm = [0, 0]
source = "the page"
[[destination]]
name = "provider"
likelihood_ppm = [100, 1000]
source = "the page"
[[destination]]
name = "unknown"
likelihood_ppm = [10_000, 100_000]
source = "the page"
"#;

fn figures() -> Figures {
    let none = Figures {
        date: String::new(),
        classes: Vec::new(),
        destinations: Vec::new(),
    };
    none.with("the page", PAGE).unwrap()
}

fn price(usd: u64) -> Price {
    let rate = usd * 1_000_000;
    Price {
        rates: Rates {
            input_micro_usd_per_mtok: rate,
            output_micro_usd_per_mtok: rate,
            cache_read_micro_usd_per_mtok: rate,
            cache_write_micro_usd_per_mtok: rate,
        },
        long: None,
    }
}

/// Two hundred requests that read and wrote a million tokens each, with 50,000 distinct bytes of
/// ordinary content and 100 of secret one, at $2 a million.
fn went(spent_micro_usd: u64) -> Went {
    let usage = Usage {
        input_tokens: 900_000,
        output_tokens: 100_000,
        ..Usage::default()
    };
    let sent = |distinct_bytes, total_bytes| Sent {
        distinct_bytes,
        total_bytes,
    };
    Went {
        requests: 200,
        sent: BTreeMap::from([
            ("secret".to_owned(), sent(100, 4_000)),
            ("internal".to_owned(), sent(50_000, 2_000_000)),
        ]),
        spent_micro_usd,
        usages: vec![usage; 200],
        ..Went::default()
    }
}

fn paid() -> Line {
    let place = ModelPlace::Provider("openai".to_owned());
    let mut exposure = Exposure::default();
    let key = ("openai/big".to_owned(), place);
    exposure.went.insert(key, went(400_000_000));
    let free = Candidate {
        model: "free/m".to_owned(),
        place: ModelPlace::Elsewhere("free.example".to_owned()),
        price: Some(price(0)),
    };
    let local = Candidate {
        model: "box/m".to_owned(),
        place: ModelPlace::Local,
        price: None,
    };
    let dearer = Candidate {
        model: "openai/bigger".to_owned(),
        place: ModelPlace::Provider("openai".to_owned()),
        price: Some(price(3)),
    };
    let candidates = [free, local, dearer];
    lines(&figures(), &exposure, &candidates).remove(0)
}

const fn span(low: i128, high: i128) -> Span {
    Span { low, high }
}

#[test]
fn worked_example_paid() {
    let line = paid();
    assert_eq!(line.destination, "provider");
    assert_eq!(line.spent_micro_usd, 400_000_000);
    // secret   100 of 1,000 bytes      x 0.01 .. 0.1 % x $1,000,000 .. $4,000,000 = $10 .. $400
    // internal 50,000 of 1,000,000     x 0.01 .. 0.1 % x   $100,000 ..   $500,000 = $0.5 .. $25
    assert_eq!(line.loss_micro_usd, span(10_500_000, 425_000_000));
    assert_eq!(line.others.len(), 2, "what is dearer is no way to save");
}

#[test]
fn worked_example_free() {
    let line = paid();
    let free = line.others.iter().find(|other| other.model == "free/m");
    let free = free.unwrap();
    assert_eq!(free.destination, "unknown");
    assert_eq!(free.cost_micro_usd, 0);
    assert_eq!(free.saved_micro_usd, 400_000_000);
    // There: secret $1,000 .. $40,000, internal $50 .. $2,500; less what it is now.
    assert_eq!(free.added_micro_usd, span(1_039_500_000, 42_075_000_000));
    // $400 less that.
    assert_eq!(free.net_micro_usd, span(-41_675_000_000, -639_500_000));
    // ($400 + $425) / ($400,000 + $25,000) and ($400 + $10.50) / ($100,000 + $5,000).
    assert_eq!(free.break_even_ppm, Some(span(1_941, 3_909)));
}

#[test]
fn worked_example_local() {
    let line = paid();
    let local = line.others.iter().find(|other| other.model == "box/m");
    let local = local.unwrap();
    assert_eq!(local.destination, "local");
    assert_eq!(local.saved_micro_usd, 400_000_000);
    assert_eq!(local.added_micro_usd, span(-10_500_000, -425_000_000));
    assert_eq!(local.net_micro_usd, span(410_500_000, 825_000_000));
    assert_eq!(
        line.others.first().map(|best| best.model.as_str()),
        Some("box/m")
    );
}

#[test]
fn more_than_a_whole_breach_is_one() {
    let figures = figures();
    let to = figures.destination(&ModelPlace::Elsewhere("x.example".to_owned()));
    let check = |bytes: u64, expect: Span| {
        let sent = Sent {
            distinct_bytes: bytes,
            total_bytes: bytes,
        };
        let sent = BTreeMap::from([("secret".to_owned(), sent)]);
        assert_eq!(loss(&figures, to, &sent), expect, "{bytes}");
    };
    check(0, span(0, 0));
    check(1, span(10_000_000, 400_000_000));
    check(1_000, span(10_000_000_000, 400_000_000_000));
    check(u64::MAX, span(10_000_000_000, 400_000_000_000));
}

#[test]
fn built_in_figures_each_have_a_source() {
    let figures = Figures::built_in().unwrap();
    let sources = figures.classes.iter().map(|class| &class.source);
    let to = figures.destinations.iter().map(|to| &to.source);
    assert!(sources.chain(to).all(|source| !source.is_empty()));
    let roots = ["/w".to_owned()];
    let check = |path: &str, expect: &str| {
        let class = &figures.classes[figures.class(path, &roots)];
        assert_eq!(class.name, expect, "{path}");
    };
    check("/w/.env", "secret");
    check("/w/a/b/server.pem", "secret");
    check("/w/src/secret/mod.rs", "secret");
    check("/w/data/customers/list.txt", "confidential");
    check("/w/dump.sql", "confidential");
    check("/w/README.md", "public");
    check("/usr/include/stdio.h", "public");
    check("/w/src/main.rs", "internal");
    check("/elsewhere/x", "internal");
}

#[test]
fn ones_own_figures_lie_over_the_built_in_ones() {
    let own = "date = \"2027-01-01\"\n\
               [[destination]]\nname = \"provider\"\nlikelihood_ppm = [1, 2]\nsource = \"contract\"\n\
               [[destination]]\nname = \"free\"\nhosts = [\"free.example\"]\n\
               likelihood_ppm = [5, 6]\nsource = \"guess\"\nassumption = true\n";
    let figures = Figures::built_in().unwrap().with("risk.toml", own).unwrap();
    let check = |place: ModelPlace, expect: [u64; 2]| {
        assert_eq!(
            figures.destination(&place).likelihood_ppm,
            expect,
            "{place}"
        );
    };
    check(ModelPlace::Provider("openai".to_owned()), [1, 2]);
    check(ModelPlace::Elsewhere("free.example".to_owned()), [5, 6]);
    check(
        ModelPlace::Elsewhere("x.example".to_owned()),
        [10_000, 130_000],
    );
    assert!(figures.date.contains("2027-01-01"));
}

#[test]
fn says_what_is_wrong_with_figures() {
    let check = |text: &str, expect: &str| {
        let error = Figures::built_in().unwrap().with("risk.toml", text);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("risk.toml: ") && error.contains(expect),
            "{error}"
        );
    };
    check("x = 1", "`x` is unknown");
    check("class = 1", "[[class]]");
    check("[[class]]\nglobs = []", "no `name`");
    check("[[class]]\nname = \"a\"\nbytes = 1", "a field `bytes`");
    check(
        "[[class]]\nname = \"a\"\nwhole_bytes = 0",
        "a number above 0",
    );
    check("[[class]]\nname = \"a\"\nglobs = [\"[\"]", "unclosed");
    let class = "[[class]]\nname = \"a\"\nwhole_bytes = 1\n";
    check(&format!("{class}cost_usd = [2, 1]"), "the lower one first");
    check(&format!("{class}cost_usd = [1, 2]"), "`source` says");
    let to = "[[destination]]\nname = \"a\"\n";
    check(
        &format!("{to}likelihood_ppm = [0, 2000000]"),
        "up to 1000000",
    );
}
