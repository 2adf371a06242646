//! Cuts a page of numbered lines out of a stream, in bounded memory.

use std::io::{self, BufRead, Read as _};

use super::super::shown::whole_tokens;
use super::super::{TEXT_BYTES_MAX, count, first_chars, grouped};
use crate::masks::Masks;
use crate::tool::Cancel;

/// Longest line shown, in characters.
const LINE_CHARS_MAX: usize = 2_000;

/// Bytes kept of a line: as many as its characters can take.
const LINE_BYTES_MAX: u64 = 4 * LINE_CHARS_MAX as u64;

/// Most bytes looked through for one page: a second or two of reading.
const SCAN_BYTES_MAX: u64 = 4 << 30;

/// Which lines are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The first, from 1.
    pub(super) first: u64,
    /// How many at most.
    pub(super) lines: u64,
}

/// What a text is that is not shown as it lies in its file.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    /// Line ends of the file that are not in the text, by the place in bytes of the line that they
    /// are missing from, in order: that line stands for so many lines more.
    pub(super) folded: &'s [(usize, u64)],
    /// What must not be cut in two.
    pub(super) masks: &'s dyn Masks,
    /// Whether bytes of the file that are no text were replaced already.
    pub(super) is_lossy: bool,
}

/// Lines of a file, ready to be shown.
#[derive(Debug, Default)]
pub(super) struct Page {
    body: String,
    first: u64,
    last: u64,
    /// Lines of the whole file, if its end was seen.
    total: Option<u64>,
    has_crlf: bool,
    is_lossy: bool,
    lacks_newline: bool,
    stopped: Option<&'static str>,
}

