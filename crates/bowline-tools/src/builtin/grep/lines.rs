//! Collects matching lines of one file after the other, in bounded memory.

use std::fmt::Write as _;
use std::fs::File;
use std::io;

use grep_matcher::LineTerminator;
use grep_matcher::Matcher as _;
use grep_regex::RegexMatcher;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkMatch};

use super::Output;
use crate::builtin::walk::Next;
use crate::builtin::{TEXT_BYTES_MAX, first_chars};

/// Longest line shown, in characters.
const LINE_CHARS_MAX: usize = 300;

/// Bytes shown before a match that begins far into its line.
const LEAD_BYTES: usize = 60;

/// Most memory for one line, in bytes.
const HEAP_BYTES_MAX: usize = 64 << 20;

/// A search under way.
pub(super) struct Search<'m> {
    matcher: &'m RegexMatcher,
    searcher: Searcher,
    output: Output,
    limit: u64,
    found: Found,
}

/// What a search came to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) matches: u64,
    pub(super) files: u64,
    /// Whether there is more than the limit.
    pub(super) is_cut: bool,
    /// Files that could not be searched to their end, such as for a line larger than memory.
    pub(super) unsearched: u64,
}

impl<'m> Search<'m> {
    pub(super) fn new(matcher: &'m RegexMatcher, output: Output, context: u64, limit: u64) -> Self {
        let context = if output == Output::Content {
            usize::try_from(context).unwrap_or(0)
        } else {
            0
        };
        let searcher = SearcherBuilder::new()
            .binary_detection(BinaryDetection::quit(0))
            // The same as the matcher's, or the searcher refuses every file.
            .line_terminator(LineTerminator::crlf())
            .heap_limit(Some(HEAP_BYTES_MAX))
            .before_context(context)
            .after_context(context)
            .build();
        Self {
            matcher,
            searcher,
            output,
            limit,
            found: Found::default(),
        }
    }

    /// Searches `file`, shown as `name`.
    pub(super) fn file(&mut self, name: String, file: &File) -> Next {
        let mut lines = Lines {
            matcher: self.matcher,
            name,
            output: self.output,
            limit: self.limit,
            found: &mut self.found,
            matches: 0,
            is_binary: false,
            before: 0,
        };
        lines.before = lines.found.text.len();
        let searched = self.searcher.search_file(self.matcher, file, &mut lines);
        lines.end();
        self.found.unsearched += u64::from(searched.is_err());
        if self.found.is_cut {
            Next::Stop
        } else {
            Next::On
        }
    }

    pub(super) fn found(self) -> Found {
        self.found
    }
}

/// The matches of one file.
struct Lines<'f> {
    matcher: &'f RegexMatcher,
    name: String,
    output: Output,
    limit: u64,
    found: &'f mut Found,
    matches: u64,
    is_binary: bool,
    /// Length of the text before this file.
    before: usize,
}

impl Lines<'_> {
    /// Appends one row unless it is over the limit of bytes.
    fn push(&mut self, row: &str) -> bool {
        if self.found.text.len() + row.len() > TEXT_BYTES_MAX {
            self.found.is_cut = true;
            return false;
        }
        self.found.text.push_str(row);
        true
    }

    /// The name of the file, before its first line.
    fn push_name(&mut self) -> bool {
        if self.found.text.len() > self.before {
            return true;
        }
        let gap = if self.before == 0 { "" } else { "\n" };
        let row = format!("{gap}{}\n", self.name);
        self.push(&row)
    }

    fn push_line(&mut self, number: Option<u64>, mark: char, bytes: &[u8], from: usize) -> bool {
        let line = bytes.trim_ascii_end();
        let start = if from > LINE_CHARS_MAX - LEAD_BYTES {
            from - LEAD_BYTES
        } else {
            0
        };
        let text = String::from_utf8_lossy(line.get(start..).unwrap_or_default());
        let (shown, is_cut) = first_chars(&text, LINE_CHARS_MAX);
        let lead = if start > 0 { "…" } else { "" };
        let tail = if is_cut { "…" } else { "" };
        let mut row = String::new();
        // Writing to a String cannot fail.
        let _infallible = writeln!(row, "{}{mark} {lead}{shown}{tail}", number.unwrap_or(0));
        self.push_name() && self.push(&row)
    }

    /// Settles what is known only at the end of the file.
    fn end(mut self) {
        if self.is_binary {
            // What came before the first NUL byte was taken for text.
            self.found.text.truncate(self.before);
            return;
        }
        if self.matches == 0 {
            return;
        }
        let row = match self.output {
            Output::Content => None,
            Output::Files => Some(format!("{}\n", self.name)),
            Output::Count => Some(format!("{}: {}\n", self.name, self.matches)),
        };
        if let Some(row) = row {
            if self.found.files == self.limit {
                self.found.is_cut = true;
                return;
            }
            if !self.push(&row) {
                return;
            }
        }
        self.found.files += 1;
        self.found.matches += self.matches;
    }
}

impl Sink for &mut Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        if self.output == Output::Content {
            if self.found.matches + self.matches == self.limit {
                self.found.is_cut = true;
                return Ok(false);
            }
            let at = self.matcher.find(found.bytes()).ok().flatten();
            let from = at.map_or(0, |at| at.start());
            if !self.push_line(found.line_number(), ':', found.bytes(), from) {
                return Ok(false);
            }
        }
        self.matches += 1;
        Ok(self.output != Output::Files)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> io::Result<bool> {
        Ok(self.push_line(context.line_number(), '-', context.bytes(), 0))
    }

    fn context_break(&mut self, _: &Searcher) -> io::Result<bool> {
        Ok(self.push("--\n"))
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.is_binary = true;
        Ok(false)
    }
}
