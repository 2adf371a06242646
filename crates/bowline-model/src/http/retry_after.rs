//! How long a server asks to wait.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Reads `retry-after-ms`, else `Retry-After` as seconds or as an HTTP date. A date is measured
/// against the response's own `Date`, so that a wrong local clock does not matter.
pub(super) fn read(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(number) {
        return Some(ms);
    }
    let wish = text(RETRY_AFTER.as_str())?;
    if let Some(ms) = number_of_seconds(wish) {
        return Some(ms);
    }
    let until = http_date(wish)?;
    let now = text(DATE.as_str())
        .and_then(http_date)
        .or_else(local_seconds)?;
    Some(until.saturating_sub(now).saturating_mul(1000))
}

fn number(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    // Casting saturates, so even 1e300 stays a number of milliseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked, saturates"
    )]
    (number.is_finite() && number >= 0.0).then_some(number.ceil() as u64)
}

fn number_of_seconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.parse().ok()?;
    number(&(seconds * 1000.0).to_string())
}

fn local_seconds() -> Option<u64> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .map(|since| since.as_secs())
}

/// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|known| *known == month)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words
        .next()?
        .split(':')
        .map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next() != Some("GMT")
        || !(1970..=9999).contains(&year)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    Some(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days of the Gregorian calendar; years are counted from March so that leap days come last.
const fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days_before_month = (153 * month + 2) / 5;
    // 719468 days lie between 1 March of the year 0 and 1 January 1970.
    year * 365 + year / 4 - year / 100 + year / 400 + days_before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests;
