//! Every reason for a keeper to leave, and everything that can become of an attempt, is provoked;
//! a keeper that leaves before it has claimed the attempt runs nothing.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};

use bowline_tools::keeper::{Leave, Plain, keeper_main, recover};

use crate::support::{Case, Place, launcher};
use crate::variants::{name, variants};
use crate::{claims, outcomes};

pub(crate) const CASES: &[Case] = &[
    ("every_reason_to_leave_is_provoked", every_reason_to_leave),
    (
        "everything_that_becomes_of_an_attempt_is_provoked",
        every_fate,
    ),
];

/// Prepares the attempt, gives a keeper `order` or a part of it, and returns why it leaves.
fn leave(place: &Place, prepare: fn(&Place), command: &str, end: &[u8]) -> Leave {
    std::fs::create_dir_all(place.attempt()).unwrap();
    prepare(place);
    let mut order = serde_json::to_vec(&place.order(command)).unwrap();
    order.extend(end);
    let mut keeper = Command::new(launcher().exe)
        .arg("keeper")
        .arg(place.attempt())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // One that leaves early does not read it all.
    let _unread = keeper.stdin.take().unwrap().write_all(&order);
    Leave::from_code(keeper.wait().unwrap().code().unwrap()).unwrap()
}

fn as_it_is(_place: &Place) {}

fn revoke(place: &Place) {
    recover::settle(&place.attempt(), "test");
}

/// Another keeper came first: its claim is there.
fn take(place: &Place) {
    drop(place.exit("true"));
    assert!(place.attempt().join("claim").exists());
}

fn spoil_the_lock(place: &Place) {
    std::fs::create_dir(place.attempt().join("lock")).unwrap();
}

/// What is expected, how the place is prepared, the command, the end of its order.
type Row = (Leave, fn(&Place), &'static str, &'static [u8]);

fn every_reason_to_leave() {
    let table: [Row; 7] = [
        (Leave::Done, as_it_is, "touch ran", b"\n"),
        (Leave::NoOrder, as_it_is, "touch ran", b""),
        (Leave::BadOrder, as_it_is, "touch ran", b"}\n"),
        (Leave::Revoked, revoke, "touch ran", b"\n"),
        (Leave::Taken, take, "touch ran", b"\n"),
        (Leave::Unready, spoil_the_lock, "touch ran", b"\n"),
        // The command puts a folder where its end would be recorded.
        (
            Leave::Untold,
            as_it_is,
            "touch ran; mkdir -p spool/attempt/exit.json/x",
            b"\n",
        ),
    ];
    let mut provoked = BTreeSet::new();
    for (expected, prepare, command, end) in table {
        let place = Place::new();
        assert_eq!(leave(&place, prepare, command, end), expected);
        let ran = matches!(expected, Leave::Done | Leave::Untold);
        assert_eq!(place.path("ran").exists(), ran, "{expected:?}");
        provoked.insert(name(&expected));
    }
    let usage = keeper_main(Vec::<OsString>::new(), Box::new(Plain));
    assert_eq!(Leave::from_code(usage), Some(Leave::Usage));
    provoked.insert("Usage".to_owned());
    let all = variants(include_str!("../../src/keeper/run.rs"), "Leave");
    assert_eq!(provoked, all);
}

/// What can become of an attempt, and the case that provokes it.
const FATES: &[(&str, fn())] = &[
    ("Finished", outcomes::half_an_order_runs_nothing),
    ("InDoubt", claims::a_second_keeper),
    ("NeverStarted", claims::a_revoked_attempt_never_runs),
];

const SETTLED: &[(&str, fn())] = &[
    ("DidNot", claims::a_revoked_attempt_never_runs),
    ("Running", claims::exactly_one_wins_the_claim),
    ("Happened", claims::whole_records_are_believed),
    ("InDoubt", claims::everything_else_is_in_doubt),
];

fn every_fate() {
    for (source, of, table) in [
        (include_str!("../../src/keeper/client.rs"), "Fate", FATES),
        (
            include_str!("../../src/keeper/recover.rs"),
            "Settled",
            SETTLED,
        ),
    ] {
        let named: BTreeSet<String> = table.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(named, variants(source, of));
        for (_, case) in table {
            let groups = [claims::CASES, outcomes::CASES].concat();
            let runs = groups
                .iter()
                .any(|(_, run)| std::ptr::fn_addr_eq(*run, *case));
            assert!(runs, "{of}: a case that is not run");
        }
    }
}
