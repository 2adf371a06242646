//! A week of edits over files with secrets: what a model that sees only tokens does to a file is
//! what somebody who sees everything would have done, byte for byte.
//!
//! `BOWLINE_EDITS=500` makes so many edits, `BOWLINE_EDITS_SEED=7` other ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bowline_core::{Event, Fact, Mode};
use bowline_runtime::Rest;
use bowline_secrets::{Key, Masker, tokens};
use serde_json::{Value, json};

use crate::stage::{Hands, Watcher, harness, in_memory, run};

/// Edits of the suite.
const EDITS: usize = 120;

fn masker() -> Masker {
    Masker::new(vec!["two known words".to_owned()]).keyed(Key::new([5; 32]))
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it fits") % end.max(1)
    }
}

/// Invented; put together here so that no scanner takes this file for a leak.
fn files() -> BTreeMap<&'static str, String> {
    let github = format!("gh{}_htVZAlQVkn0NPos7tA9UDcY6YNc9duTsoxRP", "p");
    let aws = format!("AK{}ZGGI43JNUGZ4YJIS", "IA");
    let (open, close) = ("-----BEGIN PRIVATE ", "-----END PRIVATE ");
    let lines = |indent: &str, end: &str| {
        let line = "8Cg+sq+oRaDgD68ZrNHKKCsw1RIc+/16lYAWlfpjlKkQUDJXCKJkMUP+dbxQ2sNM";
        let key = [
            &format!("{open}KEY-----"),
            line,
            line,
            "Zm9vYmFyYmF6cXV4",
            &format!("{close}KEY-----"),
        ];
        key.map(|line| format!("{indent}{line}{end}")).concat()
    };
    let env = format!(
        "# of the service\nGITHUB_TOKEN={github}\nDB_PASSWORD=C3A8KtfzWgeATy\nPORT=80\nAGAIN={github}\nURL=postgres://app:s3kR9vQx2LmT@db/app\n"
    );
    BTreeMap::from([
        ("app.env", env.clone()),
        ("crlf.env", env.replace('\n', "\r\n")),
        ("bom.env", format!("\u{feff}{env}")),
        ("cut.env", env.trim_end().to_owned()),
        ("only", github.clone()),
        (
            "conf.yaml",
            format!(
                "db:\n  user: app\n  password: \"C3A8KtfzWgeATy\"\nkey: |\n{}after: 1\nlist:\n  - {github}\n  - x\n",
                lines("  ", "\n")
            ),
        ),
        (
            "crlf.yaml",
            format!("key: |\r\n{}after: 1\r\n", lines("    ", "\r\n")),
        ),
        (
            "conf.json",
            format!(
                "{{\n  \"apiKey\": \"C3A8KtfzWgeATybklkjRUl\",\n  \"id\": \"{aws}\",\n  \"n\": 1\n}}\n"
            ),
        ),
        (
            "conf.toml",
            format!("[a]\ntoken = \"{github}\" # {github}\nb = 2\nc = 'two known words'\n"),
        ),
        (
            "main.rs",
            format!(
                "fn main() {{\n    let token = \"{github}\";\n    call(token);\n    // two known words\n}}\n{github}\n{github}{github}\n"
            ),
        ),
        (
            "doc.md",
            format!(
                "A token reads `[secret:github-token]`, or `[secret:known:k7f2m2q4]`.\n\n    TOKEN={github}\n\nThat is all.\n"
            ),
        ),
    ])
}

/// A text as the model sees it, and what each token stands for.
struct View {
    lines: Vec<String>,
    values: BTreeMap<String, String>,
    line_end: &'static str,
}

impl View {
    fn of(text: &str) -> Self {
        let masker = masker();
        let masked = masker.mask(text);
        let value = |finding: &bowline_secrets::Finding| {
            let value = text[finding.range.clone()].to_owned();
            (masker.token(text, finding), value)
        };
        let values = masked.findings.iter().map(value).collect();
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = masked.text.split(line_end).map(str::to_owned).collect();
        Self {
            lines,
            values,
            line_end,
        }
    }

    /// What somebody writes who sees everything.
    fn true_text(&self, lines: &[String]) -> String {
        let mut text = lines.join(self.line_end);
        for (token, value) in &self.values {
            text = text.replace(token, value);
        }
        text
    }
}

/// One call, and what the file must hold after it.
struct Step {
    file: &'static str,
    tool: &'static str,
    input: Value,
    after: String,
}

/// Other lines in place of some: what an edit is made of.
fn change(dice: &mut Dice, lines: &[String], number: usize) -> Vec<String> {
    let mut new = lines.to_vec();
    let at = dice.below(new.len());
    match dice.below(7) {
        0 => new[at].push_str(&format!(" # {number}")),
        1 => new.swap(0, at),
        2 => new.insert(at, format!("line {number}")),
        3 => new.insert(at, new[at].clone()),
        4 if new.len() > 1 => drop(new.remove(at)),
        5 => new[at].insert_str(0, &format!("n{number}_")),
        _ => new.push(format!("x = {number}")),
    }
    new
}

