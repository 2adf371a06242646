//! When an hour pays.

use super::*;

/// Calls after pauses of so many minutes; says after which of them an hour is asked for.
fn check(minutes: &[u64], expect: &[bool]) {
    let mut pace = Pace::default();
    let mut now = 1_000;
    pace.asked(now);
    let mut hours = Vec::new();
    for pause in minutes {
        now += pause * 60_000;
        pace.happened(now);
        pace.happened(now + 1);
        hours.push(pace.ttl() == CacheTtl::Hour);
        pace.asked(now + 2);
        assert_eq!(pace.ttl() == CacheTtl::Hour, hours[hours.len() - 1]);
    }
    assert_eq!(hours, expect, "{minutes:?}");
}

#[test]
fn an_hour_is_asked_for_where_pauses_are_usual() {
    check(&[1, 2, 4, 5, 1], &[false; 5]);
    check(&[10], &[false]);
    check(&[10, 1, 1, 20, 1], &[false, false, false, true, true]);
    // Nights alone are no reason.
    check(&[600, 700, 800], &[false; 3]);
    check(&[600, 10, 10], &[false, false, true]);
    // It stays through what it outlives, and is given up when pauses have become long.
    check(
        &[10, 10, 50, 50, 600, 600, 600],
        &[false, true, true, true, true, true, false],
    );
}

#[test]
fn a_clock_that_goes_back_is_no_pause() {
    let mut pace = Pace::default();
    pace.asked(10_000_000);
    pace.happened(0);
    assert_eq!(pace, {
        let mut same = Pace::default();
        same.asked(10_000_000);
        same
    });
}
