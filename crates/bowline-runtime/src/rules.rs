//! What can be said of rules without running anything: which ones are dead or too wide.

mod cover;
pub mod lint;
