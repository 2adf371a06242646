//! Commands that are ended: time-out, cancel, left descendants, death of harness or keeper.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowline_tools::keeper::{Ended, Exit, Fate, Order, Settled, recover, spool};

use crate::support::{
    Case, Place, block_on, finished, is_alive, kill, launcher, until, until_dead,
};

pub(crate) const CASES: &[Case] = &[
    (
        "time_out_ends_the_whole_descent",
        time_out_ends_the_whole_descent,
    ),
    (
        "cancel_ends_the_whole_descent",
        cancel_ends_the_whole_descent,
    ),
    (
        "a_deaf_process_is_killed_after_the_grace",
        deaf_is_killed_after_the_grace,
    ),
    (
        "a_second_cancel_skips_the_grace",
        a_second_cancel_skips_the_grace,
    ),
    ("a_stopped_process_is_ended", a_stopped_process_is_ended),
    ("a_forking_crowd_is_ended", a_forking_crowd_is_ended),
    (
        "a_left_process_holding_the_pipe_is_ended",
        a_left_process_is_ended,
    ),
    ("a_left_daemon_is_ended", a_left_daemon_is_ended),
    (
        "a_left_process_may_finish_shortly_after",
        a_left_process_may_finish,
    ),
    (
        "the_harness_dies_and_the_command_completes",
        the_harness_dies,
    ),
    ("the_keeper_dies_and_the_command_with_it", the_keeper_dies),
    ("both_die_and_recovery_ends_what_is_left", both_die),
];

/// A tree of six sleeping processes, their ids in `pids`: plain children, a new session, a double
/// fork into one, and a grandchild.
const TREE: &str = r"
    echo $$ >>pids
    sleep 1000 & echo $! >>pids
    setsid sleep 1000 & echo $! >>pids
    (setsid bash -c 'echo $$ >>pids; sleep 1000 & echo $! >>pids; wait' &)
    bash -c 'sleep 1000 & echo $! >>pids; wait'
";
const TREE_SIZE: usize = 6;

fn assert_descent_ended(place: &Place, exit: &Exit) {
    let pids = place.pids("pids", TREE_SIZE);
    let listed: Vec<i32> = exit
        .ended_descendants
        .iter()
        .map(|process| process.pid)
        .collect();
    for pid in &pids[1..] {
        assert!(listed.contains(pid), "{pid} is not listed in {exit:?}");
    }
    assert!(
        exit.ended_descendants
            .iter()
            .any(|process| process.name == "sleep"),
        "{exit:?}"
    );
    assert_eq!(exit.survivors, []);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
}

fn time_out_ends_the_whole_descent() {
    let place = Place::new();
    let mut order = place.order(TREE);
    order.timeout_ms = 2_000;
    let exit = finished(place.fate(&order));
    assert_eq!(
        (exit.ended_by, exit.code, exit.signal),
        (Ended::TimedOut, None, Some(15))
    );
    assert!(exit.duration_ms >= 2_000, "{exit:?}");
    assert_descent_ended(&place, &exit);
}

/// Runs `order` and cancels it `times` times once the file `pids` has `count` lines.
fn cancelled(place: &Place, order: &Order, count: usize, times: usize) -> Exit {
    let kept = place.launch(order);
    let canceller = kept.canceller();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            place.pids("pids", count);
            (0..times).for_each(|_| canceller.cancel());
        });
        finished(block_on(kept.wait(|_| {})))
    })
}

fn cancel_ends_the_whole_descent() {
    let place = Place::new();
    let exit = cancelled(&place, &place.order(TREE), TREE_SIZE, 1);
    assert_eq!((exit.ended_by, exit.signal), (Ended::Cancelled, Some(15)));
    assert_descent_ended(&place, &exit);
}

const DEAF: &str = "trap '' TERM; echo $$ >>pids; while :; do sleep 1000; done";

fn deaf_is_killed_after_the_grace() {
    let place = Place::new();
    let mut order = place.order(DEAF);
    order.grace_ms = 300;
    let exit = cancelled(&place, &order, 1, 1);
    assert_eq!((exit.ended_by, exit.signal), (Ended::Cancelled, Some(9)));
    assert!(exit.duration_ms >= 300, "{exit:?}");
    assert_eq!(exit.survivors, []);
}

fn a_second_cancel_skips_the_grace() {
    let place = Place::new();
    let mut order = place.order(DEAF);
    order.grace_ms = 20_000;
    let exit = cancelled(&place, &order, 1, 2);
    assert_eq!((exit.ended_by, exit.signal), (Ended::Cancelled, Some(9)));
    assert!(exit.duration_ms < 20_000, "{exit:?}");
}

fn a_stopped_process_is_ended() {
    let place = Place::new();
    let mut order = place.order("trap 'echo bye' EXIT; echo $$ >>pids; kill -STOP $$; sleep 1000");
    order.grace_ms = 20_000;
    let exit = cancelled(&place, &order, 1, 1);
    assert_eq!((exit.ended_by, exit.signal), (Ended::Cancelled, Some(15)));
}

