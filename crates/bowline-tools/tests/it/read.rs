//! `read`: pages, bounds, hostile files.

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use bowline_core::{Action, Digest};
use bowline_tools::Cancel;
use serde_json::json;

use crate::bench::Bench;

crate::cases![
    numbers_lines,
    pages_through_a_long_file,
    shows_the_wanted_range,
    says_what_is_odd_about_a_file,
    cuts_long_lines,
    streams_a_large_file,
    refuses_what_is_no_text_file,
    never_waits_for_a_special_file,
    notes_what_was_seen,
    pages_stored_bodies,
    stops_on_request,
    hints_at_similar_names,
    runs_only_what_was_decided,
    checks_its_input,
];

fn numbers_lines() {
    let mut bench = Bench::new();
    bench.file("a", "one\n\ttwo\n\nfour\n");
    assert_eq!(
        bench.ok("read", json!({"path": "a"})),
        "     1\tone\n     2\t\ttwo\n     3\t\n     4\tfour\n"
    );
    let plan = bench
        .prepare("read", json!({"path": "a", "offset": 3}))
        .unwrap()
        .plan;
    assert_eq!(plan.essence, "read a from line 3");
    assert!(matches!(&plan.actions[..], [Action::ReadPath { path }] if path.asked == "a"));
}

fn pages_through_a_long_file() {
    let mut bench = Bench::new();
    let lines: String = (1..=5_000).map(|n| format!("line {n}\n")).collect();
    bench.file("a", &lines);
    let (mut offset, mut found) = (1, String::new());
    loop {
        let text = bench.ok("read", json!({"path": "a", "offset": offset}));
        assert!(text.len() < 32 << 10, "{}", text.len());
        for line in text.lines().filter(|line| !line.starts_with('[')) {
            found.push_str(line.split_once('\t').unwrap().1);
            found.push('\n');
        }
        match text.rsplit_once("go on with offset ") {
            Some((_, rest)) => offset = rest.trim_end_matches("]\n").parse().unwrap(),
            None => break,
        }
    }
    assert_eq!(found, lines);
}

fn shows_the_wanted_range() {
    let mut bench = Bench::new();
    bench.file("a", "1\n2\n3\n4\n5\n");
    let mut check = |offset: u64, limit: u64, expect: &str| {
        let text = bench.ok(
            "read",
            json!({"path": "a", "offset": offset, "limit": limit}),
        );
        assert_eq!(text, expect, "{offset} {limit}");
    };
    check(
        1,
        5,
        "     1\t1\n     2\t2\n     3\t3\n     4\t4\n     5\t5\n",
    );
    check(
        2,
        2,
        "     2\t2\n     3\t3\n[lines 2-3 of 5; go on with offset 4]\n",
    );
    check(5, 9, "     5\t5\n");
    let text = bench.fails("read", json!({"path": "a", "offset": 6}));
    assert_eq!(text, "\"offset\" 6 is beyond the end: `a` has 5 lines");
}

fn says_what_is_odd_about_a_file() {
    let mut bench = Bench::new();
    let mut check = |content: &[u8], expect: &str| {
        bench.file("a", content);
        assert_eq!(
            bench.ok("read", json!({"path": "a"})),
            expect,
            "{content:?}"
        );
    };
    check(b"", "[the file is empty]\n");
    check(b"a", "     1\ta\n[no newline at the end]\n");
    check(b"a\r\nb\r\n", "     1\ta\n     2\tb\n[lines end in CRLF]\n");
    check(b"\xef\xbb\xbfa\n", "     1\ta\n");
    check(
        b"a\xff\n",
        "     1\ta\u{fffd}\n[not valid UTF-8: bytes that are no text show as \u{fffd}]\n",
    );
    check(b"\n\n", "     1\t\n     2\t\n");
}

fn cuts_long_lines() {
    let mut bench = Bench::new();
    let long = "ä".repeat(5 << 20);
    bench.file("a", format!("{long}\nnext\n"));
    let text = bench.ok("read", json!({"path": "a"}));
    assert!(text.len() < 5_000, "{}", text.len());
    let first = text.lines().next().unwrap();
    assert_eq!(first.chars().filter(|letter| *letter == 'ä').count(), 2_000);
    assert!(
        first.ends_with(" [10,481,760 bytes more in this line]"),
        "{first:.60}"
    );
    assert!(text.contains("     2\tnext\n"));
}

