//! Spans of time as people write them in a configuration: `90s`, `30m`, `12h`, `7d`, `never`.

/// The longest span, in days: ten years. Beyond it `never` is meant.
const DAYS_MAX: u64 = 3_650;

const DAY_MS: u64 = 86_400_000;

/// Reads a span in milliseconds; `never` is `None`.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn span_ms(text: &str) -> Result<Option<u64>, String> {
    if text == "never" {
        return Ok(None);
    }
    let wrong = || format!("`{text}` is no span of time");
    let unit_ms = match text.chars().last() {
        Some('s') => 1_000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => DAY_MS,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    match count.checked_mul(unit_ms) {
        Some(0) => Err(format!("`{text}` is over at once")),
        Some(span_ms) if span_ms <= DAYS_MAX * DAY_MS => Ok(Some(span_ms)),
        _ => Err(format!("`{text}` is longer than {DAYS_MAX} days")),
    }
}
