//! The replacements themselves: text in, text out.
//!
//! In a file with CRLF line ends `old` and `new` may be written with LF: they match and are put in
//! with the line ends of the place they go to. A byte order mark stays where it is.

use std::ops::Range;

use super::Replacement;
use crate::builtin::shown::Shown;
use crate::builtin::{count, first_chars};
use crate::masks::Masks;

#[cfg(test)]
mod tests;

/// Lines named when a text occurs several times.
const LINES_NAMED_MAX: usize = 8;

/// Lines looked at for one that resembles what was not found.
const LINES_COMPARED_MAX: usize = 20_000;

/// Likeness from which on a line is worth showing (0 to 1).
const LIKELY: f64 = 0.6;

/// One match.
struct Match {
    edit: usize,
    /// In the file.
    range: Range<usize>,
    /// In the shown text; empty if it was not found there.
    near: Range<usize>,
}

/// Refuses edits that cannot be meant, whatever the file holds.
pub(super) fn check(edits: &[Replacement]) -> Result<(), String> {
    for (index, edit) in edits.iter().enumerate() {
        if edit.old.is_empty() {
            return Err(format!(
                "edits[{index}].old is empty: give the text to replace; `write` makes a whole file"
            ));
        }
        if edit.old == edit.new {
            return Err(format!(
                "edits[{index}].old and .new are the same: there is nothing to change"
            ));
        }
    }
    Ok(())
}

/// Makes all replacements in a file, each held against the text as it is shown.
///
/// # Errors
/// The first edit that does not fit, and how to mend it; `name` is the file.
pub(super) fn apply(
    shown: &Shown<'_>,
    edits: &[Replacement],
    name: &str,
    masks: &dyn Masks,
) -> Result<String, String> {
    check(edits)?;
    let flat = Flat::of(shown.text());
    let mut matches = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let old = shown.respelled(&edit.old, masks);
        let old = flat.flatten(&old);
        let mut found = found(shown, &flat, &old, edit.all == Some(true));
        if found.is_empty() && shown.is_masked() {
            found = whole_secrets(shown, &edit.old);
        }
        match found.len() {
            0 => return Err(not_found(index, shown, &flat, &old)),
            1 => {}
            _ if edit.all == Some(true) => {}
            _ => return Err(ambiguous(index, shown.source(), &found)),
        }
        matches.extend(found.into_iter().map(|(range, near)| Match {
            edit: index,
            range,
            near,
        }));
    }
    matches.sort_by_key(|found| found.range.start);
    refuse_overlaps(&matches, shown.source())?;
    let source = shown.source();
    let mut new = String::with_capacity(source.len());
    let mut done = 0;
    for Match { edit, range, near } in matches {
        new.push_str(&source[done..range.start]);
        let replaced = shown.text().get(near.clone()).unwrap_or_default();
        let text = shown.respelled(&edits[edit].new, masks);
        let ended = flat.ended_like(replaced, &text);
        let restored = shown.restored(&ended, near, masks);
        new.push_str(&restored.map_err(|lost| format!("edits[{edit}].new: {}", lost.told(name)))?);
        done = range.end;
    }
    new.push_str(&source[done..]);
    Ok(new)
}

/// Where `old` is in the shown text: ranges of the source, and of the shown text. What begins or
/// ends within a token is none: the file holds something else there.
fn found(
    shown: &Shown<'_>,
    flat: &Flat,
    old: &str,
    all: bool,
) -> Vec<(Range<usize>, Range<usize>)> {
    let place = |at: usize| {
        let near = flat.original(at)..flat.original(at + old.len());
        let range = shown.origin(near.start)?..shown.origin(near.end)?;
        Some((range, near))
    };
    let mut starts: Vec<usize> = flat.text.match_indices(old).map(|(at, _)| at).collect();
    // A match that overlaps the only one makes it ambiguous, too.
    if let (&[only], Some(last)) = (starts.as_slice(), flat.text.rfind(old))
        && last != only
        && !all
    {
        starts.push(last);
    }
    starts.into_iter().filter_map(place).collect()
}

/// Where `old` is in the file itself, secrets and all, for who knows them: none of them in part.
fn whole_secrets(shown: &Shown<'_>, old: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let flat = Flat::of(shown.source());
    let old = flat.flatten(old);
    let places = flat.text.match_indices(old.as_ref()).map(|(at, _)| {
        let range = flat.original(at)..flat.original(at + old.len());
        // Nothing of the shown text is replaced: what tokens mean is asked of the whole.
        (range, 0..0)
    });
    places.filter(|(range, _)| !shown.cuts(range)).collect()
}

