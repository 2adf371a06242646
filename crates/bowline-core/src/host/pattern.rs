//! What names hosts in a rule or a profile.

use std::fmt;

use super::{Host, HostError};

/// Ports that are meant where none is given.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// A host, or many by a `*` for any characters, and a port if others than 80 and 443 are meant:
/// `docs.rs`, `*.crates.io` (subdomains only), `10.0.0.5`, `[::1]:8080`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPattern {
    text: String,
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Exact(Host),
    /// Lower case ASCII with a `*`.
    Glob(String),
}

impl HostPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`HostError`] quotes what cannot be read.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if !text.contains('*') {
            let (host, port) = Host::with_port(text)?;
            let shown = match host.address() {
                Some(address) if address.is_ipv6() => format!("[{host}]"),
                _ => host.to_string(),
            };
            return Ok(Self::new(Name::Exact(host), shown, port));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(super::port(port, text)?)),
            None => (text, None),
        };
        let glob = glob(name).ok_or_else(|| HostError::NoHost(super::quoted(text)))?;
        Ok(Self::new(Name::Glob(glob.clone()), glob, port))
    }

    fn new(name: Name, shown: String, port: Option<u16>) -> Self {
        let text = match port {
            Some(port) => format!("{shown}:{port}"),
            None => shown,
        };
        Self { text, name, port }
    }

    /// Its one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The port, if one is given.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it names `host`, by itself or with others, whatever the port.
    #[must_use]
    pub fn names(&self, host: &Host) -> bool {
        match &self.name {
            Name::Exact(named) => named == host,
            Name::Glob(glob) => fits(glob, host.as_str()),
        }
    }

    /// Whether it names `host` and no other one.
    #[must_use]
    pub fn names_exactly(&self, host: &Host) -> bool {
        matches!(&self.name, Name::Exact(named) if named == host)
    }

    /// Whether `port` is meant: the one that is given, else 80 and 443.
    #[must_use]
    pub fn means_port(&self, port: u16) -> bool {
        match self.port {
            Some(given) => given == port,
            None => USUAL_PORTS.contains(&port),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A pattern with a `*` in its one spelling. Beyond ASCII only what follows `*.` can be told.
fn glob(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if let Some(rest) = text.strip_prefix("*.").filter(|rest| !rest.is_ascii()) {
        let host = Host::parse(rest).ok()?;
        return host.address().is_none().then(|| format!("*.{host}"));
    }
    let text = text.to_ascii_lowercase();
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.*".contains(&byte);
    (text.len() <= super::NAME_BYTES_MAX && text.bytes().all(is_plain)).then_some(text)
}

/// Whether `name` fits `glob`, in which `*` stands for any characters.
fn fits(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|head| name.strip_prefix(head)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}
