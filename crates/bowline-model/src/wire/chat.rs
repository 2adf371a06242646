//! The Chat Completions dialect, as OpenAI and many compatible servers speak it.

mod encode;
mod json;
mod read;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bowline_core::{BoxFuture, ProviderFailure, Request, Reservation, SessionId};

pub use encode::{Encoder, MaxTokensField};
pub(crate) use read::ChatReader;

use crate::http::{Endpoint, EndpointConfig, request_id};
use crate::provider::{Deltas, NewId, Provider, Reply};
use crate::wire::Voice;
use crate::{ApiKey, ModelError, Timeouts, key_variable};

/// The provider's name.
pub(crate) const NAME: &str = "openai-chat";

/// What a [`ChatProvider`] is made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct ChatConfig {
    /// Where the server is, up to and with `/v1`; `/chat/completions` is appended.
    pub base_url: String,
    /// Sent as a bearer token; servers on one's own machine often want none.
    pub api_key: Option<ApiKey>,
    /// Further headers for every request, as name and value. Values are treated as secrets.
    pub headers: Vec<(String, String)>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Makes the ids of calls.
    pub new_id: NewId,
}

impl ChatConfig {
    /// A configuration without key and further headers, with the default timeouts.
    #[must_use]
    pub fn new(base_url: impl Into<String>, new_id: NewId) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            headers: Vec::new(),
            timeouts: Timeouts::default(),
            new_id,
        }
    }
}

impl fmt::Debug for ChatConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ChatConfig")
            .field("api_key", &self.api_key)
            .field("headers", &headers)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// Speaks Chat Completions to one server.
pub struct ChatProvider {
    endpoint: Arc<Endpoint>,
    encoders: Mutex<Encoders>,
    new_id: NewId,
}

/// The encoders of the sessions that asked last, the newest at the end.
struct Encoders {
    field: MaxTokensField,
    recent: Vec<(SessionId, Encoder)>,
}

impl ChatProvider {
    /// Sets the client up. Nothing is sent.
    ///
    /// # Errors
    /// [`ModelError`] for a base URL or header that cannot be used, and for a client that cannot
    /// be set up.
    pub fn new(config: ChatConfig) -> Result<Self, ModelError> {
        let endpoint = Endpoint::new(&EndpointConfig {
            base_url: &config.base_url,
            path: "/chat/completions",
            key: config.api_key.as_ref(),
            key_variable: key_variable(NAME).unwrap_or("the key's variable"),
            headers: &config.headers,
            timeouts: config.timeouts,
        })?;
        let field = match endpoint.host() {
            "api.openai.com" => MaxTokensField::MaxCompletionTokens,
            _ => MaxTokensField::MaxTokens,
        };
        let encoders = Mutex::new(Encoders {
            field,
            recent: Vec::new(),
        });
        Ok(Self {
            endpoint: Arc::new(endpoint),
            encoders,
            new_id: config.new_id,
        })
    }
}

impl Provider for ChatProvider {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(
        &self,
        reservation: Reservation,
        request: Request,
        deltas: Deltas,
    ) -> BoxFuture<'static, Result<Reply, ProviderFailure>> {
        let body = {
            let mut encoders = self.encoders.lock().unwrap_or_else(PoisonError::into_inner);
            encoders.of(reservation.session()).encode(&request)
        };
        let endpoint = Arc::clone(&self.endpoint);
        let voice = Voice {
            model: request.model,
            deltas,
            new_id: Arc::clone(&self.new_id),
        };
        Box::pin(async move { ask(&endpoint, body, voice).await })
    }
}

impl Encoders {
    /// Sessions whose bytes are kept; a session that comes back later is encoded once more.
    const KEPT: usize = 8;

    fn of(&mut self, session: SessionId) -> &mut Encoder {
        match self.recent.iter().position(|(known, _)| *known == session) {
            Some(place) => self.recent[place..].rotate_left(1),
            None => {
                if self.recent.len() == Self::KEPT {
                    self.recent.remove(0);
                }
                self.recent.push((session, Encoder::new(self.field)));
            }
        }
        let newest = self.recent.len() - 1;
        &mut self.recent[newest].1
    }
}

async fn ask(endpoint: &Endpoint, body: Vec<u8>, voice: Voice) -> Result<Reply, ProviderFailure> {
    /// The end of the body is waited for this long after `[DONE]`, so that the connection can be
    /// used again; it nearly always comes in the same packet.
    const AFTER_DONE: Duration = Duration::from_millis(50);

    let mut response = endpoint.post(body, voice.model.model()).await?;
    let id = request_id(response.headers());
    let mut reader = ChatReader::new(voice, endpoint.shown(), endpoint.scrub().clone());
    let ended = loop {
        match endpoint.chunk(&mut response).await {
            Ok(Some(bytes)) => reader.push(bytes.as_ref())?,
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
        if reader.is_done() {
            // What comes after the end, or does not come, changes nothing.
            drop(tokio::time::timeout(AFTER_DONE, endpoint.chunk(&mut response)).await);
            break Ok(());
        }
    };
    let reply = match ended {
        Ok(()) => reader.finish(),
        Err(failure) => reader.broken(failure),
    };
    reply.map(|reply| Reply {
        request_id: id,
        ..reply
    })
}
