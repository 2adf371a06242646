//! `grep`, `glob` and `list`: what they show, what they leave out, how far they go.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use bowline_tools::Cancel;
use bowline_tools::builtin::BuiltinConfig;
use serde_json::{Value, json};

use crate::bench::Bench;

crate::cases![
    grep_shows_lines_by_file,
    grep_shows_files_and_counts,
    grep_takes_patterns_and_context,
    grep_stays_bounded,
    grep_explains_a_bad_pattern,
    grep_copes_with_odd_files,
    glob_finds_files_in_order,
    glob_stays_below_its_folder,
    list_draws_a_tree,
    list_stays_bounded,
    searches_honour_ignore_files,
    searches_never_leave_by_a_link_or_wait,
    searches_leave_out_what_needs_permission,
    searches_stop_on_request,
    foreign_names_stay_in_their_line,
];

fn project() -> Bench {
    let bench = Bench::new();
    bench.file("src/main.rs", "fn main() {\n    helper();\n}\n");
    bench.file("src/lib/helper.rs", "pub fn helper() {\n    // Helper\n}\n");
    bench.file("src/lib.rs", "mod helper;\n");
    bench.file("README.md", "# helper\n");
    bench.file(".hidden/helper.txt", "helper\n");
    bench
}

fn grep_shows_lines_by_file() {
    let mut bench = project();
    assert_eq!(
        bench.ok("grep", json!({"pattern": "helper"})),
        "README.md\n1: # helper\n\nsrc/lib.rs\n1: mod helper;\n\nsrc/lib/helper.rs\n\
         1: pub fn helper() {\n\nsrc/main.rs\n2:     helper();\n"
    );
    assert_eq!(
        bench.ok("grep", json!({"pattern": "helper", "path": "src/main.rs"})),
        "src/main.rs\n2:     helper();\n"
    );
    let finish = bench
        .call("grep", json!({"pattern": "helper", "path": "src"}))
        .unwrap();
    assert_eq!(finish.summary, "grep \"helper\": 3 matches in 3 files");
    assert_eq!(
        bench.ok("grep", json!({"pattern": "nothing of the kind"})),
        "No match.\n"
    );
}

fn grep_shows_files_and_counts() {
    let mut bench = project();
    let files = json!({"pattern": "(?i)helper", "path": "src", "output": "files"});
    assert_eq!(
        bench.ok("grep", files),
        "src/lib.rs\nsrc/lib/helper.rs\nsrc/main.rs\n"
    );
    let count = json!({"pattern": "helper", "case": "ignore", "path": "src", "output": "count"});
    assert_eq!(
        bench.ok("grep", count),
        "src/lib.rs: 1\nsrc/lib/helper.rs: 2\nsrc/main.rs: 1\n"
    );
}

fn grep_takes_patterns_and_context() {
    let mut bench = project();
    let mut check = |input: Value, expect: &str| {
        assert_eq!(bench.ok("grep", input.clone()), expect, "{input}");
    };
    check(
        json!({"pattern": "helper", "glob": "*.md"}),
        "README.md\n1: # helper\n",
    );
    check(
        json!({"pattern": "helper", "glob": "src/*.rs"}),
        "src/lib.rs\n1: mod helper;\n\nsrc/main.rs\n2:     helper();\n",
    );
    check(
        json!({"pattern": "helper", "path": "src/main.rs", "context": 1}),
        "src/main.rs\n1- fn main() {\n2:     helper();\n3- }\n",
    );
    check(
        json!({"pattern": "^helper$", "hidden": true}),
        ".hidden/helper.txt\n1: helper\n",
    );
    check(
        json!({"pattern": "^helper$", "path": ".hidden"}),
        ".hidden/helper.txt\n1: helper\n",
    );
    check(json!({"pattern": "HELPER"}), "No match.\n");
}

fn grep_stays_bounded() {
    let mut bench = Bench::new();
    let lines: String = (0..5_000)
        .map(|n| format!("match {n} {}\n", "x".repeat(200)))
        .collect();
    bench.file("a", &lines);
    bench.file("b", "match\n");
    let text = bench.ok("grep", json!({"pattern": "match"}));
    assert_eq!(
        text.lines().filter(|line| line.contains(": match")).count(),
        100
    );
    assert!(text.ends_with("or raise \"limit\"]\n"), "{text}");
    let text = bench.ok("grep", json!({"pattern": "match", "limit": 100_000}));
    assert!(
        text.len() < 32 << 10 && text.contains("[cut here"),
        "{}",
        text.len()
    );
    let text = bench.ok(
        "grep",
        json!({"pattern": "match", "output": "files", "limit": 1}),
    );
    assert!(text.starts_with("a\n[cut here"), "{text}");
    let long = format!("{}needle{}", "y".repeat(2 << 20), "z".repeat(2 << 20));
    bench.file("long", long);
    let text = bench.ok("grep", json!({"pattern": "needle"}));
    assert!(
        text.len() < 1_000 && text.contains("needle"),
        "{}",
        text.len()
    );
}

