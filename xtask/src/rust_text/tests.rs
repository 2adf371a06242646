//! Blanking must neither hide code nor show what is inside a literal or comment.

use super::{Module, defines, line_of, modules, without_comments_and_literals, words};

fn check(source: &str, expect: &str) {
    let blanked = without_comments_and_literals(source);
    assert_eq!(blanked, expect, "blanking {source:?}");
    assert_eq!(blanked.len(), source.len(), "offsets move in {source:?}");
}

#[test]
fn blanks_comments_and_literals_only() {
    check("a // b\nc", "a     \nc");
    check("a /* b /* c */ d */ e", "a                   e");
    check(r#"f("x\"y", z)"#, r#"f("    ", z)"#);
    check(r##"f(r#"a"b"#, z)"##, r##"f(r#"   "#, z)"##);
    check(r#"f(br"a\", z)"#, r#"f(br"  ", z)"#);
    check("'a' 'b'", "' ' ' '");
    check(r"'\'' x", r"'  ' x");
    check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
    check("r#type bar\"x\"", "r#type bar\" \"");
    check("\"ä\" b", "\"  \" b");
    check("\"a\nb\"", "\" \n \"");
    check("\"never closed", "\"            ");
    check("/* never closed", "               ");
}

#[test]
fn words_are_identifiers_with_their_place() {
    let found: Vec<_> = words("fn a_1(x)").collect();
    assert_eq!(found, [(0, "fn"), (3, "a_1"), (7, "x")]);
}

#[test]
fn definitions_need_the_keyword_and_the_whole_name() {
    assert!(defines("pub fn drive(x: u8) {}", &["fn"], "drive"));
    assert!(!defines("fn drive_all() { drive() }", &["fn"], "drive"));
    assert!(!defines("struct drive;", &["fn"], "drive"));
}

#[test]
fn modules_are_told_apart_by_what_follows() {
    let found = modules("pub mod a; mod b { mod c ; } modest!();");
    let expect = [
        Module::File("a".into()),
        Module::Inline("b".into()),
        Module::File("c".into()),
    ];
    assert_eq!(found, expect);
}

#[test]
fn lines_count_from_one() {
    assert_eq!(line_of("a\nb\nc", 0), 1);
    assert_eq!(line_of("a\nb\nc", 4), 3);
}
