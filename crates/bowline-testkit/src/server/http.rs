//! Just enough HTTP/1.1 to read requests: keep-alive, `Content-Length`, chunked bodies.
//!
//! Written by hand because the responses need what HTTP libraries hide: every byte's own chunk,
//! ends in the middle of one, and resets.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEAD_MAX: usize = 64 * 1024;
const BODY_MAX: usize = 256 * 1024 * 1024;

/// One request, read whole.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The first header of that name, given in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the client will use the connection again.
    pub(super) fn keeps_alive(&self) -> bool {
        !self
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// Reads requests from one connection.
pub(super) struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { buffer: Vec::new() }
    }

    /// Reads the next request; `None` once the client has closed the connection between two.
    pub(super) async fn next(&mut self, stream: &mut TcpStream) -> io::Result<Option<Request>> {
        let Some(end) = self.until(stream, b"\r\n\r\n", HEAD_MAX).await? else {
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end);
        let mut request = parse_head(&head)?;
        if request
            .header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let chunked = request
            .header("transfer-encoding")
            .is_some_and(|value| value == "chunked");
        request.body = if chunked {
            self.chunked(stream).await?
        } else {
            let length = request.header("content-length").unwrap_or("0");
            let length = length
                .parse()
                .map_err(|_| bad("content-length is no number"))?;
            self.exactly(stream, length).await?
        };
        Ok(Some(request))
    }

    /// Reads until `mark`; returns where it ends in the buffer.
    async fn until(
        &mut self,
        stream: &mut TcpStream,
        mark: &[u8],
        most: usize,
    ) -> io::Result<Option<usize>> {
        loop {
            let found = self
                .buffer
                .windows(mark.len())
                .position(|window| window == mark);
            if let Some(start) = found {
                return Ok(Some(start + mark.len()));
            }
            if self.buffer.len() > most {
                return Err(bad("request head is too long"));
            }
            if !self.fill(stream).await? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(cut())
                };
            }
        }
    }

    async fn exactly(&mut self, stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        if length > BODY_MAX {
            return Err(bad("request body is too long"));
        }
        while self.buffer.len() < length {
            if !self.fill(stream).await? {
                return Err(cut());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn chunked(&mut self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = self
                .until(stream, b"\r\n", HEAD_MAX)
                .await?
                .ok_or_else(cut)?;
            let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
            self.buffer.drain(..end);
            let digits = line.trim().split(';').next().unwrap_or_default();
            let length = usize::from_str_radix(digits, 16).map_err(|_| bad("bad chunk length"))?;
            if body.len() + length > BODY_MAX {
                return Err(bad("request body is too long"));
            }
            let mut chunk = self.exactly(stream, length + 2).await?;
            chunk.truncate(length);
            body.append(&mut chunk);
            if length == 0 {
                return Ok(body);
            }
        }
    }

    async fn fill(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        Ok(stream.read_buf(&mut self.buffer).await? > 0)
    }
}

fn parse_head(head: &str) -> io::Result<Request> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1")) = (first.next(), first.next(), first.next())
    else {
        return Err(bad("no HTTP/1.1 request line"));
    };
    let headers = lines.filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad("header without colon"))?;
        Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Ok(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.collect::<io::Result<_>>()?,
        body: Vec::new(),
    })
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

fn cut() -> io::Error {
    ErrorKind::UnexpectedEof.into()
}
