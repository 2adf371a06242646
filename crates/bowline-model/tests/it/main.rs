//! Providers through real sockets, and requests before the strict validator.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]

mod anthropic;
mod bound;
mod errors;
mod history;
mod malformed;
mod responses;
mod scripted;
mod server;
mod size;
mod sockets;
mod support;
#[path = "../../../bowline-core/tests/it/variants.rs"]
mod variants;
mod web;
