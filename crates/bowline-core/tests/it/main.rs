//! The engine as a whole: laws over random histories, and what must not compile.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and says what it saw"
)]

mod adopting;
mod caps;
mod compaction;
mod errors;
mod explore;
mod laws;
mod plan;
mod refusals;
mod switching;
mod tree;
mod variants;
mod world;

#[test]
fn what_must_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/fail/*.rs");
}
