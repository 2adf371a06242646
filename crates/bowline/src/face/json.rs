//! The machine faces: `--output json` and `--output stream-json`.

use bowline_core::StreamEvent;
use bowline_runtime::Face;

use super::outlet::Inlet;
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
pub struct Lines {
    inlet: Inlet,
}

impl Lines {
    /// A face that puts its lines into `inlet`.
    pub fn new(inlet: Inlet) -> Self {
        Self { inlet }
    }
}

impl Face for Lines {
    fn show(&mut self, event: &StreamEvent) {
        self.inlet.put(event);
    }
}
