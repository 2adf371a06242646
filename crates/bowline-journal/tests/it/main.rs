//! Behaviour of the journal crate through real files and processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod blobs;
mod chains;
mod conformance;
mod damage;
mod errors;
mod faults;
mod fixture;
mod index;
mod injection;
mod ledger;
mod mailbox;
mod mutations;
mod ownership;
mod past;
mod portable;
mod races;
mod repair;
mod sample;
mod store;
mod taking_over;
mod trust;
#[path = "../../../bowline-core/tests/it/variants.rs"]
mod variants;
