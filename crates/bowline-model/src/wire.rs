//! The wire: one module for each dialect, and what all of them share.
//!
//! A dialect is a `Format`, which writes requests piece by piece for the [`Encoder`], and a
//! `Parser`, which takes in the events of a reply for the body reader. `crate::Dialect` names both.

pub mod anthropic;
mod assembly;
mod body;
pub mod chat;
mod encoder;
mod image;
mod json;
mod provider;
mod recent;
pub mod responses;
mod shape;
mod weight;
mod words;

pub use encoder::Encoder;
pub use provider::{HttpProvider, ProviderConfig};

pub(crate) use assembly::{Assembly, Fragment, Voice, is_json_object, made_wire_id};
pub(crate) use body::{BodyReader, Fault, Parser};
pub(crate) use encoder::{Around, Format, Marks, Placed};
pub(crate) use recent::Recent;
#[cfg(test)]
pub(crate) use weight::SEAM_TOKENS;
