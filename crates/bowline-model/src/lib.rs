//! Speaks to model providers: exact request bytes out, complete replies in.
//!
//! **Purpose.** A [`Provider`] makes one attempt of one model call. [`HttpProvider`] speaks one
//! [`Dialect`] to any server that knows it; [`scripted`] plays a [`scenario`] in-process.
//!
//! **Deliberately absent:** retries and budgets (the engine's business: an attempt is paid for by
//! a [`bowline_core::Reservation`] and is made once), and anything that runs tools or writes state.
//! No environment is read here: keys and addresses come in as values. The one exception is the
//! HTTP client's own look at the system's proxy variables.
//!
//! As the owner of the HTTP client it also makes single requests to web servers: [`WebClient`].
//!
//! **Start at** [`Provider::ask`].
//!
//! ```
//! use std::sync::Arc;
//! use bowline_model::{ApiKey, Dialect, HttpProvider, Provider, ProviderConfig};
//!
//! let new_id = Arc::new(|| uuid::Uuid::from_u128(7));
//! let mut config = ProviderConfig::new(Dialect::Chat, "http://127.0.0.1:8080/v1", new_id);
//! config.api_key = Some(ApiKey::new("sk-very-secret"));
//! assert!(!format!("{config:?}").contains("sk-very"), "keys never show");
//! let provider = HttpProvider::new(config)?;
//! assert_eq!(provider.name(), "openai-chat");
//! # Ok::<(), bowline_model::ModelError>(())
//! ```
#![forbid(unsafe_code)]

mod bound;
pub mod catalog;
mod count;
mod dialect;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod key;
mod local;
mod provider;
pub mod scenario;
pub mod scripted;
pub mod sse;
mod web;
pub mod wire;

pub use bound::tokens_bound;
pub use catalog::{default_base_url, default_model, key_variable, provider_names};
pub use dialect::{CacheMarks, Dialect};
pub use http::Timeouts;
pub use key::ApiKey;
pub use local::{LocalServer, local_servers, usual_server};
pub use provider::{Counted, CountedBy, Delta, Deltas, NewId, Provider, Reply, RequestSize};
pub use scripted::ScriptedProvider;
pub use web::WebClient;
pub use wire::{HttpProvider, ProviderConfig};

/// Why a provider cannot be made. Each is a matter of configuration: mend it and start again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The base URL cannot be used.
    #[error("base URL `{url}` cannot be used: {problem}")]
    BaseUrl {
        /// The URL as given, without user name and password.
        url: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A header cannot be sent. Its value is not shown, for it may be a key.
    #[error("header `{name}` cannot be sent: its name or value holds characters HTTP forbids")]
    Header {
        /// Its name.
        name: String,
    },
    /// The HTTP client could not be set up, for instance for want of certificates.
    #[error("the HTTP client could not be set up: {problem}")]
    Client {
        /// What it says.
        problem: String,
    },
}
