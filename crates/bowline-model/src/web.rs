//! One request to a web server: only to the addresses that were given, and nothing goes along.
//!
//! No redirect is followed, no cookie kept, no proxy asked, no credential taken from anywhere. The
//! name in the address is for the certificate and the `Host` header; it is never looked up here.

mod pinned;

use std::io::Read as _;
use std::net::IpAddr;
use std::time::Duration;

use bowline_core::web::{Cut, Method, Web, WebAnswer, WebFailure, WebLimits, WebRequest};
use bowline_core::{BoxFuture, Host};
use flate2::read::MultiGzDecoder;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout_at};

use self::pinned::Pinned;
use crate::http::{causes, install_crypto, one_line};

/// Makes requests with the system's certificates.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebClient;

impl Web for WebClient {
    fn resolve(&self, host: &Host) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        let host = host.clone();
        Box::pin(async move {
            if let Some(address) = host.address() {
                return Ok(vec![address]);
            }
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found = found.map_err(|_| format!("the name `{host}` is not known"))?;
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.map(|socket| socket.ip().to_canonical()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() {
                return Err(format!("the name `{host}` leads to no address"));
            }
            Ok(addresses)
        })
    }

    fn ask(&self, request: WebRequest) -> BoxFuture<'static, Result<WebAnswer, WebFailure>> {
        Box::pin(ask(request))
    }
}

async fn ask(request: WebRequest) -> Result<WebAnswer, WebFailure> {
    let limits = request.limits;
    let deadline = Instant::now() + Duration::from_millis(limits.whole_ms);
    let url = address(&request)?;
    let headers = headers(&request)?;
    let sent_bytes = weight(&request, &url, &headers);
    let client = client(&request, &url)?;
    let mut asking = client.request(method(request.method), url).headers(headers);
    if let Some(body) = request.body {
        asking = asking.body(body);
    }
    let answer = match timeout_at(deadline, asking.send()).await {
        Ok(answer) => answer.map_err(|error| failure(&error, limits))?,
        Err(_) => return Err(WebFailure::NoAnswer(silence(limits))),
    };
    // The dialled address is the one that was judged; were it not, nothing of it is shown.
    let peer = answer.remote_addr().map(|peer| peer.ip().to_canonical());
    let peer = peer.filter(|peer| request.addresses.contains(peer));
    let Some(peer) = peer else {
        let message = "another address answered than the one that was to be asked";
        return Err(WebFailure::NoAnswer(message.to_owned()));
    };
    let header_bytes: usize = answer
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if header_bytes > limits.header_bytes {
        let message = format!("its headers take {header_bytes} bytes, too many to be read");
        return Err(WebFailure::NoAnswer(message));
    }
    let status = answer.status().as_u16();
    let headers = named(answer.headers());
    let (raw, cut) = body(answer, limits, deadline).await;
    let received_bytes = (header_bytes + raw.len()) as u64;
    let (body, cut) = decoded(raw, &headers, limits, cut)?;
    Ok(WebAnswer {
        status,
        headers,
        body,
        cut,
        peer,
        sent_bytes,
        received_bytes,
    })
}

