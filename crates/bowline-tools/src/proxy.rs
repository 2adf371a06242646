//! The way out of a network of its own: a proxy that reaches only named hosts.
//!
//! A confined command has a network with nothing but loopback in it. A small launcher inside it
//! ([`inside`](crate::confine::inside)) makes a listening socket there and hands it out; the keeper
//! accepts on it from outside and dials with the machine's network. So there is one way out, and it
//! leads through here: HTTP (`CONNECT` and plain requests) and SOCKS5 on one port.
//!
//! What is checked is what is dialled: a host is read once into its one spelling, its name is looked
//! up once, every address is judged, and one of those is dialled. What is said within a tunnel is
//! not looked at: a TLS handshake may name another host than the one that was asked for, which then
//! is for the server that was reached to answer or not.
//!
//! Bounds: `Limits`. Every connection to a host, made or refused, is written into the `book`.

mod body;
pub(crate) mod book;
mod dial;
mod head;
mod http;
mod relay;
mod socks;
mod source;

use std::io;
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bowline_core::{Host, HostAccess, HostError};

use self::book::{Book, Written};
use self::source::Source;

/// Looks up the addresses of a name. May take its time.
pub type Resolve = dyn Fn(&Host) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Looks names up the way the machine does.
#[must_use]
pub fn system_resolver() -> Arc<Resolve> {
    Arc::new(|host: &Host| {
        let found = (host.as_str(), 0).to_socket_addrs()?;
        Ok(found.map(|address| address.ip()).collect())
    })
}

/// Stack of a thread that serves one direction of a connection, in bytes.
const STACK_BYTES: usize = 256 << 10;

/// What one proxy allows its clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at once; further ones wait.
    pub(crate) connections: usize,
    /// Time for a whole request head or SOCKS greeting.
    pub(crate) head: Duration,
    /// Time for dialling one address.
    pub(crate) connect: Duration,
    /// Time in which nothing comes from either side before both are closed.
    pub(crate) idle: Duration,
    /// The same once one side has said all that it has to say.
    pub(crate) half_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            idle: Duration::from_mins(10),
            half_idle: Duration::from_mins(2),
        }
    }
}

/// A proxy for one command.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
}

/// What the threads of a proxy share.
struct Shared {
    access: HostAccess,
    resolve: Arc<Resolve>,
    limits: Limits,
    book: Book,
    busy: Mutex<Busy>,
    changed: Condvar,
}

/// Who is being served.
#[derive(Default)]
struct Busy {
    count: usize,
    is_closed: bool,
    listener: Option<TcpListener>,
}

impl Proxy {
    /// A proxy that reaches `hosts`, which are patterns.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn new(
        hosts: &[String],
        resolve: Arc<Resolve>,
        limits: Limits,
    ) -> Result<Self, HostError> {
        Ok(Self {
            shared: Arc::new(Shared {
                access: HostAccess::parse(hosts)?,
                resolve,
                limits,
                book: Book::default(),
                busy: Mutex::default(),
                changed: Condvar::new(),
            }),
        })
    }

    /// Serves whoever connects to the socket that comes out of `door`.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn serve_from(&self, door: OwnedFd) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        spawn(move || {
            // Without a socket nobody got as far as wanting one.
            if let Ok(Some(listener)) = crate::confine::inside::take_listener(&door) {
                drop(door);
                accept_all(&shared, &listener);
            }
        })
    }

    /// Ends the service and gives what was written. What is on its way gets `grace` to arrive.
    pub(crate) fn close(self, grace: Duration) -> Written {
        let shared = self.shared;
        let mut busy = shared.busy();
        if let Some(listener) = busy.listener.take() {
            // Wakes who waits for connections.
            let _woken = rustix::net::shutdown(&listener, rustix::net::Shutdown::Both);
        }
        busy.is_closed = true;
        let waited = shared
            .changed
            .wait_timeout_while(busy, grace, |busy| busy.count > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        shared.changed.notify_all();
        shared.book.close()
    }
}

impl Shared {
    fn busy(&self) -> MutexGuard<'_, Busy> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room for one more; false once the proxy is closed.
    fn enter(&self) -> bool {
        let is_full = |busy: &mut Busy| busy.count >= self.limits.connections && !busy.is_closed;
        let busy = self.changed.wait_while(self.busy(), is_full);
        let mut busy = busy.unwrap_or_else(PoisonError::into_inner);
        if !busy.is_closed {
            busy.count += 1;
        }
        !busy.is_closed
    }

    fn leave(&self) {
        self.busy().count -= 1;
        self.changed.notify_all();
    }
}

/// Accepts until the proxy is closed.
fn accept_all(shared: &Arc<Shared>, listener: &TcpListener) {
    match listener.try_clone() {
        Ok(other) if !shared.busy().is_closed => shared.busy().listener = Some(other),
        _ => return,
    }
    while shared.enter() {
        let Ok((client, _)) = listener.accept() else {
            shared.leave();
            if shared.busy().is_closed {
                return;
            }
            // Out of descriptors, most likely: what is served now gives some back.
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let served = Arc::clone(shared);
        let begun = spawn(move || {
            serve(&served, client);
            served.leave();
        });
        if begun.is_err() {
            shared.leave();
        }
    }
}

/// Serves one client; its first byte tells how it speaks.
fn serve(shared: &Shared, client: TcpStream) {
    let _sooner = client.set_nodelay(true);
    let Ok(mut source) = Source::new(client, shared.limits.head) else {
        return;
    };
    match source.peek() {
        Ok(Some(socks::VERSION)) => socks::serve(shared, source),
        Ok(Some(first)) if first.is_ascii_uppercase() => http::serve(shared, source),
        Ok(_) | Err(_) => close(source.stream()),
    }
}

/// Closes a connection without losing what was answered last.
fn close(stream: &TcpStream) {
    // It may be closed already.
    let _closed = stream.shutdown(Shutdown::Write);
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map(drop)
}

#[cfg(test)]
mod tests;
