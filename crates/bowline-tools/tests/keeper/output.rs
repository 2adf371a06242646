//! Output: bounded, unaltered, readable at any moment.

use bowline_tools::keeper::{Scrub, spool};

use crate::support::{Case, Place, block_on, finished, until};

pub(crate) const CASES: &[Case] = &[
    ("two_hundred_megabytes_stay_bounded", two_hundred_megabytes),
    ("a_line_of_ten_megabytes", a_line_of_ten_megabytes),
    ("bytes_that_are_no_text_pass", bytes_that_are_no_text_pass),
    (
        "output_is_told_while_it_comes",
        output_is_told_while_it_comes,
    ),
    (
        "the_scrubber_sees_all_output_first",
        the_scrubber_sees_all_output_first,
    ),
];

/// Suffix of attempt folders whose keeper gets [`HoldBack`].
pub(crate) const HELD_BACK: &str = ".held";

/// Holds everything back until it may no longer, and marks why it let go.
#[derive(Default)]
pub(crate) struct HoldBack(Vec<u8>);

impl Scrub for HoldBack {
    fn push(&mut self, bytes: &[u8], _out: &mut Vec<u8>) {
        self.0.extend_from_slice(bytes);
    }

    fn idle(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.0);
        out.extend_from_slice(b"<idle>");
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.0);
        out.extend_from_slice(b"<end>");
    }
}

fn two_hundred_megabytes() {
    const TOTAL: u64 = 200_000_000;
    let place = Place::new();
    let fifo = place.fifo("fifo");
    let mut order = place.order(&format!(
        "head -c {TOTAL} /dev/zero; read line <{}",
        fifo.display()
    ));
    (order.spool_head_bytes, order.spool_tail_bytes) = (100_000, 200_000);
    let kept = place.launch(&order);
    let attempt = place.attempt();
    let looker = std::thread::spawn(move || {
        until("all output", || {
            (spool::read(&attempt).total_bytes == TOTAL).then_some(())
        });
    });
    let keeper = place.started().keeper_pid;
    looker.join().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak_kib < 16 << 10, "the keeper took {peak_kib} KiB");
    let files = std::fs::read_dir(place.attempt()).unwrap();
    let on_disk: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(
        on_disk < 100_000 + 2 * 200_000 + 4_096,
        "{on_disk} bytes on disk"
    );
    std::fs::write(fifo, "\n").unwrap();
    let exit = finished(block_on(kept.wait(|_| {})));
    assert_eq!(
        (exit.code, exit.output_bytes_total, exit.output_lost),
        (Some(0), TOTAL, None)
    );
    let spooled = spool::read(&place.attempt());
    assert_eq!((spooled.head.len(), spooled.total_bytes), (100_000, TOTAL));
    assert!(spooled.tail.len() >= 200_000);
}

fn a_line_of_ten_megabytes() {
    let place = Place::new();
    let mut order = place.order("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last");
    order.spool_head_bytes = 20_000_000;
    let exit = finished(place.fate(&order));
    assert_eq!(
        (exit.output_bytes_total, exit.output_lines),
        (10_000_006, 2)
    );
    let spooled = spool::read(&place.attempt());
    assert_eq!(spooled.head.len(), 10_000_006);
    assert!(spooled.head.ends_with(b"xx\nlast\n") && spooled.head.starts_with(b"xx"));
}

fn bytes_that_are_no_text_pass() {
    let place = Place::new();
    place.exit("printf 'a\\377\\000\\303(\\r\\n\\033[31m'");
    assert_eq!(
        spool::read(&place.attempt()).head,
        b"a\xff\x00\xc3(\r\n\x1b[31m"
    );
}

fn output_is_told_while_it_comes() {
    let place = Place::new();
    let fifo = place.fifo("fifo");
    let kept = place.launch(&place.order(&format!("echo one; read line <{0}", fifo.display())));
    let mut told = Vec::new();
    let exit = finished(block_on(kept.wait(|total| {
        told.push(total);
        // Only word of the output lets the command go on.
        std::fs::write(&fifo, "\n").unwrap();
    })));
    assert_eq!((told, exit.output_bytes_total), (vec![4], 4));
}

fn the_scrubber_sees_all_output_first() {
    let place = Place::new();
    let fifo = place.fifo("fifo");
    let attempt = place.path("attempt").with_extension(&HELD_BACK[1..]);
    let order = place.order(&format!(
        "printf one; read line <{}; printf two",
        fifo.display()
    ));
    let kept = crate::support::launcher().launch(&attempt, &order).unwrap();
    until("idle word", || {
        (spool::read(&attempt).head == b"one<idle>").then_some(())
    });
    std::fs::write(fifo, "\n").unwrap();
    let exit = finished(block_on(kept.wait(|_| {})));
    assert_eq!(spool::read(&attempt).head, b"one<idle>two<end>");
    assert_eq!(exit.output_bytes_total, 17);
}
