//! What changed between two texts, for people.

use std::fmt::Write as _;
use std::time::Duration;

use bowline_core::{Digest, FileChange};
use similar::{ChangeTag, TextDiff};

use super::first_chars;
use super::shown::Shown;
use crate::masks::Masks;

#[cfg(test)]
mod tests;

/// Most lines of a diff.
const LINES_MAX: usize = 200;

/// Longest line of a diff, in characters.
const LINE_CHARS_MAX: usize = 300;

/// Largest text that is compared line by line, in bytes; above it only counts are guessed.
const BYTES_MAX: usize = 4 << 20;

/// Time a comparison may take; a coarser one is given when it is over.
const TIMEOUT: Duration = Duration::from_millis(200);

/// Unchanged lines shown around a change.
const CONTEXT_LINES: usize = 3;

/// What changed between two texts, in the lines of a unified diff without its header: at most 200
/// lines of at most 300 characters; empty where nothing did or a text has more than 4 MiB.
#[must_use]
pub fn difference(before: &str, after: &str) -> String {
    change("", Some(before.as_bytes()), after.as_bytes()).diff
}

/// Describes the change of the file at `path` from `before` to `after`.
///
/// Texts that are not UTF-8 or too large give no diff, and all their lines count as changed.
pub(super) fn change(path: &str, before: Option<&[u8]>, after: &[u8]) -> FileChange {
    let mut change = FileChange {
        path: path.to_owned(),
        before: before.map(Digest::of),
        after: Digest::of(after),
        added_lines: lines(after),
        removed_lines: lines(before.unwrap_or_default()),
        diff: String::new(),
    };
    let old = before.unwrap_or_default();
    if old.len().max(after.len()) > BYTES_MAX {
        return change;
    }
    if let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(after)) {
        describe(&mut change, old, new);
    }
    change
}

/// As [`change`], with tokens in the diff for the secrets of either text.
pub(super) fn masked(
    path: &str,
    before: Option<&[u8]>,
    after: &[u8],
    masks: &dyn Masks,
) -> FileChange {
    let mut change = self::change(path, before, after);
    let before = std::str::from_utf8(before.unwrap_or_default());
    let (Ok(before), Ok(after)) = (before, std::str::from_utf8(after)) else {
        return change;
    };
    if change.diff.is_empty() {
        return change;
    }
    let (before, after) = (Shown::of(before, masks), Shown::of(after, masks));
    if before.is_masked() || after.is_masked() {
        let (before, after) = (before.text().as_bytes(), after.text().as_bytes());
        change.diff = self::change(path, Some(before), after).diff;
    }
    change
}

fn describe(change: &mut FileChange, old: &str, new: &str) {
    let diff = TextDiff::configure().timeout(TIMEOUT).diff_lines(old, new);
    let count = |tag: ChangeTag| {
        let changes = diff
            .iter_all_changes()
            .filter(|change| change.tag() == tag)
            .count();
        u32::try_from(changes).unwrap_or(u32::MAX)
    };
    change.added_lines = count(ChangeTag::Insert);
    change.removed_lines = count(ChangeTag::Delete);
    let mut shown = 0;
    let mut left_out = 0;
    for hunk in diff
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .iter_hunks()
    {
        for line in hunk.to_string().lines() {
            if shown == LINES_MAX {
                left_out += 1;
                continue;
            }
            shown += 1;
            let (line, is_cut) = first_chars(line, LINE_CHARS_MAX);
            let mark = if is_cut { "…" } else { "" };
            // Writing to a String cannot fail.
            let _infallible = writeln!(change.diff, "{line}{mark}");
        }
    }
    if left_out > 0 {
        let _infallible = writeln!(change.diff, "[{left_out} more lines of diff]");
    }
}

fn lines(bytes: &[u8]) -> u32 {
    let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let open = usize::from(bytes.last().is_some_and(|byte| *byte != b'\n'));
    u32::try_from(newlines + open).unwrap_or(u32::MAX)
}
