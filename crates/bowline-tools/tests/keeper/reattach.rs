//! A later harness takes up a command that an earlier one started: follows it, stops it, learns
//! its end.

use bowline_tools::keeper::control::{Word, tell};
use bowline_tools::keeper::{Ended, Settled, StdinKind, recover, spool};

use crate::support::{Case, Place, block_on, is_alive, until};

pub(crate) const CASES: &[Case] = &[
    ("its_output_streams_on", its_output_streams_on),
    ("it_can_be_stopped", it_can_be_stopped),
    ("its_time_still_ends", its_time_still_ends),
    ("its_end_is_told_as_measured", its_end_is_told_as_measured),
    ("words_that_are_none_do_no_harm", words_that_are_none),
    (
        "bytes_written_are_told_without_reading",
        bytes_written_are_told_without_reading,
    ),
];

/// Starts `command` as a harness that goes away at once; runs on under its keeper.
fn left_behind(place: &Place, command: &str, timeout_ms: u64) {
    let mut order = place.order(command);
    order.timeout_ms = timeout_ms;
    drop(place.launch(&order));
    place.started();
}

/// Follows the attempt to its end, which must be known; what it wrote is heard by `on_output`.
fn followed(place: &Place, on_output: impl FnMut(u64) + Send) -> Box<bowline_tools::keeper::Exit> {
    match block_on(recover::wait_running(&place.attempt(), "test", on_output)) {
        Settled::Happened(exit) => exit,
        other => panic!("{other:?}"),
    }
}

fn its_output_streams_on() {
    let place = Place::new();
    // One for each word: a writer that is slow to leave is nothing to the next reader.
    let fifos = [2, 4, 6].map(|bytes| place.fifo(&format!("fifo{bytes}")));
    let [one, two, three] = fifos.each_ref().map(|fifo| fifo.display());
    let command = format!("echo 1; read x <{one}; echo 2; read x <{two}; echo 3; read x <{three}");
    left_behind(&place, &command, 0);
    let mut told = Vec::new();
    let exit = followed(&place, |bytes| {
        told.push(bytes);
        // Only word of the output lets the command go on.
        std::fs::write(place.path(&format!("fifo{bytes}")), "\n").unwrap();
    });
    assert_eq!((told, exit.output_bytes_total), (vec![2, 4, 6], 6));
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(0)));
}

fn it_can_be_stopped() {
    let place = Place::new();
    left_behind(&place, "echo $$ >>pids; echo begun; sleep 1000", 0);
    let shell = place.pids("pids", 1)[0];
    tell(&place.attempt(), &Word::Stop).unwrap();
    let exit = followed(&place, |_| {});
    assert_eq!((exit.ended_by, exit.signal), (Ended::Cancelled, Some(15)));
    assert!(!is_alive(shell));
    assert_eq!(spool::read(&place.attempt()).head, b"begun\n");
    let late = tell(&place.attempt(), &Word::Stop).unwrap_err();
    assert_eq!(late.kind(), std::io::ErrorKind::NotConnected);
}

fn its_time_still_ends() {
    let place = Place::new();
    left_behind(&place, "echo begun; sleep 1000", 300);
    let exit = followed(&place, |_| {});
    assert_eq!(exit.ended_by, Ended::TimedOut);
    assert!(exit.duration_ms >= 300, "{exit:?}");
}

fn its_end_is_told_as_measured() {
    let place = Place::new();
    left_behind(&place, "sleep 0.2; exit 7", 0);
    let exit = followed(&place, |_| {});
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(7)));
    assert!((200..20_000).contains(&exit.duration_ms), "{exit:?}");
    // Whoever asks later is told the same.
    let again = followed(&place, |_| {});
    assert_eq!(again, exit);
}

/// Input for a command that takes none is refused with a line; noise is passed over.
fn words_that_are_none() {
    let place = Place::new();
    let fifo = place.fifo("fifo");
    let order = place.order(&format!("echo begun; read line <{}; cat", fifo.display()));
    assert_eq!(order.stdin, StdinKind::Null);
    drop(place.launch(&order));
    place.started();
    let control = place.attempt().join("control");
    std::fs::write(&control, "noise\n\"dance\"\n{\"input\":").unwrap();
    tell(&place.attempt(), &Word::Input("text".into())).unwrap();
    until("the remark", || {
        let output = spool::read(&place.attempt()).head;
        String::from_utf8(output)
            .unwrap()
            .contains("[4 bytes of input were not taken")
            .then_some(())
    });
    std::fs::write(fifo, "\n").unwrap();
    let exit = followed(&place, |_| {});
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(0)));
}

fn bytes_written_are_told_without_reading() {
    let place = Place::new();
    assert_eq!(spool::written(&place.attempt()), 0);
    for (command, head_bytes, expect) in [
        ("printf 12345", 100, 5),
        ("head -c 90000 /dev/zero", 10_000, 90_000),
        ("head -c 90000 /dev/zero", 0, 90_000),
    ] {
        let place = Place::new();
        let mut order = place.order(command);
        (order.spool_head_bytes, order.spool_tail_bytes) = (head_bytes, 20_000);
        place.fate(&order);
        assert_eq!(spool::written(&place.attempt()), expect, "{command}");
        assert_eq!(spool::read(&place.attempt()).total_bytes, expect);
    }
}
