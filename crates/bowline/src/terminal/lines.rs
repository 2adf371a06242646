//! Lines from standard input, read by a thread of their own.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

/// How long a run in the background of its terminal leaves the keyboard to others.
const BACKGROUND_PAUSE: Duration = Duration::from_millis(250);

/// Most bytes read at once; a terminal hands out a line at a time, at most 4 KiB.
const READ_BYTES: usize = 64 << 10;

/// Hands every line to `take` until it says that nobody listens; `None` is an end of input, after
/// which a terminal may go on. The thread ends with the process at the latest.
pub(super) fn read(take: impl Fn(Option<String>) -> bool + Send + 'static) {
    // Without a thread nobody can answer here: the person parks with Ctrl-C and answers elsewhere.
    drop(std::thread::Builder::new().spawn(move || while step(&take) {}));
}

fn step(take: &impl Fn(Option<String>) -> bool) -> bool {
    let stdin = io::stdin();
    let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut ready, None) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return true,
        Err(_) => return false,
    }
    let happened = ready[0].revents();
    let is_gone = happened.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
    if !happened.contains(PollFlags::IN) {
        return !is_gone;
    }
    // To read from the background would stop this process.
    if !in_foreground(&stdin) {
        std::thread::sleep(BACKGROUND_PAUSE);
        return true;
    }
    let mut bytes = vec![0; READ_BYTES];
    match rustix::io::read(&stdin, &mut bytes[..]) {
        Ok(0) => !is_gone && take(None),
        Ok(count) => {
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            text.lines().all(|line| take(Some(line.to_owned())))
        }
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => true,
        Err(_) => false,
    }
}

/// Whether the terminal's keys go to this process. One that is not our controlling terminal has
/// no foreground.
fn in_foreground(stdin: &io::Stdin) -> bool {
    rustix::termios::tcgetpgrp(stdin).map_or(true, |group| group == rustix::process::getpgrp())
}
