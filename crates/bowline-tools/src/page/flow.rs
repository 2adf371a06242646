//! Puts words on lines: white space collapsed, lists and quotes set in, rows of tables in one line.

/// How far lists and quotes are set in, at most; deeper ones stand where this one stands.
const LEVELS_MAX: usize = 8;

/// Most line breaks in a row.
const BREAKS_MAX: usize = 3;

/// Text that grows.
#[derive(Debug, Default)]
pub(super) struct Flow {
    out: String,
    /// Line breaks before the next word.
    breaks: usize,
    /// Whether a blank comes before the next word.
    has_gap: bool,
    /// What comes before the next word if that stands on a line with others.
    separator: Option<&'static str>,
    levels: Vec<Level>,
    /// Levels that are too deep to be seen.
    deeper: usize,
    /// Open places in which all stands on one line.
    flat: usize,
}

/// What every line of a list item or a quote begins with.
#[derive(Debug)]
struct Level {
    indent: &'static str,
    /// What its first line begins with instead.
    marker: Option<String>,
}

impl Flow {
    /// How much was written, in bytes.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// Ends the line, and leaves `breaks - 1` lines empty; within one line it is a blank.
    pub(super) fn end_line(&mut self, breaks: usize) {
        if self.flat > 0 {
            self.has_gap = true;
        } else if self.separator.is_none() {
            self.breaks = self.breaks.max(breaks);
        }
    }

    /// Text with its white space collapsed.
    pub(super) fn words(&mut self, text: &str) {
        let is_gap = |letter: char| letter.is_ascii_whitespace() || letter == '\u{a0}';
        self.has_gap |= text.starts_with(is_gap);
        for word in text.split(is_gap).filter(|word| !word.is_empty()) {
            self.begin();
            self.out.push_str(word);
            self.has_gap = true;
        }
        self.has_gap &= text.ends_with(is_gap) || text.is_empty();
    }

    /// Text as it is, line by line.
    pub(super) fn verbatim(&mut self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.breaks = (self.breaks + 1).min(BREAKS_MAX);
                self.has_gap = false;
            }
            let line = line.trim_end_matches('\r');
            if !line.is_empty() {
                self.begin();
                self.out.push_str(line);
            }
        }
    }

    /// Text that stands even where nothing follows.
    pub(super) fn sign(&mut self, text: &str) {
        self.begin();
        self.out.push_str(text);
    }

    /// Text right behind what was written last, whatever was to come before the next word.
    pub(super) fn attach(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// What comes before the next word on this line.
    pub(super) fn separate(&mut self, separator: &'static str) {
        self.separator = Some(separator);
    }

    /// Takes back a [`Flow::separate`] that nothing followed.
    pub(super) fn unseparate(&mut self) {
        self.separator = None;
    }

    /// Sets in what follows.
    pub(super) fn set_in(&mut self, indent: &'static str, marker: Option<String>) {
        if self.levels.len() == LEVELS_MAX {
            self.deeper += 1;
        } else {
            self.levels.push(Level { indent, marker });
        }
    }

    /// Ends the last [`Flow::set_in`].
    pub(super) fn set_out(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.levels.pop();
        }
    }

    /// Begins a place in which all stands on one line.
    pub(super) fn flatten(&mut self) {
        self.flat += 1;
    }

    /// Ends the last [`Flow::flatten`].
    pub(super) fn unflatten(&mut self) {
        self.flat = self.flat.saturating_sub(1);
    }

    /// Whether all stands on one line here.
    pub(super) const fn is_flat(&self) -> bool {
        self.flat > 0
    }

    /// Writes what was to come before the next word.
    fn begin(&mut self) {
        let is_first = self.out.is_empty();
        let gap = std::mem::take(&mut self.has_gap);
        let separator = self.separator.take();
        if self.breaks > 0 || is_first {
            let breaks = std::mem::take(&mut self.breaks);
            self.out
                .extend(std::iter::repeat_n('\n', if is_first { 0 } else { breaks }));
            for level in &mut self.levels {
                match level.marker.take() {
                    Some(marker) => self.out.push_str(&marker),
                    None => self.out.push_str(level.indent),
                }
            }
        } else if let Some(separator) = separator {
            self.out.push_str(separator);
        } else if gap {
            self.out.push(' ');
        }
    }
}
