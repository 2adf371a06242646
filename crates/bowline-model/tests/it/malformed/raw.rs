//! A server that sends exactly the bytes it is told to, once, and ends as it is told to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection is closed.
    Closed,
    /// Nothing more comes, until the client hangs up.
    Silent,
    /// The last piece comes again and again, until the client hangs up.
    Endless,
    /// As [`End::Endless`], a moment apart.
    Trickling,
}

/// What is sent: pieces of bytes, head included, and an end.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) end: End,
}

impl Sent {
    /// Bytes as they stand, then the connection closes.
    pub(crate) fn exactly(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            pieces: vec![bytes.as_ref().to_vec()],
            end: End::Closed,
        }
    }

    /// A chunked response of status 200, one HTTP chunk a piece, with its proper end.
    pub(crate) fn chunks<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Self {
        Self::chunks_as("content-type: text/event-stream\r\n", pieces)
    }

    /// The same with other headers.
    pub(crate) fn chunks_as<P: AsRef<[u8]>>(
        headers: &str,
        pieces: impl IntoIterator<Item = P>,
    ) -> Self {
        let mut sent = Self::open(pieces);
        sent.pieces[0] = head(headers);
        sent.pieces.push(b"0\r\n\r\n".to_vec());
        sent
    }

    /// A chunked response that closes before its proper end.
    pub(crate) fn open<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Self {
        let chunks = pieces.into_iter().map(|piece| chunk(piece.as_ref()));
        Self {
            pieces: std::iter::once(head("")).chain(chunks).collect(),
            end: End::Closed,
        }
    }

    /// The same bytes with another end.
    pub(crate) fn then(self, end: End) -> Self {
        Self { end, ..self }
    }
}

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}transfer-encoding: chunked\r\n\r\n").into_bytes()
}

/// One HTTP chunk.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// A response with a length, that holds as much as it says.
pub(crate) fn sized(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Serves one request; gives the address, such as `http://127.0.0.1:4711`.
pub(crate) fn serve(sent: Sent) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        read_request(&mut stream);
        // A client that has seen enough hangs up, which is what many of the rows are about.
        let _gone = answer(&mut stream, &sent);
    });
    (address, thread)
}

fn answer(stream: &mut TcpStream, sent: &Sent) -> std::io::Result<()> {
    for piece in &sent.pieces {
        stream.write_all(piece)?;
    }
    let last = sent.pieces.last().cloned().unwrap_or_default();
    match sent.end {
        End::Closed => {}
        End::Silent => {
            stream.read_to_end(&mut Vec::new())?;
        }
        End::Endless => loop {
            stream.write_all(&last)?;
        },
        End::Trickling => loop {
            stream.write_all(&last)?;
            std::thread::sleep(Duration::from_millis(20));
        },
    }
    Ok(())
}

fn read_request(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
}

/// An address whose queue of connections is full, so that no further one is made. The streams
/// hold their places in it.
pub(crate) fn full_queue() -> (String, TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue has no end");
    }
    (format!("http://{address}"), listener, waiting)
}
