//! Programs that work, fail, talk too much and hang.

use std::time::{Duration, Instant};

use super::{Bounds, ProgramError, printed};

fn sh(line: &str) -> Vec<String> {
    ["sh", "-c", line].map(str::to_owned).to_vec()
}

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(20),
    bytes: 16,
};

#[test]
fn what_it_prints_is_given() {
    let table = [
        ("echo key", "key\n"),
        ("printf 0123456789abcdef", "0123456789abcdef"),
    ];
    for (line, expected) in table {
        assert_eq!(printed(&sh(line), BOUNDS).as_deref(), Ok(expected));
    }
}

#[test]
fn what_goes_wrong_is_told_without_what_it_printed() {
    let table: [(Vec<String>, &[&str]); 6] = [
        (
            sh("echo SECRET; echo no entry >&2; exit 3"),
            &["failed", "3", "no entry"],
        ),
        (sh("kill -9 $$"), &["failed", "9"]),
        (sh("printf SECRET0123456789abcdef"), &["over 16 bytes"]),
        (sh("printf 'SECRET\\377'"), &["not UTF-8"]),
        (
            vec!["/nonexistent/program".to_owned()],
            &["cannot be started", "/nonexistent/program"],
        ),
        (Vec::new(), &["no program"]),
    ];
    for (argv, parts) in table {
        let message = printed(&argv, BOUNDS).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is missing: {message}");
        }
        assert!(!message.contains("SECRET"), "{message}");
    }
}

/// A new variant does not compile here until it is provoked.
#[test]
fn every_error_of_a_program_is_provoked() {
    let place = |error: &ProgramError| match error {
        ProgramError::Unstartable { .. } => 0,
        ProgramError::TooSlow { .. } => 1,
        ProgramError::Failed { .. } => 2,
        ProgramError::Unusable { .. } => 3,
    };
    let soon = Bounds {
        time: Duration::from_millis(50),
        bytes: 16,
    };
    let table = [
        (Vec::new(), BOUNDS),
        (sh("sleep 600"), soon),
        (sh("exit 3"), BOUNDS),
        (sh("printf '\\377'"), BOUNDS),
    ];
    let provoked = table.map(|(argv, bounds)| place(&printed(&argv, bounds).unwrap_err()));
    assert_eq!(provoked, [0, 1, 2, 3]);
}

#[test]
fn one_that_hangs_is_ended_with_its_children() {
    let began = Instant::now();
    let bounds = Bounds {
        time: Duration::from_millis(200),
        bytes: 16,
    };
    let message = printed(&sh("echo waiting >&2; sleep 600 & sleep 600"), bounds)
        .unwrap_err()
        .to_string();
    assert!(message.contains("was ended: waiting"), "{message}");
    assert!(began.elapsed() < Duration::from_secs(100));
}

#[test]
fn a_child_that_stays_behind_does_not_hold_it_up() {
    let began = Instant::now();
    assert_eq!(
        printed(&sh("sleep 600 & echo key"), BOUNDS).as_deref(),
        Ok("key\n")
    );
    assert!(began.elapsed() < Duration::from_secs(100));
}
