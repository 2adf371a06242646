//! Output without escapes.

use super::*;

#[test]
fn removes_what_only_a_terminal_understands() {
    let check =
        |bytes: &str, expect: &str| assert_eq!(plain(bytes.as_bytes()), expect, "{bytes:?}");
    check("plain\ttext\n", "plain\ttext\n");
    check("\u{1b}[1;31mred\u{1b}[0m\n", "red\n");
    check("\u{1b}[38:2::1:2:3mx", "x");
    check("\u{1b}[2K\u{1b}[1Gok", "ok");
    check("\u{1b}]0;title\u{7}x", "x");
    check("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link");
    check("\u{1b}Pdata\u{1b}\\x", "x");
    check("\u{1b}(Bx\u{1b}=y\u{1b}7z", "xyz");
    check("a\u{9b}31mb\u{9d}t\u{9c}c", "abc");
    check("bell\u{7} back\u{8}space\u{0}\u{7f}\n", "bell backspace\n");
    check("\u{1b}]never ends\nnext\n", "\nnext\n");
    check("\u{1b}[31\nnext\n", "\nnext\n");
    check("ends with \u{1b}", "ends with ");
    check("ends with \u{1b}[", "ends with ");
    check("\u{1b}\nx", "\nx");
    check("ä\u{1b}[1mö\u{1b}[0mü", "äöü");
}

#[test]
fn keeps_what_a_line_shows_in_the_end() {
    let check =
        |bytes: &str, expect: &str| assert_eq!(plain(bytes.as_bytes()), expect, "{bytes:?}");
    check("a\r\nb\r\n", "a\nb\n");
    check(" 10%\r 50%\r100%\ndone\n", "100%\ndone\n");
    check("50%\r100%\r", "100%");
    check("\r\n", "\n");
}

#[test]
fn other_bytes_are_marked() {
    assert_eq!(plain(b"a\xff\xfeb\n"), "a\u{fffd}\u{fffd}b\n");
}
