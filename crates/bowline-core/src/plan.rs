//! The context plan: what a request consists of, block by block, and why.

mod difference;

pub use difference::{Difference, differences};
