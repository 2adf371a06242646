//! Addresses, statuses and clean messages. What goes over sockets is tested in `tests/it`.

use serde_json::json;

use super::*;

#[test]
fn base_urls_are_read_or_refused_without_showing_passwords() {
    let good = |base: &str, url: &str, shown: &str| {
        let parsed = client::parse(base, "/chat/completions").unwrap();
        assert_eq!(
            (parsed.as_str(), client::shown(&parsed).as_str()),
            (url, shown)
        );
    };
    let plain = "http://127.0.0.1:8080/v1/chat/completions";
    good("http://127.0.0.1:8080/v1", plain, plain);
    good(" http://127.0.0.1:8080/v1// ", plain, plain);
    good(
        "https://me:secret@host/v1",
        "https://me:secret@host/v1/chat/completions",
        "https://host/v1/chat/completions",
    );
    good(
        "http://[::1]",
        "http://[::1]/chat/completions",
        "http://[::1]/chat/completions",
    );
    let bad = |base: &str, problem: &str| {
        let message = client::parse(base, "/x").unwrap_err().to_string();
        assert!(message.contains(problem), "{message}");
        assert!(!message.contains("secret"), "{message}");
    };
    bad("", "not a URL");
    bad("localhost:8080/v1", "must begin with http:// or https://");
    bad("host/v1", "not a URL");
    bad("ftp://me:secret@host/v1", "must begin with http://");
    bad("http://me:secret@:99999/v1", "not a URL");
    bad("https://host/v1?key=secret", "must end before any `?`");
    bad("file:///etc/passwd", "name a host");
}

fn check_status(status: u16, has_key: bool, body: &str, kind: FailureKind, parts: &[&str]) {
    let failure = failure_of_status(&Refusal {
        status,
        body: ErrorBody::read(body.as_bytes()),
        shown: "https://host/v1/chat/completions",
        model: "m-1",
        has_key,
        key_source: "OPENAI_API_KEY",
        location: Some("https://elsewhere/v1"),
    });
    let found = (failure.kind, failure.status);
    assert_eq!(found, (kind, Some(status)), "{}", failure.message);
    for part in parts {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
}

#[test]
fn statuses_become_failures_that_say_what_to_do() {
    use FailureKind::{Auth, BadRequest, NotFound, RateLimited, Unavailable};
    let check = check_status;
    check(
        401,
        false,
        "",
        Auth,
        &["answered 401", "set OPENAI_API_KEY"],
    );
    check(401, true, "", Auth, &["refused: check OPENAI_API_KEY"]);
    check(403, true, "", Auth, &["account's rights"]);
    check(404, true, "", NotFound, &["`m-1`", "completions was asked"]);
    check(408, true, "", Unavailable, &["408"]);
    check(409, true, "", Unavailable, &["409"]);
    check(413, true, "", BadRequest, &["too large"]);
    check(429, true, "", RateLimited, &["too many requests"]);
    check(
        308,
        true,
        "",
        BadRequest,
        &["https://elsewhere/v1", "base URL"],
    );
}

#[test]
fn what_the_server_says_is_found_in_every_shape() {
    use FailureKind::{BadRequest, Unavailable};
    let check = check_status;
    let error = |error: serde_json::Value| json!({"error": error}).to_string();
    let object = error(json!({"message": "bad field"}));
    check(
        400,
        true,
        &object,
        BadRequest,
        &["answered 400; it says: bad field"],
    );
    let quota = error(json!({"message": "x", "type": "insufficient_quota"}));
    check(429, true, &quota, BadRequest, &["quota is used up"]);
    let detail = json!({"detail": [{"loc": ["body"]}]}).to_string();
    check(422, true, &detail, BadRequest, &[r#"[{"loc":["body"]}]"#]);
    check(
        500,
        true,
        &error(json!("plain")),
        Unavailable,
        &["says: plain"],
    );
    check(502, true, "<h1>Bad</h1>", Unavailable, &["<h1>Bad</h1>"]);
    let bare = json!({"message": "busy"}).to_string();
    check(529, true, &bare, Unavailable, &["it says: busy"]);
}

#[test]
fn what_is_not_there_says_whether_model_or_address_is_wrong() {
    use FailureKind::NotFound;
    let model = json!({"error": {"message": "The model `m-1` does not exist"}}).to_string();
    check_status(
        404,
        true,
        &model,
        NotFound,
        &["does not know the model `m-1`"],
    );
    let code = json!({"error": {"message": "x", "code": "model_not_found"}}).to_string();
    check_status(404, true, &code, NotFound, &["name another with --model"]);
    let page = "<!doctype html><title>404</title>";
    check_status(404, true, page, NotFound, &["web page", "base URL"]);
    let hint = |shown: &str| {
        let refusal = Refusal {
            status: 404,
            body: ErrorBody::default(),
            shown,
            model: "m-1",
            has_key: true,
            key_source: "K",
            location: None,
        };
        failure_of_status(&refusal).message
    };
    assert!(hint("http://h/v1/responses").contains("asked as openai-chat/"));
    assert!(hint("http://h/v1/v1/messages").contains("carries no /v1"));
    assert!(hint("http://h/chat/completions").contains("ends in /v1"));
}

#[test]
fn messages_are_one_clean_line_without_secrets() {
    let scrub = Scrub::new(vec![
        "sk-12345".to_owned(),
        "sk-12345678".to_owned(),
        "a".to_owned(),
    ]);
    let check = |text: &str, expect: &str| assert_eq!(scrub.clean(text), expect);
    check("key sk-12345678, and sk-12345!", "key ***, and ***!");
    check(" a\n\tb\r\nc ", "a b c");
    check(
        "\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;title\u{7}x",
        "red ]0;title x",
    );
    check("left\u{202e}right\u{200b}", "left right");
    assert_eq!(excerpt("äöü", 2), "äö...");
    assert_eq!(excerpt("äö\n", 2), "äö");
    assert_eq!(format!("{scrub:?}"), "Scrub(2 secrets)");
}

#[test]
fn an_endpoint_never_shows_its_key() {
    let key = ApiKey::new(" sk-very-secret\n");
    let config = |headers: &[(String, String)]| {
        Endpoint::new(&EndpointConfig {
            base_url: "http://me:password1@127.0.0.1:9/v1",
            dialect: Dialect::Chat,
            key: Some(&key),
            key_source: "OPENAI_API_KEY",
            headers,
            timeouts: Timeouts::default(),
        })
    };
    let endpoint = config(&[("api-key".to_owned(), "other-secret".to_owned())]).unwrap();
    let headers = format!("{:?} {:?}", endpoint.headers, endpoint.scrub);
    for secret in ["sk-very", "other-secret", "password1"] {
        assert!(!headers.contains(secret), "{headers}");
    }
    assert_eq!(
        endpoint
            .scrub()
            .clean("sk-very-secret other-secret password1"),
        "*** *** ***"
    );
    let error = config(&[("x".to_owned(), "sec\nret".to_owned())]).unwrap_err();
    assert_eq!(
        error,
        ModelError::Header {
            name: "x".to_owned()
        }
    );
}
