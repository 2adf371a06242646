//! `bowline why` over planted failures: real processes, real sockets, real disks. Each page names
//! the cause and where it is recorded, the last durable event, what is outstanding and what to do
//! next; and each check fails once the system log is gone, or it would prove nothing about it.

mod caps;
mod process;
mod provider;
mod storage;

use serde_json::Value;

use crate::support::Scratch;

/// What a page must say.
pub(crate) struct Expect<'a> {
    pub(crate) standing: &'a str,
    /// Parts of one statement of the cause, which must rest on a system event of kind `source`.
    pub(crate) cause: &'a [&'a str],
    pub(crate) source: &'a str,
    /// The kind of the last durable event.
    pub(crate) last: &'a str,
    /// Parts of what is outstanding; nothing may be when empty.
    pub(crate) outstanding: &'a [&'a str],
    /// Parts of the commands and words of what to do next.
    pub(crate) next: &'a [&'a str],
}

/// What the page lacks.
fn lacks(page: &Value, expect: &Expect<'_>) -> Vec<String> {
    let mut lacks = Vec::new();
    let mut want = |there: bool, what: String| {
        if !there {
            lacks.push(what);
        }
    };
    want(
        page["standing"] == expect.standing,
        format!("standing {}", expect.standing),
    );
    let source = |statement: &Value| {
        statement["sources"].as_array().is_some_and(|sources| {
            sources.iter().any(|source| {
                let text = source.as_str().unwrap_or_default();
                text.starts_with("system log #") && text.ends_with(expect.source)
            })
        })
    };
    let cause = page["cause"].as_array().cloned().unwrap_or_default();
    let stated = cause.iter().any(|statement| {
        let text = statement["text"].as_str().unwrap_or_default();
        source(statement) && expect.cause.iter().all(|part| text.contains(part))
    });
    want(
        stated,
        format!("cause {:?} from {}", expect.cause, expect.source),
    );
    want(
        page["last_event"]["kind"] == expect.last,
        format!("last event {}", expect.last),
    );
    let outstanding = page["outstanding"].to_string();
    for part in expect.outstanding {
        want(outstanding.contains(part), format!("outstanding {part}"));
    }
    if expect.outstanding.is_empty() {
        want(outstanding == "[]", "nothing outstanding".to_owned());
    }
    let next = page["next"].to_string().replace("\\\"", "\"");
    for part in expect.next {
        want(next.contains(part), format!("next {part}"));
    }
    want(
        page["missing"] == Value::Array(Vec::new()),
        "nothing missing".to_owned(),
    );
    lacks
}

/// Asks why about the only session, checks the page, and checks that the check would fail without
/// the system log.
#[track_caller]
pub(crate) fn check(scratch: &Scratch, expect: &Expect<'_>) -> Value {
    check_with(scratch, expect, || {}, || {})
}

/// The same where the state folder must be made writable to take the log away.
#[track_caller]
pub(crate) fn check_with(
    scratch: &Scratch,
    expect: &Expect<'_>,
    open: impl Fn(),
    close: impl Fn(),
) -> Value {
    let before = crate::support::snapshot(&scratch.home());
    let session = &scratch.sessions()[0];
    let ran = scratch.run(&["why", session, "--json"]);
    let page = ran.expect(0, &[]).json();
    assert_eq!(lacks(&page, expect), Vec::<String>::new(), "{page:#}");
    let events = scratch.run(&["events", session, "--json"]).lines();
    // What was written and never acknowledged is not durable.
    let same = |line: &&Value| line["seq"] == page["last_event"]["seq"];
    let last = events.iter().rev().find(same).expect("an event");
    if expect.standing != "storage_failed" {
        assert_eq!(Some(last), events.last());
    }
    let hash = last["hash"].as_str().expect("a hash");
    assert_eq!(page["last_event"]["hash"], hash[..12]);

    let text = scratch.run(&["why"]);
    text.expect(
        0,
        &[
            "Why\n",
            "Last durable event\n",
            "Outstanding\n",
            "What to do next\n",
        ],
    );
    assert!(text.out.contains(session.as_str()), "{}", text.out);
    assert_eq!(
        before,
        crate::support::snapshot(&scratch.home()),
        "why writes nothing"
    );

    open();
    let log = scratch.home().join("installation.jsonl");
    std::fs::rename(&log, scratch.path("taken-away.jsonl"))
        .or_else(|_| {
            // Another file system: there is nothing to keep.
            std::fs::remove_file(&log)
        })
        .expect("the log is taken away");
    close();
    let without = scratch.run(&["why", session, "--json"]).json();
    assert!(
        !lacks(&without, expect).is_empty(),
        "the check passes without the system log: {without:#}"
    );
    assert_ne!(without["missing"], Value::Array(Vec::new()), "{without:#}");
    page
}
