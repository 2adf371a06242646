//! One request to a web server and its answer, as data: who asks and who connects do not know each
//! other.
//!
//! Whoever asks looks the host up, judges every address and hands over those that may be dialled;
//! whoever connects dials these and no others, follows nothing and brings nothing along: no cookies,
//! no credentials, no proxy.

use std::net::IpAddr;

use crate::{BoxFuture, Host};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The thing itself.
    Get,
    /// What would be said about it.
    Head,
    /// To take something.
    Post,
    /// To have this in its place.
    Put,
    /// To change it.
    Patch,
    /// To remove it.
    Delete,
}

impl Method {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it is meant to change something there.
    #[must_use]
    pub const fn sends(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebRequest {
    /// What is asked for.
    pub method: Method,
    /// Where: `http` or `https`, without user and password.
    pub url: String,
    /// Names and values beside those that every request needs.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// The only addresses that may be dialled, best first.
    pub addresses: Vec<IpAddr>,
    /// What it may take.
    pub limits: WebLimits,
}

/// What a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebLimits {
    /// Most bytes of all headers of the answer together; more is a failure.
    pub header_bytes: usize,
    /// Most bytes of the body, both as it comes and decompressed; the rest is not read.
    pub body_bytes: usize,
    /// Longest time until a connection stands, in ms.
    pub connect_ms: u64,
    /// Longest time for all of it, in ms; what came until then is the answer.
    pub whole_ms: u64,
}

/// Why a body is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It is longer than the limit.
    TooLong,
    /// Its time was up.
    TooSlow,
    /// The server ended it before its end, or compressed it badly.
    BrokenOff,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAnswer {
    /// Its status.
    pub status: u16,
    /// Names, in lower case, and values, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub cut: Option<Cut>,
    /// The address that answered: one of those that were to be dialled.
    pub peer: IpAddr,
    /// Bytes sent, without those of TLS.
    pub sent_bytes: u64,
    /// Bytes received, without those of TLS.
    pub received_bytes: u64,
}

impl WebAnswer {
    /// The value of a header, by its name in lower case; the first one counts.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let (_, value) = all.find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebFailure {
    /// Nothing was sent: the server does not know of the request.
    #[error("{0}")]
    NotSent(String),
    /// It may have been sent, and it is not known what became of it.
    #[error("{0}")]
    NoAnswer(String),
}

/// Looks hosts up and makes requests.
pub trait Web: Send + Sync {
    /// The addresses of a host, as the system finds them.
    ///
    /// # Errors
    /// A sentence without its full stop when there are none.
    fn resolve(&self, host: &Host) -> BoxFuture<'static, Result<Vec<IpAddr>, String>>;

    /// Makes one request.
    ///
    /// # Errors
    /// [`WebFailure`] says whether the server may have seen it.
    fn ask(&self, request: WebRequest) -> BoxFuture<'static, Result<WebAnswer, WebFailure>>;
}
