//! What a call had to do with the world beyond its limits: whom it reached, what it was denied.

use serde::{Deserialize, Serialize};

/// Most connections that one call's end records; more are counted in its text.
pub const CONNECTIONS_MAX: usize = 200;

/// How a connection was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Through the proxy, by HTTP.
    Http,
    /// Through the proxy, by SOCKS.
    Socks,
    /// By the `fetch` tool.
    Fetch,
}

/// A connection that a call made or wanted to make.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Connection {
    /// The host asked for, in its canonical form; as written where it has none.
    pub host: String,
    /// The port; 0 where none could be told.
    pub port: u16,
    /// The address that was dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How.
    pub via: Via,
    /// Why it was refused or failed, in one sentence without its full stop; none if it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Bytes sent to the host.
    #[serde(default)]
    pub sent_bytes: u64,
    /// Bytes received from it.
    #[serde(default)]
    pub received_bytes: u64,
}

impl Connection {
    /// It in a line: `docs.rs:443 (203.0.113.5), 120 bytes sent, 4532 received`, or why it was not
    /// made.
    #[must_use]
    pub fn words(&self) -> String {
        let port = match self.port {
            0 => String::new(),
            port => format!(":{port}"),
        };
        let host = &self.host;
        let host = if host.contains(':') && self.port > 0 {
            format!("[{host}]{port}")
        } else {
            format!("{host}{port}")
        };
        if let Some(why) = &self.refused {
            return format!("{host} was not reached: {why}");
        }
        let (sent, received) = (self.sent_bytes, self.received_bytes);
        let at = match &self.address {
            Some(address) if *address != self.host => format!(" ({address})"),
            _ => String::new(),
        };
        format!("{host}{at}, {sent} bytes sent, {received} received")
    }
}

/// Something that a call's limits kept it from, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "denied", rename_all = "snake_case")]
pub enum Denied {
    /// Writing a path.
    Write {
        /// Which.
        path: String,
    },
    /// Reading a path.
    Read {
        /// Which.
        path: String,
    },
    /// Reaching a host.
    Reach {
        /// Which.
        host: String,
        /// At which port; none if it is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// Something else.
    Other {
        /// What, in a few words.
        what: String,
    },
}

impl Denied {
    /// What it was, in a few words: `writing /etc/hosts`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Write { path } => format!("writing {path}"),
            Self::Read { path } => format!("reading {path}"),
            Self::Reach { host, port: None } => format!("reaching {host}"),
            Self::Reach {
                host,
                port: Some(port),
            } => format!("reaching {host} at port {port}"),
            Self::Other { what } => what.clone(),
        }
    }
}
