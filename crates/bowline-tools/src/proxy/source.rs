//! Reading from a client: what it sent too early is kept, and its head has a deadline.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Most of a request head, in bytes.
pub(super) const HEAD_BYTES_MAX: usize = 16 << 10;

/// Bytes asked of a socket at once.
const READ_BYTES: usize = 4 << 10;

/// A client from which a head is read, and after it what belongs to its request.
#[derive(Debug)]
pub(super) struct Source {
    stream: TcpStream,
    kept: Vec<u8>,
    deadline: Instant,
}

/// Why there is no head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// It is longer than [`HEAD_BYTES_MAX`].
    TooLong,
    /// It took too long.
    TooSlow,
    /// The client is gone.
    Gone,
}

impl Source {
    /// A client that has `time` for its head.
    ///
    /// # Errors
    /// The time is nothing that a clock can hold.
    pub(super) fn new(stream: TcpStream, time: Duration) -> io::Result<Self> {
        let deadline = Instant::now().checked_add(time);
        Ok(Self {
            stream,
            kept: Vec::new(),
            deadline: deadline.ok_or(io::ErrorKind::InvalidInput)?,
        })
    }

    pub(super) const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The next byte, which stays; `None` at the end.
    ///
    /// # Errors
    /// The time is over, or reading fails.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.kept.is_empty() && self.fill()? == 0 {
            return Ok(None);
        }
        Ok(self.kept.first().copied())
    }

    /// Takes exactly `count` bytes.
    ///
    /// # Errors
    /// There are fewer, the time is over, or reading fails.
    pub(super) fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.kept.len() < count {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.kept.drain(..count).collect())
    }

    /// Takes all up to and with the empty line.
    ///
    /// # Errors
    /// [`NoHead`] says why there is none.
    pub(super) fn head(&mut self) -> Result<Vec<u8>, NoHead> {
        let mut searched = 0;
        loop {
            let from = searched.min(self.kept.len());
            if let Some(at) = self.kept[from..]
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
            {
                return Ok(self.kept.drain(..from + at + 4).collect());
            }
            if self.kept.len() >= HEAD_BYTES_MAX {
                return Err(NoHead::TooLong);
            }
            searched = self.kept.len().saturating_sub(3);
            match self.fill() {
                Ok(0) => return Err(NoHead::Gone),
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return Err(NoHead::TooSlow),
                Err(_) => return Err(NoHead::Gone),
            }
        }
    }

    /// Gives the client and what it sent beyond what was taken.
    pub(super) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.kept)
    }

    fn fill(&mut self) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut chunk = [0; READ_BYTES];
        loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.kept.extend_from_slice(&chunk[..count]);
                    return Ok(count);
                }
            }
        }
    }
}

/// Whether it only took too long.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
