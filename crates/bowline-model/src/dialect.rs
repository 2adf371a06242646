//! The dialects: what differs between them before a single message is written or read.

use bowline_core::{Request, SessionId};

use crate::http::host_of;
use crate::wire::{Encoder, Parser, Voice, anthropic, chat, responses};
use crate::{default_base_url, key_variable};

/// A model API's way of speaking. Each is also the name of a built-in provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Chat Completions, as OpenAI and many compatible servers speak it.
    Chat,
    /// Responses, as OpenAI speaks it.
    Responses,
    /// Anthropic's Messages.
    Anthropic,
}

/// How a key travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    /// `authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`.
    ApiKey,
}

/// The places of a request up to which the server is told that it may cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheMarks {
    /// After system text and tools.
    pub after_head: bool,
    /// After these items of the conversation, by their places.
    pub after_items: Vec<usize>,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Responses, Self::Anthropic];

    /// The name that stands before the slash in `--model provider/model`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "openai-chat",
            Self::Responses => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// Where it is spoken when nobody says otherwise.
    #[must_use]
    pub fn default_base_url(self) -> &'static str {
        default_base_url(self.name()).unwrap_or_default()
    }

    /// The environment variable that usually holds the key.
    #[must_use]
    pub fn key_variable(self) -> &'static str {
        key_variable(self.name()).unwrap_or("the key's variable")
    }

    /// What is appended to the base URL.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Responses => "/responses",
            Self::Anthropic => "/v1/messages",
        }
    }

    /// What is appended to the base URL to have the input tokens of a request counted, and which
    /// fields of a request the address does not take; `None` if the dialect has no such address.
    pub(crate) const fn counting(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::Chat => None,
            Self::Responses => Some((
                "/responses/input_tokens",
                &[
                    "stream",
                    "store",
                    "include",
                    "max_output_tokens",
                    "prompt_cache_key",
                ],
            )),
            Self::Anthropic => Some(("/v1/messages/count_tokens", &["stream", "max_tokens"])),
        }
    }

    pub(crate) const fn auth(self) -> Auth {
        match self {
            Self::Chat | Self::Responses => Auth::Bearer,
            Self::Anthropic => Auth::ApiKey,
        }
    }

    /// Headers that every request bears unless the configuration says otherwise.
    pub(crate) const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Chat | Self::Responses => &[],
            Self::Anthropic => &[("anthropic-version", "2023-06-01")],
        }
    }

    /// An encoder that has seen nothing, for one session. `host` is the server's: some want another
    /// spelling, and one sends requests with the same key to where their prefix is cached.
    pub(crate) fn encoder(self, host: &str, session: SessionId) -> Encoder {
        let encoder = self.keyless_encoder(host);
        match (self, host) {
            (Self::Chat | Self::Responses, "api.openai.com") => {
                encoder.with_cache_key(session.to_string())
            }
            _ => encoder,
        }
    }

    fn keyless_encoder(self, host: &str) -> Encoder {
        match self {
            Self::Chat => chat::encoder(chat::MaxTokensField::of_host(host)),
            Self::Responses => responses::encoder(),
            Self::Anthropic => anthropic::encoder(),
        }
    }

    /// The body of `request` of a session as it is sent to the server at this address, byte for
    /// byte.
    #[must_use]
    pub fn body(self, base_url: &str, session: SessionId, request: &Request) -> Vec<u8> {
        self.encoder(&host_of(base_url), session).encode(request)
    }

    /// Where the server is told that it may cache; nowhere in a dialect that tells it nothing.
    #[must_use]
    pub fn cache_marks(self, request: &Request) -> CacheMarks {
        let marks = self.keyless_encoder("").marks(request);
        CacheMarks {
            after_head: marks.before_head_end.is_some(),
            after_items: marks.places,
        }
    }

    /// What reads one reply.
    pub(crate) fn parser(self, voice: Voice) -> Box<dyn Parser> {
        match self {
            Self::Chat => Box::new(chat::ChatParser::new(voice)),
            Self::Responses => Box::new(responses::ResponsesParser::new(voice)),
            Self::Anthropic => Box::new(anthropic::AnthropicParser::new(voice)),
        }
    }
}