/// The address that is asked, which must be one of the web and without credentials.
fn address(request: &WebRequest) -> Result<Url, WebFailure> {
    let not_sent = |message: &str| WebFailure::NotSent(message.to_owned());
    let url = Url::parse(&request.url).map_err(|_| not_sent("its address cannot be read"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(not_sent("only http and https can be asked"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(not_sent("its address holds a user or a password"));
    }
    // An address that stands in a URL is dialled without a look-up.
    let written = url.host_str().and_then(|host| Host::parse(host).ok());
    let written = written.and_then(|host| host.address());
    if written.is_some_and(|address| !request.addresses.contains(&address)) {
        return Err(not_sent("its address is none of those that may be dialled"));
    }
    Ok(url)
}

fn headers(request: &WebRequest) -> Result<HeaderMap, WebFailure> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    for (name, value) in &request.headers {
        let refused = || WebFailure::NotSent(format!("the header `{name}` cannot be sent"));
        let known = HeaderName::try_from(name.as_str()).map_err(|_| refused())?;
        let value = HeaderValue::try_from(value).map_err(|_| refused())?;
        headers.insert(known, value);
    }
    Ok(headers)
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A client for this request alone: no connection outlives it.
fn client(request: &WebRequest, url: &Url) -> Result<Client, WebFailure> {
    install_crypto();
    let mut builder = Client::builder()
        .user_agent(concat!("bowline/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(request.limits.connect_ms))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .pool_max_idle_per_host(0)
        .dns_resolver(Pinned::new(url.host_str(), &request.addresses));
    if url.scheme() == "http" {
        // The system's certificates take several ms to load.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        let why = causes(&error);
        WebFailure::NotSent(format!("the HTTP client could not be set up: {why}"))
    })
}

/// How long a request is on the wire, but for its line ends.
fn weight(request: &WebRequest, url: &Url, headers: &HeaderMap) -> u64 {
    let headers: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let body = request.body.as_ref().map_or(0, Vec::len);
    (request.method.name().len() + url.as_str().len() + headers + body) as u64
}

fn named(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// The body as it comes, up to its limits.
async fn body(
    mut answer: Response,
    limits: WebLimits,
    deadline: Instant,
) -> (Vec<u8>, Option<Cut>) {
    let mut body = Vec::new();
    loop {
        match timeout_at(deadline, answer.chunk()).await {
            Err(_) => return (body, Some(Cut::TooSlow)),
            Ok(Err(_)) => return (body, Some(Cut::BrokenOff)),
            Ok(Ok(None)) => return (body, None),
            Ok(Ok(Some(chunk))) => {
                let room = limits.body_bytes - body.len();
                if chunk.len() > room {
                    body.extend_from_slice(&chunk[..room]);
                    return (body, Some(Cut::TooLong));
                }
                body.extend_from_slice(&chunk);
            }
        }
    }
}

/// The body as it was before the server compressed it: never more than the limit.
fn decoded(
    raw: Vec<u8>,
    headers: &[(String, String)],
    limits: WebLimits,
    cut: Option<Cut>,
) -> Result<(Vec<u8>, Option<Cut>), WebFailure> {
    let mut named = headers
        .iter()
        .filter(|(name, _)| name == "content-encoding");
    let coding = named
        .next()
        .map(|(_, value)| value.trim().to_ascii_lowercase());
    match (coding.as_deref(), named.next()) {
        (None | Some("" | "identity"), None) => return Ok((raw, cut)),
        (Some("gzip" | "x-gzip"), None) if raw.is_empty() => return Ok((raw, cut)),
        (Some("gzip" | "x-gzip"), None) => {}
        (other, _) => {
            let coding = one_line(other.unwrap_or_default());
            let message =
                format!("its body is compressed in a way that was not asked for ({coding})");
            return Err(WebFailure::NoAnswer(message));
        }
    }
    let mut body = Vec::new();
    let most = limits.body_bytes as u64;
    let read = MultiGzDecoder::new(raw.as_slice())
        .take(most + 1)
        .read_to_end(&mut body);
    let cut = if body.len() > limits.body_bytes {
        body.truncate(limits.body_bytes);
        Some(Cut::TooLong)
    } else {
        cut.or(read.err().map(|_| Cut::BrokenOff))
    };
    Ok((body, cut))
}

fn failure(error: &reqwest::Error, limits: WebLimits) -> WebFailure {
    let why = one_line(&causes(error));
    if error.is_connect() {
        let after = limits.connect_ms / 1_000;
        return WebFailure::NotSent(if error.is_timeout() {
            format!("no connection stood after {after} s")
        } else {
            format!("no connection could be made: {why}")
        });
    }
    if error.is_builder() {
        return WebFailure::NotSent(format!("the request cannot be sent: {why}"));
    }
    WebFailure::NoAnswer(format!("the connection ended before any answer: {why}"))
}

fn silence(limits: WebLimits) -> String {
    format!(
        "no answer came within {} s",
        limits.whole_ms.div_ceil(1_000)
    )
}
