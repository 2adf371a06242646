//! I1: nobody but a journal can say that something is durable.
use bowline_core::{Committed, Event, Fact};

fn main() {
    let event = Event::new(0, Fact::notice("x"));
    let _forged: Committed<Event> = Committed { value: event };
}
