//! Where progress is shown: a terminal, a pipe, a client.

use bowline_core::StreamEvent;

/// Shows what happens. Facts reach it only after they are durable; deltas are best effort.
pub trait Face: Send {
    /// Shows one event. Must not block for long: the loop waits for it.
    fn show(&mut self, event: &StreamEvent);
}

/// Shows nothing.
pub struct Silent;

impl Face for Silent {
    fn show(&mut self, _event: &StreamEvent) {}
}

/// Keeps everything it is shown, for tests and embedding.
#[derive(Default)]
pub struct Recorder {
    /// What was shown, in order.
    pub events: Vec<StreamEvent>,
}

impl Face for Recorder {
    fn show(&mut self, event: &StreamEvent) {
        self.events.push(event.clone());
    }
}
