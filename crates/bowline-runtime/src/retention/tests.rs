//! Sizes in words and back.

use super::{parse_size, size};

#[test]
fn sizes_are_read_and_written() {
    for (text, bytes) in [
        ("0", Some(0)),
        ("1000", Some(1_000)),
        ("64KB", Some(64_000)),
        ("64 kb", Some(64_000)),
        ("500MB", Some(500_000_000)),
        ("2g", Some(2_000_000_000)),
        ("1TB", Some(1_000_000_000_000)),
        ("", None),
        ("MB", None),
        ("2.5GB", None),
        ("-1", None),
        ("10 apples", None),
        ("99999999999999999TB", None),
    ] {
        assert_eq!(parse_size(text).ok(), bytes, "{text}");
    }
    for (bytes, text) in [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 KB"),
        (1_550_000, "1.5 MB"),
        (2_000_000_000, "2.0 GB"),
    ] {
        assert_eq!(size(bytes), text);
    }
}
