//! Understands shell text: what `bash -c TEXT` could run, read and write.
//!
//! Three steps. [`parse`](parse::parse) turns text into a typed [`tree`]; the walk visits every
//! command that could run, with each word as far as it is known ([`argument`]); for each simple
//! command the tables say what it does ([`effect`]). A step that meets what it does not know says
//! so, and the answer is a question.

pub mod argument;
pub mod effect;
mod expand;
mod git_config;
pub mod invisible;
mod judge;
mod known;
mod lex;
pub mod parse;
mod path;
pub mod print;
mod publish;
mod scope;
pub mod tree;
mod verdict;
mod walk;
mod words;

pub use self::expand::name_fits;
pub(crate) use self::judge::judge;
pub(crate) use self::path::follow;
pub(crate) use self::verdict::is_loopback;

#[cfg(test)]
mod tests;
