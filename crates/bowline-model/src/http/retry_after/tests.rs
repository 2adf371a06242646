//! Every spelling of a wish to wait.

use super::*;

#[test]
fn wishes_are_read() {
    let check = |pairs: &[(&'static str, &str)], expect: Option<u64>| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        assert_eq!(read(&headers), expect, "{pairs:?}");
    };
    let date = ("date", "Fri, 20 Nov 2026 10:00:00 GMT");
    check(&[], None);
    check(&[("retry-after", "7")], Some(7_000));
    check(&[("retry-after", " 0 ")], Some(0));
    check(&[("retry-after", "1.5")], Some(1_500));
    check(
        &[("retry-after-ms", "250"), ("retry-after", "7")],
        Some(250),
    );
    check(&[("retry-after", "-1")], None);
    check(&[("retry-after", "NaN")], None);
    check(&[("retry-after", "soon")], None);
    check(&[("retry-after", "1e300")], Some(u64::MAX));
    check(
        &[("retry-after", "Fri, 20 Nov 2026 10:01:30 GMT"), date],
        Some(90_000),
    );
    check(
        &[("retry-after", "Fri, 20 Nov 2026 09:00:00 GMT"), date],
        Some(0),
    );
    check(
        &[("retry-after", "Mon, 01 Mar 2027 10:00:00 GMT"), date],
        Some(101 * 86_400_000),
    );
    check(
        &[("retry-after", "Fri, 20 Nov 2026 10:01:30 CET"), date],
        None,
    );
    check(&[("retry-after", "Fri, 20 Nov 2026"), date], None);
    check(
        &[("retry-after", "Fri, 99 Nov 2026 10:01:30 GMT"), date],
        None,
    );
}

#[test]
fn dates_are_days_of_the_calendar() {
    let check = |text: &str, expect: u64| assert_eq!(http_date(text), Some(expect), "{text}");
    check("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    check("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777);
    check("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600);
    check("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800);
    check("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799);
}
