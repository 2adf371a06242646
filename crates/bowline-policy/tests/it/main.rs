//! Shell text as Bowline reads it, held against a real bash.
//!
//! `BOWLINE_SHELL_CASES=100000 cargo test -p bowline-policy --test it bash` makes as many cases of
//! each kind; without it there are a few hundred. The cases are the same for the same seed
//! (`BOWLINE_SHELL_SEED`).
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "policy is pure; what it is held against here is a program"
)]
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and says what it saw"
)]

mod bash;
mod bash_grammar;
mod bash_redirections;
mod bash_structure;
mod bash_words;
mod chance;