fn refuse_overlaps(matches: &[Match], source: &str) -> Result<(), String> {
    for pair in matches.windows(2) {
        if pair[1].range.start < pair[0].range.end {
            let line = line_of(source, pair[1].range.start);
            let (one, other) = (
                pair[0].edit.min(pair[1].edit),
                pair[0].edit.max(pair[1].edit),
            );
            return Err(format!(
                "edits[{one}] and edits[{other}] overlap at line {line}: make them one"
            ));
        }
    }
    Ok(())
}

/// A text with LF line ends, and the way back.
struct Flat {
    text: String,
    /// Where in `text` an LF stands that was CRLF, ascending.
    was_crlf: Vec<usize>,
    /// Whether most line ends were CRLF.
    is_crlf: bool,
}

impl Flat {
    fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut was_crlf = Vec::new();
        let mut pieces = original.split("\r\n");
        text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            was_crlf.push(text.len());
            text.push('\n');
            text.push_str(piece);
        }
        let newlines = text.bytes().filter(|byte| *byte == b'\n').count();
        let is_crlf = was_crlf.len() * 2 > newlines;
        Self {
            text,
            was_crlf,
            is_crlf,
        }
    }

    /// `old` as it has to be looked for in this text.
    fn flatten<'t>(&self, old: &'t str) -> std::borrow::Cow<'t, str> {
        if self.was_crlf.is_empty() {
            old.into()
        } else {
            old.replace("\r\n", "\n").into()
        }
    }

    /// The place in the original of `at` here.
    fn original(&self, at: usize) -> usize {
        at + self.was_crlf.partition_point(|newline| *newline < at)
    }

    /// `new` with the line ends of what it replaces, or of the file where that has none.
    fn ended_like(&self, replaced: &str, new: &str) -> String {
        if self.was_crlf.is_empty() {
            return new.to_owned();
        }
        let flat = new.replace("\r\n", "\n");
        let is_crlf = if replaced.contains('\n') {
            replaced.contains("\r\n")
        } else {
            self.is_crlf
        };
        if is_crlf {
            flat.replace('\n', "\r\n")
        } else {
            flat
        }
    }
}

fn ambiguous(index: usize, source: &str, found: &[(Range<usize>, Range<usize>)]) -> String {
    let lines: Vec<String> = found
        .iter()
        .take(LINES_NAMED_MAX)
        .map(|(range, _)| line_of(source, range.start).to_string())
        .collect();
    let more = if found.len() > lines.len() {
        ", …"
    } else {
        ""
    };
    format!(
        "edits[{index}].old has {} (lines {}{more}): add lines around it to make it unique, or set \"all\": true",
        count(found.len() as u64, "match"),
        lines.join(", ")
    )
}

fn not_found(index: usize, shown: &Shown<'_>, flat: &Flat, old: &str) -> String {
    let head = format!("edits[{index}].old was not found");
    if is_numbered(old) {
        return format!("{head}: leave out the line numbers that `read` puts before each line");
    }
    match nearest_line(&flat.text, old) {
        Some((at, line)) => {
            let origin = shown.origin(flat.original(at)).unwrap_or_default();
            let number = line_of(shown.source(), origin);
            let (line, is_cut) = first_chars(line, 200);
            let mark = if is_cut { "…" } else { "" };
            format!(
                "{head}; the nearest line is {number}: `{line}{mark}`. Copy the text exactly, blanks included"
            )
        }
        None => format!("{head}, nor anything like it: read the file again"),
    }
}

/// Whether the text looks copied with the line numbers of `read`.
fn is_numbered(old: &str) -> bool {
    old.lines().all(|line| {
        let number = line.split('\t').next().unwrap_or_default();
        line.contains('\t')
            && !number.trim().is_empty()
            && number.trim().bytes().all(|b| b.is_ascii_digit())
    })
}

/// The line most like the first telling line of `old`, with its place.
fn nearest_line<'t>(text: &'t str, old: &str) -> Option<(usize, &'t str)> {
    let wanted = old
        .lines()
        .map(str::trim)
        .find(|line| line.chars().any(char::is_alphanumeric))?;
    let (wanted, _) = first_chars(wanted, 400);
    let mut best: Option<(f64, usize, &str)> = None;
    let mut at = 0;
    for line in text.split('\n').take(LINES_COMPARED_MAX) {
        let start = at;
        at += line.len() + 1;
        let trimmed = line.trim();
        // Much shorter or longer lines cannot be alike; leaving them out keeps this quick.
        if trimmed.len() > wanted.len() * 2 + 8 || trimmed.len() * 2 + 8 < wanted.len() {
            continue;
        }
        let likeness = if trimmed == wanted {
            1.0
        } else {
            strsim::sorensen_dice(trimmed, wanted)
        };
        if best.is_none_or(|(most, ..)| likeness > most) {
            best = Some((likeness, start, line));
        }
    }
    best.filter(|(likeness, ..)| *likeness >= LIKELY)
        .map(|(_, start, line)| (start, line))
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}
