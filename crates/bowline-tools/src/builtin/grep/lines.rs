//! Collects matching lines of one file after the other, in bounded memory.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use grep_matcher::LineTerminator;
use grep_matcher::Matcher as _;
use grep_regex::RegexMatcher;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkMatch};

use super::Output;
use crate::builtin::shown::{Shown, whole_tokens};
use crate::builtin::walk::Next;
use crate::builtin::{TEXT_BYTES_MAX, first_chars};
use crate::masks::Masks;

/// Longest line shown, in characters.
const LINE_CHARS_MAX: usize = 300;

/// Bytes shown before a match that begins far into its line.
const LEAD_BYTES: usize = 60;

/// Largest file that is masked before it is searched, in bytes.
const MASKED_BYTES_MAX: u64 = 64 << 20;

/// What an expression holds that is meant for mask tokens.
const TOKEN_SIGN: &str = "secret:";

/// Most memory for one line, in bytes.
const HEAP_BYTES_MAX: usize = 64 << 20;

/// A search under way.
pub(super) struct Search<'m> {
    matcher: &'m RegexMatcher,
    searcher: Searcher,
    output: Output,
    limit: u64,
    masks: &'m dyn Masks,
    /// Whether the expression may be meant for a mask token.
    names_token: bool,
    found: Found,
}

/// What a search came to.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether some of `text` is not masked: of files too large to be.
    pub(super) is_unmasked: bool,
    pub(super) text: String,
    pub(super) matches: u64,
    pub(super) files: u64,
    /// Whether there is more than the limit.
    pub(super) is_cut: bool,
    /// Files that could not be searched to their end, such as for a line larger than memory.
    pub(super) unsearched: u64,
}

impl<'m> Search<'m> {
    pub(super) fn new(
        (matcher, pattern): (&'m RegexMatcher, &str),
        output: Output,
        context: u64,
        limit: u64,
        masks: &'m dyn Masks,
    ) -> Self {
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
            masks,
            names_token: pattern.contains(TOKEN_SIGN),
            found: Found::default(),
        }
    }

    /// Searches `file`, shown as `name`. What is held against the expression is the text as it is
    /// shown: else whoever asks often enough learns a secret letter by letter.
    pub(super) fn file(&mut self, name: String, file: &File) -> Next {
        let mut any = Any::default();
        let searched = self.searcher.search_file(self.matcher, file, &mut any);
        if any.is_binary || (!any.matches && !self.names_token && searched.is_ok()) {
            return Next::On;
        }
        let whole = whole(file);
        let text = whole.as_deref().map(String::from_utf8_lossy);
        let shown = text.as_deref().map(|text| Shown::of(text, self.masks));
        let shown = shown.filter(Shown::is_masked);
        let unfolded = shown.as_ref().map(Unfolded::of);
        let name = Shown::of(&name, self.masks).text().to_owned();
        let mut lines = Lines {
            matcher: self.matcher,
            name,
            output: self.output,
            limit: self.limit,
            masks: self.masks,
            folded: unfolded.as_ref().map_or(&[][..], |text| &text.folded),
            found: &mut self.found,
            matches: 0,
            is_binary: false,
            before: 0,
        };
        lines.before = lines.found.text.len();
        let searched = match (&unfolded, &whole) {
            (Some(Unfolded { text, .. }), _) => {
                self.searcher
                    .search_slice(self.matcher, text.as_bytes(), &mut lines)
            }
            (None, Some(bytes)) => self.searcher.search_slice(self.matcher, bytes, &mut lines),
            (None, None) => {
                lines.found.is_unmasked = true;
                let mut again = file;
                let rewound = again.seek(SeekFrom::Start(0));
                rewound.and_then(|_| self.searcher.search_file(self.matcher, file, &mut lines))
            }
        };
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

/// Reads a file that was searched, from its beginning; `None` if it is too large or cannot be read.
fn whole(mut file: &File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(MASKED_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    (bytes.len() as u64 <= MASKED_BYTES_MAX).then_some(bytes)
}

/// Whether a file has a match at all.
#[derive(Debug, Default)]
struct Any {
    matches: bool,
    is_binary: bool,
}

impl Sink for &mut Any {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, _: &SinkMatch<'_>) -> io::Result<bool> {
        self.matches = true;
        Ok(false)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.is_binary = true;
        Ok(false)
    }
}

/// A shown text with as many lines as its file: empty ones for those that a token stands for.
struct Unfolded {
    text: String,
    /// The lines that are in the file only, by number: after the first, up to the second.
    folded: Vec<(u64, u64)>,
}

impl Unfolded {
    fn of(shown: &Shown<'_>) -> Self {
        let mut missing = shown.folded().into_iter().peekable();
        let (mut text, mut folded) = (String::with_capacity(shown.text().len()), Vec::new());
        let (mut at, mut number) = (0, 0);
        for line in shown.text().split_inclusive('\n') {
            at += line.len();
            number += 1;
            text.push_str(line);
            let mut lines = 0;
            while let Some((_, more)) = missing.next_if(|(start, _)| *start < at) {
                lines += more;
            }
            if lines > 0 {
                text.extend((0..lines).map(|_| '\n'));
                folded.push((number, number + lines));
                number += lines;
            }
        }
        Self { text, folded }
    }
}

/// The matches of one file.
struct Lines<'f> {
    matcher: &'f RegexMatcher,
    name: String,
    output: Output,
    limit: u64,
    masks: &'f dyn Masks,
    /// Lines that a token before them stands for: nothing of them is shown.
    folded: &'f [(u64, u64)],
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

    /// Whether a line is one that a token before it stands for.
    fn is_folded(&self, number: Option<u64>) -> bool {
        let holds = |(first, last): &(u64, u64)| {
            number.is_some_and(|number| *first < number && number <= *last)
        };
        self.folded.iter().any(holds)
    }

    fn push_line(&mut self, number: Option<u64>, mark: char, bytes: &[u8], from: usize) -> bool {
        let line = bytes.trim_ascii_end();
        let start = if from > LINE_CHARS_MAX - LEAD_BYTES {
            let whole = String::from_utf8_lossy(line);
            match whole {
                Cow::Borrowed(text) => whole_tokens(text, from - LEAD_BYTES, self.masks),
                Cow::Owned(_) => from - LEAD_BYTES,
            }
        } else {
            0
        };
        let text = String::from_utf8_lossy(line.get(start..).unwrap_or_default());
        let (shown, is_cut) = first_chars(&text, LINE_CHARS_MAX);
        let shown = &text[..whole_tokens(&text, shown.len(), self.masks)];
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
        if self.is_folded(found.line_number()) {
            return Ok(true);
        }
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
        let number = context.line_number();
        Ok(self.is_folded(number) || self.push_line(number, '-', context.bytes(), 0))
    }

    fn context_break(&mut self, _: &Searcher) -> io::Result<bool> {
        Ok(self.push("--\n"))
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.is_binary = true;
        Ok(false)
    }
}
