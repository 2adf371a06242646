//! The event stream format, and that splits of the bytes do not matter.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 64;

/// Feeds `bytes` cut at `cuts` and gives the events, the open one last, and whether it overflowed.
fn parse(bytes: &[u8], cuts: &[usize]) -> (Vec<SseEvent>, bool) {
    let mut parser = SseParser::new(LIMIT);
    let mut events = Vec::new();
    let mut from = 0;
    let mut failed = false;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let cut = cut.clamp(from, bytes.len());
        failed |= parser.push(&bytes[from..cut], &mut events).is_err();
        from = cut;
    }
    events.extend(parser.finish());
    (events, failed)
}

fn data(bytes: &[u8]) -> Vec<String> {
    parse(bytes, &[])
        .0
        .into_iter()
        .map(|event| event.data)
        .collect()
}

#[test]
fn lines_fields_and_ends() {
    let check = |bytes: &[u8], expect: &[&str]| {
        assert_eq!(data(bytes), expect, "{:?}", String::from_utf8_lossy(bytes));
    };
    check(b"data: a\n\ndata: b\n\n", &["a", "b"]);
    check(b"data: a\r\rdata: b\r\r", &["a", "b"]);
    check(b"data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check(b"data: a\r\n\ndata: b\n\r\n", &["a", "b"]);
    check(b"data: a\r\ndata: b\r\n\r\n", &["a\nb"]);
    check(b"data:a\ndata: b\ndata:  c\n\n", &["a\nb\n c"]);
    check(b"\xEF\xBB\xBFdata: a\n\n", &["a"]);
    check(b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &["a"]);
    check(b": comment\n\n:\n\ndata: a\n\n", &["a"]);
    check(b"data\n\n", &[""]);
    check(b"data:\ndata\n\n", &["\n"]);
    check(b"event: x\n\n", &[]);
    check(b"unknown: 1\ndata: a\nData: b\n\n", &["a"]);
    check(b"data: \xC3\xA9\n\n", &["\u{e9}"]);
    check(b"data: \xC3\n\n", &["\u{fffd}"]);
    check(b"\n\n\n\r\r\r\n", &[]);
    check(b"data: open", &["open"]);
    check(b"data: open\n", &["open"]);
    check(b"data: open\r", &["open"]);
    check(b"", &[]);
}

#[test]
fn name_id_and_retry() {
    let mut parser = SseParser::new(LIMIT);
    let mut events = Vec::new();
    let text = "event: error\nid: 7\nretry: 250\ndata: a\n\nid: \0\nretry: 2x\ndata: b\n\n";
    parser.push(text.as_bytes(), &mut events).unwrap();
    let event = |event: &str, data: &str| SseEvent {
        event: event.to_owned(),
        data: data.to_owned(),
        id: Some("7".to_owned()),
    };
    assert_eq!(events, [event("error", "a"), event("message", "b")]);
    assert_eq!(parser.retry_ms(), Some(250));
}

#[test]
fn an_event_over_the_limit_is_an_error_that_stays() {
    let fits = format!("data: {}\n\n", "x".repeat(LIMIT - 6));
    assert_eq!(parse(fits.as_bytes(), &[]).0.len(), 1);
    let long = format!("data: a\n\ndata: {}\n\ndata: b\n\n", "x".repeat(LIMIT));
    let (events, failed) = parse(long.as_bytes(), &[]);
    assert!(failed);
    assert_eq!(events.len(), 1, "what came before is given, nothing after");
    let many = format!("data: a\n\n{}", "data: 123456\n".repeat(20));
    assert!(
        parse(many.as_bytes(), &[]).1,
        "many short lines of one event count together"
    );
    let mut parser = SseParser::new(4);
    let mut events = Vec::new();
    let error = parser.push(b"data: x", &mut events).unwrap_err();
    assert_eq!(error.to_string(), "a single event is larger than 4 bytes");
    assert!(parser.push(b"\n\n", &mut events).is_err());
    assert!(events.is_empty());
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"data: ".to_vec()),
        Just(b"data".to_vec()),
        Just(b"event: e".to_vec()),
        Just(b"id: 1".to_vec()),
        Just(b": c".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just("\u{1F9F5}\u{e9}".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        bytes in stream(),
        mut cuts in proptest::collection::vec(0usize..400, 0..30),
    ) {
        cuts.sort_unstable();
        let whole = parse(&bytes, &[]);
        prop_assert_eq!(&whole, &parse(&bytes, &cuts));
        let every_byte: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(&whole, &parse(&bytes, &every_byte));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (events, _) = parse(&bytes, &[]);
        prop_assert!(events.iter().all(|event| event.data.len() <= 3 * LIMIT));
    }
}