/// Processes that replace themselves faster than one list of them can be read.
fn a_forking_crowd_is_ended() {
    let place = Place::new();
    let command = "trap '' TERM; hop() { (hop &) ; }; echo $$ >>pids; \
                   for n in 1 2 3 4; do (while :; do (:) & (:) & wait; done) & done; wait";
    let mut order = place.order(command);
    order.grace_ms = 50;
    let exit = cancelled(&place, &order, 1, 1);
    assert_eq!((exit.ended_by, exit.signal), (Ended::Cancelled, Some(9)));
    assert_eq!(exit.survivors, []);
}

fn a_left_process_is_ended() {
    let place = Place::new();
    let exit = place.exit("sleep 1000 & echo $! >pid; echo done");
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(0)));
    let pid = place.pids("pid", 1)[0];
    assert_eq!(exit.ended_descendants.len(), 1);
    assert_eq!(
        (
            exit.ended_descendants[0].pid,
            &*exit.ended_descendants[0].name
        ),
        (pid, "sleep")
    );
    assert!(!is_alive(pid));
    assert_eq!(spool::read(&place.attempt()).head, b"done\n");
}

fn a_left_daemon_is_ended() {
    let place = Place::new();
    let exit = place.exit(
        "(setsid bash -c 'exec >/dev/null 2>&1 </dev/null; echo $$ >pid; exec sleep 1000' &)",
    );
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(0)));
    let pid = place.pids("pid", 1)[0];
    assert_eq!(exit.ended_descendants[0].pid, pid);
    assert!(!is_alive(pid));
}

fn a_left_process_may_finish() {
    let place = Place::new();
    let exit = place.exit("(sleep 0.05; echo late) & echo early");
    assert_eq!((exit.code, exit.ended_descendants), (Some(0), vec![]));
    assert_eq!(spool::read(&place.attempt()).head, b"early\nlate\n");
}

/// Starts `command` under a harness that is another process.
fn other_harness(place: &Place, command: &str) -> Child {
    std::fs::create_dir_all(place.path("spool")).unwrap();
    Command::new(launcher().exe)
        .arg("launcher")
        .arg(place.attempt())
        .arg(command)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn the_harness_dies() {
    let place = Place::new();
    let fifo = place.fifo("fifo");
    let command = format!(
        "echo before; read line <{}; echo after $line; exit 3",
        fifo.display()
    );
    let mut harness = other_harness(&place, &command);
    until("output", || {
        (spool::read(&place.attempt()).head == b"before\n").then_some(())
    });
    harness.kill().unwrap();
    harness.wait().unwrap();
    let running = recover::settle(&place.attempt(), "test");
    let Settled::Running(Some(started)) = running else {
        panic!("{running:?}")
    };
    assert_eq!(*started, place.started());
    std::fs::write(fifo, "all\n").unwrap();
    let settled = block_on(recover::wait_running(&place.attempt(), "test", |_| {}));
    let Settled::Happened(exit) = settled else {
        panic!("{settled:?}")
    };
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(3)));
    assert_eq!(spool::read(&place.attempt()).head, b"before\nafter all\n");
}

fn the_keeper_dies() {
    let place = Place::new();
    let kept = place.launch(&place.order(&format!("echo half; {TREE}")));
    let pids = place.pids("pids", TREE_SIZE);
    until("output", || {
        (spool::read(&place.attempt()).head == b"half\n").then_some(())
    });
    kill(place.started().keeper_pid);
    let fate = block_on(kept.wait(|_| {}));
    let Fate::InDoubt { why, ended } = fate else {
        panic!("{fate:?}")
    };
    assert!(why.contains("without an exit record (signal: 9"), "{why}");
    pids.iter().for_each(|pid| until_dead(*pid));
    assert!(
        ended.iter().any(|process| process.name == "sleep"),
        "{ended:?}"
    );
    let settled = recover::settle(&place.attempt(), "test");
    let Settled::InDoubt { output, .. } = settled else {
        panic!("{settled:?}")
    };
    assert_eq!(output.head, b"half\n");
}

fn both_die() {
    let place = Place::new();
    let began = Instant::now();
    let command = format!("cd ..; {TREE}");
    let mut harness = other_harness(&place, &command);
    let pids = place.pids("pids", TREE_SIZE);
    harness.kill().unwrap();
    harness.wait().unwrap();
    kill(place.started().keeper_pid);
    let settled = block_on(recover::wait_running(&place.attempt(), "test", |_| {}));
    let Settled::InDoubt { why, ended, .. } = settled else {
        panic!("{settled:?}")
    };
    assert!(why.contains("left no exit record"), "{why}");
    assert!(!ended.is_empty());
    pids.iter().for_each(|pid| until_dead(*pid));
    assert!(began.elapsed() < Duration::from_secs(60));
}
