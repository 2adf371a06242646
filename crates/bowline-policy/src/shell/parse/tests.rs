//! Tests of the parser: what is read of each construct, and what is not understood.

use super::{TEXT_BYTES_MAX, parse};
use crate::shell::print::printed;
use crate::shell::tree::{CommandKind, Script, Word};

/// Each text with the form that its tree is printed in.
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        match parse(text) {
            Ok(script) => assert_eq!(printed(&script), *expected, "{text:?}"),
            Err(error) => panic!("{text:?}: {error}"),
        }
    }
}

#[test]
fn lists_and_pipelines() {
    check(&[
        ("", ""),
        (" \t\n # nothing\n", ""),
        ("a;b&c\nd", "a; b & c; d;"),
        ("a && b || c &", "a && b || c &"),
        ("a &&\n\n# c\n b", "a && b;"),
        ("a|b |& c", "a | b 2>& 1 | c;"),
        ("a |\n b", "a | b;"),
        ("! a | b", "! a | b;"),
        ("! ! a; !", "a; ! ;"),
        ("time -p -- a; time\nb", "time a; time ; b;"),
        ("a | time b", "a | 'time' b;"),
        ("<f if a", "'if' a < f;"),
        ("time -p -p a", "time -- -p a;"),
        ("a &\\\n& b >\\\n> c", "a && b >> c;"),
        ("a # b \\\nc", "a; c;"),
        ("a#b #c", "a#b;"),
        ("a\\\n#b", "a#b;"),
        ("a \\\n#b", "a;"),
    ]);
}

#[test]
fn compound_commands() {
    check(&[
        ("{ a; } 2>f", "{ a; } 2> f;"),
        ("{ (a) }", "{ ( a; ); };"),
        ("((a) ); ( (a))", "( ( a; ); ); ( ( a; ); );"),
        ("((a+1))", "((a+1));"),
        (
            "if a; then b; elif c\nthen d; else e; fi",
            "if a; then b; elif c; then d; else e; fi;",
        ),
        ("if (a) then b; fi", "if ( a; ); then b; fi;"),
        ("while a; do b; done", "while a; do b; done;"),
        ("until a; do b; done | c", "while a; do b; done | c;"),
        (
            "for x in a 'b c' $d; do e; done",
            "for x in a 'b c' ${d}; do e; done;",
        ),
        (
            "for x\ndo a; done; for y; do b; done",
            "for x; do a; done; for y; do b; done;",
        ),
        ("for x do a; done", "for x; do a; done;"),
        ("for x in; do a; done", "for x in; do a; done;"),
        ("select x in a; do b; done", "for x in a; do b; done;"),
        (
            "for ((i=0;i<3;i++)); do a; done",
            "for ((i=0;i<3;i++)); do a; done;",
        ),
        (
            "case $x in a|b) c;; (d) e;& *) ;; esac",
            "case ${x} in (a | b) c; ;; (d) e; ;; (*) ;; esac;",
        ),
        ("case x in\nesac", "case x in esac;"),
        ("f() { a; }", "f () { a; };"),
        ("function f { a; } >b", "f () { a; } > b;"),
        ("function f () (a)", "f () ( a; );"),
        ("f ( )\n\n[[ a ]]", "f () [[ a ]];"),
        ("coproc a b", "coproc a b;"),
        ("coproc { a; }", "coproc { a; };"),
        ("coproc N { a; }", "coproc N { a; };"),
    ]);
}

#[test]
fn conditionals() {
    check(&[
        ("[[ -f a && ! b == c ]]", "[[ ( -f a && ! ( b == c ) ) ]];"),
        ("[[ a < b || (c > d) ]]", "[[ ( a < b && c > d ) ]];"),
        ("[[ $a =~ ^(b|c d)+$ ]]", "[[ ${a} =~ ^(b|c d)+'$' ]];"),
        ("[[ a =~ b|c ]]", "[[ a =~ b|c ]];"),
        ("[[ a != @(b|c d)* ]]", "[[ a != @(b|c d)* ]];"),
        ("[[ -f a\n&&\nb ]]", "[[ ( -f a && b ) ]];"),
        ("[[ if == done ]]", "[[ if == done ]];"),
        ("[[ a -eq $(b) ]]", "[[ a -eq $( b; ) ]];"),
        ("[[ \"-f\" == x ]]", "[[ '-f' == x ]];"),
    ]);
}

