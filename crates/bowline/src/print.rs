//! The only places that write to the terminal, and the filter every foreign text goes through.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something that standard output was to carry is lost, though its reader is there.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes a line to standard output.
pub fn line(text: &str) {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    noted(written);
}

/// Writes to standard output what `write` writes, as it is. A reader that goes away has enough.
pub fn through<T, E>(write: impl FnOnce(&mut dyn io::Write) -> Result<T, E>) -> Result<T, E> {
    let mut out = Reader {
        out: io::BufWriter::new(io::stdout().lock()),
        gone: false,
    };
    let written = write(&mut out);
    noted(out.flush());
    written
}

/// Writes to standard output, at once and as it is, what `next` appends to the buffer it is given,
/// for as long as `next` says that more may come and the reader is there.
pub fn pieces<E>(mut next: impl FnMut(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
    let mut out = io::stdout().lock();
    let mut piece = Vec::new();
    let mut more = true;
    while more {
        more = next(&mut piece)?;
        let written = out.write_all(&piece).and_then(|()| out.flush());
        more &= written.is_ok();
        noted(written);
        piece.clear();
    }
    Ok(())
}

/// Standard output, whose reader may go away.
struct Reader<'a> {
    out: io::BufWriter<io::StdoutLock<'a>>,
    gone: bool,
}

impl io::Write for Reader<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.or_gone(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.or_gone(flushed, ())
    }
}

impl Reader<'_> {
    fn or_gone<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(otherwise)
            }
            done => done,
        }
    }
}

/// Writes text to standard output as it is, at once.
pub fn text(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    noted(written);
}

/// A closed pipe is not an error: whoever read it has enough. A full disk is one.
fn noted(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        not_written(&error);
    }
}

/// Says that a run's output did not arrive, once. What the run did is in its journal either way.
pub fn not_written(error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        err_line("bowline: the reader of standard output went away; the run went on to its end");
    } else if !LOST.swap(true, Ordering::Relaxed) {
        err_line(&format!(
            "bowline: standard output cannot be written: {error}. What was done is kept: \
             `bowline sessions list`"
        ));
    }
}

/// The exit code to end with: success only if what was to be printed arrived.
pub fn checked(code: u8) -> u8 {
    if code == 0 && LOST.load(Ordering::Relaxed) {
        1
    } else {
        code
    }
}

/// Writes a line to standard error.
pub fn err_line(text: &str) {
    let mut err = io::stderr().lock();
    let _closed = err
        .write_all(text.as_bytes())
        .and_then(|()| err.write_all(b"\n"));
}

/// Writes text to standard error as it is.
pub fn err_text(text: &str) {
    let _closed = io::stderr().lock().write_all(text.as_bytes());
}

/// Removes what would move a terminal's cursor, change its colours or title, or reorder its text:
/// control characters but newline and tab, and the invisible direction marks.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_unsafe(*c)).collect()
}

/// The same text on one line, with those characters, line breaks too, spelled out as escapes: a name
/// that holds some is seen to.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// A text in lines of so many columns, broken between words; a longer word has a line of its own.
pub fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in clean(text).split_whitespace() {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.chars().count() > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// What the terminal behind a stream can show.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Whether colours may be used.
    pub colour: bool,
    /// Columns a line should not exceed.
    pub width: usize,
    /// Whether it is a terminal at all.
    pub is_terminal: bool,
}

impl Look {
    /// How standard error looks: `NO_COLOR`, `TERM=dumb` and pipes mean plain text.
    pub fn of_stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            colour: terminal && Self::colours_are_wanted(),
            width: width(terminal),
            is_terminal: terminal,
        }
    }

    /// How standard output looks, by the same rules.
    pub fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            colour: terminal && Self::colours_are_wanted(),
            width: width(terminal),
            is_terminal: terminal,
        }
    }

    fn colours_are_wanted() -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        !dumb && !no_colour
    }

    /// Wraps a text in a colour, where colours may be used.
    pub fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colour {
            format!("\x1b[{}m{text}\x1b[0m", colour.code())
        } else {
            text.to_owned()
        }
    }

    /// A text in lines that fit, broken between words; none is lost. For a pipe it stays one line,
    /// so that programs find what they look for.
    pub fn wrap(&self, text: &str, indent: usize) -> Vec<String> {
        let room = if self.is_terminal {
            self.width.saturating_sub(indent).max(30)
        } else {
            usize::MAX
        };
        broken(text, room)
    }

    /// One line that fits: newlines shown as a blank, cut at the width with an ellipsis.
    pub fn fit(&self, text: &str, indent: usize) -> String {
        let flat = clean(text).replace(['\n', '\t'], " ");
        let room = self.width.saturating_sub(indent).max(20);
        if flat.chars().count() <= room {
            return flat;
        }
        let mut cut: String = flat.chars().take(room - 1).collect();
        cut.push('…');
        cut
    }
}

/// A pipe has no width; 200 keeps logs readable.
const PIPE_WIDTH: usize = 200;

fn width(terminal: bool) -> usize {
    if !terminal {
        return PIPE_WIDTH;
    }
    let asked = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    asked
        .or_else(|| {
            let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
            Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
        })
        .unwrap_or(80)
}

/// The few colours in use.
#[derive(Debug, Clone, Copy)]
pub enum Colour {
    /// Less important.
    Dim,
    /// Went well, or added.
    Green,
    /// Went wrong, or removed.
    Red,
    /// Needs attention.
    Yellow,
    /// A name.
    Bold,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Bold => "1",
        }
    }
}

/// A number with thin groups of three: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration for people: `0.3 s`, `2 min 5 s`.
pub fn duration(ms: u64) -> String {
    if ms < 60_000 {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    } else {
        format!("{} min {} s", ms / 60_000, ms / 1000 % 60)
    }
}

/// A name as a shell takes it.
pub fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}
