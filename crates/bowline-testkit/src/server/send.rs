//! Writes responses: head, chunked or sized body in the chosen splits, and how they end.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Chunking;

/// A response, ready to go out.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) delay_ms: u64,
    pub(super) body: Body,
    pub(super) ending: Ending,
}

/// A body, possibly only the first part of one.
#[derive(Debug)]
pub(super) enum Body {
    /// One document; sent with the length that it has, or should have had.
    Document {
        /// What is sent.
        sent: Vec<u8>,
        /// What the head promises, in bytes.
        promised: usize,
    },
    /// A stream of frames, sent in HTTP chunks.
    Stream(Vec<Vec<u8>>),
}

/// How a response ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// As it should; the connection lives on.
    Whole,
    /// The connection is closed where the body stops.
    Closed,
    /// Silence where the body stops, until the client goes.
    Silent,
    /// Silence before the head.
    SilentAtOnce,
    /// A reset before the head.
    Reset,
}

impl Response {
    pub(super) fn document(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", kind.to_owned())],
            delay_ms: 0,
            body: Body::Document {
                promised: body.len(),
                sent: body,
            },
            ending: Ending::Whole,
        }
    }

    pub(super) fn stream(frames: Vec<Vec<u8>>) -> Self {
        Self {
            body: Body::Stream(frames),
            ..Self::document(200, "text/event-stream", Vec::new())
        }
    }
}

/// Sends `response`; says whether the connection can be used again.
///
/// # Errors
/// If the client has gone before the end.
pub(super) async fn send(
    stream: &mut TcpStream,
    response: &Response,
    chunking: Chunking,
) -> io::Result<bool> {
    if response.delay_ms > 0 {
        let delay = tokio::time::sleep(Duration::from_millis(response.delay_ms));
        tokio::select! {
            () = delay => {}
            () = closed(stream) => return Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
    match response.ending {
        Ending::Reset => {
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Ending::SilentAtOnce => {
            closed(stream).await;
            return Ok(false);
        }
        Ending::Whole | Ending::Closed | Ending::Silent => {}
    }
    stream.write_all(&head(response)).await?;
    match &response.body {
        Body::Document { sent, .. } => {
            for piece in split(&[sent.as_slice()], chunking) {
                stream.write_all(&piece).await?;
                tokio::task::yield_now().await;
            }
        }
        Body::Stream(frames) => send_chunks(stream, frames, response.ending, chunking).await?,
    }
    if response.ending == Ending::Silent {
        closed(stream).await;
    }
    Ok(response.ending == Ending::Whole)
}

async fn send_chunks(
    stream: &mut TcpStream,
    frames: &[Vec<u8>],
    ending: Ending,
    chunking: Chunking,
) -> io::Result<()> {
    for piece in split(frames, chunking) {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(&piece);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk).await?;
        tokio::task::yield_now().await;
    }
    if ending == Ending::Whole {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    Ok(())
}

fn head(response: &Response) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} {}\r\n",
        response.status,
        reason(response.status)
    );
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match &response.body {
        Body::Document { promised, .. } => {
            head.push_str(&format!("Content-Length: {promised}\r\n"))
        }
        Body::Stream(_) => {
            head.push_str("Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n")
        }
    }
    head.push_str("\r\n");
    head.into_bytes()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        529 => "Overloaded",
        _ => "Error",
    }
}

/// Waits until the client has closed its side.
async fn closed(stream: &TcpStream) {
    let mut byte = [0; 1];
    if let Ok(1..) = stream.peek(&mut byte).await {
        // It sent its next request early, so it is still there and expects an answer.
        std::future::pending::<()>().await;
    }
}

fn split(frames: &[impl AsRef<[u8]>], chunking: Chunking) -> Vec<Vec<u8>> {
    let frames = frames
        .iter()
        .map(AsRef::as_ref)
        .filter(|frame| !frame.is_empty());
    match chunking {
        Chunking::Frames => frames.map(<[u8]>::to_vec).collect(),
        Chunking::EveryByte => frames.flatten().map(|byte| vec![*byte]).collect(),
        Chunking::Seeded(seed) => {
            let mut random = Random(seed);
            let bytes: Vec<u8> = frames.flatten().copied().collect();
            let mut rest = bytes.as_slice();
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(random.up_to(64).min(rest.len()));
                pieces.push(piece.to_vec());
                rest = after;
            }
            pieces
        }
    }
}

/// A small generator of repeatable numbers (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Returns a number from 1 to `most`.
    pub(super) fn up_to(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % most as u64).unwrap_or(0) + 1
    }
}