#[test]
fn quotes() {
    check(&[
        (r#"'a b'"c d"\e"#, "'a bc de';"),
        ("''", "'';"),
        ("a''", "a'';"),
        (r#""a $b \" \$ \c""#, "'a '\"${b}\"' \" $ \\c';"),
        (
            r"$'a\n\x41\101\u00e9\cA\q\''",
            "'a\nAA\u{e9}\u{1}\\q'\\''';",
        ),
        (r#"$"a $b""#, "'a '\"${b}\";"),
        ("a\\\nb \"c\\\nd\" 'e\\\nf'", "ab 'cd' 'e\\\nf';"),
        ("$ a$ \"$\" \"$'b'\"", "'$' a'$' '$' '$'\\''b'\\''';"),
        ("a{b,c}*.d~", "a{b,c}*.d~;"),
    ]);
}

#[test]
fn parameters() {
    check(&[
        ("$a $1$10 $@ $$ $_", "${a} ${1}${1}0 ${@} ${$} ${_};"),
        ("$\\\na $a\\\nb", "${a} ${ab};"),
        ("${a} ${10} ${#} ${!} ${?}", "${a} ${10} ${#} ${!} ${?};"),
        ("${#a} ${#b[@]} ${#@}", "${#a} ${#b[@]} ${#@};"),
        (
            "${!a} ${!a*} ${!a@} ${!a[@]} ${!a[0]}",
            "${!a} ${!a*} ${!a*} ${!a[@]} ${!a[0]};",
        ),
        ("${!a:-$(b)}", "${!a:-$( b; )};"),
        ("${a:-b c} ${a-} ${a:+'}'}", "${a:-b c} ${a:-} ${a:-'}'};"),
        ("${a:=b} ${a=b}", "${a:=b} ${a:=b};"),
        (
            "${a#b} ${a%%b*} ${a^} ${a,,}",
            "${a%%b} ${a%%b*} ${a%%} ${a%%};",
        ),
        (
            "${a/b/c} ${a//b} ${a/#b/c} ${a/\\//_}",
            "${a//b/c} ${a//b/} ${a//b/c} ${a//'/'/_};",
        ),
        (
            "${a:1} ${a: -1:$b} ${a::2}",
            "${a:1} ${a: -1:${b}} ${a::2};",
        ),
        (
            "${a@Q} ${a[$b]} ${a[x y]} ${a['k']}",
            "${a@Q} ${a[${b}]} ${a[x y]} ${a[k]};",
        ),
        (
            r#""${a:-"b c"}" "${a:-\}\q}" "${a%'x'}""#,
            r#""${a:-b c}" "${a:-\}\\q}" "${a%%x}";"#,
        ),
        ("\"${a:-\"$b\"}\"", "\"${a:-${b}}\";"),
        (
            "${a:-${b:-`c`}} ${a:-<(b)}",
            "${a:-${b:-$( c; )}} ${a:-<( b; )};",
        ),
    ]);
}

#[test]
fn substitutions() {
    check(&[
        ("a $(b c) \"$(d)\"", "a $( b c; ) \"$( d; )\";"),
        ("$( ) <( )", "$( ) <( );"),
        (
            "$(case a in a) b;; esac)",
            "$( case a in (a) b; ;; esac; );",
        ),
        ("$(a # )\n)", "$( a; );"),
        ("$(a ')' \")\" \\))", "$( a ')' ')' ')'; );"),
        (
            "\"$(a \"b $(c \"d\")\")\"",
            "\"$( a 'b '\"$( c 'd'; )\"; )\";",
        ),
        ("`a \\`b\\` \\$c \\\\d`", "$( a $( b; ) ${c} 'd'; );"),
        ("\"`a \\\"b c\\\"`\"", "\"$( a 'b c'; )\";"),
        ("`a 'b\\\nc'`", "$( a 'bc'; );"),
        (
            "$((1 + $a * (b))) $[c + 1]",
            "$((1 + ${a} * (b))) $((c + 1));",
        ),
        ("$((a); b) $( (a) )", "$( ( a; ); b; ) $( ( a; ); );"),
        ("$(( $(a) + `b` ))", "$(( $( a; ) + $( b; ) ));"),
        ("a<(b)c >(d)", "a<( b; )c <( d; );"),
    ]);
}

#[test]
fn assignments() {
    check(&[
        ("a=1 b+=$c d", "a=1 b+=${c} d;"),
        ("a= b", "a= b;"),
        ("a[1]=2 b[x y]+=3", "a[1]=2 b[x y]+=3;"),
        ("a=(1 'b c' [2]=d $e\n f) g", "a=(1 'b c' [2]=d ${e} f) g;"),
        (">f a=1 b", "a=1 b > f;"),
        ("a\\=1 'b'=2 c=3", "a'='1 'b'=2 c=3;"),
        ("declare -a a=(1 2) b=3", "declare -a a=(1 2) b=3;"),
        ("a\\\n=1 b", "a=1 b;"),
    ]);
}

#[test]
fn redirections() {
    check(&[
        ("a <b >c >>d >|e <>f", "a < b > c >> d >| e <> f;"),
        ("a 2>b 3 >c 4\\\n5<d", "a 3 2> b > c 45< d;"),
        ("a 2>&1 >&2 <&3 >&- 2<&-", "a 2>& 1 >& 2 <& 3 >& - 2<& -;"),
        ("a >&b &>c &>>d", "a >& b &> c &>> d;"),
        ("a {v}>b x{w}>c", "a x{w} {v}> b > c;"),
        ("a <<< 'b c'", "a <<< 'b c';"),
        ("> a", "> a;"),
        (">a b >c", "b > a > c;"),
        ("a 3>(b)", "a 3<( b; );"),
        ("a \\2>b '2'>c", "a '2' '2' > b > c;"),
    ]);
}

#[test]
fn here_documents() {
    check(&[
        ("a <<A\nb $c\nA\nd", "a <<('b '\"${c}\"'\n'); d;"),
        ("a <<'A'\nb $c\nA\nd", "a <<('b $c\n'); d;"),
        (
            "a <<\\A <<-B | c\n$d\nA\n\te $(f)\n\tB\ng",
            "a <<('$d\n') <<('e '\"$( f; )\"'\n') | c; g;",
        ),
        ("a <<A\nb", "a <<('b');"),
        ("a <<A\nb\\\nA\nA\nc", "a <<('bA\n'); c;"),
        ("a <<\"A B\"\nx\nA B\nc", "a <<('x\n'); c;"),
        (
            "a <<A; b\n\"$c\" \\$d `e`\nA",
            "a <<('\"'\"${c}\"'\" $d '\"$( e; )\"'\n'); b;",
        ),
        ("x=$(a <<A\nb\nA\n)\nc", "x=$( a <<('b\n'); ); c;"),
        ("if a <<A; then\nb\nA\nc; fi", "if a <<('b\n'); then c; fi;"),
        (
            "a <<A\n$(b <<B\nc\nB\n)\nA",
            "a <<(\"$( b <<('c\n'); )\"'\n');",
        ),
    ]);
}

#[test]
fn parts_know_where_they_stand() {
    let text = "a 'b c' && { d=$e f >g; }";
    let script = parse(text).unwrap();
    let mut seen = Vec::new();
    stand(&script, text, &mut seen);
    let expected = ["a", "'b c'", "{ d=$e f >g; }", "d=$e", "f", ">g"];
    assert_eq!(seen, expected);
    let inner = parse("x `a b` y").unwrap();
    let mut seen = Vec::new();
    stand(&inner, "x `a b` y", &mut seen);
    assert_eq!(seen, ["x", "`a b`", "y"]);
}

fn stand<'t>(script: &Script, text: &'t str, seen: &mut Vec<&'t str>) {
    let pipelines = script.lists.iter().flat_map(|list| &list.pipelines);
    for command in pipelines.flat_map(|pipeline| &pipeline.commands) {
        let at = |word: &Word| &text[word.span.start..word.span.end];
        match &command.kind {
            CommandKind::Simple { assignments, words } => {
                let spans = assignments.iter().map(|assignment| assignment.span);
                seen.extend(spans.map(|span| &text[span.start..span.end]));
                seen.extend(words.iter().map(at));
            }
            CommandKind::Group(body) => {
                seen.push(&text[command.span.start..command.span.end]);
                stand(body, text, seen);
            }
            other => panic!("{other:?}"),
        }
        let spans = command
            .redirections
            .iter()
            .map(|redirection| redirection.span);
        seen.extend(spans.map(|span| &text[span.start..span.end]));
    }
}

/// What bash would not take, or reads otherwise than it looks.
const REFUSED: &[&str] = &[
    "a\0b",
    "a\u{1}b",
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
    "a |\n\ntime b",
    "a; ; b",
    "a & ; b",
    "in",
    "]]",
    "if a; then; fi",
    "if a then b; fi",
    "for x in a do b; done",
    "for 1 in a; do b; done",
    "for x; { ls; }",
    "case x in (esac) ;; esac",
    "case x in @(a|b)) ;; esac",
    "case x in a b) ;; esac",
    "[[ a",
    "[[ a b ]]",
    "[[ -f ]]",
    "[[ a & b ]]",
    "[[ 3<4 ]]",
    "[[ a == (b) ]]",
    "{ ls; } x",
    "{ ls >f }",
    "(a) >b c",
    "f() ls",
    "a b() { c; }",
    "$v{a,b}",
    "{a,$v}b",
    "echo ''$(a)$",
    "echo $'\\x{41}'",
    "echo $'\\xff'",
    "echo $'a\\0b'",
    "echo ${x~}",
    "echo ${#-x}",
    "echo ${##}",
    "echo ${}",
    "echo ${a b}",
    "echo ${x:}",
    "echo \"${x:-it's}\"",
    "echo \"${x:-\"a\\b\"}\"",
    "echo \"${x:-$'a'}\"",
    "echo \"${x:-\"$y\"1}\"",
    "echo \"${x:-$y\"1\"}\"",
    "echo \"${x:-\"$\"y}\"",
    "echo $(($x\"1\"))",
    "echo \"$(echo ${x:-$'$(rm y)'})\"",
    "a[1",
    "a[1] b",
    "x=(a",
    "x=(a)b",
    "x=(a;b)",
    "echo a=(1)",
    "eval a=(1)",
    "a[0]=(1)",
    "a=1 >f b=(2)",
    "echo >&-x",
    "echo >",
    "echo > >f",
    "echo >2>f",
    "echo {a[1]}>f",
    "cat << $x\n",
    "cat << `a`\n",
    "cat <<A $(b\n)\nA",
    "$(cat <<A)\nA",
    "$(cat <<A\nAb)\nA\n)",
    "((cat <<A) )\nA",
    "(( $(a) ); b)",
    "((a # b\n))",
    "$((a 'b'))",
    "echo $(time (a))",
    "echo $(time -p a=1 b)",
    "<((a))",
    "coproc time a",
    "coproc a done",
    "time | a",
    "! ;; a",
    "[[ a =~ ($(case x in x) ;; esac)) ]]",
    "`a",
    "`(`",
    "`\"`\"",
];

#[test]
fn what_bash_would_not_take_or_reads_otherwise_is_not_understood() {
    for text in REFUSED {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_is_long_or_deep_is_refused_at_once() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{}a{}", open.repeat(levels), close.repeat(levels))
    };
    let kinds = [
        ("( ", ")"),
        ("{ ", "; }"),
        ("$(", ")"),
        ("${x:-", "}"),
        ("if ", "; then a; fi"),
        ("\"$(a ", ")\""),
        ("<( ", ")"),
        ("while ", "; do a; done"),
        ("f() { ", "; }"),
    ];
    for (open, close) in kinds {
        // None of these ends the thread by its stack.
        for levels in [20, 66, 100, 199] {
            let _read = parse(&nested(open, close, levels)).is_ok();
        }
        assert!(parse(&nested(open, close, 20)).is_ok(), "{open}");
        for levels in [201, 5_000] {
            assert!(parse(&nested(open, close, levels)).is_err(), "{open}");
        }
    }
    assert!(parse(&nested("( ", ")", 150)).is_ok());
    for text in [
        "(".repeat(100_000),
        "a".repeat(TEXT_BYTES_MAX + 1),
        "((".repeat(30_000),
        "$((".repeat(20_000),
    ] {
        assert!(parse(&text).is_err());
    }
    let wide = "a;".repeat(30_000);
    assert_eq!(parse(&wide).unwrap().lists.len(), 30_000);
    let chain = format!("[[ a {}]]", "&& a ".repeat(10_000));
    assert!(parse(&chain).is_ok());
}
