//! Files of disclosed decisions that are none are refused with their line.

use super::*;

#[test]
fn what_is_no_export_is_refused_with_its_line() {
    let head = r#"{"bowline_audit_export":1,"at_ms":5}"#;
    let end = r#"{"end":{"sessions":0,"records":0}}"#;
    let cases = [
        (String::new(), 1, "cut"),
        ("{}\n".to_owned(), 1, "head"),
        (head.replace(":1,", ":2,") + "\n", 1, "version 2"),
        (format!("{head}\n"), 2, "cut"),
        (format!("{head}\n{end}"), 2, "cut"),
        (format!("{head}\n{end}\n{end}\n"), 2, "after the end"),
        (format!("{head}\n[]\n"), 2, "a session"),
        (
            format!("{head}\n{}\n", end.replace(":0}", ":1}")),
            2,
            "another number",
        ),
    ];
    for (text, line, part) in cases {
        let error = verify_disclosed(&mut text.as_bytes(), None).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.why.contains(part), "{text}: {error}");
    }
    let empty = format!("{head}\n{end}\n");
    assert_eq!(
        verify_disclosed(&mut empty.as_bytes(), None),
        Ok(Vec::new())
    );
}
