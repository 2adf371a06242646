//! Time and fresh ids, as values: the drive loop draws both here and records what it drew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bowline_core::Digest;
use uuid::Uuid;

/// The time in the first id of a seeded clock, in milliseconds since 1970: the start of 2026.
const SEEDED_FROM_MS: u64 = 1_767_225_600_000;

/// Where a session takes the time and its ids from.
#[derive(Clone)]
pub struct Clock {
    now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
    new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    boot: Option<Arc<str>>,
}

impl Clock {
    /// The machine's clock and random version 7 UUIDs.
    #[must_use]
    pub fn system() -> Self {
        Self {
            now_ms: Arc::new(system_now_ms),
            elapsed: Arc::new(since_boot),
            new_id: Arc::new(Uuid::now_v7),
            boot: boot_id(),
        }
    }

    /// The machine's clock, and version 7 UUIDs that follow from `seed`: the same ones in the same
    /// order in every process that is given it. For crash tests, which compare runs.
    #[must_use]
    pub fn seeded(seed: &str) -> Self {
        let seed = Digest::of(seed.as_bytes());
        let count = AtomicU64::new(0);
        Self {
            now_ms: Arc::new(system_now_ms),
            elapsed: Arc::new(since_boot),
            new_id: Arc::new(move || {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let drawn = Digest::of_parts(&[seed.as_bytes(), &number.to_be_bytes()]);
                let mut bits = [0; 10];
                bits.copy_from_slice(&drawn.as_bytes()[..10]);
                uuid::Builder::from_unix_timestamp_millis(SEEDED_FROM_MS + number, &bits)
                    .into_uuid()
            }),
            boot: boot_id(),
        }
    }

    /// A clock made of two functions, for tests that must be reproducible.
    #[must_use]
    pub fn custom(
        now_ms: impl Fn() -> u64 + Send + Sync + 'static,
        new_id: impl Fn() -> Uuid + Send + Sync + 'static,
    ) -> Self {
        let now_ms: Arc<dyn Fn() -> u64 + Send + Sync> = Arc::new(now_ms);
        let elapsed = Arc::clone(&now_ms);
        Self {
            now_ms,
            elapsed: Arc::new(move || Duration::from_millis(elapsed())),
            new_id: Arc::new(new_id),
            boot: boot_id(),
        }
    }

    /// The same clock with another measure of spans.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.elapsed = Arc::new(elapsed);
        self
    }

    /// The same clock under another start of the machine.
    #[must_use]
    pub fn with_boot(mut self, boot: &str) -> Self {
        self.boot = Some(boot.into());
        self
    }

    /// Which start of the machine this is; `None` where the kernel does not tell. What was written
    /// and not synced under another one may be lost.
    #[must_use]
    pub fn boot(&self) -> Option<&str> {
        self.boot.as_deref()
    }

    /// A time that only ever grows, at the pace of real time: for spans, never for points in time.
    /// Setting the machine's clock does not change it; sleep of the machine counts.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }

    /// A fresh UUID.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        (self.new_id)()
    }

    /// The id source in the shape providers take.
    #[must_use]
    pub fn id_source(&self) -> Arc<dyn Fn() -> Uuid + Send + Sync> {
        Arc::clone(&self.new_id)
    }
}

/// The kernel's id of this start of the machine.
fn boot_id() -> Option<Arc<str>> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim_end().into()).filter(|id: &Arc<str>| !id.is_empty())
}

/// Time since the machine was started, its sleep included.
fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

fn system_now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Today by the clock and the machine's time zone, as year-month-day.
#[must_use]
pub fn today(clock: &Clock) -> String {
    zoned(clock.now_ms()).map_or_else(String::new, |now| now.strftime("%Y-%m-%d").to_string())
}

/// A time as hours, minutes, seconds in the machine's time zone.
#[must_use]
pub fn time_of_day(at_ms: u64) -> String {
    zoned(at_ms).map_or_else(String::new, |at| at.strftime("%H:%M:%S").to_string())
}

/// A time as date, hours and minutes in the machine's time zone.
#[must_use]
pub fn date_and_time(at_ms: u64) -> String {
    zoned(at_ms).map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// A time as date, hours, minutes and seconds in the machine's time zone.
#[must_use]
pub fn moment(at_ms: u64) -> String {
    zoned(at_ms).map_or_else(String::new, |at| {
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

/// Reads a point in the past, in milliseconds since 1970: `90s`, `30m`, `2h`, `7d` before `now_ms`,
/// a date (its midnight in the machine's time zone), or a time as RFC 3339.
///
/// # Errors
/// A sentence that names what can be given.
pub fn since(text: &str, now_ms: u64) -> Result<u64, String> {
    let wrong = || {
        format!(
            "`{text}` is no time: give 30m, 2h, 7d, a date such as 2026-11-25, or a time such as \
             2026-11-25T18:00:00Z"
        )
    };
    if let Some(unit) = text.chars().last().filter(|unit| "smhd".contains(*unit))
        && let Ok(count) = text[..text.len() - 1].parse::<u64>()
    {
        let unit_ms = match unit {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            _ => 86_400_000,
        };
        return Ok(now_ms.saturating_sub(count.saturating_mul(unit_ms)));
    }
    let at = match text.parse::<jiff::civil::Date>() {
        Ok(date) if text.len() == 10 => date
            .to_zoned(jiff::tz::TimeZone::system())
            .map_err(|_| wrong())?
            .timestamp(),
        _ => text.parse::<jiff::Timestamp>().map_err(|_| wrong())?,
    };
    Ok(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

fn zoned(at_ms: u64) -> Option<jiff::Zoned> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::system()))
}

#[cfg(test)]
mod tests;
