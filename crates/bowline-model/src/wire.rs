//! The dialects: one module each, with exact request bytes and replies put together from pieces.

mod assembly;
pub mod chat;

pub(crate) use assembly::{Assembly, Fragment, Voice, is_json_object, made_wire_id};
