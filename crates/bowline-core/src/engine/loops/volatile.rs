//! What differs from run to run although nothing else does: times, durations, process numbers,
//! addresses. It must not hide a loop.

/// What stands for a volatile part.
const HOLE: &str = "\u{0}";

/// Gives the pieces of `text` in order, with a hole for each volatile part.
pub(super) fn steady<'a>(text: &'a str, mut take: impl FnMut(&'a str)) {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains("tmp") {
        return take(text);
    }
    // Where what was not given yet begins.
    let mut kept = 0;
    let mut before = "";
    let mut words = Words::of(text).peekable();
    while let Some((start, word)) = words.next() {
        let after = words.peek().map_or("", |(_, word)| *word);
        if is_volatile(before, word, after) {
            take(&text[kept..start]);
            take(HOLE);
            kept = start + word.len();
        }
        before = word;
    }
    take(&text[kept..]);
}

/// Runs of letters, digits and the signs that numbers, times and ids are made of, with the place
/// where each begins.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    const fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '+');
        let rest = &self.text[self.at..];
        let start = self.at + rest.find(is_part)?;
        let rest = &self.text[start..];
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at = start + word.len();
        Some((start, word))
    }
}

fn is_volatile(before: &str, word: &str, after: &str) -> bool {
    let word = word.trim_end_matches(['.', ':', '-']);
    if word.starts_with("tmp.") || word.starts_with(".tmp") {
        return before == "tmp" || word.len() > 8;
    }
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    is_address(word)
        || is_clock(word)
        || is_seconds_since_1970(word)
        || is_duration(word)
        || is_id(word)
        || (is_number(word) && (is_unit(after) || names_process(before) || after == "panicked"))
}

fn all(text: &str, is: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is)
}

fn is_digits(text: &str) -> bool {
    all(text, |byte| byte.is_ascii_digit())
}

/// `12`, `0.31`.
fn is_number(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(part)
}

/// `0x7ffd1c0e`.
fn is_address(word: &str) -> bool {
    word.strip_prefix("0x")
        .is_some_and(|hex| hex.len() >= 6 && all(hex, |byte| byte.is_ascii_hexdigit()))
}

/// `10:41:31`, `10:41:31.123`, `2026-11-26T10:41:31Z`, `10:41:31+02:00`.
fn is_clock(word: &str) -> bool {
    let time = word.rsplit('T').next().unwrap_or(word);
    let mut parts = time.splitn(3, ':');
    let (Some(hours), Some(minutes), Some(seconds)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let two = |part: &str| part.len() == 2 && is_digits(part);
    let (whole, zone) = seconds.split_at_checked(2).unwrap_or((seconds, ""));
    let in_zone = |byte: u8| byte.is_ascii_digit() || b".:+-Z".contains(&byte);
    two(hours) && two(minutes) && two(whole) && zone.bytes().all(in_zone)
}

/// Seconds, milliseconds or nanoseconds since 1970, of this century: `1764153691.52`.
fn is_seconds_since_1970(word: &str) -> bool {
    let (whole, part) = word.split_once('.').unwrap_or((word, "0"));
    matches!(whole.len(), 10 | 13 | 16 | 19)
        && whole.starts_with(['1', '2'])
        && is_digits(whole)
        && is_digits(part)
}

/// `12ms`, `0.31s`, `1m2.5s`, `1h03m`.
fn is_duration(word: &str) -> bool {
    let mut rest = word;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        if !is_number(&rest[..number]) {
            return false;
        }
        rest = &rest[number..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        if !is_unit(&rest[..unit]) {
            return false;
        }
        rest = &rest[unit..];
    }
    true
}

fn is_unit(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':']);
    let units = [
        "ns",
        "us",
        "µs",
        "ms",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "m",
        "min",
        "mins",
        "minute",
        "minutes",
        "h",
        "hour",
        "hours",
        "milliseconds",
        "msec",
    ];
    units.contains(&word)
}

fn names_process(word: &str) -> bool {
    let word = word.trim_end_matches([':', '.']);
    ["pid", "ppid", "process", "tid"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

/// A UUID, the handle of a background command, or `pid:123`.
fn is_id(word: &str) -> bool {
    let is_hex = |part: &str| all(part, |byte| byte.is_ascii_hexdigit());
    if let Some(handle) = word.strip_prefix("bg:") {
        return handle.len() == 8 && is_hex(handle);
    }
    if let Some((name, number)) = word.split_once(':') {
        return names_process(name) && is_digits(number);
    }
    let lengths: Vec<usize> = word
        .split('-')
        .map(|part| if is_hex(part) { part.len() } else { 0 })
        .collect();
    lengths == [8, 4, 4, 4, 12]
}

#[cfg(test)]
mod tests;
