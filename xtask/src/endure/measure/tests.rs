//! Sessions that are flat, and two that grow.

use super::*;

/// A session of 1,000 steps: milliseconds and KiB at each step, requests that grow and shrink.
fn session(cpu_ms: fn(u64) -> u64, resident_kib: fn(u64) -> u64) -> Vec<Sample> {
    let mut sample = Sample::default();
    (0..=1_000)
        .map(|step| {
            let bytes = 1_000_000 + step % 90 * 10_000;
            sample.bytes += bytes;
            // 2 ns a byte.
            sample.cpu_ms += cpu_ms(step) + bytes / 500_000;
            sample.resident_kib = resident_kib(step);
            sample
        })
        .collect()
}

#[test]
fn what_grows_is_told_from_what_is_flat() {
    let check = |cpu_ms, resident_kib, expect: bool| {
        let verdict = Verdict::of(&session(cpu_ms, resident_kib)).expect("enough steps");
        assert_eq!(verdict.is_good(), expect, "{verdict}");
    };
    check(|_| 8, |_| 30_000, true);
    check(|_| 8, |step| 20_000 + step.min(100) * 100, true);
    // A fifth more at the end.
    check(|step| 8 + step / 500, |_| 30_000, false);
    check(|_| 8, |step| 20_000 + step * 10, false);
    assert!(Verdict::of(&session(|_| 8, |_| 1)[..200]).is_none());
}

#[test]
fn the_price_of_a_byte_is_found() {
    let verdict = Verdict::of(&session(|_| 8, |_| 30_000)).expect("enough steps");
    assert!((verdict.ns_per_byte - 2.0).abs() < 0.3, "{verdict}");
    assert!((verdict.first_ms - 8.0).abs() < 0.6, "{verdict}");
}

#[test]
fn this_process_is_looked_at() {
    let sample = Sample::of(std::process::id(), 7).expect("a process that is there");
    assert!(sample.resident_kib > 100);
    assert_eq!(sample.bytes, 7);
    assert!(Sample::of(u32::MAX, 0).is_err());
}
