//! A request's digest covers what it executes, and leaves requests that execute nothing as they
//! were.

use super::*;

/// A path, and what stands there.
type File<'f> = (&'f str, Option<&'f [u8]>);

fn request(executes: &[File<'_>]) -> CallRequest {
    let executed = |(path, content): &File<'_>| Executed {
        path: (*path).to_owned(),
        content: content.map(Digest::of),
    };
    CallRequest {
        tool: "shell".to_owned(),
        arguments: "{}".to_owned(),
        cwd: "/w".to_owned(),
        resolved: Vec::new(),
        confinement: None,
        executes: executes.iter().map(executed).collect(),
    }
}

#[test]
fn any_other_file_or_content_is_another_request() {
    let all: [&[File<'_>]; 7] = [
        &[],
        &[("/w/a", None)],
        &[("/w/a", Some(b""))],
        &[("/w/a", Some(b"1"))],
        &[("/w/b", Some(b"1"))],
        &[("/w/a", None), ("/w/b", Some(b"1"))],
        &[("/w/a", Some(b"1")), ("/w/b", None)],
    ];
    let digests: std::collections::BTreeSet<_> =
        all.iter().map(|one| request(one).digest()).collect();
    assert_eq!(digests.len(), all.len());
}

#[test]
fn a_request_that_executes_nothing_is_written_and_hashed_as_before() {
    let text = r#"{"tool":"shell","arguments":"{}","cwd":"/w","resolved":[]}"#;
    assert_eq!(serde_json::to_string(&request(&[])).unwrap(), text);
    let parts: [&[u8]; 4] = [b"bowline-call-1", b"shell", b"{}", b"/w"];
    assert_eq!(request(&[]).digest(), Digest::of_parts(&parts));
}

#[test]
fn what_is_executed_is_written_and_read_back() {
    let request = request(&[("/usr/bin/cat", None), ("/w/a", Some(b"1"))]);
    let text = serde_json::to_string(&request).unwrap();
    assert!(
        text.contains(r#""executes":[{"path":"/usr/bin/cat"},{"path":"/w/a","content":""#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<CallRequest>(&text).unwrap(), request);
}
