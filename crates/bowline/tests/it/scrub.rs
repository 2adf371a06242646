//! `bowline scrub`: a filter for any bytes, of any length, for a reader that may leave.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::json;

use crate::support::Scratch;

// Invented; assembled here so that no scanner takes this file for a leak.
fn token() -> String {
    format!("gh{}_{}", "p", "Zx81QmWnEbVcRtYuIoPlKjHgFdSa04761593")
}

#[test]
fn text_comes_out_masked_and_other_bytes_as_they_are() {
    let scratch = Scratch::new();
    let mut bytes = format!("a {} b\0\n", token()).into_bytes();
    bytes.extend_from_slice(b"\xff\xfe\x00 password=");
    bytes.extend_from_slice(b"C3A8KtfzWgeATybk \xc3");
    scratch.file("in.bin", &bytes);
    let output = scratch
        .command(&["scrub", "--summary", "in.bin"])
        .output()
        .expect("runs");
    let expect = b"a [secret:github-token] b\0\n\xff\xfe\x00 password=[secret:password] \xc3";
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(kinds_only(&output.stdout), kinds_only(expect));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("2 masked") && told.contains("1 github-token"),
        "{told}"
    );
    assert!(!scratch.home().exists(), "a filter makes no state folder");
}

/// Tokens without what tells two secrets of a kind apart.
fn kinds_only(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let mut parts = text.split("[secret:");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (token, rest) = part.split_once(']').expect("a token ends");
        let kind = token.split(['#', ':', ' ', '.']).next().unwrap_or_default();
        shown.push_str(&format!("<{kind}>{rest}"));
    }
    shown
}

#[test]
fn described_texts_are_answered_with_the_places_in_characters() {
    let scratch = Scratch::new();
    let (token, emoji) = (token(), "\u{1f511} clé: ");
    let records = [
        json!({ "id": "one", "text": format!("{emoji}{token}"), "why": "not read" }).to_string(),
        "no record, and password=C3A8KtfzWgeATybk".to_owned(),
        json!({ "id": 2, "text": "nothing here" }).to_string(),
    ];
    scratch.file("in.jsonl", records.join("\n"));
    let run = scratch.run(&["scrub", "--jsonl", "in.jsonl"]);
    run.expect(2, &["line 2 is no object"]);
    assert!(!run.err.contains("C3A8"), "{}", run.err);
    let answers = run.lines();
    assert_eq!(answers.len(), 2);
    let span = json!([{ "start": 7, "end": 47, "type": "github-token" }]);
    assert_eq!(
        (&answers[0]["id"], &answers[0]["spans"]),
        (&json!("one"), &span)
    );
    assert_eq!(
        answers[1],
        json!({ "id": 2, "text": "nothing here", "spans": [] })
    );
}

/// Of a line without an end no more than a piece is held, and a reader that leaves ends the filter.
#[test]
fn an_endless_line_takes_no_memory_and_a_gone_reader_ends_the_filter() {
    const LINE: usize = 12 << 20;
    const PEAK_KIB: u64 = 18 << 10;
    let scratch = Scratch::new();
    let mut filter = scratch
        .command(&["scrub"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let (mut to, mut from) = (filter.stdin.take().unwrap(), filter.stdout.take().unwrap());
    let status = format!("/proc/{}/status", filter.id());
    let reader = std::thread::spawn(move || {
        from.read_exact(&mut vec![0; LINE])
            .expect("what went in comes out");
        let status = std::fs::read_to_string(status).expect("it runs");
        let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
        let peak = peak.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak.expect("the kernel tells the peak")
    });
    while to.write_all(&[b'z'; 1 << 16]).is_ok() {}
    let peak: u64 = reader.join().expect("read");
    assert!(peak < PEAK_KIB, "{peak} KiB");
    assert_eq!(filter.wait().expect("ends").code(), Some(0));
}