/// 2 GiB, sparse but for its start: reading it whole would take gigabytes and seconds.
fn streams_a_large_file() {
    let mut bench = Bench::new();
    let text: String = (1..=100_000).map(|n| format!("line {n}\n")).collect();
    let path = bench.file("a", &text);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let begun = Instant::now();
    let text = bench.ok("read", json!({"path": "a", "offset": 50_000, "limit": 2}));
    assert_eq!(
        text,
        " 50000\tline 50000\n 50001\tline 50001\n\
         [lines 50000-50001, more follow; go on with offset 50002]\n"
    );
    assert!(bench.seen.is_empty(), "its whole content was not seen");
    let zeros = bench.file("zeros", "");
    File::options()
        .write(true)
        .open(zeros)
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let text = bench.fails("read", json!({"path": "zeros"}));
    assert!(text.contains("is not text (2,147,483,648 bytes"), "{text}");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

fn refuses_what_is_no_text_file() {
    let mut bench = Bench::new();
    bench.file("binary", b"\x7fELF\0\0\0");
    bench.file("folder/x", "");
    let mut check = |path: &str, expect: &str| {
        let text = bench.fails("read", json!({"path": path}));
        assert!(text.contains(expect), "{path}: {text}");
    };
    check("binary", "`binary` is not text (7 bytes, with NUL bytes)");
    check("folder", "`folder` is a folder, not a file: `list`");
    check("none", "`none` does not exist.");
    check("binary/x", "is a file, not a folder");
    check(
        "blob:0123456789abcdef",
        "there is no `blob:0123456789abcdef`",
    );
}

/// Opening a FIFO for reading would wait for a writer that never comes.
fn never_waits_for_a_special_file() {
    let mut bench = Bench::new();
    let fifo = bench.root().join("fifo");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let _socket = UnixListener::bind(bench.root().join("socket")).unwrap();
    let mut check = |path: &str, expect: &str| {
        let text = bench.fails("read", json!({"path": path}));
        assert!(text.contains(expect), "{path}: {text}");
    };
    check("fifo", "is a FIFO, which file tools never touch");
    check("socket", "is a socket");
    check("/dev/zero", "is a device");
}

fn notes_what_was_seen() {
    let mut bench = Bench::new();
    let path = bench.file("a", "one\ntwo\n");
    bench.ok("read", json!({"path": "a", "limit": 1}));
    let seen = bench.seen.get(path.to_str().unwrap());
    assert_eq!(seen, Some(&Digest::of(b"one\ntwo\n")));
}

fn pages_stored_bodies() {
    let mut bench = Bench::new();
    let body = bench.at("body");
    std::fs::write(&body, "stored 1\nstored 2\n").unwrap();
    bench.blobs.insert("blob:00112233aabbccdd".into(), body);
    let input = json!({"path": "blob:00112233aabbccdd", "offset": 2});
    let plan = bench.prepare("read", input.clone()).unwrap().plan;
    assert!(matches!(&plan.actions[..], [Action::Note]) && plan.resolved.is_empty());
    assert_eq!(bench.ok("read", input), "     2\tstored 2\n");
    assert!(bench.seen.is_empty());
}

fn stops_on_request() {
    let bench = Bench::new();
    bench.file("a", "one\n");
    let (asking, cancel) = Cancel::channel();
    asking.send(true).unwrap();
    let ready = bench.prepare("read", json!({"path": "a"})).unwrap();
    let finish = ready.go_with(|call| call.cancel = cancel);
    assert!(
        finish.text.contains("stopped on request"),
        "{}",
        finish.text
    );
}

fn hints_at_similar_names() {
    let mut bench = Bench::new();
    bench.file("src/parser.rs", "");
    let text = bench.fails("read", json!({"path": "src/parsers.rs"}));
    assert_eq!(
        text,
        "`src/parsers.rs` does not exist. Beside it lies `parser.rs`."
    );
}

fn runs_only_what_was_decided() {
    let bench = Bench::new();
    bench.file("a", "public\n");
    bench.file("b", "private\n");
    let other = bench.root().join("b").display().to_string();
    let ready = bench.prepare("read", json!({"path": "a"})).unwrap();
    let finish = ready.go_with(|call| call.request.resolved = vec![other]);
    assert!(
        finish.failed_before_effect && !finish.text.contains("private"),
        "{}",
        finish.text
    );
    assert!(
        finish.text.contains("changed since it was decided upon"),
        "{}",
        finish.text
    );
}

fn checks_its_input() {
    let mut bench = Bench::new();
    let text = bench.fails("read", json!({"file_path": "a"}));
    assert_eq!(
        text,
        "missing \"path\"; unknown key \"file_path\": did you mean \"path\"?"
    );
    let text = bench.fails("read", json!({"path": "a", "limit": "abc"}));
    assert_eq!(text, "\"limit\" must be a whole number, got \"abc\"");
    let text = bench.fails("reed", json!({"path": "a"}));
    assert!(text.contains("Did you mean `read`?"), "{text}");
}
