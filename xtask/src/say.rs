//! The only place of the chores that prints.

use std::fmt::Display;

/// Prints one line of results.
#[expect(
    clippy::print_stdout,
    reason = "a chore's results are for the person who ran it"
)]
pub(crate) fn line(text: impl Display) {
    println!("{text}");
}

/// Prints one line about why a chore could not do its work.
#[expect(
    clippy::print_stderr,
    reason = "a chore's failure is for the person who ran it"
)]
pub(crate) fn error(text: impl Display) {
    eprintln!("{text}");
}
