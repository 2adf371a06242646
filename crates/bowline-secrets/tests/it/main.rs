//! What the crate promises, held against labelled texts and against texts that are made up.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and says what it saw"
)]

mod corpus;
mod properties;
mod slots;
