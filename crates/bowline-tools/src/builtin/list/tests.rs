//! Sizes as shown.

use super::*;

#[test]
fn sizes_read_well() {
    let check = |bytes: i64, expect: &str| assert_eq!(size(bytes), expect);
    check(0, "0 B");
    check(1023, "1023 B");
    check(1024, "1.0 KiB");
    check(1_572_864, "1.5 MiB");
    check(2_000_000_000_000, "1.8 TiB");
    check(i64::MAX, "8388608.0 TiB");
}
