//! Bytes both ways between a client and a host, until both have said all, or nothing comes any more.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Limits;
use super::book::{Line, Way};
use super::dial::Dialled;
use super::source::is_timeout;

/// Bytes moved at once.
const BUFFER_BYTES: usize = 32 << 10;

/// How often a silent connection is looked at, as a part of the time it may be silent.
const LOOKS: u32 = 8;

/// Shortest time between two such looks.
const LOOK_MIN: Duration = Duration::from_millis(5);

/// A client and the host that it was given.
pub(super) struct Pair {
    client: TcpStream,
    host: TcpStream,
    line: Arc<Line>,
    pulse: Pulse,
}

/// When something was last heard of either side.
struct Pulse {
    began: Instant,
    last_ms: AtomicU64,
    is_half: AtomicBool,
    idle: Duration,
    half_idle: Duration,
}

impl Pair {
    /// # Errors
    /// One of the sockets does not take its time limit.
    pub(super) fn new(client: TcpStream, dialled: Dialled, limits: &Limits) -> io::Result<Self> {
        let Dialled { stream: host, line } = dialled;
        let look = (limits.idle.min(limits.half_idle) / LOOKS).max(LOOK_MIN);
        for stream in [&client, &host] {
            let _sooner = stream.set_nodelay(true);
            stream.set_read_timeout(Some(look))?;
            stream.set_write_timeout(Some(look))?;
        }
        Ok(Self {
            client,
            host,
            line,
            pulse: Pulse {
                began: Instant::now(),
                last_ms: AtomicU64::new(0),
                is_half: AtomicBool::new(false),
                idle: limits.idle,
                half_idle: limits.half_idle,
            },
        })
    }

    /// Passes on what the host says until it has said all, while `ask` passes on what the client
    /// says.
    pub(super) fn run(self, ask: impl FnOnce(&Self) -> io::Result<()>) {
        std::thread::scope(|scope| {
            let answers = std::thread::Builder::new()
                .stack_size(super::STACK_BYTES)
                .spawn_scoped(scope, || self.over(self.copy(Way::In)));
            match answers {
                Ok(_) => self.over(ask(&self)),
                Err(error) => self.over(Err(error)),
            }
        });
    }

    /// What follows when one side has said all, or failed.
    fn over(&self, how: io::Result<()>) {
        if how.is_err() {
            for stream in [&self.client, &self.host] {
                // It may be closed already.
                let _closed = stream.shutdown(Shutdown::Both);
            }
        }
        self.pulse.is_half.store(true, Ordering::Relaxed);
    }

    /// Passes on all that comes from one side, and that it ended.
    pub(super) fn copy(&self, way: Way) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match self.read(way, &mut buffer)? {
                0 => {
                    let to = self.ends(way).1;
                    // The other side may be gone: then nobody needs to hear it.
                    let _told = to.shutdown(Shutdown::Write);
                    return Ok(());
                }
                count => self.write(way, &buffer[..count])?,
            }
        }
    }

    /// Takes whatever else a client says, which is for nobody.
    pub(super) fn ignore_client(&self) -> io::Result<()> {
        let mut buffer = [0; 512];
        while self.read(Way::Out, &mut buffer)? > 0 {}
        Ok(())
    }

    /// Reads from the side that speaks.
    ///
    /// # Errors
    /// Nothing came for too long, or reading fails.
    pub(super) fn read(&self, way: Way, buffer: &mut [u8]) -> io::Result<usize> {
        let mut from = self.ends(way).0;
        loop {
            match from.read(buffer) {
                Ok(count) => {
                    self.pulse.beat();
                    return Ok(count);
                }
                Err(error) if is_timeout(&error) => self.pulse.check()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes all of it to the side that listens, counted before.
    ///
    /// # Errors
    /// The command is over, nothing is taken for too long, or writing fails.
    pub(super) fn write(&self, way: Way, mut bytes: &[u8]) -> io::Result<()> {
        if !self.line.passes(way, bytes.len()) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let mut to = self.ends(way).1;
        while !bytes.is_empty() {
            match to.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.pulse.beat();
                    bytes = &bytes[count..];
                }
                Err(error) if is_timeout(&error) => self.pulse.check()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Who speaks and who listens.
    const fn ends(&self, way: Way) -> (&TcpStream, &TcpStream) {
        match way {
            Way::Out => (&self.client, &self.host),
            Way::In => (&self.host, &self.client),
        }
    }
}

impl Pulse {
    fn beat(&self) {
        self.last_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        let allowed = if self.is_half.load(Ordering::Relaxed) {
            self.half_idle
        } else {
            self.idle
        };
        let silent_ms = self
            .now_ms()
            .saturating_sub(self.last_ms.load(Ordering::Relaxed));
        if Duration::from_millis(silent_ms) >= allowed {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
