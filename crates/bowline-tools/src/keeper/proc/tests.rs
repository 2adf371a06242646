//! Tests of process lookups.

use std::process::{Command, Stdio};

use super::*;

#[test]
fn stat_lines_parse_whatever_the_name() {
    let check = |name: &[u8], expect: &str| {
        let mut line = b"7 (".to_vec();
        line.extend_from_slice(name);
        line.extend_from_slice(b") S 3 7 9 0 -1 0 0 0 0 0 1 2 30 4 20 0 1 0 1234 0 0\n");
        let stat = parse_stat(&line).unwrap();
        assert_eq!(
            (stat.name.as_str(), stat.parent, stat.session),
            (expect, 3, 9)
        );
        assert_eq!(
            (stat.reaped_cpu_ms, stat.start_ticks, stat.is_zombie),
            (340, 1234, false)
        );
    };
    check(b"bash", "bash");
    check(b"a) Z (b", "a) Z (b");
    check(b"", "");
    check(b"\xff x", "\u{fffd} x");
}

#[test]
fn foreign_stat_lines_are_nothing() {
    for line in [
        &b""[..],
        b"7",
        b"7 (x",
        b"7 (x) ",
        b"7 (x) S 3 7",
        b") (",
        b"7 (x) S a b c",
    ] {
        assert_eq!(parse_stat(line), None, "{line:?}");
    }
}

#[test]
fn both_ways_find_the_same_descent() {
    let mut shell = Command::new("bash")
        .args(["-c", "sleep 1000 & sleep 1000 & echo ready; wait"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut told = std::io::BufReader::new(shell.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut told, &mut line).unwrap();
    let root = i32::try_from(shell.id()).unwrap();
    let (mut listed, mut scanned) = (descent(root), descent_by_scan(root));
    for pid in &listed {
        send(*pid, Signal::KILL);
    }
    shell.wait().unwrap();
    listed.sort_unstable();
    scanned.sort_unstable();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed, scanned);
}

#[test]
fn what_is_killed_already_is_told_from_what_runs() {
    let mut sleeper = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = i32::try_from(sleeper.id()).unwrap();
    assert!(!is_dying(pid));
    send(pid, Signal::KILL);
    // From the moment the signal is sent it counts as dying: pending, exiting or a zombie.
    assert!(is_dying(pid));
    sleeper.wait().unwrap();
    assert!(is_dying(pid), "gone");
}
