//! The bound on tokens over texts and code: never below the truth, and how far above it.
//!
//! Texts are the files of this repository, what headers and documents the machine has, and made
//! ones: other languages, encodings, minified code, logs. They are split in two by a hash of their
//! names. The tables and their sizes were settled with the first half in view; the second judges.
//! `BOWLINE_BOUND_TEXTS=all cargo test -p bowline-model --test it bound -- --nocapture` takes whole
//! files and all of them; without it, a sample.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod texts;

use bowline_core::Digest;
use bowline_model::tokens_bound;
use bpe_openai::o200k_base;

use texts::Text;

/// What was found for one text.
struct Judged {
    name: String,
    bytes: u64,
    exact: u64,
    bound: u64,
}

impl Judged {
    fn of(text: &Text) -> Self {
        Self {
            name: text.name.clone(),
            bytes: text.text.len() as u64,
            exact: o200k_base().count(text.text.as_str()) as u64,
            bound: tokens_bound(&text.text),
        }
    }
}

/// An estimate, and what it is called.
type Estimate = (&'static str, fn(&Judged) -> u64);

const ESTIMATES: [Estimate; 4] = [
    ("bound", |judged| judged.bound),
    ("bound, a third of the bytes at least", |judged| {
        judged.bound.max(judged.bytes.div_ceil(3))
    }),
    ("bytes / 3", |judged| judged.bytes.div_ceil(3)),
    ("bytes / 4", |judged| judged.bytes.div_ceil(4)),
];

#[expect(clippy::cast_precision_loss, reason = "shown to three places")]
fn show(half: &str, judged: &[Judged]) {
    let tokens: u64 = judged.iter().map(|one| one.exact).sum();
    println!("{half}: {} texts, {tokens} tokens", judged.len());
    for (name, estimate) in ESTIMATES {
        let ratio = |one: &Judged| estimate(one) as f64 / one.exact as f64;
        let mut ratios: Vec<f64> = judged.iter().map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let at = |percent: usize| ratios[(ratios.len() - 1) * percent / 100];
        let below = judged.iter().filter(|one| estimate(one) < one.exact);
        println!(
            "  {name:37} / exact: min {:.3} p50 {:.3} p90 {:.3} p99 {:.3} max {:.3}, below {}",
            at(0),
            at(50),
            at(90),
            at(99),
            at(100),
            below.count()
        );
    }
}

#[test]
fn the_bound_is_never_below_the_exact_count() {
    let everything = std::env::var("BOWLINE_BOUND_TEXTS").is_ok_and(|which| which == "all");
    let texts = texts::all(everything);
    assert!(texts.len() >= 200, "only {} texts", texts.len());
    let is_for_judging = |text: &&Text| Digest::of(text.name.as_bytes()).as_bytes()[0] % 2 == 1;
    let (judging, fitting): (Vec<&Text>, Vec<&Text>) = texts.iter().partition(is_for_judging);
    let judge = |texts: Vec<&Text>| -> Vec<Judged> { texts.into_iter().map(Judged::of).collect() };
    let (fitting, judging) = (judge(fitting), judge(judging));
    show("fitting", &fitting);
    show("judging", &judging);
    for one in fitting.iter().chain(&judging) {
        assert!(
            one.bound >= one.exact,
            "{}: {} tokens, bound {}",
            one.name,
            one.exact,
            one.bound
        );
    }
    // The texts are such that a bound by bytes alone fails.
    assert!(judging.iter().any(|one| one.bytes.div_ceil(3) < one.exact));
}
