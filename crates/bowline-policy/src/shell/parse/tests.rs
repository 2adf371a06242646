//! Tests of the parser.

use super::{TEXT_BYTES_MAX, parse};

#[test]
fn what_bash_would_not_take_or_reads_otherwise_is_not_understood() {
    let long = "a".repeat(TEXT_BYTES_MAX + 1);
    let deep = "(".repeat(100_000);
    let nested = format!("{}ls{}", "( ".repeat(201), ")".repeat(201));
    let braces = format!("echo {}a{}", "${x:-".repeat(201), "}".repeat(201));
    for text in [
        &long,
        &deep,
        &nested,
        &braces,
        "a\0b",
        "'",
        "\"",
        "a\\",
        "$(",
        "`",
        "((",
        "( )",
        "{ }",
        "a (b)",
        "}",
        "fi",
        "a ;;",
        "a &&",
        "| a",
        "a | ! b",
        "case x in (esac) ;; esac",
        "$v{a,b}",
        "echo $'\\x{41}'",
        "echo ${x~}",
        "echo \"${x:-it's}\"",
        "for x; { ls; }",
        "a[1",
        "x=(a",
        "echo >&-x",
        "cat << $x\n",
        "[[ a",
        "[[ a b ]]",
        "{ ls; } x",
        "f() ls",
        "eval a=(1)",
    ] {
        let shown: String = text.chars().take(40).collect();
        assert!(parse(text).is_err(), "{shown}");
    }
}
