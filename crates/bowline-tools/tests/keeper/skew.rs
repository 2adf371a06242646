//! Keeper and harness of different versions: never guessed, always said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use bowline_tools::keeper::record::{Record, read_claim};
use bowline_tools::keeper::{Claim, Ended, Fate, Launcher, Order, Settled, recover, spool};

use crate::support::{Case, Place, block_on};

pub(crate) const CASES: &[Case] = &[
    ("a_newer_keeper_runs_on_and_is_in_doubt", a_newer_keeper),
    (
        "what_a_newer_keeper_tells_is_not_guessed",
        what_a_newer_keeper_tells,
    ),
    ("an_older_keeper_is_understood", an_older_keeper),
    (
        "an_order_that_a_replaced_program_does_not_know_runs_nothing",
        a_replaced_program,
    ),
    ("a_removed_program_runs_nothing", a_removed_program),
];

/// The claim of the first release, byte for byte.
const CLAIM_1: &str = r#"{"claim":"started","version":1,"call":"c","at_ms":1764103557000,"keeper_pid":4242,"keeper_start_ticks":77,"boot_id":"b","mark":"4242.77.1764103557000","cwd":"/w","shell":["bash","-c"],"timeout_ms":120000,"grace_ms":2000,"stdin":"null"}
"#;

/// Its exit record.
const EXIT_1: &str = r#"{"version":1,"ended_by":"its_own","code":3,"signal":null,"why":null,"at_ms":1764103558000,"duration_ms":950,"cpu_ms":10,"output_bytes_total":6,"output_lines":1,"output_lost":null,"ended_descendants":[],"survivors":[]}
"#;

fn newer(record: &str) -> String {
    let newer = record.replacen("\"version\":1", "\"version\":2,\"unheard_of\":[1]", 1);
    newer.replace("its_own", "by_the_tide")
}

fn records(place: &Place, files: &[(&str, &str)]) {
    fs::create_dir_all(place.attempt()).unwrap();
    for (name, content) in files {
        fs::write(place.attempt().join(name), content).unwrap();
    }
}

/// A program that answers to `keeper DIR` with this shell script.
fn keeper_that(place: &Place, script: &str) -> PathBuf {
    let exe = place.path("replaced");
    fs::write(&exe, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&exe, fs::Permissions::from_mode(0o755)).unwrap();
    exe
}

fn fate_under(exe: PathBuf, place: &Place, order: &Order) -> Fate {
    let kept = Launcher { exe }.launch(&place.attempt(), order).unwrap();
    block_on(kept.wait(|_| {}))
}

fn a_newer_keeper() {
    let place = Place::new();
    records(
        &place,
        &[("claim", &newer(CLAIM_1)), ("out.head", "half\n")],
    );
    let lock = fs::File::create(place.attempt().join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(
        recover::settle(&place.attempt(), "test"),
        Settled::Running(None)
    );
    assert_eq!(
        read_claim(&place.attempt()),
        Record::<Claim>::Unreadable(
            "its record claim has version 2, this build knows up to 1: a newer Bowline wrote it"
                .into()
        )
    );
    // It is followed as any other; that it ends in words nobody here knows is said.
    let exit = (place.attempt().join("exit.json"), newer(EXIT_1));
    let mut lock = Some(lock);
    let settled = block_on(recover::wait_running(&place.attempt(), "test", move |_| {
        fs::write(&exit.0, &exit.1).unwrap();
        drop(lock.take());
    }));
    let Settled::InDoubt { why, output, ended } = settled else {
        panic!("{settled:?}")
    };
    assert!(why.contains("a newer Bowline wrote it"), "{why}");
    assert_eq!((&output.head[..], &ended[..]), (&b"half\n"[..], &[][..]));
}

fn what_a_newer_keeper_tells() {
    let place = Place::new();
    let exit = newer(EXIT_1);
    let script = format!(
        "read -r order; cd \"$2\"; echo '{}' >claim; printf half >out.head; echo '{exit}' >exit.json
         echo '{{\"started\":{{\"shell_pid\":1}}}}'; echo '{{\"exit\":{}}}'",
        newer(CLAIM_1).trim(),
        exit.replace("by_the_tide", "its_own").trim(),
    );
    let fate = fate_under(keeper_that(&place, &script), &place, &place.order("true"));
    let Fate::InDoubt { why, .. } = fate else {
        panic!("{fate:?}")
    };
    assert!(why.contains("a newer Bowline wrote it"), "{why}");
    assert_eq!(spool::read(&place.attempt()).head, b"half");
}

fn an_older_keeper() {
    let place = Place::new();
    let files = [
        ("claim", CLAIM_1),
        ("exit.json", EXIT_1),
        ("out.head", "hello\n"),
    ];
    records(&place, &files);
    let settled = recover::settle(&place.attempt(), "test");
    let Settled::Happened(exit) = settled else {
        panic!("{settled:?}")
    };
    assert_eq!(
        (exit.ended_by, exit.code, exit.duration_ms),
        (Ended::ItsOwn, Some(3), 950)
    );
    // A keeper from before there was a FIFO for every command is said not to listen.
    let told = bowline_tools::keeper::control::tell(
        &place.attempt(),
        &bowline_tools::keeper::control::Word::Stop,
    );
    assert_eq!(told.unwrap_err().kind(), std::io::ErrorKind::NotConnected);
}

fn a_replaced_program() {
    let check = |script: &str, expect: &str| {
        let place = Place::new();
        let exe = keeper_that(&place, script);
        let shown = exe.display().to_string();
        let fate = fate_under(exe, &place, &place.order("touch ran"));
        let Fate::NeverStarted { why } = fate else {
            panic!("{fate:?}")
        };
        for part in [
            expect,
            &shown,
            "was replaced by another version",
            "start Bowline again",
        ] {
            assert!(why.contains(part), "{why:?} lacks {part:?}");
        }
        assert!(!place.path("ran").exists());
        let settled = recover::settle(&place.attempt(), "test");
        assert!(matches!(settled, Settled::DidNot { .. }), "{settled:?}");
    };
    check("read -r order; exit 11", "does not understand the order");
    check("echo 'error: unknown command' >&2; exit 2", "not called as");
    check("exit 64", "without an exit record");
}

fn a_removed_program() {
    let place = Place::new();
    let exe = keeper_that(&place, "exit 0");
    fs::remove_file(&exe).unwrap();
    let launched = Launcher { exe }.launch(&place.attempt(), &place.order("touch ran"));
    let error = launched.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("was removed"), "{error}");
}
