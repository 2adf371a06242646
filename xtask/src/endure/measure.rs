//! What a process has used, and whether it uses more as its session grows.
//!
//! CPU of a span of steps is taken as `a x steps + b x bytes of requests`. `b` is what the whole
//! session says, by least squares over spans of 20 steps, with a third term for growth over the
//! steps, so that growth is not taken for the price of bytes. What is compared is the CPU of the
//! first and of the last 100 steps, less `b` times their bytes, for each step.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

/// What was used when a request arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// On the processors, in milliseconds, user and system.
    pub(super) cpu_ms: u64,
    /// In memory, in KiB.
    pub(super) resident_kib: u64,
    /// Of all requests so far.
    pub(super) bytes: u64,
}

/// Milliseconds in the kernel's unit of time for processes, 100 a second on every Linux.
const TICK_MS: u64 = 10;
/// Steps of a span that is compared.
const SPAN: usize = 100;
/// Steps of a span of the fit.
const FIT: usize = 20;
/// How much more the last span may use than the first, in hundredths.
const MORE_PERCENT: f64 = 10.0;

impl Sample {
    /// Looks at a process.
    ///
    /// # Errors
    /// When it is gone, or the kernel says something else than expected.
    pub(super) fn of(process: u32, bytes: u64) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || -> Option<u64> { fields.next()?.parse().ok() };
        let (user, system) = (ticks(), ticks());
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.split_whitespace().next());
        Ok(Self {
            cpu_ms: (user.context("no user time")? + system.context("no system time")?) * TICK_MS,
            resident_kib: resident.context("no resident size")?.parse()?,
            bytes,
        })
    }
}

/// How each tenth of a session went, as lines for people.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts far below the 52 bits that a float holds"
)]
pub(super) fn parts(samples: &[Sample]) -> Vec<String> {
    let steps = samples.len().saturating_sub(1) / 10;
    let part = |number: usize| {
        let (from, to) = (&samples[number * steps], &samples[(number + 1) * steps]);
        let count = steps.max(1) as f64;
        format!(
            "steps {} to {}: {:.2} ms of CPU and {:.0} KiB of request each, {:.1} MiB in memory",
            number * steps,
            (number + 1) * steps,
            (to.cpu_ms - from.cpu_ms) as f64 / count,
            (to.bytes - from.bytes) as f64 / count / 1024.0,
            to.resident_kib as f64 / 1024.0
        )
    };
    (0..10).map(part).collect()
}

/// How a session fared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    steps: usize,
    requests_mib: f64,
    ns_per_byte: f64,
    first_ms: f64,
    last_ms: f64,
    first_gross_ms: f64,
    last_gross_ms: f64,
    /// The most that was in memory in the second and in the last fifth of the steps.
    early_mib: f64,
    late_mib: f64,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts far below the 52 bits that a float holds"
)]
impl Verdict {
    /// Judges a session by its samples, one at each request; `None` for fewer than 300 steps.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let steps = samples.len().checked_sub(1)?;
        if steps < 3 * SPAN {
            return None;
        }
        let used = |from: usize, to: usize| {
            let (from, to) = (&samples[from], &samples[to]);
            let cpu = (to.cpu_ms - from.cpu_ms) as f64;
            (cpu, (to.bytes - from.bytes) as f64)
        };
        let rows: Vec<[f64; 4]> = (0..steps / FIT)
            .map(|span| {
                let (cpu, bytes) = used(span * FIT, (span + 1) * FIT);
                [FIT as f64, bytes, (span * FIT * FIT) as f64, cpu]
            })
            .collect();
        let per_byte = fit(&rows)?[1].max(0.0);
        let gross = |from: usize| used(from, from + SPAN);
        let net = |(cpu, bytes): (f64, f64)| (cpu - per_byte * bytes) / SPAN as f64;
        let (first, last) = (gross(0), gross(steps - SPAN));
        let most = |from: usize, to: usize| {
            let kib = samples[from..to].iter().map(|sample| sample.resident_kib);
            kib.max().unwrap_or_default() as f64 / 1024.0
        };
        Some(Self {
            steps,
            requests_mib: samples[steps].bytes as f64 / f64::from(1 << 20),
            ns_per_byte: per_byte * 1e6,
            first_ms: net(first),
            last_ms: net(last),
            first_gross_ms: first.0 / SPAN as f64,
            last_gross_ms: last.0 / SPAN as f64,
            early_mib: most(steps / 5, 2 * steps / 5),
            late_mib: most(4 * steps / 5, steps),
        })
    }

    /// Whether time and memory are flat.
    pub(super) fn is_good(&self) -> bool {
        let limit = 1.0 + MORE_PERCENT / 100.0;
        self.last_ms <= self.first_ms * limit && self.late_mib <= self.early_mib * limit
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps, {:.0} MiB of requests at {:.2} ns a byte; CPU for each step net of them: first {SPAN} \
             {:.2} ms, last {SPAN} {:.2} ms, ratio {:.3} (with them {:.2} and {:.2} ms); memory: at most {:.1} MiB \
             in the second fifth, {:.1} MiB in the last, ratio {:.3}",
            self.steps,
            self.requests_mib,
            self.ns_per_byte,
            self.first_ms,
            self.last_ms,
            self.last_ms / self.first_ms,
            self.first_gross_ms,
            self.last_gross_ms,
            self.early_mib,
            self.late_mib,
            self.late_mib / self.early_mib
        )
    }
}

/// The three factors that fit the last column best; `None` if the rows do not tell them apart.
fn fit(rows: &[[f64; 4]]) -> Option<[f64; 3]> {
    // Columns are brought to the same size, for the precision of what follows.
    let scale = |column: usize| {
        let most = rows.iter().map(|row| row[column].abs());
        most.fold(1.0, f64::max)
    };
    let scales = [scale(0), scale(1), scale(2)];
    let mut sums = [[0.0; 4]; 3];
    for row in rows {
        let parts = [row[0] / scales[0], row[1] / scales[1], row[2] / scales[2]];
        for (line, part) in sums.iter_mut().zip(parts) {
            for (sum, other) in line.iter_mut().zip(parts.iter().chain([&row[3]])) {
                *sum += part * other;
            }
        }
    }
    for pivot in 0..3 {
        let by = sums[pivot][pivot];
        if by.abs() < 1e-9 {
            return None;
        }
        sums[pivot] = sums[pivot].map(|value| value / by);
        let line = sums[pivot];
        for other in (0..3).filter(|other| *other != pivot) {
            let times = sums[other][pivot];
            for (value, part) in sums[other].iter_mut().zip(line) {
                *value -= times * part;
            }
        }
    }
    Some([
        sums[0][3] / scales[0],
        sums[1][3] / scales[1],
        sums[2][3] / scales[2],
    ])
}

#[cfg(test)]
mod tests;
