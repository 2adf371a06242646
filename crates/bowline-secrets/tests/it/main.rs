//! Scores the scanner against the public corpus by the rule of its description: a secret is found
//! if its value is gone and at least 90 % of the characters masked there lie inside a labelled
//! span or within 8 characters of one; a text without secrets must stay as it is.

mod properties;

use std::collections::BTreeMap;

use bowline_secrets::mask;
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    id: String,
    text: String,
    spans: Vec<Span>,
    why: String,
}

#[derive(Deserialize)]
struct Span {
    start: usize,
    end: usize,
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// How many characters beside a span count as its own.
const MARGIN: usize = 8;

const GENERIC: [&str; 4] = ["password", "generic-secret", "url-password", "basic-auth"];

#[derive(Default)]
struct Score {
    hits: usize,
    of: usize,
}

impl Score {
    fn percent(&self) -> f64 {
        100.0 * self.hits as f64 / self.of.max(1) as f64
    }
}

const CORPUS: &str = include_str!("../../../../fixtures/corpora/secrets.jsonl");

/// Ranges of the original that were masked, in characters.
fn masked_ranges(text: &str) -> Vec<std::ops::Range<usize>> {
    let position = |byte: usize| text[..byte].chars().count();
    let findings = mask(text).findings;
    findings
        .iter()
        .map(|found| position(found.range.start)..position(found.range.end))
        .collect()
}

fn is_found(record: &Record, span: &Span) -> bool {
    let near = |at: usize| {
        record
            .spans
            .iter()
            .any(|span| at + MARGIN >= span.start && at < span.end + MARGIN)
    };
    let ranges = masked_ranges(&record.text);
    let there = ranges
        .iter()
        .filter(|range| range.start < span.end && range.end > span.start);
    let masked: Vec<usize> = there.flat_map(Clone::clone).collect();
    let inside = masked.iter().filter(|at| near(**at)).count();
    let gone = !mask(&record.text).text.contains(&span.value);
    gone && !masked.is_empty() && inside * 10 >= masked.len() * 9
}

#[test]
fn corpus_is_scored_above_the_bar() {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    let records: Result<Vec<Record>, _> = CORPUS.lines().map(serde_json::from_str).collect();
    for record in &records.unwrap() {
        let mut count = |class, hit| {
            let score = scores.entry(class).or_default();
            score.of += 1;
            score.hits += usize::from(hit);
        };
        if record.spans.is_empty() {
            let touched = !mask(&record.text).findings.is_empty();
            count("negatives masked", touched);
            if touched {
                wrong.push(format!(
                    "{} masked: {} ({})",
                    record.id,
                    mask(&record.text).text,
                    record.why
                ));
            }
        }
        for span in &record.spans {
            let class = match span.kind.as_str() {
                kind if GENERIC.contains(&kind) => "generic",
                "encoded-secret" => "encoded",
                _ => "provider formats",
            };
            let found = is_found(record, span);
            count(class, found);
            if !found {
                wrong.push(format!(
                    "{} missed: {} ({})",
                    record.id,
                    mask(&record.text).text,
                    record.why
                ));
            }
        }
    }
    for (class, score) in &scores {
        println!(
            "{class}: {} of {} ({:.1} %)",
            score.hits,
            score.of,
            score.percent()
        );
    }
    wrong.iter().for_each(|line| println!("{line}"));
    assert!(scores["generic"].percent() >= 90.0);
    assert!(scores["provider formats"].percent() >= 98.0);
    assert!(scores["negatives masked"].percent() <= 2.0);
}

/// The rule tells a mask of the wrong place, or of too much, from the right one.
#[test]
fn score_rejects_a_mask_beside_the_label() {
    let secret = "ghp_htVZAlQVkn0NPos7tA9UDcY6YNc9duTsoxRP";
    let label = |text: &str, value: &str| {
        let start = text.find(value).unwrap();
        let span = Span {
            start,
            end: start + value.len(),
            kind: String::new(),
            value: value.into(),
        };
        Record {
            id: String::new(),
            text: text.into(),
            spans: vec![span],
            why: String::new(),
        }
    };
    let cases = [(secret, true), ("deploy", false), ("ghp_htVZAl", false)];
    for (value, expected) in cases {
        let record = label(&format!("deploy with {secret}"), value);
        assert_eq!(is_found(&record, &record.spans[0]), expected, "{value}");
    }
}
