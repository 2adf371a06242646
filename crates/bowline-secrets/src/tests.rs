//! Tests of `the crate`.

use crate::bytes::steps;
use crate::{Masker, mask};

fn check(text: &str, expect: &str) {
    assert_eq!(mask(text).text, expect, "{text}");
}

#[test]
fn addresses_lose_their_password_only() {
    check(
        "smtps://mailer:WZpk0n2SiIInPayzSsRR@smtp.internal:465",
        "smtps://mailer:[secret:url-password]@smtp.internal:465",
    );
    check(
        "redis://:WZpk0n2SiIIn@cache",
        "redis://:[secret:url-password]@cache",
    );
    check(
        "svc:WZpk0n2SiIIn@tcp(db:3306)/app",
        "svc:[secret:url-password]@tcp(db:3306)/app",
    );
    check(
        "db.internal:5432:app:svc:WZpk0n2SiIIn",
        "db.internal:5432:app:svc:[secret:password]",
    );
    check(
        "proxy: bob:WZpk0n2SiIIn@proxy:8080",
        "proxy: bob:[secret:url-password]@proxy:8080",
    );
    for text in [
        "postgresql://postgres:postgres@localhost:5432/test",
        "https://user:pass@example.com/",
        "mysql://root@localhost/test",
        "https://${USER}:${PASS}@host/",
        "https://packages.example/@types/node",
        "ssh://git@github.com/o/r.git",
        "https://9e82dee19c8a4cd4fa4a0291abf75920@o1.ingest.sentry.io/2",
    ] {
        check(text, text);
    }
}

#[test]
fn credentials_of_http_are_masked() {
    check(
        "Authorization: Basic c3ZjOkMzQThLdGZ6V2dlQVR5Ymts",
        "Authorization: Basic [secret:basic-auth]",
    );
    check(
        "Authorization: Bearer C3A8KtfzWgeATybklkjRUl",
        "Authorization: Bearer [secret:bearer-token]",
    );
    for text in [
        "Authorization: Basic dXNlcjpwYXNz",
        "Authorization: Bearer ${TOKEN}",
        "Bearer authentication is required",
    ] {
        check(text, text);
    }
}

#[test]
fn options_of_programs_are_masked() {
    check(
        "redis-cli -h c -a tubCmWjyoeWLM7ulKE0 ping",
        "redis-cli -h c -a [secret:password] ping",
    );
    check(
        "mysql -uroot -ptubCmWjyoeWLM7ulKE0 app",
        "mysql -uroot -p[secret:password] app",
    );
    check(
        "curl -u bob:tubCmWjyoeWLM7ulKE0 https://h",
        "curl -u bob:[secret:basic-auth] https://h",
    );
    check(
        "echo tubCmWjyoeWLM7ulKE0 | docker login --password-stdin",
        "echo [secret:password] | docker login --password-stdin",
    );
    for text in [
        "docker run -p 8080:80 nginx",
        "mkdir -p build/x7Fq2LkP9zTf",
        "ls -a x7Fq2LkP9zTf",
    ] {
        check(text, text);
    }
}

#[test]
fn headers_are_masked_whatever_their_scheme() {
    check(
        "Authorization: SSWS C3A8KtfzWgeATybk",
        "Authorization: SSWS [secret:bearer-token]",
    );
    check(
        "Authorization: C3A8KtfzWgeATybk",
        "Authorization: [secret:bearer-token]",
    );
    check(
        "Cookie: a=b; session=C3A8KtfzWgeATybk",
        "Cookie: a=b; session=[secret:generic-secret]",
    );
}

#[test]
fn shapes_are_told_without_a_prefix() {
    check(
        "bot 1234567890:AAHk7Zq2Xw9Kd2Rt5Mn8Vb3Jf6Hc1Zy4Lp0",
        "bot [secret:telegram-token]",
    );
    check(
        "key 9e82dee19c8a4cd4fa4a0291abf75920-us21",
        "key [secret:mailchimp-key]",
    );
    check(
        "x pQ28Q~Xw9Kd2Rt5Mn8Vb3Jf6Hc1Zy4Lp0GsAb7q.t y",
        "x [secret:azure-client-secret] y",
    );
    check(
        "AKIAZGGI43JNUGZ4YJIS,8e4UQmecjEublw5So4EtV71d2MQRWXWmmOH/O3Qc",
        "[secret:aws-access-key-id],[secret:aws-secret-access-key]",
    );
}

#[test]
fn encoded_secrets_are_masked_whole() {
    check(
        "data: Z2hwX2h0VlpBbFFWa24wTlBvczd0QTlVRGNZNllOYzlkdVRzb3hSUA==",
        "data: [secret:encoded-secret]",
    );
    check(
        "data: dGhlcmUgaXMgbm90aGluZyBzZWNyZXQgaGVyZSBhdCBhbGw=",
        "data: dGhlcmUgaXMgbm90aGluZyBzZWNyZXQgaGVyZSBhdCBhbGw=",
    );
}

#[test]
fn a_value_is_masked_wherever_its_line_repeats_it() {
    check(
        "password=C3A8KtfzWgeATy; retried with C3A8KtfzWgeATy",
        "password=[secret:password]; retried with [secret:password]",
    );
}

