//! Tests of `block`.

use super::{Block, Opening, Step};
use crate::known::Known;
use crate::mask;

const LINE: &str = "8Cg+sq+oRaDgD68ZrNHKKCsw1RIc+/16lYAWlfpjlKkQUDJXCKJkMUP+dbxQ2sNM";

#[test]
fn openings_are_those_of_private_keys() {
    let check = |text: &str, opens: bool| {
        let at = text.find("BEGIN").unwrap();
        assert_eq!(
            Opening::find(text.as_bytes(), at).is_some(),
            opens,
            "{text}"
        );
    };
    check("-----BEGIN PRIVATE KEY-----", true);
    check("-----BEGIN OPENSSH PRIVATE KEY-----", true);
    check("-----BEGIN PGP PRIVATE KEY BLOCK-----", true);
    check("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", true);
    check("-----BEGIN CERTIFICATE REQUEST-----", false);
    check("-----BEGIN PUBLIC KEY-----", false);
    check("BEGIN PRIVATE KEY", false);
}

#[test]
fn lines_belong_to_a_block_or_end_it() {
    let check = |line: &str, expect: Step| {
        assert_eq!(
            Block::default().step(line.as_bytes(), &Known::default()),
            expect,
            "{line}"
        );
    };
    check(LINE, Step::Inside);
    check("", Step::Inside);
    check("DEK-Info: AES-128-CBC,0A1B", Step::Inside);
    check(&format!("   12\t{LINE}\r\n"), Step::Inside);
    check(&format!("+  \"{LINE}\\n\" +"), Step::Inside);
    check("-----END PRIVATE KEY-----\", b", Step::Ends(25));
    check("some prose, then more", Step::Ends(0));
}

#[test]
fn a_key_is_one_token_and_the_rest_stays() {
    let check = |text: String, expect: &str| assert_eq!(mask(&text).text, expect, "{text}");
    let key =
        |label: &str| format!("-----BEGIN {label}-----\n{LINE}\n{LINE}\n-----END {label}-----");
    check(
        format!("$ cat k\n{}\n$ ls", key("RSA PRIVATE KEY")),
        "$ cat k\n[secret:private-key]\n$ ls",
    );
    check(
        format!(
            "k: |\n  {}\nb: 1",
            key("EC PRIVATE KEY").replace('\n', "\n  ")
        ),
        "k: |\n  [secret:private-key]\nb: 1",
    );
    check(
        key("PRIVATE KEY").replace('\n', "\r\n"),
        "[secret:private-key]",
    );
    check(
        format!(
            "{{\"k\": \"{}\\n\", \"b\": 1}}",
            key("PRIVATE KEY").replace('\n', "\\n")
        ),
        "{\"k\": \"[secret:private-key]\\n\", \"b\": 1}",
    );
    check(
        format!("-----BEGIN PRIVATE KEY-----\n{LINE}\nthe end"),
        "[secret:private-key]\nthe end",
    );
    check(
        format!("Private-Lines: 1\n{LINE}\nPrivate-MAC: 0a"),
        "Private-Lines: 1\n[secret:private-key]\nPrivate-MAC: 0a",
    );
}

#[test]
fn code_and_prose_about_keys_stay() {
    for text in [
        "if pem.starts_with(\"-----BEGIN PRIVATE KEY-----\") {\n    return load(pem);\n}",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----",
        "between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- lines",
        "-----BEGIN PRIVATE KEY-----",
    ] {
        assert_eq!(mask(text).text, text);
    }
}