fn grep_explains_a_bad_pattern() {
    let mut bench = project();
    let mut check = |pattern: &str, expect: &str| {
        let text = bench.fails("grep", json!({"pattern": pattern}));
        assert!(text.contains(expect), "{pattern}: {text}");
    };
    check("fn (", "\"pattern\" is no valid regular expression");
    check("fn (", "unclosed group");
    check("(?=x)", "look-around");
    check("a\\nb", "\\n");
    check("", "\"pattern\" is empty");
    let text = bench.fails("grep", json!({"pattern": "a", "glob": "["}));
    assert!(text.contains("\"glob\" `[` is no valid pattern"), "{text}");
    let text = bench.fails("grep", json!({"pattern": "a", "path": "none"}));
    assert_eq!(text, "`none` does not exist");
}

fn grep_copes_with_odd_files() {
    let mut bench = Bench::new();
    bench.file("binary", b"needle\n\0\0needle\n");
    bench.file("latin", b"gr\xfc\xdfe needle\n");
    bench.file("crlf", "needle\r\nother\r\n");
    bench.file("empty", "");
    assert_eq!(
        bench.ok("grep", json!({"pattern": "needle$"})),
        "crlf\n1: needle\n\nlatin\n1: gr\u{fffd}\u{fffd}e needle\n"
    );
}

fn glob_finds_files_in_order() {
    let mut bench = project();
    let mut check = |input: Value, expect: &str| {
        assert_eq!(bench.ok("glob", input.clone()), expect, "{input}");
    };
    check(
        json!({"pattern": "*.rs"}),
        "src/lib.rs\nsrc/lib/helper.rs\nsrc/main.rs\n",
    );
    check(json!({"pattern": "src/*.rs"}), "src/lib.rs\nsrc/main.rs\n");
    check(
        json!({"pattern": "*.rs", "path": "src/lib"}),
        "src/lib/helper.rs\n",
    );
    check(json!({"pattern": "**/*.txt"}), "No file fits `**/*.txt`.\n");
    check(json!({"pattern": ".hidden/*"}), ".hidden/helper.txt\n");
    check(
        json!({"pattern": "*.rs", "limit": 1}),
        "src/lib.rs\n[the first 1 file, there are more: narrow the pattern or raise \"limit\"]\n",
    );
}

fn glob_stays_below_its_folder() {
    let mut bench = project();
    let text = bench.fails("glob", json!({"pattern": "../*"}));
    assert!(text.contains("must stay below the folder"), "{text}");
    let text = bench.fails("glob", json!({"pattern": "*", "path": "README.md"}));
    assert_eq!(text, "`README.md` is a file, not a folder");
}

fn list_draws_a_tree() {
    let mut bench = project();
    symlink("README.md", bench.root().join("link")).unwrap();
    bench.file(".gitignore", "target/\n");
    bench.file("target/debug/x", "");
    assert_eq!(
        bench.ok("list", json!({})),
        ".gitignore  8 B\n.hidden/\n  helper.txt  7 B\nREADME.md  9 B\nlink -> README.md\nsrc/\n  \
         lib.rs  12 B\n  lib/\n  main.rs  28 B\ntarget/ [not entered]\n"
    );
    assert_eq!(
        bench.ok("list", json!({"path": "src", "depth": 1})),
        "lib.rs  12 B\nlib/\nmain.rs  28 B\n"
    );
    assert_eq!(
        bench.ok("list", json!({"path": "src", "depth": 3})),
        "lib.rs  12 B\nlib/\n  helper.rs  34 B\nmain.rs  28 B\n"
    );
    fs::create_dir(bench.root().join("empty")).unwrap();
    assert_eq!(
        bench.ok("list", json!({"path": "empty"})),
        "[the folder is empty]\n"
    );
    let text = bench.fails("list", json!({"path": "README.md"}));
    assert_eq!(text, "`README.md` is a file, not a folder: `read` shows it");
}

fn list_stays_bounded() {
    let mut bench = Bench::new();
    for number in 0..120 {
        bench.file(&format!("many/{number:03}"), "");
    }
    bench.file("zzz", "");
    let text = bench.ok("list", json!({}));
    assert!(
        text.contains("  049  0 B\n  [70 more]\nzzz  0 B\n"),
        "{text}"
    );
    for number in 0..600 {
        bench.file(&format!("top-{number:03}"), "");
    }
    let text = bench.ok("list", json!({"depth": 1}));
    assert_eq!(text.lines().count(), 501);
    assert!(text.ends_with("[cut here, there is more: list a folder further in, or less deep]\n"));
}

