//! A session as one JSON object that can be carried to another machine and back.
//!
//! `{"format":"bowline-session","version":2,"id":..,"events":[..],"blobs":[..]}`, in this order. An
//! event is `{"seq","epoch","commitment","salt","hash","event"}` with the body exactly as it is
//! stored, a blob `{"digest","bytes","base64"}`, in the order of their digests. All that the chain
//! needs is there, so the journal that comes of an import is the one that was exported, byte for
//! byte, and so is its next export.
//!
//! A chain proves that nothing was changed since it was made, not who made it: whoever imports a
//! session takes over what a stranger may have written. It is marked until a person has put this
//! machine's configuration in force in it.

mod export;
mod import;
mod read;

pub use export::Exported;
pub use import::Imported;

use std::collections::BTreeSet;

use bowline_core::Digest;
use bowline_core::call::BlobRef;
use serde_json::Value;

/// What the object says it is.
const FORMAT: &str = "bowline-session";
/// The version that is written and the only one that is read.
const VERSION: u64 = 2;

/// Adds the digests of the stored bodies that an event's body refers to, wherever in it.
fn note_blobs(body: &[u8], into: &mut BTreeSet<Digest>) {
    // What is no JSON refers to nothing.
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let mut rest = vec![&value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(fields) => {
                if let Ok(blob) = serde_json::from_value::<BlobRef>(value.clone()) {
                    into.insert(blob.digest);
                }
                rest.extend(fields.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
}
