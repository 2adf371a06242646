//! Counts the input tokens of a request before it is sent.
//!
//! A provider's own address for counting knows best, and is free. Without an answer from it, the
//! tokenizer counts, where it was built in (feature `tokenizer`) and it is known which one that is:
//! `o200k` for OpenAI's models since GPT-4o at OpenAI's own address.

#[cfg(feature = "tokenizer")]
mod tokenizer;

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_core::Request;
use serde_json::value::RawValue;

use crate::Dialect;
use crate::http::Endpoint;
use crate::provider::{Counted, CountedBy};

/// Has `body`, which is that of `request`, counted.
pub(crate) async fn count(
    endpoint: Arc<Endpoint>,
    dialect: Dialect,
    request: CountRequest,
) -> Option<Counted> {
    if endpoint.may_count()
        && let Some((_, unknown)) = dialect.counting()
        && let Some(body) = without_fields(&request.body, unknown)
        && let Some(input_tokens) = endpoint.count(body).await
    {
        return Some(Counted {
            input_tokens,
            how: CountedBy::Endpoint,
        });
    }
    let input_tokens = by_tokenizer(&endpoint, request).await?;
    Some(Counted {
        input_tokens,
        how: CountedBy::Tokenizer,
    })
}

/// Counts with the tokenizer, where it is known which one that is.
#[cfg(feature = "tokenizer")]
async fn by_tokenizer(endpoint: &Endpoint, request: CountRequest) -> Option<u64> {
    let is_known = endpoint.host() == "api.openai.com" && tokenizer::is_o200k(&request.model);
    if !is_known || request.has_images {
        return None;
    }
    // Loading the tables and counting a long conversation take a while.
    let counted = tokio::task::spawn_blocking(move || tokenizer::count(&request.body));
    counted.await.ok().flatten()
}

/// Without the tokenizer the bound holds.
#[cfg(not(feature = "tokenizer"))]
async fn by_tokenizer(_: &Endpoint, _: CountRequest) -> Option<u64> {
    None
}

/// What is counted.
pub(crate) struct CountRequest {
    body: Vec<u8>,
    #[cfg(feature = "tokenizer")]
    model: String,
    /// An image takes tokens by its size, which no tokenizer sees.
    #[cfg(feature = "tokenizer")]
    has_images: bool,
}

impl CountRequest {
    pub(crate) fn new(request: &Request, body: Vec<u8>) -> Self {
        #[cfg(not(feature = "tokenizer"))]
        let _unneeded = request;
        Self {
            body,
            #[cfg(feature = "tokenizer")]
            model: request.model.model().to_owned(),
            #[cfg(feature = "tokenizer")]
            has_images: request.history.iter().any(tokenizer::shows_images),
        }
    }
}

/// `body` without some of its fields; all others stay as they are.
fn without_fields(body: &[u8], fields: &[&str]) -> Option<Vec<u8>> {
    let mut kept: BTreeMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
    kept.retain(|field, _| !fields.contains(field));
    serde_json::to_vec(&kept).ok()
}
