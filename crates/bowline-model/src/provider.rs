//! The seam behind which every model API lies.

use std::sync::Arc;

use bowline_core::event::ReplyStop;
use bowline_core::plan::BodyPrefix;
pub use bowline_core::request::RequestSize;
use bowline_core::{
    AssistantMessage, BoxFuture, ModelPlace, ProviderFailure, Request, Reservation, SessionId,
    Usage,
};

/// An adapter to one model API.
pub trait Provider: Send + Sync {
    /// The provider's name, such as `openai-chat`.
    fn name(&self) -> &str;

    /// Where requests are sent. A provider that does not say is taken to be anywhere: rules that keep
    /// content to local models hold against it.
    fn place(&self) -> ModelPlace {
        ModelPlace::Elsewhere(self.name().to_owned())
    }

    /// How large the body of `request` would be, and a bound on what it takes of the model's input.
    /// Nothing is sent and no tokenizer is loaded. `session` says whose request it is: of a
    /// conversation that goes on, only what was added is looked at. By how much the bound of such a
    /// request is higher is a bound on what was added.
    fn size(&self, session: SessionId, request: &Request) -> RequestSize;

    /// Counts the input tokens of `request` exactly, or as exactly as anybody can tell before it is
    /// sent; `None` where nobody can, and when the one who can does not answer within some seconds.
    /// Costs nothing, is tried once, and is no error whatever happens. Worth asking for only where
    /// [`Provider::size`] is too coarse.
    fn count(
        &self,
        _session: SessionId,
        _request: &Request,
    ) -> BoxFuture<'static, Option<Counted>> {
        Box::pin(std::future::ready(None))
    }

    /// The beginning of the body of `request` that the next request of the conversation shares if
    /// nothing of it changes: what a provider's cache can hold. `None` where nobody can tell.
    /// Nothing is sent.
    fn body_prefix(&self, _session: SessionId, _request: &Request) -> Option<BodyPrefix> {
        None
    }

    /// Whether the body of `request` begins with the bytes of an earlier one; `None` where nobody
    /// can tell. Nothing is sent.
    fn begins_with(
        &self,
        _session: SessionId,
        _request: &Request,
        _prefix: BodyPrefix,
    ) -> Option<bool> {
        None
    }

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

/// Input tokens of a request, counted before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub input_tokens: u64,
    /// By whom.
    pub how: CountedBy,
}

/// Who counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CountedBy {
    /// The provider, asked at its own address for counting.
    Endpoint,
    /// The model's tokenizer, run here.
    Tokenizer,
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
