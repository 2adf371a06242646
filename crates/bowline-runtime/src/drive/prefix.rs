//! Holding a request against what the provider was sent before: a prefix that breaks is a fact,
//! durable together with the reservation of the request that breaks it.

use std::sync::Arc;

use bowline_core::plan::{self, Sent};
use bowline_core::request::Request;
use bowline_core::{Fact, event::AttemptReserved};

use super::Loop;

impl Loop<'_> {
    /// Stages the reservation of a step with what its request consists of, and before it, if the
    /// request does not go on from what was sent last, where and why it does not.
    pub(super) fn stage_reserved(&mut self, reserved: AttemptReserved, request: &Request) {
        let session = self.session.id();
        let provider = Arc::clone(&self.harness.provider);
        self.hashes.take_in(request);
        let sent = self.session.state().sent();
        let begins_alike = sent
            .and_then(Sent::body)
            .and_then(|body| provider.begins_with(session, request, body));
        let body = provider.body_prefix(session, request);
        let blocks = plan::to_record(sent, &self.hashes, body);
        let state = self.session.state();
        let broken = plan::broken(state, request, &self.hashes, begins_alike);
        if let Some(broken) = broken {
            self.session.stage(Fact::PrefixBroken(broken));
        }
        let reserved = reserved.with_sent(blocks);
        self.session.stage(Fact::AttemptReserved(reserved));
    }
}