fn searches_honour_ignore_files() {
    let mut bench = Bench::new();
    bench.file(".gitignore", "*.log\n/build/\n!keep.log\n");
    bench.file("sub/.gitignore", "!wanted.log\nlocal\n");
    bench.file(".git/info/exclude", "excluded\n");
    for name in [
        "a.log",
        "keep.log",
        "build/x",
        "sub/a.log",
        "sub/wanted.log",
        "sub/local",
        "sub/build/x",
        "excluded",
        ".git/config",
    ] {
        bench.file(name, "needle\n");
    }
    let expect = "keep.log\nsub/build/x\nsub/wanted.log\n";
    assert_eq!(
        bench.ok("grep", json!({"pattern": "needle", "output": "files"})),
        expect
    );
    assert_eq!(bench.ok("glob", json!({"pattern": "**"})), expect);
    // The patterns of folders above the start count, too.
    let below = bench.ok(
        "grep",
        json!({"pattern": "needle", "path": "sub", "output": "files"}),
    );
    assert_eq!(below, "sub/build/x\nsub/wanted.log\n");
}

fn searches_never_leave_by_a_link_or_wait() {
    let mut bench = Bench::new();
    fs::write(bench.at("out/secret"), "needle\n").unwrap();
    symlink("../out", bench.root().join("folder-link")).unwrap();
    symlink("../out/secret", bench.root().join("file-link")).unwrap();
    bench.file("a", "needle\n");
    // Whoever opened these would wait for ever.
    for name in ["fifo", ".gitignore"] {
        let path = bench.root().join(name);
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::from_raw_mode(0o600),
        )
        .unwrap();
    }
    assert_eq!(
        bench.ok("grep", json!({"pattern": "needle", "hidden": true})),
        "a\n1: needle\n"
    );
    let text = bench.ok("list", json!({}));
    assert!(
        text.contains("folder-link -> ../out\n") && !text.contains("secret\n "),
        "{text}"
    );
    assert!(text.contains("fifo [no regular file]"), "{text}");
    let ready = bench
        .prepare("grep", json!({"pattern": "needle", "path": "folder-link"}))
        .unwrap();
    assert!(
        ready.plan.resolved[0].ends_with("/out"),
        "policy sees where it leads"
    );
}

fn searches_leave_out_what_needs_permission() {
    let mut config = BuiltinConfig::new("/nowhere".into());
    config.left_out = Arc::new(|path| path.ends_with("vault") || path.ends_with("key.pem"));
    let mut bench = Bench::with(config);
    bench.file("a", "needle\n");
    bench.file("key.pem", "needle\n");
    bench.file("vault/deep/x", "needle\n");
    let note = "[2 entries left out that need permission: ask for them by path]\n";
    let grep = bench.ok("grep", json!({"pattern": "needle"}));
    assert_eq!(grep, format!("a\n1: needle\n{note}"));
    assert_eq!(
        bench.ok("glob", json!({"pattern": "**"})),
        format!("a\n{note}")
    );
    assert_eq!(bench.ok("list", json!({})), format!("a  7 B\n{note}"));
    // Asked for by name it is for the policy to decide.
    assert_eq!(
        bench.ok("grep", json!({"pattern": "needle", "path": "key.pem"})),
        "key.pem\n1: needle\n"
    );
}

fn searches_stop_on_request() {
    let bench = project();
    let (asking, cancel) = Cancel::channel();
    asking.send(true).unwrap();
    let ready = bench.prepare("glob", json!({"pattern": "**"})).unwrap();
    let finish = ready.go_with(|call| call.cancel = cancel);
    assert!(!finish.text.contains("main.rs"), "{}", finish.text);
}

fn foreign_names_stay_in_their_line() {
    let mut bench = Bench::new();
    bench.file("a\n[exit 0]\u{1b}[2J", "needle\n");
    let name = "a\\n[exit 0]\\u{1b}[2J";
    assert_eq!(
        bench.ok("glob", json!({"pattern": "*"})),
        format!("{name}\n")
    );
    assert_eq!(bench.ok("list", json!({})), format!("{name}  7 B\n"));
    assert_eq!(
        bench.ok("grep", json!({"pattern": "needle"})),
        format!("{name}\n1: needle\n")
    );
    let input = json!({"path": "a\n[exit 0]\u{1b}[2J"});
    assert_eq!(
        bench.prepare("read", input).unwrap().plan.essence,
        format!("read {name}")
    );
}
