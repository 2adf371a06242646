//! Masking: the same however a stream is cut, nothing left to find after it, nothing lost beside it.

use bowline_secrets::{Masker, StreamMasker, find};

/// Last byte: how to split. What is before it: the stream.
pub(crate) fn masked(data: &[u8]) {
    let Some((seed, stream)) = data.split_last() else {
        return;
    };
    let whole = streamed(&[stream]);
    assert_eq!(whole, streamed(&crate::pieces(stream, *seed)));
    let text = String::from_utf8_lossy(stream);
    let masker = masker();
    let once = masker.mask(&text);
    assert_eq!(masker.mask(&once.text).text, once.text, "masked twice");
    assert_eq!(once.findings.is_empty(), once.text == text);
    let mut at = 0;
    for found in find(&text) {
        assert!(found.range.start >= at && found.range.end > found.range.start);
        assert!(text.get(found.range.clone()).is_some(), "within a character");
        at = found.range.end;
    }
}

fn masker() -> Masker {
    Masker::new(vec!["a known value".to_owned(), "C3A8KtfzWge".to_owned()])
}

fn streamed(pieces: &[&[u8]]) -> Vec<u8> {
    let mut masker = StreamMasker::new(masker());
    let mut out = Vec::new();
    pieces.iter().for_each(|piece| masker.push(piece, &mut out));
    masker.finish(&mut out);
    out
}
