//! Server-sent events: however the bytes are split, the same events come out.

use bowline_model::sse::{SseError, SseEvent, SseParser};

type Read = (Vec<SseEvent>, Option<SseEvent>, Option<SseError>);

/// Last byte: how to split. What is before it: the stream.
pub(crate) fn sse(data: &[u8]) {
    let Some((seed, stream)) = data.split_last() else {
        return;
    };
    let whole = read(&[stream]);
    #[cfg(feature = "planted")]
    planted(&whole.0);
    assert_eq!(whole, read(&crate::pieces(stream, *seed)));
    assert_eq!(whole, read(&stream.chunks(1).collect::<Vec<_>>()));
}

fn read(pieces: &[&[u8]]) -> Read {
    let mut parser = SseParser::new(1 << 10);
    let mut events = Vec::new();
    for piece in pieces {
        if let Err(error) = parser.push(piece, &mut events) {
            return (events, None, Some(error));
        }
    }
    (events, parser.finish(), None)
}

/// A fault that no seed shows: an id, and in the same event data over two lines. The parser has a
/// branch for each, so a run that is guided by coverage keeps the one until it meets the other.
#[cfg(feature = "planted")]
fn planted(events: &[SseEvent]) {
    let shown = |event: &SseEvent| event.id.is_some() && event.data.contains('\n');
    assert!(!events.iter().any(shown), "the planted fault was found");
}