fn edit(dice: &mut Dice, file: &'static str, text: &str, number: usize) -> Option<Step> {
    let view = View::of(text);
    let first = dice.below(view.lines.len());
    let last = (first + 1 + dice.below(4)).min(view.lines.len());
    let old = &view.lines[first..last];
    let new = change(dice, old, number);
    let whole = view.lines.join("\n");
    let wanted = old.join("\n");
    let (before, after) = (&view.lines[..first], &view.lines[last..]);
    let expected = [before, &new, after].concat();
    if dice.below(5) == 0 && view.line_end == "\n" {
        let input = json!({ "path": file, "content": expected.join("\n") });
        return Some(Step {
            file,
            tool: "write",
            input,
            after: view.true_text(&expected),
        });
    }
    // It must be the only one, and no line in front of it may end the way it begins.
    let unique =
        whole.match_indices(&wanted).count() == 1 && whole.find(&wanted) == whole.rfind(&wanted);
    if wanted.trim_start_matches('\u{feff}').is_empty() || !unique || new == old {
        return None;
    }
    let edits = json!([{ "old": wanted, "new": new.join("\n") }]);
    let input = json!({ "path": file, "edits": edits });
    Some(Step {
        file,
        tool: "edit",
        input,
        after: view.true_text(&expected),
    })
}

/// Takes away most of what was put into a file.
fn shrink(dice: &mut Dice, file: &'static str, text: &str) -> Option<Step> {
    let view = View::of(text);
    let kept: Vec<String> = view
        .lines
        .iter()
        .filter(|_| dice.below(3) == 0)
        .cloned()
        .collect();
    if view.line_end != "\n" || kept.is_empty() {
        let old = view.lines.join("\n");
        let input = json!({ "path": file, "edits": [{ "old": old, "new": kept.join("\n") }] });
        return Some(Step {
            file,
            tool: "edit",
            input,
            after: view.true_text(&kept),
        });
    }
    let input = json!({ "path": file, "content": kept.join("\n") });
    Some(Step {
        file,
        tool: "write",
        input,
        after: view.true_text(&kept),
    })
}

/// A call that must change nothing: a token of nowhere, or of another file.
fn foreign(
    dice: &mut Dice,
    file: &'static str,
    texts: &BTreeMap<&'static str, String>,
) -> Option<Step> {
    let text = &texts[file];
    let view = View::of(text);
    let others = texts
        .values()
        .flat_map(|text| View::of(text).values.into_keys());
    let others: Vec<String> = others
        .filter(|token| !view.values.contains_key(token))
        .collect();
    let token = match dice.below(2) {
        0 => "[secret:github-token:aaaaaaaa]".to_owned(),
        _ => others.get(dice.below(others.len()))?.clone(),
    };
    let spelled_otherwise = |known: &String| tokens(known)[0].id == tokens(&token)[0].id;
    if view.values.keys().any(spelled_otherwise) {
        return None;
    }
    let (tool, input) = match dice.below(2) {
        0 => (
            "write",
            json!({ "path": file, "content": format!("a = {token}\n") }),
        ),
        _ => {
            let old = view.lines.iter().find(|line| line.len() > 3)?;
            (
                "edit",
                json!({ "path": file, "edits": [{ "old": old, "new": token, "all": true }] }),
            )
        }
    };
    Some(Step {
        file,
        tool,
        input,
        after: text.clone(),
    })
}

