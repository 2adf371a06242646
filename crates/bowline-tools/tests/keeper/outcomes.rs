//! Commands that end on their own, and orders that cannot be carried out.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bowline_tools::keeper::record::{Record, VERSION, read_claim, read_exit};
use bowline_tools::keeper::{Ended, Fate, Leave, Settled, StdinKind, recover, spool};

use crate::support::{Case, Place, block_on, launcher, until, until_dead};

pub(crate) const CASES: &[Case] = &[
    ("exit_code", exit_code),
    ("exit_by_signal", exit_by_signal),
    (
        "kill_of_its_own_group_spares_the_keeper",
        kill_of_its_own_group_spares_the_keeper,
    ),
    (
        "stdout_and_stderr_keep_their_order",
        stdout_and_stderr_keep_their_order,
    ),
    (
        "environment_is_exactly_the_ordered_one",
        environment_is_exactly_the_ordered_one,
    ),
    (
        "nothing_is_inherited_from_the_harness",
        nothing_is_inherited_from_the_harness,
    ),
    ("an_order_larger_than_a_pipe", an_order_larger_than_a_pipe),
    (
        "what_cannot_start_is_proven_not_to_have_run",
        what_cannot_start,
    ),
    ("half_an_order_runs_nothing", half_an_order_runs_nothing),
    (
        "an_order_of_tomorrow_runs_nothing",
        an_order_of_tomorrow_runs_nothing,
    ),
    ("keepers_leave_no_zombie", keepers_leave_no_zombie),
];

fn exit_code() {
    for code in [0, 7, 255] {
        let place = Place::new();
        let exit = place.exit(&format!("exit {code}"));
        assert_eq!(
            (exit.ended_by, exit.code, exit.signal),
            (Ended::ItsOwn, Some(code), None)
        );
        assert_eq!(read_exit(&place.attempt()), Record::Whole(exit.clone()));
        assert_eq!(
            recover::settle(&place.attempt(), "test"),
            Settled::Happened(Box::new(exit))
        );
    }
}

fn exit_by_signal() {
    let exit = Place::new().exit("kill -SEGV $$");
    assert_eq!(
        (exit.ended_by, exit.code, exit.signal),
        (Ended::ItsOwn, None, Some(11))
    );
}

fn kill_of_its_own_group_spares_the_keeper() {
    let exit = Place::new().exit("kill -KILL 0");
    assert_eq!((exit.ended_by, exit.signal), (Ended::ItsOwn, Some(9)));
}

fn stdout_and_stderr_keep_their_order() {
    let place = Place::new();
    let exit = place.exit("for n in 1 2 3 4 5; do echo out $n; echo err $n >&2; done");
    let expect: String = (1..6).map(|n| format!("out {n}\nerr {n}\n")).collect();
    let spooled = spool::read(&place.attempt());
    assert_eq!(String::from_utf8(spooled.head).unwrap(), expect);
    assert_eq!(
        (exit.output_bytes_total, exit.output_lines),
        (expect.len() as u64, 10)
    );
}

fn environment_is_exactly_the_ordered_one() {
    let place = Place::new();
    let mut order = place.order("tr '\\0' '\\n' </proc/$$/environ; cat; pwd");
    order.env.push(("GREETING".into(), "two\twords".into()));
    place.fate(&order);
    let output = String::from_utf8(spool::read(&place.attempt()).head).unwrap();
    let mut expect: Vec<String> = order
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    expect.push(format!("BOWLINE_KEEPER={}", place.started().mark));
    expect.sort();
    let mut lines: Vec<&str> = output.lines().collect();
    let folder = lines.pop().unwrap();
    lines.sort_unstable();
    assert_eq!(lines, expect);
    assert_eq!(folder, order.cwd.canonicalize().unwrap().to_str().unwrap());
}

/// Ignored signals, open descriptors, process session, terminal.
fn nothing_is_inherited_from_the_harness() {
    let place = Place::new();
    let look = "ls /proc/self/fd; grep SigIgn /proc/self/status; cut -d' ' -f6 /proc/self/stat";
    let script = format!(
        "trap '' INT HUP USR1 CHLD; exec 9</dev/null; ({look}) >control; exec \"$0\" launcher \"$1\" '{}'",
        look.replace('\'', "'\\''")
    );
    Command::new("bash")
        .args(["-c", &script])
        .arg(launcher().exe)
        .arg(place.attempt())
        .current_dir(place.path(""))
        .status()
        .unwrap();
    let control = std::fs::read_to_string(place.path("control")).unwrap();
    let inside = String::from_utf8(spool::read(&place.attempt()).head).unwrap();
    let (control, inside): (Vec<_>, Vec<_>) = (control.lines().collect(), inside.lines().collect());
    // The control shows that there was something to inherit.
    assert!(
        control.contains(&"9") && ignored(&control) & TRAPPED == TRAPPED,
        "{control:?}"
    );
    // 3 is the folder that `ls` lists.
    assert_eq!(inside[..4], ["0", "1", "2", "3"]);
    assert_eq!(ignored(&inside) & !KEPT_BY_LIBC, 0, "{inside:?}");
    assert_eq!(inside[5], place.started().keeper_pid.to_string());
    let Record::Whole(exit) = read_exit(&place.attempt()) else {
        panic!("no exit record")
    };
    assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(0)));
}

