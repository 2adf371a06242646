//! From a host that was asked for to a connection: judged, looked up once, judged again, dialled.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;

use bowline_core::contact::Via;
use bowline_core::{Connection, Host, NoAccess};

use super::Shared;
use super::book::Line;

/// Most addresses of one host that are tried.
const ADDRESSES_MAX: usize = 6;

/// A connection to a host, and where its bytes are counted.
pub(super) struct Dialled {
    pub(super) stream: TcpStream,
    pub(super) line: Arc<Line>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoLine {
    /// It is not to be reached.
    Refused(NoAccess),
    /// Its name could not be looked up.
    Unknown(String),
    /// None of its addresses answers.
    Unreachable(io::Error),
    /// The command is over.
    Over,
}

impl NoLine {
    /// One sentence without its full stop.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Refused(why) => why.to_string(),
            Self::Unknown(why) => format!("its name could not be looked up: {why}"),
            Self::Unreachable(error) => format!("it does not answer: {error}"),
            Self::Over => "the command is over".to_owned(),
        }
    }
}

/// Reaches `host` at `port`, or says why not; either is written into the book.
pub(super) fn dial(shared: &Shared, host: &Host, port: u16, via: Via) -> Result<Dialled, NoLine> {
    let entry = |address: Option<IpAddr>, refused: Option<String>| Connection {
        host: host.to_string(),
        port,
        address: address.map(|address| address.to_string()),
        via,
        refused,
        sent_bytes: 0,
        received_bytes: 0,
    };
    match connect(shared, host, port) {
        Ok((stream, address)) => {
            let line = shared.book.open(entry(Some(address), None));
            let line = line.ok_or(NoLine::Over)?;
            Ok(Dialled { stream, line })
        }
        Err(why) => {
            shared.book.refuse(entry(None, Some(why.words())));
            Err(why)
        }
    }
}

fn connect(shared: &Shared, host: &Host, port: u16) -> Result<(TcpStream, IpAddr), NoLine> {
    // Before the look-up: what is not to be reached is not asked for either.
    shared.access.admits(host, port).map_err(NoLine::Refused)?;
    let found = match host.address() {
        Some(address) => vec![address],
        None => {
            let found = (shared.resolve)(host);
            found.map_err(|error| NoLine::Unknown(error.to_string()))?
        }
    };
    let picked = shared.access.pick(host, port, &found);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in picked
        .map_err(NoLine::Refused)?
        .into_iter()
        .take(ADDRESSES_MAX)
    {
        let target = SocketAddr::new(address, port);
        match TcpStream::connect_timeout(&target, shared.limits.connect) {
            // What was dialled is what answers.
            Ok(stream) if stream.peer_addr().is_ok_and(|peer| peer == target) => {
                return Ok((stream, address));
            }
            Ok(_) => last = io::ErrorKind::AddrNotAvailable.into(),
            Err(error) => last = error,
        }
    }
    Err(NoLine::Unreachable(last))
}
