//! The HTTP client: one POST, its status judged, its body as chunks.

mod client;
mod count;
mod retry_after;
mod scrub;
mod status;

use std::time::Duration;

use bowline_core::{FailureKind, ProviderFailure};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};

use crate::{ApiKey, Dialect, ModelError};
pub(crate) use client::{install_crypto, loopback as loopback_client};
use count::Counting;
pub(crate) use scrub::{Scrub, causes, excerpt, one_line};
pub(crate) use status::{ErrorBody, Refusal, failure_of_status};

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To make a connection.
    pub connect: Duration,
    /// Between two bytes of a reply, the first included.
    pub idle: Duration,
    /// For one attempt from end to end, so that a server that trickles is given up too.
    pub whole: Duration,
}

impl Default for Timeouts {
    /// 20 s to connect. 5 minutes of silence, as models may think that long before a word. 2 hours
    /// on the whole, which no reply of use takes.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            idle: Duration::from_secs(300),
            whole: Duration::from_secs(2 * 60 * 60),
        }
    }
}

/// What an endpoint is made of.
pub(crate) struct EndpointConfig<'a> {
    pub(crate) base_url: &'a str,
    /// Says what is appended to the base URL and how the key travels.
    pub(crate) dialect: Dialect,
    pub(crate) key: Option<&'a ApiKey>,
    /// Where the key comes from, for messages.
    pub(crate) key_source: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) timeouts: Timeouts,
}

/// One place to send requests to, with everything that messages about it need.
#[derive(Debug)]
pub(crate) struct Endpoint {
    client: Client,
    url: Url,
    headers: HeaderMap,
    /// The URL as messages show it: without user name, password and query.
    shown: String,
    has_key: bool,
    key_source: String,
    scrub: Scrub,
    idle: Duration,
    whole: Duration,
    /// The address that counts, if the dialect has one.
    counting: Option<Counting>,
}

/// The host of an address; empty if it has none.
pub(crate) fn host_of(base_url: &str) -> String {
    let url = Url::parse(base_url).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.unwrap_or_default().to_owned()
}

impl Endpoint {
    pub(crate) fn new(config: &EndpointConfig<'_>) -> Result<Self, ModelError> {
        let url = client::parse(config.base_url, config.dialect.path())?;
        let (headers, scrub) = client::headers(config, &url)?;
        let counting = match config.dialect.counting() {
            Some((path, _)) => Some(Counting::new(client::parse(config.base_url, path)?)),
            None => None,
        };
        Ok(Self {
            counting,
            client: client::build(&url, config.timeouts)?,
            shown: client::shown(&url),
            url,
            headers,
            has_key: config.key.is_some(),
            key_source: config.key_source.to_owned(),
            scrub,
            idle: config.timeouts.idle,
            whole: config.timeouts.whole,
        })
    }

    /// The host, for servers that need another spelling of a parameter.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The URL as messages may show it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// What keeps secrets out of messages.
    pub(crate) const fn scrub(&self) -> &Scrub {
        &self.scrub
    }

    /// Sends `body`; gives the response if its status is a success.
    pub(crate) async fn post(
        &self,
        body: Vec<u8>,
        model: &str,
    ) -> Result<Response, ProviderFailure> {
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("text/event-stream"))
            .body(body);
        let response = request
            .send()
            .await
            .map_err(|error| self.no_response(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(response, model).await)
    }

    /// The next bytes of a body; `None` at its end.
    pub(crate) async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, ProviderFailure> {
        response
            .chunk()
            .await
            .map_err(|error| self.broke_off(&error))
    }

    /// The longest that one attempt may take.
    pub(crate) const fn whole(&self) -> Duration {
        self.whole
    }

    /// The failure of an attempt that took longer.
    pub(crate) fn too_long(&self) -> ProviderFailure {
        let message = format!(
            "the reply of {} was not over after {} s",
            self.shown,
            self.whole.as_secs_f32()
        );
        ProviderFailure::new(FailureKind::Timeout, self.scrub.clean(&message))
    }

    fn no_response(&self, error: &reqwest::Error) -> ProviderFailure {
        let why = scrub::causes(error);
        let shown = &self.shown;
        let (kind, message) = if error.is_connect() {
            let what = if error.is_timeout() {
                "timed out"
            } else {
                why.as_str()
            };
            let message = format!(
                "could not connect to {shown}: {what}; check the base URL, and that a server is \
                 running there"
            );
            (FailureKind::Connect, message)
        } else if error.is_timeout() {
            (FailureKind::Timeout, self.silence())
        } else {
            let message = format!("the connection to {shown} ended before any answer: {why}");
            (FailureKind::Cut, message)
        };
        ProviderFailure::new(kind, self.scrub.clean(&message))
    }

    fn broke_off(&self, error: &reqwest::Error) -> ProviderFailure {
        if error.is_timeout() {
            return ProviderFailure::new(FailureKind::Timeout, self.scrub.clean(&self.silence()));
        }
        let message = format!(
            "the connection to {} ended in the middle of the reply: {}",
            self.shown,
            scrub::causes(error)
        );
        ProviderFailure::new(FailureKind::Cut, self.scrub.clean(&message))
    }

    fn silence(&self) -> String {
        format!(
            "nothing came from {} for {} s",
            self.shown,
            self.idle.as_secs_f32()
        )
    }

    async fn refused(&self, mut response: Response, model: &str) -> ProviderFailure {
        /// More of an error body than this says nothing new.
        const MOST_BYTES: usize = 64 << 10;
        const ERROR_BODY_WAIT: Duration = Duration::from_secs(10);

        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        let read = async {
            while body.len() < MOST_BYTES
                && let Ok(Some(chunk)) = response.chunk().await
            {
                body.extend_from_slice(&chunk);
            }
        };
        // What came in time is enough: the status says the most.
        drop(tokio::time::timeout(ERROR_BODY_WAIT, read).await);
        let refusal = Refusal {
            status,
            body: ErrorBody::read(&body),
            shown: &self.shown,
            model,
            has_key: self.has_key,
            key_source: &self.key_source,
            location: headers
                .get("location")
                .and_then(|value| value.to_str().ok()),
        };
        let mut failure = failure_of_status(&refusal);
        failure.message = self.scrub.clean(&failure.message);
        failure.retry_after_ms = retry_after::read(&headers);
        failure
    }
}

/// The request id that a server gave, if any; a support team asks for it.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    const NAMES: [HeaderName; 3] = [
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("request-id"),
        HeaderName::from_static("x-amzn-requestid"),
    ];
    let value = NAMES
        .iter()
        .find_map(|name| headers.get(name))?
        .to_str()
        .ok()?;
    Some(excerpt(value, 200))
}

#[cfg(test)]
mod tests;
