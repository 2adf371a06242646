//! Speaks one dialect to one server over HTTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bowline_core::plan::BodyPrefix;
use bowline_core::{BoxFuture, ModelPlace, ProviderFailure, Request, Reservation, SessionId};

use super::{BodyReader, Encoder, Recent, Voice};
use crate::count::{CountRequest, count};
use crate::http::{Endpoint, EndpointConfig, request_id};
use crate::provider::{Counted, Deltas, NewId, Provider, Reply, RequestSize};
use crate::{ApiKey, Dialect, ModelError, Timeouts};

/// What an [`HttpProvider`] is made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// How it speaks.
    pub dialect: Dialect,
    /// What it is called; the dialect's name unless it is one of several endpoints.
    pub name: String,
    /// Where the server is. The two OpenAI dialects take it with `/v1` and append the last part of
    /// the path, Anthropic's appends `/v1/messages`.
    pub base_url: String,
    /// Servers on one's own machine often want none.
    pub api_key: Option<ApiKey>,
    /// Where the key comes from, for messages, such as `OPENAI_API_KEY`.
    pub key_source: String,
    /// Further headers for every request, as name and value. Values are treated as secrets.
    pub headers: Vec<(String, String)>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Makes the ids of calls.
    pub new_id: NewId,
}

impl ProviderConfig {
    /// A configuration without key and further headers, with the default timeouts.
    #[must_use]
    pub fn new(dialect: Dialect, base_url: impl Into<String>, new_id: NewId) -> Self {
        Self {
            dialect,
            name: dialect.name().to_owned(),
            base_url: base_url.into(),
            api_key: None,
            key_source: dialect.key_variable().to_owned(),
            headers: Vec::new(),
            timeouts: Timeouts::default(),
            new_id,
        }
    }
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ProviderConfig")
            .field("dialect", &self.dialect)
            .field("name", &self.name)
            .field("api_key", &self.api_key)
            .field("headers", &headers)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// Speaks one dialect to one server.
pub struct HttpProvider {
    name: String,
    dialect: Dialect,
    endpoint: Arc<Endpoint>,
    recent: Recent,
    new_id: NewId,
    place: ModelPlace,
}

impl HttpProvider {
    /// Sets the client up. Nothing is sent.
    ///
    /// # Errors
    /// [`ModelError`] for a base URL or header that cannot be used, and for a client that cannot
    /// be set up.
    pub fn new(config: ProviderConfig) -> Result<Self, ModelError> {
        let endpoint = Endpoint::new(&EndpointConfig {
            base_url: &config.base_url,
            dialect: config.dialect,
            key: config.api_key.as_ref(),
            key_source: &config.key_source,
            headers: &config.headers,
            timeouts: config.timeouts,
        })?;
        let (dialect, host) = (config.dialect, endpoint.host().to_owned());
        Ok(Self {
            name: config.name,
            dialect,
            endpoint: Arc::new(endpoint),
            recent: Recent::new(move |session| dialect.encoder(&host, session)),
            new_id: config.new_id,
            place: ModelPlace::of_address(dialect.name(), &config.base_url),
        })
    }
}

impl Provider for HttpProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> ModelPlace {
        self.place.clone()
    }

    fn size(&self, session: SessionId, request: &Request) -> RequestSize {
        self.recent.with(session, |encoder| encoder.size(request))
    }

    fn body_prefix(&self, session: SessionId, request: &Request) -> Option<BodyPrefix> {
        let prefix = |encoder: &mut Encoder| encoder.body_prefix(request);
        Some(self.recent.with(session, prefix))
    }

    fn begins_with(
        &self,
        session: SessionId,
        request: &Request,
        prefix: BodyPrefix,
    ) -> Option<bool> {
        let begins = |encoder: &mut Encoder| encoder.begins_with(request, prefix);
        Some(self.recent.with(session, begins))
    }

    fn count(&self, session: SessionId, request: &Request) -> BoxFuture<'static, Option<Counted>> {
        let body = self.recent.with(session, |encoder| encoder.encode(request));
        let request = CountRequest::new(request, body);
        Box::pin(count(Arc::clone(&self.endpoint), self.dialect, request))
    }

    fn ask(
        &self,
        reservation: Reservation,
        request: Request,
        deltas: Deltas,
    ) -> BoxFuture<'static, Result<Reply, ProviderFailure>> {
        let session = reservation.session();
        let body = self
            .recent
            .with(session, |encoder| encoder.encode(&request));
        let (endpoint, dialect) = (Arc::clone(&self.endpoint), self.dialect);
        let voice = Voice {
            model: request.model,
            deltas,
            new_id: Arc::clone(&self.new_id),
        };
        Box::pin(async move {
            let asked = ask(&endpoint, dialect, body, voice);
            let answered = tokio::time::timeout(endpoint.whole(), asked).await;
            answered.unwrap_or_else(|_| Err(endpoint.too_long()))
        })
    }
}

async fn ask(
    endpoint: &Endpoint,
    dialect: Dialect,
    body: Vec<u8>,
    voice: Voice,
) -> Result<Reply, ProviderFailure> {
    /// The end of the body is waited for this long after the stream's own end, so that the
    /// connection can be used again; it nearly always comes in the same packet.
    const AFTER_DONE: Duration = Duration::from_millis(50);

    let mut response = endpoint.post(body, voice.model.model()).await?;
    let id = request_id(response.headers());
    let parser = dialect.parser(voice);
    let mut reader = BodyReader::new(parser, endpoint.shown(), endpoint.scrub().clone());
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
