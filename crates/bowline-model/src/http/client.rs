//! Sets the client up: certificates and proxies only where they are needed.

use std::sync::Once;

use bowline_core::ModelPlace;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};

use super::scrub::{Scrub, causes};
use super::{EndpointConfig, Timeouts};
use crate::ModelError;
use crate::dialect::Auth;

/// Reads `base_url` and appends `path`.
pub(super) fn parse(base_url: &str, path: &str) -> Result<Url, ModelError> {
    let trimmed = base_url.trim().trim_end_matches('/');
    let refuse = |url: String, problem: &str| {
        Err(ModelError::BaseUrl {
            url,
            problem: problem.to_owned(),
        })
    };
    let mut url = match Url::parse(trimmed) {
        Ok(url) => url,
        // What does not parse may hold a password anywhere, so only what has none is shown.
        Err(_) if trimmed.contains('@') => {
            return refuse(
                "(not shown)".to_owned(),
                "it is not a URL such as https://host/v1",
            );
        }
        Err(_) => {
            return refuse(
                trimmed.to_owned(),
                "it is not a URL such as https://host/v1",
            );
        }
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return refuse(
            shown(&url),
            "it must begin with http:// or https:// and name a host",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(shown(&url), "it must end before any `?` or `#`");
    }
    let whole = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&whole);
    Ok(url)
}

/// The URL without user name, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

/// Builds the headers of every request, and what keeps their secrets out of messages.
pub(super) fn headers(
    config: &EndpointConfig<'_>,
    url: &Url,
) -> Result<(HeaderMap, Scrub), ModelError> {
    let mut headers = HeaderMap::new();
    let mut secrets = Vec::new();
    for (name, value) in config.dialect.headers() {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    if let Some(key) = config.key {
        let (name, value) = match config.dialect.auth() {
            Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", key.reveal())),
            Auth::ApiKey => (
                HeaderName::from_static("x-api-key"),
                key.reveal().to_owned(),
            ),
        };
        let value = secret_value(name.as_str(), &value)?;
        headers.insert(name, value);
        secrets.push(key.reveal().to_owned());
    }
    for (name, value) in config.headers {
        let known = HeaderName::try_from(name.as_str())
            .map_err(|_| ModelError::Header { name: name.clone() })?;
        headers.insert(known, secret_value(name, value)?);
        secrets.push(value.clone());
    }
    secrets.extend(url.password().map(str::to_owned));
    Ok((headers, Scrub::new(secrets)))
}

fn secret_value(name: &str, value: &str) -> Result<HeaderValue, ModelError> {
    let mut value = HeaderValue::try_from(value).map_err(|_| ModelError::Header {
        name: name.to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Builds the client. The system's certificates take several ms to load, so they are loaded for
/// `https` only (so a plain URL cannot go through a proxy that itself wants `https`); a server on
/// this machine or at an address of a private network is never reached through a proxy.
pub(super) fn build(url: &Url, timeouts: Timeouts) -> Result<Client, ModelError> {
    install_crypto();
    let mut builder = Client::builder()
        .user_agent(concat!("bowline/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.idle)
        // A redirect would carry the conversation, and on the same host the key, elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false);
    if url.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    // What rules keep to local models must not take another way to one.
    if is_loopback(url) || ModelPlace::of_address("", url.as_str()).is_local() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| ModelError::Client {
        problem: causes(&error),
    })
}

/// Builds a client that reaches plain servers of this machine only: no proxy, no certificates.
pub(crate) fn loopback(timeouts: Timeouts) -> Result<Client, ModelError> {
    let url = parse("http://127.0.0.1", "")?;
    build(&url, timeouts)
}

/// Makes ring the process's cryptography. Cheap: a table of functions, nothing is computed.
pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the embedding program chose another one, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => bare == "localhost" || bare.ends_with(".localhost"),
    }
}
