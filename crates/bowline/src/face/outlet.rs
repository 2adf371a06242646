//! Standard output behind a thread, so that a slow reader never holds up the drive loop.
//!
//! Facts, the session line and the result are never dropped: they wait in order until they are
//! read. Deltas are a lossy view: while the reader is behind, pieces of one reply are merged, and
//! past [`MOST_DELTA_BYTES`] left out. Only past [`MOST_BYTES`] of unread facts the loop waits
//! for the reader, between two acts, as any program does whose output nobody takes. A reader that
//! went away ends nothing: the run goes on to its rest, and what it did is in the journal.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bowline_core::StreamEvent;

/// Unread facts that are held for a slow reader, in bytes.
const MOST_BYTES: usize = 64 << 20;
/// Unread deltas that are held for a slow reader, in bytes.
const MOST_DELTA_BYTES: usize = 1 << 20;

/// The end of the queue that is written to. Cloned for a face; [`Outlet::close`] waits for all.
pub struct Outlet {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// Puts stream events into the queue of an [`Outlet`].
#[derive(Clone)]
pub struct Inlet {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    bytes: usize,
    delta_bytes: usize,
    ended: bool,
    /// Why nothing can be written any more.
    lost: Option<io::Error>,
}

enum Line {
    Kept(String),
    Delta(StreamEvent),
}

impl Outlet {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || for_thread.write(out))?;
        Ok(Self { shared, thread })
    }

    /// What a face writes to.
    pub fn inlet(&self) -> Inlet {
        Inlet {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Waits until everything was read or nobody reads any more; says why not all was written.
    pub fn close(self) -> Option<io::Error> {
        self.shared.queue().ended = true;
        self.shared.changed.notify_all();
        // The thread runs nothing that panics; were it to, what it could not write is lost.
        let _joined = self.thread.join();
        self.shared.queue().lost.take()
    }
}

impl Inlet {
    /// Puts one event in, as one line.
    pub fn put(&self, event: &StreamEvent) {
        let mut queue = self.shared.queue();
        if is_delta(event) {
            queue.delta(event);
        } else if let Ok(line) = serde_json::to_string(event) {
            while queue.bytes > MOST_BYTES && queue.lost.is_none() {
                queue = self.shared.wait(queue);
            }
            queue.keep(line);
        }
        drop(queue);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.changed
            .wait(queue)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is put in until the end, or until nobody reads any more.
    fn write(&self, mut out: impl Write) {
        while let Some(line) = self.next() {
            let Some(mut text) = line.into_text() else {
                continue;
            };
            text.push('\n');
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            if let Err(error) = written {
                let mut queue = self.queue();
                *queue = Queue {
                    lost: Some(error),
                    ..Queue::default()
                };
                drop(queue);
                self.changed.notify_all();
                return;
            }
        }
    }

    fn next(&self) -> Option<Line> {
        let mut queue = self.queue();
        loop {
            if let Some(line) = queue.take() {
                drop(queue);
                self.changed.notify_all();
                return Some(line);
            }
            if queue.ended {
                return None;
            }
            queue = self.wait(queue);
        }
    }
}

impl Queue {
    fn keep(&mut self, line: String) {
        if self.lost.is_none() {
            self.bytes += line.len();
            self.lines.push_back(Line::Kept(line));
        }
    }

    /// Adds a delta to the one that waits before it, if they are of one kind, or puts it in.
    fn delta(&mut self, event: &StreamEvent) {
        let bytes = weight(event);
        if self.lost.is_some() || self.delta_bytes + bytes > MOST_DELTA_BYTES {
            return;
        }
        self.delta_bytes += bytes;
        if let Some(Line::Delta(last)) = self.lines.back_mut()
            && merge(last, event)
        {
            return;
        }
        self.lines.push_back(Line::Delta(event.clone()));
    }

    fn take(&mut self) -> Option<Line> {
        let line = self.lines.pop_front()?;
        match &line {
            Line::Kept(text) => self.bytes -= text.len(),
            // Merged counts of a call weigh once but were counted each time: an empty queue of
            // deltas weighs nothing.
            Line::Delta(event) => {
                self.delta_bytes = self.delta_bytes.saturating_sub(weight(event));
                if !self.lines.iter().any(|line| matches!(line, Line::Delta(_))) {
                    self.delta_bytes = 0;
                }
            }
        }
        Some(line)
    }
}

impl Line {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Kept(text) => Some(text),
            Self::Delta(event) => serde_json::to_string(&event).ok(),
        }
    }
}

/// Whether an event is progress that may be merged or left out.
fn is_delta(event: &StreamEvent) -> bool {
    matches!(
        event,
        StreamEvent::TextDelta { .. }
            | StreamEvent::ReasoningDelta { .. }
            | StreamEvent::CallOutput { .. }
    )
}

fn weight(event: &StreamEvent) -> usize {
    match event {
        StreamEvent::TextDelta { text, .. } | StreamEvent::ReasoningDelta { text, .. } => {
            text.len() + 1
        }
        _ => 1,
    }
}

/// Joins `next` to `last` if both are pieces of the same thing.
fn merge(last: &mut StreamEvent, next: &StreamEvent) -> bool {
    use StreamEvent::{CallOutput, ReasoningDelta, TextDelta};
    match (last, next) {
        (
            TextDelta { attempt_id, text },
            TextDelta {
                attempt_id: same,
                text: more,
            },
        )
        | (
            ReasoningDelta { attempt_id, text },
            ReasoningDelta {
                attempt_id: same,
                text: more,
            },
        ) if attempt_id == same => text.push_str(more),
        (
            CallOutput {
                call_id,
                total_bytes,
            },
            CallOutput {
                call_id: same,
                total_bytes: now,
            },
        ) if call_id == same => *total_bytes = *now,
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests;
