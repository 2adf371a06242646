//! Hosts in one spelling, so that what is checked is what is dialled.
//!
//! `0x7f.1`, `2130706433`, `127.0.0.1.`, `１２７.0.0.1` and `[::ffff:7f00:1]` are all `127.0.0.1`: a
//! [`Host`] is read the way browsers and most clients read one, and kept in the spelling that comes
//! out. What is no host in that reading is an error, never a name that somebody else reads otherwise.

mod access;
mod pattern;
mod private;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

pub use self::access::{HostAccess, NoAccess};
pub use self::pattern::HostPattern;
pub use self::private::Private;

/// Longest name, in bytes, as the domain name system has it.
const NAME_BYTES_MAX: usize = 253;

/// Longest part of a name between two dots, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// Longest text that is read at all, in bytes.
const TEXT_BYTES_MAX: usize = 2_048;

/// A text that is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is nothing in it.
    #[error("it names no host")]
    Empty,
    /// It cannot be read as a name or an address.
    #[error("`{0}` is no host: write a name such as `docs.rs` or an address such as `203.0.113.5`")]
    NoHost(String),
    /// Its port is none.
    #[error("`{0}` has no port that could be used: write a number from 1 to 65535 after the colon")]
    NoPort(String),
}

/// A host in its one spelling: a name in lower case ASCII without a dot at the end, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    text: String,
    address: Option<IpAddr>,
}

impl Host {
    /// Reads a name or an address, in brackets or not.
    ///
    /// # Errors
    /// [`HostError`] quotes what cannot be read.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        let refused = || HostError::NoHost(quoted(text));
        if text.len() > TEXT_BYTES_MAX {
            return Err(refused());
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::from(IpAddr::V6(address)));
        }
        match url::Host::parse(text).map_err(|_| refused())? {
            url::Host::Ipv4(address) => Ok(Self::from(IpAddr::V4(address))),
            url::Host::Ipv6(address) => Ok(Self::from(IpAddr::V6(address))),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                if !is_name(name) {
                    return Err(refused());
                }
                Ok(Self {
                    text: name.to_owned(),
                    address: None,
                })
            }
        }
    }

    /// Reads `HOST` or `HOST:PORT`; an address with colons stands in brackets where a port follows.
    ///
    /// # Errors
    /// [`HostError`] quotes what cannot be read. Port 0 is none.
    pub fn with_port(text: &str) -> Result<(Self, Option<u16>), HostError> {
        let is_bare = text.starts_with('[') && text.ends_with(']');
        match text.rsplit_once(':') {
            Some((host, port)) if !is_bare && (host.ends_with(']') || !host.contains(':')) => {
                Ok((Self::parse(host)?, Some(self::port(port, text)?)))
            }
            _ => Ok((Self::parse(text)?, None)),
        }
    }

    /// Its one spelling; an address with colons stands without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address, if it is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// `HOST:PORT`, in brackets where the host has colons.
    #[must_use]
    pub fn at_port(&self, port: u16) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => format!("[{address}]:{port}"),
            _ => format!("{}:{port}", self.text),
        }
    }

    /// Why it is no host of the public network, if it is none. A name may be private and lead to a
    /// public address, or the other way round: what it leads to is judged with [`Private::of`].
    #[must_use]
    pub fn private(&self) -> Option<Private> {
        match self.address {
            Some(address) => Private::of(address),
            None => Private::of_name(&self.text),
        }
    }

    /// Whether `address`, to which this host leads, may be dialled: a public one may; another one only
    /// if `spells_out` says so of the address itself, or of this host where it is a local name. Who
    /// spells out a public name means what it leads to there: whoever answers for the name must not
    /// turn it into a way in. Where machines get their keys only the address itself leads.
    ///
    /// # Errors
    /// Why the address is not public, where nothing opens it.
    pub fn leads_to(
        &self,
        address: IpAddr,
        spells_out: impl Fn(&Self) -> bool,
    ) -> Result<(), Private> {
        let Some(private) = Private::of(address) else {
            return Ok(());
        };
        let is_local_name =
            self.address.is_none() && self.is_private() && private != Private::Metadata;
        if spells_out(&Self::from(address)) || is_local_name && spells_out(self) {
            return Ok(());
        }
        Err(private)
    }

    /// Whether it is no host of the public network.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private().is_some()
    }
}

impl From<IpAddr> for Host {
    /// An IPv4 address written as an IPv6 one is the IPv4 address: machines dial it so.
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            text: address.to_string(),
            address: Some(address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The port in `whole`.
fn port(port: &str, whole: &str) -> Result<u16, HostError> {
    // A sign is no digit, though a number may have one.
    let is_digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| *port > 0 && is_digits);
    port.ok_or_else(|| HostError::NoPort(quoted(whole)))
}

/// Whether a text could stand in the domain name system.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !label.is_empty()
            && label.len() <= LABEL_BYTES_MAX
            && label
                .bytes()
                .all(|byte| is_plain(byte) || matches!(byte, b'-' | b'_'))
    };
    text.len() <= NAME_BYTES_MAX && text.split('.').all(is_label)
}

/// A foreign text as messages show it: short, without what a terminal would obey.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    shown
}

#[cfg(test)]
mod tests;
