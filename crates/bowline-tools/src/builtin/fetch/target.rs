//! Where a request goes: an address of the web, in one spelling.

use bowline_core::Host;
use url::Url;

use super::super::one_line;

/// Longest address, in bytes.
const URL_BYTES_MAX: usize = 4_096;

/// An address that may be asked, its host in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Without user, password and fragment.
    pub(super) url: Url,
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Target {
    /// Reads a whole address. The error says what is wrong with it, without its full stop.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("\"url\" is empty".to_owned());
        }
        check(text)?;
        let url = Url::parse(text).map_err(|error| {
            let shown = shown(text);
            format!("`{shown}` is no address ({error}): write it whole, such as https://docs.rs/")
        })?;
        Self::of(url)
    }

    /// Reads what an answer of this address leads to.
    pub(super) fn join(&self, location: &str) -> Result<Self, String> {
        check(location)?;
        let joined = self.url.join(location);
        Self::of(joined.map_err(|error| format!("it is no address ({error})"))?)
    }

    fn of(mut url: Url) -> Result<Self, String> {
        let scheme = url.scheme();
        if !matches!(scheme, "http" | "https") {
            let scheme = shown(scheme);
            return Err(format!(
                "`{scheme}:` is not fetched, only http: and https: are"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user or a password, which are never sent".to_owned());
        }
        let written = url.host_str().unwrap_or_default();
        let host = Host::parse(written).map_err(|error| error.to_string())?;
        let port = url.port_or_known_default().filter(|port| *port > 0);
        let port = port.ok_or("port 0 cannot be asked")?;
        url.set_fragment(None);
        let in_one_spelling = match host.address() {
            Some(address) => url.set_ip_host(address),
            None => url.set_host(Some(host.as_str())).map_err(|_| ()),
        };
        in_one_spelling.map_err(|()| "its host cannot be written".to_owned())?;
        Ok(Self { url, host, port })
    }

    /// The host, with its port where that is not the one that is meant anyway.
    pub(super) fn shown(&self) -> String {
        if matches!(self.port, 80 | 443) {
            self.host.to_string()
        } else {
            self.host.at_port(self.port)
        }
    }

    /// The rule that spells it out.
    pub(super) fn rule(&self) -> String {
        format!("host({})", self.shown())
    }

    /// Scheme, host and port, as people write them.
    pub(super) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether a decision about this address covers `other`: the same host and port, with or
    /// without `www.`, or the same over TLS.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let bare = |host: &Host| {
            let name = host.as_str();
            name.strip_prefix("www.").unwrap_or(name).to_owned()
        };
        let is_same_host = self.host == other.host
            || (self.host.address().is_none() && bare(&self.host) == bare(&other.host));
        let is_upgrade = (self.port, other.port) == (80, 443) && other.is_safe();
        is_same_host && (self.port == other.port || is_upgrade)
    }

    /// Whether it is asked over TLS.
    pub(super) fn is_safe(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// What is refused before it is read: readers differ on these.
fn check(text: &str) -> Result<(), String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!(
            "an address is no longer than {URL_BYTES_MAX} bytes"
        ));
    }
    let is_bad = |letter: char| letter.is_control() || letter == '\\' || letter == ' ';
    match text.chars().find(|letter| is_bad(*letter)) {
        Some(letter) => Err(format!(
            "an address holds no `{}`: write it in its percent form",
            letter.escape_default()
        )),
        None => Ok(()),
    }
}

/// A foreign text in a message.
pub(super) fn shown(text: &str) -> String {
    one_line(text).chars().take(200).collect()
}
