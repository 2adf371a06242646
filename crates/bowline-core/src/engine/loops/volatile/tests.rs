//! What is volatile, and what is not.

use super::steady;

fn shown(text: &str) -> String {
    let mut out = String::new();
    steady(text, |piece| out.push_str(piece));
    out.replace('\0', "#")
}

#[test]
fn what_differs_from_run_to_run_is_left_out() {
    for (text, expect) in [
        ("finished in 0.31s", "finished in #"),
        ("took 12ms, then 1m2.5s", "took #, then #"),
        ("ran 0.12 seconds.", "ran # seconds."),
        ("[10:41:31] start", "[#] start"),
        ("2026-11-26T10:41:31.123Z GET /", "# GET /"),
        ("pid 4711 (pid=4712) PID: 4713", "pid # (pid=#) PID: #"),
        ("at 0x7ffd1c0e12ab", "at #"),
        ("1764153691.52", "#"),
        ("id 0190f3a2-1c2d-7e3f-8a4b-0123456789ab", "id #"),
        ("bg:0a1b2c3d runs", "bg:# runs"),
        (
            "thread 'main' (3812) panicked",
            "thread 'main' (#) panicked",
        ),
        ("/tmp/tmp.Xy12/out", "/tmp/#/out"),
    ] {
        assert_eq!(shown(text), expect.replace("bg:#", "#"), "{text}");
    }
}

#[test]
fn what_says_something_stays() {
    for text in [
        "12 of 40 done",
        "src/lib.rs:12:34: error[E0425]",
        "case_7 ... FAILED",
        "expected 3, got 4",
        "Bisecting: 512 revisions left",
        "version 1.2.3",
        "HTTP 429",
        "line 10:20",
        "commit 0a1b2c3d4e5f",
        "0x1f",
        "no digits at all",
        "",
    ] {
        assert_eq!(shown(text), text);
    }
}
