//! Request heads, read strictly: what two programs could read differently is refused.

use bowline_core::Host;

/// A request, as far as a proxy must understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Whom it is for.
    pub(super) host: Host,
    /// At which port.
    pub(super) port: u16,
    /// What is to be done.
    pub(super) what: What,
}

/// What a request asks of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A tunnel (`CONNECT`).
    Tunnel,
    /// One exchange in the clear.
    Exchange {
        /// The head to send on.
        head: Vec<u8>,
        /// What follows it.
        body: Body,
    },
}

/// How long the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// As its chunks say.
    Chunked,
}

/// Why a request is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    /// One sentence without its full stop.
    pub(super) why: String,
    /// The host as it was written, if one was.
    pub(super) host: Option<String>,
}

impl Bad {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            host: None,
        }
    }

    fn host(host: &str, why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            host: Some(host.to_owned()),
        }
    }
}

/// Headers that are between a client and its proxy, or between two neighbours.
const NEIGHBOURS: [&str; 9] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Longest text of a host that is told, in characters.
const HOST_CHARS_MAX: usize = 253;

/// Reads a head with the empty line at its end.
///
/// # Errors
/// [`Bad`] says what is wrong with it.
pub(super) fn parse(head: &[u8]) -> Result<Head, Bad> {
    let text = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
    let is_odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    if text.iter().any(is_odd) {
        return Err(Bad::new("it has control characters"));
    }
    let text = std::str::from_utf8(text).map_err(|_| Bad::new("it is no text"))?;
    let mut lines = text.split("\r\n");
    let request = lines.next().unwrap_or_default();
    let lines: Vec<&str> = lines.collect();
    let has_stray_end = |line: &&str| line.contains(['\r', '\n']);
    if lines.iter().any(has_stray_end) || has_stray_end(&request) {
        return Err(Bad::new("it has a line end that is not CR LF"));
    }
    let (method, target) = request_line(request)?;
    let headers = headers(&lines)?;
    if method == "CONNECT" {
        let (host, port) = authority(target)?;
        let port = port.ok_or_else(|| Bad::host(target, "CONNECT needs HOST:PORT"))?;
        return Ok(Head {
            host,
            port,
            what: What::Tunnel,
        });
    }
    let (host, port, path) = absolute(target)?;
    let body = body(&headers)?;
    Ok(Head {
        what: What::Exchange {
            head: onwards(method, &path, &host.at_port_of_http(port), &headers),
            body,
        },
        host,
        port,
    })
}

fn request_line(line: &str) -> Result<(&str, &str), Bad> {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = words[..] else {
        return Err(Bad::new("its first line is not METHOD TARGET VERSION"));
    };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(Bad::new("it speaks another HTTP than 1.0 and 1.1"));
    }
    if !is_token(method) {
        return Err(Bad::new("its method is none"));
    }
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('\\') {
        return Err(Bad::new("its target has characters that belong into none"));
    }
    Ok((method, target))
}

type Headers<'a> = Vec<(&'a str, &'a str)>;

fn headers<'a>(lines: &[&'a str]) -> Result<Headers<'a>, Bad> {
    let read = |line: &&'a str| {
        let header = line.split_once(':').filter(|(name, _)| is_token(name));
        header
            .map(|(name, value)| (name, value.trim_matches([' ', '\t'])))
            .ok_or_else(|| Bad::new("it has a header line that is none"))
    };
    lines.iter().map(read).collect()
}

/// `HOST` or `HOST:PORT`, with nothing else in it.
fn authority(text: &str) -> Result<(Host, Option<u16>), Bad> {
    let shown: String = text.chars().take(HOST_CHARS_MAX).collect();
    if text.contains('@') {
        return Err(Bad::host(
            &shown,
            "a name and password stand before the host",
        ));
    }
    Host::with_port(text).map_err(|error| Bad::host(&shown, error.to_string()))
}

/// `http://HOST[:PORT]/PATH`.
fn absolute(target: &str) -> Result<(Host, u16, String), Bad> {
    let scheme = target
        .get(..7)
        .filter(|start| start.eq_ignore_ascii_case("http://"));
    let Some(scheme) = scheme else {
        return Err(Bad::new(
            "its target is no http:// address, and others are reached by CONNECT",
        ));
    };
    let rest = &target[scheme.len()..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, port) = authority(&rest[..end])?;
    let path = rest[end..].split('#').next().unwrap_or_default();
    let path = match path.strip_prefix('/') {
        Some(_) => path.to_owned(),
        None => format!("/{path}"),
    };
    Ok((host, port.unwrap_or(80), path))
}

/// How long the body is. What says it twice or otherwise is refused.
fn body(headers: &Headers<'_>) -> Result<Body, Bad> {
    let all = |wanted: &str| -> Vec<&str> {
        let fits = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(wanted);
        headers
            .iter()
            .filter(fits)
            .map(|(_, value)| *value)
            .collect()
    };
    match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => Ok(Body::Length(0)),
        ([length], []) => {
            let is_digits = !length.is_empty() && length.bytes().all(|one| one.is_ascii_digit());
            let length = length.parse().ok().filter(|_| is_digits);
            length
                .map(Body::Length)
                .ok_or_else(|| Bad::new("its Content-Length is no number"))
        }
        ([], [encoding]) if encoding.eq_ignore_ascii_case("chunked") => Ok(Body::Chunked),
        _ => Err(Bad::new(
            "it says in more than one way how long its body is",
        )),
    }
}

/// The head as it goes on: to the host that was checked, for one exchange.
fn onwards(method: &str, path: &str, host: &str, headers: &Headers<'_>) -> Vec<u8> {
    let named = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let named: Vec<String> = named
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        // What says how long the body is stays, whatever a client would have.
        .filter(|name| !matches!(name.as_str(), "content-length" | "transfer-encoding"))
        .collect();
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if !NEIGHBOURS.contains(&lower.as_str()) && !named.contains(&lower) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("Connection: close\r\n\r\n");
    text.into_bytes()
}

/// Whether it could be the name of a method or a header.
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// A host as the header of that name has it.
trait InHeader {
    fn at_port_of_http(&self, port: u16) -> String;
}

impl InHeader for Host {
    fn at_port_of_http(&self, port: u16) -> String {
        let whole = self.at_port(port);
        match whole.strip_suffix(":80") {
            Some(host) if port == 80 => host.to_owned(),
            _ => whole,
        }
    }
}

#[cfg(test)]
mod tests;
