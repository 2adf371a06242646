//! How a run is shown: text for people, one object, or one object a line.

mod blobs;
mod json;
mod schema;
mod text;

pub use blobs::BlobFolder;
pub use schema::stream_schema;

use bowline_runtime::Face;

use crate::args::Output;

/// The face for an output form.
pub fn make(output: Output) -> Box<dyn Face> {
    match output {
        Output::Text => Box::new(text::Text::new()),
        Output::Json => Box::new(json::Json),
        Output::StreamJson => Box::new(json::Lines),
    }
}
