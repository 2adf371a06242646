//! What can be said of rules without running anything: which ones are dead or too wide, what they
//! would have made of recorded calls, which ones would have saved prompts.

pub mod backtest;
mod cover;
mod exact;
pub mod import;
pub mod lint;
pub mod recorded;
#[cfg(test)]
mod sample;
pub mod suggest;

pub use exact::{asking, exact_rule};