fn steps(count: usize, seed: u64) -> Vec<Step> {
    let mut dice = Dice(seed);
    let mut texts = files();
    let names: Vec<&'static str> = texts.keys().copied().collect();
    let mut steps = Vec::new();
    while steps.len() < count {
        let file = names[dice.below(names.len())];
        let number = steps.len();
        let text = &texts[file];
        let step = match dice.below(8) {
            0 => foreign(&mut dice, file, &texts),
            // Files that grow and grow would only make this slow.
            _ if text.len() > 4_000 => shrink(&mut dice, file, text),
            _ => edit(&mut dice, file, text, number),
        };
        let Some(step) = step else { continue };
        texts.insert(file, step.after.clone());
        steps.push(step);
    }
    steps
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Plays calls one after the other, each in a step of its own; `look` sees each outcome.
fn play(folder: &Path, calls: &[(&str, Value)], look: &mut (dyn FnMut(usize, &Fact) + Send)) {
    let call =
        |(tool, input): &(&str, Value)| json!({ "calls": [{ "tool": tool, "input": input }] });
    let steps: Vec<Value> = calls
        .iter()
        .map(call)
        .chain([json!({ "text": "done" })])
        .collect();
    let hands = Hands::default();
    let clock = hands.clock();
    let scenario = json!({ "version": 1, "steps": steps });
    let mut harness = harness(&clock, folder, Mode::Edit, &scenario);
    harness.masker = Arc::new(masker());
    let limits = json!({ "limits": { "max_steps": calls.len() + 2, "max_tokens": null, "max_output_tokens": null } });
    let mut session = in_memory(clock, folder, limits);
    let mut number = 0;
    let mut on_event = |event: &Event, _: &Hands| {
        let is_over = matches!(
            event.fact,
            Fact::CallFinished(_) | Fact::CallFailed(_) | Fact::CallRejected(_)
        );
        if is_over {
            look(number, &event.fact);
            number += 1;
        }
    };
    let mut watcher = Watcher {
        hands,
        told: Vec::new(),
        on_event: &mut on_event,
    };
    let rest = run(&mut session, &harness, &mut watcher, || {}).expect("it is driven");
    assert!(matches!(rest, Rest::Ended(..)), "{rest:?}");
    let journal: Vec<String> = watcher
        .told
        .iter()
        .map(|told| serde_json::to_string(&told.event).expect("json"))
        .collect();
    for secret in secrets() {
        assert!(
            !journal.iter().any(|line| line.contains(&secret)),
            "{secret} is in the journal"
        );
    }
    assert_eq!(number, calls.len());
}

/// Parts of every secret of the files.
fn secrets() -> Vec<String> {
    let texts = files();
    let values = texts
        .values()
        .flat_map(|text| View::of(text).values.into_values());
    let lines = values.flat_map(|value| {
        value
            .lines()
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
    });
    lines.filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn no_file_gains_or_loses_a_byte_through_masking() {
    let count = usize::try_from(number_of("BOWLINE_EDITS", EDITS as u64)).expect("it fits");
    let steps = steps(count, number_of("BOWLINE_EDITS_SEED", 20_261_126));
    let folder = tempfile::tempdir().expect("a folder");
    let cwd = folder.path().canonicalize().expect("a folder");
    for (name, text) in files() {
        std::fs::write(cwd.join(name), text).expect("a file");
    }
    let calls: Vec<(&str, Value)> = steps
        .iter()
        .map(|step| (step.tool, step.input.clone()))
        .collect();
    let (mut done, mut refused) = (0, 0);
    play(&cwd, &calls, &mut |number, fact| {
        let step = &steps[number];
        let found = std::fs::read_to_string(cwd.join(step.file)).expect("a file");
        assert_eq!(
            found, step.after,
            "step {number}: {} {} {fact:?}",
            step.tool, step.input
        );
        match fact {
            Fact::CallFinished(_) => done += 1,
            _ => refused += 1,
        }
    });
    println!("{done} edits made, {refused} refused, every file as it must be after each");
    assert!(refused * 20 > count && done * 2 > count, "{done} {refused}");
}

#[test]
fn every_page_shows_tokens_that_can_be_put_back_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let cwd = folder.path().canonicalize().expect("a folder");
    let far = format!(
        "{}password=C3A8KtfzWgeATybk {}",
        "x ".repeat(985),
        "y ".repeat(2_000)
    );
    let mut files = files();
    files.insert("long.txt", far);
    let mut calls = Vec::new();
    for (name, text) in &files {
        std::fs::write(cwd.join(name), text).expect("a file");
        for offset in 1..=text.lines().count() {
            calls.push((
                "read",
                json!({ "path": name, "offset": offset, "limit": 1 + offset % 4 }),
            ));
        }
        for pattern in ["e", "[A-Z]{3}", "END|BEGIN|Zm9v", "secret:"] {
            calls.push((
                "grep",
                json!({ "path": name, "pattern": pattern, "context": 1 }),
            ));
        }
    }
    let known: Vec<String> = files
        .values()
        .flat_map(|text| View::of(text).values.into_keys())
        .collect();
    let literal = ["[secret:github-token]", "[secret:known:k7f2m2q4]"];
    let secrets = secrets();
    let mut shown = 0;
    play(&cwd, &calls, &mut |number, fact| {
        let text = match fact {
            Fact::CallFinished(finished) => finished.outcome.content.text(),
            other => &format!("{other:?}"),
        };
        let call = &calls[number];
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret}: {call:?} {text}");
        }
        for token in tokens(text) {
            let token = &text[token.range];
            assert!(
                known.iter().any(|known| known == token) || literal.contains(&token),
                "{token}: {call:?}"
            );
            shown += 1;
        }
    });
    println!("{} pages and searches showed {shown} tokens", calls.len());
    assert!(shown > 100);
}
