//! Server-sent events: however the bytes are split, the same events come out.

use bowline_model::sse::{SseError, SseEvent, SseParser};

type Read = (Vec<SseEvent>, Option<SseEvent>, Option<SseError>);

/// Last byte: how to split. What is before it: the stream.
pub(crate) fn sse(data: &[u8]) {
    #[cfg(feature = "planted")]
    planted(data);
    let Some((seed, stream)) = data.split_last() else {
        return;
    };
    let whole = read(&[stream]);
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

/// A fault that only a run guided by coverage finds in its time: one byte after the other.
#[cfg(feature = "planted")]
fn planted(data: &[u8]) {
    let mut found = 0;
    for (byte, wanted) in data.iter().zip(b"fault") {
        if byte != wanted {
            return;
        }
        found += 1;
        match found {
            1 => std::hint::black_box(1),
            2 => std::hint::black_box(2),
            3 => std::hint::black_box(3),
            4 => std::hint::black_box(4),
            _ => panic!("the planted fault was found"),
        };
    }
}
