//! Offsets into a bounded spool.

use super::*;

fn since(head: &str, dropped_bytes: u64, tail: &str, offset: u64) -> (String, u64, String, u64) {
    let total_bytes = (head.len() + tail.len()) as u64 + dropped_bytes;
    let spooled = Spooled {
        head: head.into(),
        tail: tail.into(),
        dropped_bytes,
        total_bytes,
    };
    let Since {
        first,
        missing_bytes,
        last,
        end,
    } = Since::new(spooled, offset);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(first), missing_bytes, text(last), end)
}

#[test]
fn reads_on_from_any_offset() {
    let check = |dropped: u64, offset: u64, expect: (&str, u64, &str)| {
        let (first, missing, last, end) = since("abcd", dropped, "wxyz", offset);
        let expect_end = (8 + dropped).max(offset);
        assert_eq!((first.as_str(), missing, last.as_str()), expect, "{offset}");
        assert_eq!(end, expect_end);
    };
    check(0, 0, ("", 0, "abcdwxyz"));
    check(0, 3, ("", 0, "dwxyz"));
    check(0, 6, ("", 0, "yz"));
    check(0, 8, ("", 0, ""));
    check(0, 99, ("", 0, ""));
    check(10, 0, ("abcd", 10, "wxyz"));
    check(10, 2, ("cd", 10, "wxyz"));
    check(10, 4, ("", 10, "wxyz"));
    check(10, 9, ("", 5, "wxyz"));
    check(10, 14, ("", 0, "wxyz"));
    check(10, 16, ("", 0, "yz"));
}

#[test]
fn leaves_a_cut_character_for_the_next_time() {
    let check = |bytes: &[u8], expect: usize| assert_eq!(cut_character(bytes), expect, "{bytes:?}");
    check(b"", 0);
    check(b"ab", 0);
    check("ä".as_bytes(), 0);
    check(&"ä".as_bytes()[..1], 1);
    check(&"a€".as_bytes()[..3], 2);
    check("€".as_bytes(), 0);
    check(&"😀".as_bytes()[..3], 3);
    check("😀".as_bytes(), 0);
    check(b"\x80\x80\x80\x80", 0);
}
