//! The machine faces: `--output json` and `--output stream-json`.

use bowline_core::StreamEvent;
use bowline_runtime::Face;

use crate::print;

/// One object, at the end.
pub struct Json;

impl Face for Json {
    fn show(&mut self, event: &StreamEvent) {
        if let StreamEvent::Result(result) = event
            && let Ok(line) = serde_json::to_string(result)
        {
            print::line(&line);
        }
    }
}

/// One object a line, as things happen.
pub struct Lines;

impl Face for Lines {
    fn show(&mut self, event: &StreamEvent) {
        if let Ok(line) = serde_json::to_string(event) {
            print::line(&line);
        }
    }
}
