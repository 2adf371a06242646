//! Readers that are slow, stuck or gone.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};

use bowline_core::{AttemptId, Event, Fact, Seq, StreamEvent};
use serde_json::Value;

use super::{MOST_DELTA_BYTES, Outlet};

/// Writes only after it was let to, and tells what it wrote.
struct Gate {
    told: Sender<Vec<u8>>,
    let_through: Receiver<()>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.let_through
            .recv()
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.told
            .send(bytes.to_vec())
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gate() -> (Gate, Sender<()>, Receiver<Vec<u8>>) {
    let (told, written) = channel();
    let (opener, let_through) = channel();
    (Gate { told, let_through }, opener, written)
}

fn attempt(number: u8) -> AttemptId {
    format!("00000000-0000-7000-8000-0000000000{number:02}")
        .parse()
        .expect("a UUID")
}

fn word(number: u8, text: &str) -> StreamEvent {
    StreamEvent::TextDelta {
        attempt_id: attempt(number),
        text: text.to_owned(),
    }
}

fn fact(seq: u64) -> StreamEvent {
    StreamEvent::Event {
        seq: Seq(seq),
        event: Box::new(Event::new(0, Fact::notice("n"))),
    }
}

/// Puts everything in while nothing is read, then reads it all.
fn read_late(events: &[StreamEvent]) -> Vec<Value> {
    let (gate, opener, written) = gate();
    let outlet = Outlet::start(gate).expect("a thread");
    let inlet = outlet.inlet();
    events.iter().for_each(|event| inlet.put(event));
    for _ in 0..=events.len() {
        opener.send(()).expect("the writer waits");
    }
    assert!(outlet.close().is_none());
    let bytes: Vec<u8> = written.try_iter().flatten().collect();
    let text = String::from_utf8(bytes).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["type"].as_str().expect("a type"))
        .collect()
}

#[test]
fn pieces_of_one_reply_are_merged_while_nobody_reads() {
    let mut events = vec![fact(1)];
    events.extend((0..1000).map(|number| word(1, &format!("{number} "))));
    events.extend([word(2, "other"), fact(2), word(2, "late")]);
    let lines = read_late(&events);
    let expected = ["event", "text_delta", "text_delta", "event", "text_delta"];
    assert_eq!(kinds(&lines), expected);
    let all: String = (0..1000).map(|number| format!("{number} ")).collect();
    assert_eq!(lines[1]["text"], all.as_str());
    assert_eq!(lines[4]["text"], "late");
}

#[test]
fn too_many_pieces_are_left_out_and_no_fact_is() {
    let big = "x".repeat(MOST_DELTA_BYTES / 4);
    let mut events = Vec::new();
    for seq in 1..=50 {
        events.extend([fact(seq), word(1, &big)]);
    }
    let lines = read_late(&events);
    let seqs: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (1..=50).collect::<Vec<u64>>());
    let deltas = lines.len() - 50;
    assert!((1..=4).contains(&deltas), "{deltas}");
}

#[test]
fn a_reader_that_went_away_is_told_of_at_the_end() {
    let (gate, opener, written) = gate();
    let outlet = Outlet::start(gate).expect("a thread");
    let inlet = outlet.inlet();
    inlet.put(&fact(1));
    opener.send(()).expect("the writer waits");
    assert!(!written.recv().expect("a line").is_empty());
    drop(written);
    drop(opener);
    for seq in 2..1000 {
        inlet.put(&fact(seq));
    }
    let lost = outlet.close().expect("not all was written");
    assert_eq!(lost.kind(), io::ErrorKind::BrokenPipe);
}