/// INT, HUP, USR1 and CHLD in a signal mask.
const TRAPPED: u64 = 1 << 1 | 1 << 0 | 1 << 9 | 1 << 16;

/// Signals 32 and 33, which libc lets nobody reset.
const KEPT_BY_LIBC: u64 = 0b11 << 31;

fn ignored(lines: &[&str]) -> u64 {
    let mask = lines
        .iter()
        .find_map(|line| line.strip_prefix("SigIgn:\t"))
        .unwrap();
    u64::from_str_radix(mask, 16).unwrap()
}

fn an_order_larger_than_a_pipe() {
    let place = Place::new();
    let mut order = place.order("echo ${#V0} ${#V9}");
    order
        .env
        .extend((0..10).map(|n| (format!("V{n}"), "x".repeat(100_000))));
    place.fate(&order);
    assert_eq!(spool::read(&place.attempt()).head, b"100000 100000\n");
}

fn what_cannot_start() {
    let check = |expect: &str, change: fn(&mut bowline_tools::keeper::Order)| {
        let place = Place::new();
        let mut order = place.order("touch ran");
        change(&mut order);
        let Fate::NeverStarted { why } = place.fate(&order) else {
            panic!("{expect}")
        };
        assert!(why.contains(expect), "{why:?} lacks {expect:?}");
        assert!(!place.path("ran").exists());
        let settled = recover::settle(&place.attempt(), "test");
        assert!(matches!(settled, Settled::DidNot { .. }), "{settled:?}");
    };
    check("the shell /no/shell could not be started", |order| {
        order.shell = vec!["/no/shell".into()]
    });
    check("the working folder /no/folder is not there", |order| {
        order.cwd = "/no/folder".into()
    });
    check("could not be started: nul byte", |order| {
        order.command.push('\0')
    });
    check("Argument list too long", |order| {
        order.command = "x".repeat(200_000)
    });
    check("does not understand the order", |order| order.shell.clear());
    check("does not understand the order", |order| {
        order.stdin = StdinKind::Pty {
            columns: 80,
            rows: 24,
        };
    });
}

/// Speaks to a keeper by hand and returns the reason it leaves with.
fn leave_after(place: &Place, order: &[u8]) -> Leave {
    std::fs::create_dir_all(place.attempt()).unwrap();
    let mut keeper = Command::new(launcher().exe)
        .arg("keeper")
        .arg(place.attempt())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    keeper.stdin.take().unwrap().write_all(order).unwrap();
    Leave::from_code(keeper.wait().unwrap().code().unwrap()).unwrap()
}

pub(crate) fn half_an_order_runs_nothing() {
    let place = Place::new();
    let whole = serde_json::to_vec(&place.order("touch ran")).unwrap();
    // Without its newline even a whole order is not an order.
    for length in [0, 1, whole.len() / 2, whole.len()] {
        assert_eq!(leave_after(&place, &whole[..length]), Leave::NoOrder);
        assert_eq!(read_claim(&place.attempt()), Record::Absent);
    }
    assert_eq!(
        leave_after(&place, &[&whole[..], b"\n"].concat()),
        Leave::Done
    );
    assert!(place.path("ran").exists());
}

fn an_order_of_tomorrow_runs_nothing() {
    let place = Place::new();
    let mut order = place.order("touch ran");
    order.version = VERSION + 1;
    let Fate::NeverStarted { why } = place.fate(&order) else {
        panic!("it was started")
    };
    assert!(why.contains("another version"), "{why}");
    assert_eq!(leave_after(&place, b"\xff{}\n"), Leave::BadOrder);
    assert!(!place.path("ran").exists());
    assert_eq!(read_claim(&place.attempt()), Record::Absent);
}

/// Whether the harness goes on, its runtime ends, or it never waits.
fn keepers_leave_no_zombie() {
    let gone = |place: &Place| {
        let proc = format!("/proc/{}", place.started().keeper_pid);
        until("the keeper to be reaped", || {
            (!std::path::Path::new(&proc).exists()).then_some(())
        });
    };
    let (ended, dropped, killed) = (Place::new(), Place::new(), Place::new());
    ended.exit("true");
    gone(&ended);
    drop(dropped.launch(&dropped.order("true")));
    gone(&dropped);
    let place = Place::new();
    block_on(async {
        place.launch(&place.order("true")).wait(|_| {}).await;
        while std::path::Path::new(&format!("/proc/{}", place.started().keeper_pid)).exists() {
            tokio::task::yield_now().await;
        }
    });
    let waiting = killed.launch(&killed.order("echo $$ >pid; sleep 1000"));
    let shell = killed.pids("pid", 1)[0];
    crate::support::kill(killed.started().keeper_pid);
    drop(waiting);
    gone(&killed);
    until_dead(shell);
}
