//! Tests of cutting shell text into words.

use super::*;

/// Commands as text: words joined by blanks, `?` before one that is not literal, `<` before input.
#[track_caller]
fn check(text: &str, expect: &[&str]) {
    let shown: Vec<String> = commands(text)
        .into_iter()
        .map(|words| {
            let shown = words.into_iter().map(|word| {
                let input = if word.is_input { "<" } else { "" };
                let open = if word.is_literal { "" } else { "?" };
                format!("{input}{open}{}", word.text)
            });
            shown.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(shown, expect, "{text}");
}

#[test]
fn words_and_operators() {
    check("", &[]);
    check("a b\tc", &["a b c"]);
    check(
        "a && b || c; d & e | f\ng",
        &["a", "b", "c", "d", "e", "f", "g"],
    );
    check("(a; b) && { c; }", &["a", "b", "{ c", "}"]);
    check("a # b 'c\nd", &["a", "d"]);
    check("a#b", &["a#b"]);
    check("if [ -e x ]; then y; fi", &["if [ -e x ]", "then y", "fi"]);
}

#[test]
fn quotes_and_escapes() {
    check(r#"'a b' "c d" e\ f"#, &["a b c d e f"]);
    check(r#"a'b'"c""#, &["abc"]);
    check(r#""a \"b\" \x \$c""#, &[r#"a "b" \x $c"#]);
    check("a\\\nb", &["ab"]);
    check("$'a b' $\"c d\"", &["a b c d"]);
    check(r"$'a\tb'", &["?atb"]);
    check("'never ends; rm x", &["never ends; rm x"]);
    check("''", &[""]);
}

#[test]
fn what_is_expanded_is_not_literal() {
    check(
        "$a ${b} \"$c/d\" *.sh x? ~/y {a,b}",
        &["?$a ?${b} ?$c/d ?*.sh ?x? ?~/y ?{a,b}"],
    );
    check("'$a' \"*\" '~'", &["$a * ~"]);
    check("a?b", &["?a?b"]);
}

#[test]
fn redirections() {
    check("a <b >c 2>d 2>&1 &>e >>f", &["a <b"]);
    check("a<b", &["a <b"]);
    check("bash <<<'./x'", &["bash <./x"]);
    check("cat <<'END'\n./x y\nEND", &["cat", "./x y", "END"]);
    check("a 2 >b", &["a 2"]);
}

#[test]
fn substitutions_are_commands_of_their_own() {
    check("a $(b c) d", &["a ? d", "b c"]);
    check("\"x $(./y 'z)') w\"", &["?x  w", "./y z)"]);
    check("a `b \\`c\\`` d", &["a ? d", "b ?", "c"]);
    check("diff <(a) >(b)", &["diff ? ?", "a", "b"]);
    check("$(a $(b))", &["?", "a ?", "b"]);
    check("$(never", &["?", "never"]);
}

#[test]
fn any_text_ends_in_bounded_time() {
    for text in [
        "$(".repeat(20_000),
        "`".repeat(20_001),
        "\"".repeat(20_001),
        "<(".repeat(9_999),
    ] {
        assert!(commands(&text).len() < 30_000);
    }
}
