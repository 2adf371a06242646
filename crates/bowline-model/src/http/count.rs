//! Asks the address that counts the tokens of a request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::Endpoint;

/// A count that is not there by then is not waited for.
const COUNT_WAIT: Duration = Duration::from_secs(5);
/// A count is short.
const MOST_BYTES: usize = 64 << 10;

/// The address that counts.
#[derive(Debug)]
pub(super) struct Counting {
    url: Url,
    /// Whether the server was found not to have it.
    missing: AtomicBool,
}

impl Counting {
    pub(super) const fn new(url: Url) -> Self {
        Self {
            url,
            missing: AtomicBool::new(false),
        }
    }
}

#[derive(Deserialize)]
struct CountReply {
    input_tokens: u64,
}

impl Endpoint {
    /// Whether there may be somebody to ask.
    pub(crate) fn may_count(&self) -> bool {
        let counting = self.counting.as_ref();
        counting.is_some_and(|counting| !counting.missing.load(Ordering::Relaxed))
    }

    /// Sends `body` to the address that counts. `None` whatever goes wrong; a server without such
    /// an address is not asked again.
    pub(crate) async fn count(&self, body: Vec<u8>) -> Option<u64> {
        let counted = tokio::time::timeout(COUNT_WAIT, self.ask_count(body)).await;
        counted.ok().flatten()
    }

    async fn ask_count(&self, body: Vec<u8>) -> Option<u64> {
        let counting = self.counting.as_ref()?;
        let request = self
            .client
            .post(counting.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body);
        let mut response = request.send().await.ok()?;
        let status = response.status();
        if matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
        ) {
            counting.missing.store(true, Ordering::Relaxed);
        }
        if !status.is_success() {
            return None;
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return None;
            }
        }
        let reply: CountReply = serde_json::from_slice(&body).ok()?;
        Some(reply.input_tokens)
    }
}
