//! Event names: each means one thing, and one that was ever written is never given up.
//!
//! Reads the sources of the core crate: the variants of the enum of facts, the arms that name a variant on
//! disk (`Self::TurnEnded(_) => "TurnEnded"`) and the arms that read a name (`"TurnEnded" => Fact::..`). A
//! variant without such an arm counts under its own name.

use crate::finding::Findings;
use crate::rust_text::{is_word, line_of, without_comments_and_literals, words};
use crate::tree::Tree;

/// The committed list of every name a journal may hold.
pub(crate) const LIST: &str = "fixtures/journals/event-names.txt";
/// The enum of facts, in this file or a file of the folder beside it.
const ENUM: &str = "Fact";
const FILE: &str = "crates/bowline-core/src/event.rs";
const FOLDER: &str = "crates/bowline-core/src/event/";

/// What the sources say about names.
#[derive(Default)]
struct Names {
    /// The variants of the enum.
    variants: Vec<String>,
    /// The names that variants are written under.
    written: Vec<String>,
    /// The names that are read.
    read: Vec<String>,
}

pub(super) fn judge(tree: &Tree) -> Findings {
    let mut findings = Findings::default();
    let Names {
        variants,
        written,
        read,
    } = names(tree);
    if variants.is_empty() {
        findings.fault(
            FILE,
            format!("there is no `enum {ENUM}` with variants here or in {FOLDER}"),
            "if it moved, say so in xtask/src/tidy/events.rs",
        );
        return findings;
    }
    for (at, name) in written.iter().enumerate() {
        if written[..at].contains(name) {
            findings.fault(
                FILE,
                format!("two events are written as `{name}`"),
                "rename the newer one",
            );
        }
        if !read.contains(name) {
            findings.fault(
                FILE,
                format!("events are written as `{name}`, and nothing reads that name"),
                format!("add the arm `\"{name}\" => {ENUM}::..`"),
            );
        }
    }
    for name in listed(tree).iter().filter(|name| !read.contains(name)) {
        findings.fault(
            LIST,
            format!("`{name}` was an event once and is not read any more"),
            "keep the arm that reads it, into its successor if need be: old journals hold the name",
        );
    }
    findings
}

/// The committed names followed by those that are new, ready to be written back.
pub(crate) fn updated_list(tree: &Tree) -> String {
    let listed = listed(tree);
    let Names { written, read, .. } = names(tree);
    let mut new: Vec<String> = written.into_iter().chain(read).collect();
    new.retain(|name| !listed.contains(name));
    new.sort();
    new.dedup();
    let mut text = String::from(
        "# Every event name that a journal may hold. Written by `cargo xtask docs`; a name is never removed.\n",
    );
    for name in listed.iter().chain(&new) {
        text.push_str(name);
        text.push('\n');
    }
    text
}

fn listed(tree: &Tree) -> Vec<String> {
    let lines = tree.text(LIST).unwrap_or_default().lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn names(tree: &Tree) -> Names {
    let sources: Vec<(&str, String)> = tree
        .rust()
        .filter(|(path, _)| *path == FILE || path.starts_with(FOLDER))
        .map(|(_, text)| (text, without_comments_and_literals(text)))
        .collect();
    let mut names = Names::default();
    for (_, code) in &sources {
        names.variants.extend(variants(code));
    }
    let mut written_variants = Vec::new();
    for (text, code) in &sources {
        for (start, end) in literals(code) {
            let literal = &text[start + 1..end];
            if reads_fact(&code[end + 1..]) {
                names.read.push(literal.to_owned());
            }
            if let Some(variant) = named_variant(&code[..start], &names.variants) {
                written_variants.push(variant.clone());
                names.written.push(literal.to_owned());
            }
        }
    }
    // Without arms of its own a variant goes by its name, both ways.
    for variant in names
        .variants
        .iter()
        .filter(|variant| !written_variants.contains(variant))
    {
        names.written.push(variant.clone());
        names.read.push(variant.clone());
    }
    names
}

/// Whether a literal is followed by `=> Fact::..`, or by `|` and such an arm's other patterns.
fn reads_fact(after: &str) -> bool {
    let line = after.lines().next().unwrap_or_default().trim_start();
    (line.starts_with("=>") || line.starts_with('|')) && line.contains(&format!("=> {ENUM}::"))
}

/// The variant that `Self::Variant(_) =>` before a literal names.
fn named_variant<'a>(before: &str, variants: &'a [String]) -> Option<&'a String> {
    let pattern = before.trim_end().strip_suffix("=>")?;
    let line = pattern.lines().last()?;
    let (_, name) = line
        .split_once("Self::")
        .or_else(|| line.split_once("Fact::"))?;
    let name = name
        .split(|letter: char| !letter.is_alphanumeric())
        .next()?;
    variants.iter().find(|variant| *variant == name)
}

/// Offsets of the opening and closing quotes of every string on one line of blanked source.
fn literals(code: &str) -> Vec<(usize, usize)> {
    let quotes: Vec<usize> = code.match_indices('"').map(|(at, _)| at).collect();
    let pairs = quotes.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    pairs
        .filter(|&(start, end)| line_of(code, start) == line_of(code, end))
        .collect()
}

/// Names of the variants of the enum in blanked source; empty if it is not there.
fn variants(code: &str) -> Vec<String> {
    let Some(body) = body_start(code) else {
        return Vec::new();
    };
    let bytes = code.as_bytes();
    let mut names = Vec::new();
    let mut at = body;
    while at < bytes.len() && bytes[at] != b'}' {
        match bytes[at] {
            b'#' => at = group_end(bytes, at + 1),
            byte if is_word(byte) => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|&&byte| is_word(byte))
                    .count();
                names.push(code[at..at + length].to_owned());
                at = variant_end(bytes, at + length);
            }
            _ => at += 1,
        }
    }
    names
}

/// The offset just inside the brace of `enum Fact {`.
fn body_start(code: &str) -> Option<usize> {
    let mut previous = "";
    for (at, word) in words(code) {
        if previous == "enum" && word == ENUM {
            return code[at..].find('{').map(|brace| at + brace + 1);
        }
        previous = word;
    }
    None
}

/// The offset after the bracket group that opens at or after `start`.
fn group_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in bytes[start..].iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + offset + 1;
                }
            }
            _ => {}
        }
    }
    bytes.len()
}

/// The offset of the comma after a variant, or of the brace that closes the enum.
fn variant_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() && !matches!(bytes[at], b',' | b'}') {
        at = if matches!(bytes[at], b'(' | b'{') {
            group_end(bytes, at)
        } else {
            at + 1
        };
    }
    at
}
