//! The one place where requests are assembled, from the state alone.

use std::sync::Arc;

use crate::event::Purpose;
use crate::message::HistoryItem;
use crate::request::Request;
use crate::settings::CacheTtl;
use crate::state::State;

impl State {
    /// The request for the attempt under way, without the bytes of its images; `None` if there is
    /// none.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        let attempt = self.attempt.as_ref()?;
        let history = match attempt.reserved.purpose() {
            Purpose::Step => self.history.clone(),
            Purpose::Summary => self.history_to_sum_up()?,
        };
        self.request_of(history, attempt.reserved.max_output_tokens())
    }

    /// The request for a summary of the conversation; `None` unless one is being made shorter.
    #[must_use]
    pub fn summary_request(&self) -> Option<Request> {
        self.request_of(self.history_to_sum_up()?, None)
    }

    /// How long the provider is asked to keep what it caches: never [`CacheTtl::Auto`].
    #[must_use]
    pub fn cache_ttl(&self) -> CacheTtl {
        match self.settings().map(|settings| settings.context.cache_ttl) {
            None | Some(CacheTtl::Auto) => self.pace.ttl(),
            Some(said) => said,
        }
    }

    /// The request that the next attempt would make, but for the length of its reply: what waits
    /// to be shown to the model is in it. `None` before the session has begun.
    #[must_use]
    pub fn next_request(&self) -> Option<Request> {
        let mut history = self.history.clone();
        let queued = self.queue.iter().cloned();
        history.extend(queued.map(|input| Arc::new(HistoryItem::Input(input))));
        self.request_of(history, None)
    }

    fn request_of(
        &self,
        history: Vec<Arc<HistoryItem>>,
        max_output_tokens: Option<u64>,
    ) -> Option<Request> {
        let begun = self.begun.as_ref()?;
        Some(Request {
            model: begun.settings.model.clone(),
            prompt: Arc::clone(&begun.prompt),
            history,
            max_output_tokens,
            reasoning: begun.settings.reasoning,
            cache_ttl: self.cache_ttl(),
            images: Arc::default(),
        })
    }
}
