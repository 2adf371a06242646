//! The seam behind which every model API lies.

use std::sync::Arc;

use bowline_core::event::ReplyStop;
use bowline_core::{AssistantMessage, BoxFuture, ProviderFailure, Request, Reservation, Usage};

/// An adapter to one model API.
pub trait Provider: Send + Sync {
    /// The provider's name, such as `openai-chat`.
    fn name(&self) -> &str;

    /// Makes one attempt. The reservation is spent whatever happens; retries are the engine's
    /// business, never the provider's. Dropping the future ends the attempt.
    ///
    /// A reply is complete or it is a failure: a stream that ends early is [`ProviderFailure`].
    fn ask(
        &self,
        reservation: Reservation,
        request: Request,
        deltas: Deltas,
    ) -> BoxFuture<'static, Result<Reply, ProviderFailure>>;
}

/// Told of every piece of a reply as it arrives. May be called often; must not block.
pub type Deltas = Arc<dyn Fn(Delta) + Send + Sync>;

/// A piece of a reply that is still being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Words for the person.
    Text(String),
    /// Reasoning.
    Reasoning(String),
    /// A call has begun to arrive; it may still be cut.
    CallBegun {
        /// The tool named.
        tool: String,
    },
}

/// A complete reply. Its calls bear fresh ids, drawn from the id source the provider was built
/// with.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What was said, calls included, in order.
    pub message: AssistantMessage,
    /// Why it ended.
    pub stop: ReplyStop,
    /// What it cost, if the provider said.
    pub usage: Option<Usage>,
    /// The provider's request id.
    pub request_id: Option<String>,
}

/// Makes fresh UUIDs (version 7) for calls; core and providers never draw them themselves.
pub type NewId = Arc<dyn Fn() -> uuid::Uuid + Send + Sync>;
