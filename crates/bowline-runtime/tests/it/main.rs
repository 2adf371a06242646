//! The drive loop as those who embed it see it: real tools, a scripted model, a journal in memory
//! or on a disk that fails.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod alarms;
mod children;
mod clock;
mod edits;
mod ends;
mod errors;
mod kept;
mod left_over;
mod over_all;
mod stage;
#[path = "../../../bowline-core/tests/it/variants.rs"]
mod variants;