#[test]
fn known_values_are_masked_whatever_they_look_like() {
    let check = |known: &[&str], text: &str, expect: &str| {
        let masker = Masker::new(known.iter().map(|value| (*value).to_owned()).collect());
        let masked = masker.mask(text);
        assert_eq!(masked.text, expect);
        assert_eq!(masker.mask(expect).text, expect, "masked twice");
    };
    check(
        &["plain words"],
        "these are plain words.",
        "these are [secret:known].",
    );
    check(&["short"], "short values stay", "short values stay");
    check(
        &["abcdefgh", "abcdefgh-longer"],
        "abcdefgh-longer",
        "[secret:known]",
    );
    check(
        &["password-of-mine"],
        "password=password-of-mine!",
        "password=[secret:known]!",
    );
    check(
        &["[secret:known]", "et:known"],
        "[secret:known]",
        "[secret:known]",
    );
    check(
        &["first-line-of-a-key\nsecond-line-of-a-key\n"],
        "a\nsecond-line-of-a-key",
        "a\n[secret:known]",
    );
}

#[test]
fn what_is_known_is_not_shown() {
    let masker = Masker::new(vec!["correct-horse".into()]);
    assert_eq!(format!("{masker:?}"), "Masker { known: 1 }");
}

#[test]
fn a_masker_is_handed_over_whole() {
    let masker = Masker::new(vec!["correct-horse".into(), "zwei W\u{f6}rter".into()])
        .keyed(crate::Key::new([9; 32]));
    let other = Masker::taken_over(&masker.hand_over()).unwrap();
    let text = "correct-horse zwei W\u{f6}rter ghp_htVZAlQVkn0NPos7tA9UDcY6YNc9duTsoxRP";
    assert_eq!(other.mask(text), masker.mask(text));
    assert!(other.mask(text).text.starts_with("[secret:known:"));
    let bare = Masker::taken_over(&Masker::default().hand_over()).unwrap();
    assert_eq!(bare.mask("correct-horse").text, "correct-horse");
    for wrong in ["zz", "abcd", "\nabc"] {
        assert!(Masker::taken_over(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_marker_without_a_value_is_no_value() {
    for text in [
        "AUTH_TOKEN:base64: x",
        "APP_KEY=base64:",
        "{TOKEN: base64:}",
    ] {
        check(text, text);
    }
}

#[test]
fn secrets_are_found_where_code_and_tools_put_them() {
    let value = "Zq7Xw9Kd2Rt5Mn8Vb3Jf6Hc1";
    for (text, kind) in [
        ("process.env.API_TOKEN || 'VALUE'", "generic-secret"),
        ("getenv(\"DB_PASSWORD\") ?: \"VALUE\"", "password"),
        (
            "var(\"API_KEY\").unwrap_or_else(|_| \"VALUE\".into())",
            "generic-secret",
        ),
        ("find(By.ID, \"password\").send_keys(\"VALUE\")", "password"),
        ("smtp.login(\"bot\", \"VALUE\")", "password"),
        ("jwt.verify(t, 'VALUE')", "generic-secret"),
        (
            "public string ApiToken { get; set; } = \"VALUE\";",
            "generic-secret",
        ),
        (
            "variable \"api_token\" {\n  type = string\n  default = \"VALUE\"\n}",
            "generic-secret",
        ),
        ("* **API_TOKEN**: `VALUE`", "generic-secret"),
        ("api_token: !!str \"VALUE\"", "generic-secret"),
        ("curl -su \"svc:VALUE\" https://h", "basic-auth"),
        ("sqlplus scott/VALUE@orcl", "basic-auth"),
        ("jdbc:oracle:thin:scott/VALUE@//ora:1521/XE", "url-password"),
        (
            "password is generated for root@localhost: VALUE",
            "password",
        ),
        ("body=password%3DVALUE%26a", "password"),
        (
            "url=https%3A%2F%2Fapp%3AVALUE%40db.internal",
            "url-password",
        ),
        ("&quot;password&quot;:&quot;VALUE&quot;", "password"),
        ("\"password\\u0022:\\u0022VALUE\\u0022", "password"),
    ] {
        let masked = format!("[secret:{kind}]");
        check(
            &text.replace("VALUE", value),
            &text.replace("VALUE", &masked),
        );
    }
}

/// What texts are made of that could take more than their share of work.
#[rustfmt::skip]
const GREEDY: &[&str] = &[
    "password=", "password: ", "token ", "a.b-c_", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
    "[secret:", "[secret:x]", "://", "u:p@", "user:pass@host:80 ", "%41", "%2541", "&quot;",
    "\\u0041", "Bearer ", "Basic ", "eyJ", "eyJ.", "sk-", "ghp_", "AKIA", "SG.", "'", "\"",
    "\\\"", "(", "login(", "login(,", "{", "curl -u ", "-u ", " -p", "mysql -p", "echo | ",
    "for ", "password for ", "x=", "_", "AAAA", "TUFT", "6768", "hooks.slack.com/services/",
    "\u{1b}[31m", "\u{1b}[", "é", "a,", "name: ", "variable \"token\" {", "key: ",
    "C3A8KtfzWgeATybklkjRUl ", "token=C3A8KtfzWgeATybklkjRUl,", "5432:", "1234567890:", "@",
    "thin:", "sig=", "xoxd-", "access_token$production$",
];

/// Four times the text takes four times the work, however it is made.
#[test]
fn work_grows_with_the_text_and_not_faster() {
    const BYTES: usize = 6 << 10;
    for (index, piece) in GREEDY.iter().enumerate() {
        for end in ["", "\n"] {
            if index % 3 != 0 && !end.is_empty() {
                continue;
            }
            let text = [piece, end]
                .concat()
                .repeat(BYTES / (piece.len() + end.len()));
            let once = steps::of(|| drop(mask(&text)));
            let four = steps::of(|| drop(mask(&text.repeat(4))));
            assert!(
                four <= 5 * once + BYTES,
                "{piece:?}{end:?}: {once} then {four}"
            );
            assert!(once <= 2000 * BYTES, "{piece:?}{end:?}: {once}");
        }
    }
}
