//! The body of one request: exactly as long as its head says, and nothing after it.

use std::io;

use super::book::Way;
use super::head::Body;
use super::relay::Pair;

/// Longest line that says how long a chunk is, in bytes.
const SIZE_LINE_BYTES_MAX: usize = 1 << 10;

/// Most of what may follow the last chunk, in bytes.
const TRAILER_BYTES_MAX: usize = 16 << 10;

/// Most digits of the length of a chunk.
const SIZE_DIGITS_MAX: usize = 15;

/// Bytes moved at once.
const BUFFER_BYTES: usize = 16 << 10;

/// Passes on a body whose first bytes are `early`.
///
/// # Errors
/// The body is none, or a side fails.
pub(super) fn pass(pair: &Pair, body: Body, early: Vec<u8>) -> io::Result<()> {
    let mut rest = Rest {
        pair,
        bytes: early,
        at: 0,
    };
    match body {
        Body::Length(length) => rest.pass(length),
        Body::Chunked => {
            while let Some(length) = rest.size()? {
                pair.write(Way::Out, format!("{length:x}\r\n").as_bytes())?;
                rest.pass(length)?;
                if rest.line(2)? != b"" {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                pair.write(Way::Out, b"\r\n")?;
            }
            rest.skip_trailers()?;
            pair.write(Way::Out, b"0\r\n\r\n")
        }
    }
}

/// What the client still has to say.
struct Rest<'a> {
    pair: &'a Pair,
    bytes: Vec<u8>,
    at: usize,
}

impl Rest<'_> {
    /// Passes on exactly `length` bytes.
    fn pass(&mut self, mut length: u64) -> io::Result<()> {
        while length > 0 {
            self.fill()?;
            let there = &self.bytes[self.at..];
            let count = usize::try_from(length).map_or(there.len(), |most| there.len().min(most));
            self.pair.write(Way::Out, &there[..count])?;
            self.at += count;
            length -= count as u64;
        }
        Ok(())
    }

    /// The length of the next chunk; `None` for the last one. Extensions are dropped.
    fn size(&mut self) -> io::Result<Option<u64>> {
        let line = self.line(SIZE_LINE_BYTES_MAX)?;
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let digits = digits.trim_ascii_end();
        let is_plain = (1..=SIZE_DIGITS_MAX).contains(&digits.len())
            && digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_plain);
        let size = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        Ok((size > 0).then_some(size))
    }

    fn skip_trailers(&mut self) -> io::Result<()> {
        let mut left = TRAILER_BYTES_MAX;
        loop {
            let line = self.line(left)?;
            if line.is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(line.len() + 2);
        }
    }

    /// The next line without its end, of at most `most` bytes with it.
    fn line(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            self.fill()?;
            let byte = self.bytes[self.at];
            self.at += 1;
            line.push(byte);
            if let Some(line) = line.strip_suffix(b"\r\n") {
                return Ok(line.to_vec());
            }
            if byte == b'\n' || line.len() >= most {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// Sees to it that there is at least one byte.
    fn fill(&mut self) -> io::Result<()> {
        if self.at < self.bytes.len() {
            return Ok(());
        }
        self.bytes.resize(BUFFER_BYTES, 0);
        let count = self.pair.read(Way::Out, &mut self.bytes)?;
        self.bytes.truncate(count);
        self.at = 0;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}
