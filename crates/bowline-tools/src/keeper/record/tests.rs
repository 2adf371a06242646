//! Tests of the keeper's records.

use super::*;

fn started() -> Claim {
    Claim::Started(Started {
        version: VERSION,
        call: "call-1".into(),
        at_ms: 1,
        keeper_pid: 2,
        keeper_start_ticks: 3,
        boot_id: "b".into(),
        mark: "2.3.1".into(),
        cwd: "/".into(),
        shell: vec!["bash".into(), "-c".into()],
        timeout_ms: 4,
        grace_ms: 5,
        stdin: StdinKind::Pty {
            columns: 80,
            rows: 24,
        },
    })
}

#[test]
fn a_claim_is_created_once_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read_claim(dir.path()), Record::Absent);
    create_claim(dir.path(), &started()).unwrap();
    let second = create_claim(dir.path(), &started()).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(read_claim(dir.path()), Record::Whole(started()));
}

#[test]
fn every_cut_of_a_claim_is_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let whole = line(&started()).unwrap();
    for length in 0..whole.len() - 1 {
        std::fs::write(dir.path().join(CLAIM), &whole[..length]).unwrap();
        assert!(
            matches!(read_claim(dir.path()), Record::Unreadable(_)),
            "cut at {length} was taken for whole"
        );
    }
}

#[test]
fn foreign_records_say_what_is_wrong() {
    let check = |bytes: &[u8], expect: &str| {
        let why = parse::<Claim>(bytes).unwrap_err();
        assert!(why.contains(expect), "{why:?} lacks {expect:?}");
    };
    check(b"", "is empty");
    check(b"\xff\xfe", "does not parse");
    check(b"{}", "missing field `version`");
    check(br#"{"version":1,"claim":"lost"}"#, "unknown variant");
    check(
        br#"{"version":9,"claim":"lost"}"#,
        "has version 9, this build knows up to 1",
    );
    check(
        br#"{"version":1,"claim":"revoked","by_pid":1,"at_ms":-1,"why":""}"#,
        "does not parse",
    );
}

#[test]
fn things_that_are_no_files_are_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(CLAIM)).unwrap();
    assert!(matches!(read_claim(dir.path()), Record::Unreadable(_)));
    std::os::unix::fs::symlink("/dev/zero", dir.path().join(EXIT)).unwrap();
    assert!(matches!(read_exit(dir.path()), Record::Unreadable(_)));
}