impl Page {
    /// Reads `source` as far as needed and keeps the wanted lines.
    pub(super) fn cut(
        text: impl BufRead,
        wanted: Wanted,
        Source {
            folded,
            masks,
            is_lossy,
        }: Source<'_>,
        cancel: &Cancel,
    ) -> io::Result<Self> {
        let mut source = text.take(SCAN_BYTES_MAX);
        let mut page = Self {
            first: wanted.first,
            is_lossy,
            ..Self::default()
        };
        let mut number = 0_u64;
        let mut line = Vec::new();
        let mut folded = folded.iter().copied().peekable();
        loop {
            if cancel.is_asked() {
                page.stopped = Some("stopped on request");
                return Ok(page);
            }
            if source.fill_buf()?.is_empty() {
                if source.limit() == 0 {
                    page.stopped = Some("4 GiB were looked through; the rest was not");
                } else {
                    page.total = Some(number);
                }
                return Ok(page);
            }
            number += 1;
            // One line more than wanted need not be read: that there is one is enough to know.
            let is_over = number.saturating_sub(wanted.first) >= wanted.lines;
            if is_over || page.body.len() >= TEXT_BYTES_MAX {
                let folded = folded.map(|(_, lines)| lines).sum();
                page.total = remaining_lines(&mut source, number - 1, folded)?;
                return Ok(page);
            }
            line.clear();
            let kept = (&mut source)
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut line)? as u64;
            let is_cut = kept == LINE_BYTES_MAX && line.last() != Some(&b'\n');
            let skipped = if is_cut { skip_rest(&mut source)? } else { 0 };
            let ends = SCAN_BYTES_MAX - source.limit();
            let mut last = number;
            while let Some((_, lines)) = folded.next_if(|(at, _)| (*at as u64) < ends) {
                last += lines;
            }
            if last < wanted.first {
                number = last;
                continue;
            }
            if !page.push(number, &line, skipped, masks) {
                let left = last - number + folded.map(|(_, lines)| lines).sum::<u64>();
                page.total = remaining_lines(&mut source, number, left)?;
                return Ok(page);
            }
            page.first = page.first.min(number);
            page.last = last;
            number = last;
            page.lacks_newline = !is_cut && line.last() != Some(&b'\n');
        }
    }

    /// Appends a line; `false` if there is no room for it.
    fn push(&mut self, number: u64, line: &[u8], skipped: u64, masks: &dyn Masks) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (line, is_crlf) = match line.strip_suffix(b"\r") {
            Some(line) if skipped == 0 => (line, true),
            _ => (line, false),
        };
        let line = if number == 1 {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        } else {
            line
        };
        let text = String::from_utf8_lossy(line);
        let is_lossy = matches!(text, std::borrow::Cow::Owned(_));
        let (shown, is_cut) = first_chars(&text, LINE_CHARS_MAX);
        let shown = &text[..whole_tokens(&text, shown.len(), masks)];
        let rest = skipped + (text.len() - shown.len()) as u64;
        let mark = if is_cut || skipped > 0 {
            format!(" [{} bytes more in this line]", grouped(rest))
        } else {
            String::new()
        };
        let row = format!("{number:>6}\t{shown}{mark}\n");
        if self.body.len() + row.len() > TEXT_BYTES_MAX && !self.body.is_empty() {
            return false;
        }
        self.body.push_str(&row);
        self.has_crlf |= is_crlf;
        // A character cut in two by the limit is no fault of the file.
        self.is_lossy |= is_lossy && skipped == 0;
        true
    }

    /// What to say when the file ends before the first wanted line.
    pub(super) fn beyond_end(&self, name: &str, wanted: Wanted) -> Option<String> {
        let total = self.total?;
        (total > 0 && wanted.first > total).then(|| {
            format!(
                "\"offset\" {} is beyond the end: `{name}` has {}",
                wanted.first,
                count(total, "line")
            )
        })
    }

    /// The lines with notes on what is left out.
    pub(super) fn text(&self) -> String {
        let mut text = self.body.clone();
        for note in self.notes() {
            text.push_str(&format!("[{note}]\n"));
        }
        text
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.total == Some(0) {
            notes.push("the file is empty".to_owned());
        }
        let is_end = self.total == Some(self.last);
        if !is_end && self.last > 0 {
            let next = self.last + 1;
            notes.push(format!("{}; go on with offset {next}", self.range()));
        }
        if let Some(stopped) = self.stopped {
            notes.push(stopped.to_owned());
        }
        if self.has_crlf {
            notes.push("lines end in CRLF".to_owned());
        }
        if self.is_lossy {
            notes.push("not valid UTF-8: bytes that are no text show as \u{fffd}".to_owned());
        }
        if is_end && self.lacks_newline {
            notes.push("no newline at the end".to_owned());
        }
        notes
    }

    /// Which lines these are, of how many.
    pub(super) fn range(&self) -> String {
        let (first, last) = (self.first, self.last);
        match self.total {
            _ if last == 0 => "no lines".to_owned(),
            Some(total) if first == 1 && last == total => count(total, "line"),
            Some(total) => format!("lines {first}-{last} of {}", grouped(total)),
            None => format!("lines {first}-{last}, more follow"),
        }
    }
}

/// Counts what is left if it lies in memory already, so that the end is known at no cost; `folded`
/// lines of it are not in the text.
fn remaining_lines(source: &mut impl BufRead, before: u64, folded: u64) -> io::Result<Option<u64>> {
    let rest = source.fill_buf()?;
    let newlines = rest.iter().filter(|byte| **byte == b'\n').count() as u64;
    let open = u64::from(rest.last().is_some_and(|byte| *byte != b'\n'));
    let length = rest.len();
    source.consume(length);
    Ok(source
        .fill_buf()?
        .is_empty()
        .then_some(before + newlines + open + folded))
}

/// Skips to the next line and counts the bytes before its end.
fn skip_rest(source: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let chunk = source.fill_buf()?;
        let (length, end) = (chunk.len(), chunk.iter().position(|byte| *byte == b'\n'));
        match end {
            Some(at) => {
                source.consume(at + 1);
                return Ok(skipped + at as u64);
            }
            None if length == 0 => return Ok(skipped),
            None => source.consume(length),
        }
        skipped += length as u64;
    }
}
