//! Which hosts may be reached, and at which of their addresses.

use std::fmt;
use std::net::IpAddr;

use super::{Host, HostError, HostPattern, Private};

/// The hosts that may be reached, by patterns. A pattern opens what it names; one after a `!` closes
/// it, at any port if it has none. What stands later counts.
///
/// What is checked is what is dialled: [`HostAccess::admits`] judges the host as asked for,
/// [`HostAccess::pick`] each address that its name was found to have. A host or an address that is
/// not public is reached only where a pattern spells it out, without a `*` ([`Host::leads_to`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostAccess {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Opens(HostPattern),
    Closes(HostPattern),
}

/// What stands before a pattern that closes.
const CLOSES: char = '!';

/// Why a host is not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAccess {
    /// No pattern names it.
    NotNamed(Host),
    /// A pattern closes it.
    Closed(Host),
    /// A pattern names it, but for other ports.
    OtherPort(Host, u16),
    /// It is not public and no pattern spells it out.
    NotPublic(Host, Private),
    /// None of its addresses is public, and no pattern spells one out. One of them.
    LeadsInside(Host, IpAddr, Private),
    /// Its name has no address.
    NoAddress(Host),
}

impl HostAccess {
    /// Reads patterns. One that opens and cannot be read is nobody's name and opens nothing.
    ///
    /// # Errors
    /// [`HostError`] quotes the first that closes and cannot be read.
    pub fn parse<T: AsRef<str>>(patterns: &[T]) -> Result<Self, HostError> {
        let mut lines = Vec::with_capacity(patterns.len());
        for text in patterns.iter().map(AsRef::as_ref) {
            match text.strip_prefix(CLOSES) {
                Some(text) => lines.push(Line::Closes(HostPattern::parse(text)?)),
                None => lines.extend(HostPattern::parse(text).map(Line::Opens)),
            }
        }
        Ok(Self { lines })
    }

    /// Whether `host` may be asked for at `port`.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, host: &Host, port: u16) -> Result<(), NoAccess> {
        self.opening(host, port)?;
        match host.private() {
            Some(private) if !self.spells_out(host, port) => {
                Err(NoAccess::NotPublic(host.clone(), private))
            }
            _ => Ok(()),
        }
    }

    /// The addresses of `found` that may be dialled for `host` at `port`, in their order.
    ///
    /// # Errors
    /// Why there is none.
    pub fn pick(&self, host: &Host, port: u16, found: &[IpAddr]) -> Result<Vec<IpAddr>, NoAccess> {
        self.admits(host, port)?;
        let mut inside = None;
        let mut picked = Vec::with_capacity(found.len());
        for address in found.iter().map(IpAddr::to_canonical) {
            match host.leads_to(address, |host| self.spells_out(host, port)) {
                Ok(()) => picked.push(address),
                Err(private) => inside = inside.or(Some((address, private))),
            }
        }
        match inside {
            Some((address, private)) if picked.is_empty() => {
                Err(NoAccess::LeadsInside(host.clone(), address, private))
            }
            None if picked.is_empty() => Err(NoAccess::NoAddress(host.clone())),
            _ => Ok(picked),
        }
    }

    /// What counts for a host: the last line that names it at this port.
    fn opening(&self, host: &Host, port: u16) -> Result<(), NoAccess> {
        let fits = |line: &&Line| match line {
            Line::Opens(one) => one.names(host) && one.means_port(port),
            Line::Closes(one) => is_closed_by(one, host, port),
        };
        match self.lines.iter().rfind(fits) {
            Some(Line::Opens(_)) => Ok(()),
            Some(Line::Closes(_)) => Err(NoAccess::Closed(host.clone())),
            None => {
                let is_named = |line: &Line| matches!(line, Line::Opens(one) if one.names(host));
                Err(if self.lines.iter().any(is_named) {
                    NoAccess::OtherPort(host.clone(), port)
                } else {
                    NoAccess::NotNamed(host.clone())
                })
            }
        }
    }

    /// Whether a line that opens spells the host out, with none after it that closes it.
    fn spells_out(&self, host: &Host, port: u16) -> bool {
        let counts = |line: &&Line| match line {
            Line::Opens(one) => one.names_exactly(host) && one.means_port(port),
            Line::Closes(one) => is_closed_by(one, host, port),
        };
        matches!(self.lines.iter().rfind(counts), Some(Line::Opens(_)))
    }
}

fn is_closed_by(pattern: &HostPattern, host: &Host, port: u16) -> bool {
    pattern.names(host) && (pattern.port().is_none() || pattern.means_port(port))
}

impl fmt::Display for NoAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed(host) => write!(f, "no rule names the host {host}"),
            Self::Closed(host) => write!(f, "a rule closes the host {host}"),
            Self::OtherPort(host, port) => write!(
                f,
                "the rule that names {host} means other ports than {port} (80 and 443 where it \
                 gives none)"
            ),
            Self::NotPublic(host, private) => write!(
                f,
                "{host} is {}, which only a rule that spells it out opens",
                private.words()
            ),
            Self::LeadsInside(host, address, private) => write!(
                f,
                "{host} leads to {address}, which is {}: only a rule that spells the address out \
                 opens it",
                private.words()
            ),
            Self::NoAddress(host) => write!(f, "{host} has no address"),
        }
    }
}
