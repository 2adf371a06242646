//! What counts as a held lock in the kernel's list.

use super::listed;

#[test]
fn only_an_exclusive_flock_on_this_file_counts() {
    let table: [(&str, &[u32]); 8] = [
        ("1: FLOCK  ADVISORY  WRITE 4711 fd:01:99 0 EOF", &[4711]),
        ("1: FLOCK  ADVISORY  READ 4711 fd:01:99 0 EOF", &[]),
        ("1: POSIX  ADVISORY  WRITE 4711 fd:01:99 0 EOF", &[]),
        ("1: FLOCK  ADVISORY  WRITE 4711 fd:01:999 0 EOF", &[]),
        ("1: FLOCK  ADVISORY  WRITE -1 fd:01:99 0 EOF", &[]),
        // Whoever waits for it does not hold it.
        ("1: -> FLOCK  ADVISORY  WRITE 4711 fd:01:99 0 EOF", &[]),
        ("", &[]),
        (
            "1: FLOCK ADVISORY WRITE 1 a:b:99 0 EOF\n2: FLOCK ADVISORY WRITE 2 a:b:99 0 EOF",
            &[1, 2],
        ),
    ];
    for (text, expect) in table {
        assert_eq!(listed(text, 99), expect, "{text}");
    }
}
