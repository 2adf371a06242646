//! Which endpoints are recorded, and which are not.

use bowline_core::configured::ConfigOrigin;
use bowline_core::decision::Layer;

use super::*;

fn endpoint(key: KeySource, header: Option<(&str, &str)>, base_url: &str) -> Endpoint {
    Endpoint {
        name: "work".to_owned(),
        api: "openai".to_owned(),
        base_url: Some(base_url.to_owned()),
        model: None,
        key,
        headers: header
            .into_iter()
            .map(|(name, value)| (name.to_owned(), HeaderSource::Plain(value.to_owned())))
            .collect(),
        origin: ConfigOrigin {
            layer: Layer::User,
            file: None,
            line: None,
        },
    }
}

#[test]
fn what_may_be_a_secret_is_not_recorded() {
    let url = "https://models.example.com:8443/openai/v1";
    let command =
        |words: &[&str]| KeySource::Command(words.iter().map(ToString::to_string).collect());
    let env = || KeySource::Env("WORK_KEY".to_owned());
    let table = [
        (endpoint(env(), None, url), false),
        (
            endpoint(
                KeySource::File("/home/ann/.keys/work".to_owned()),
                None,
                url,
            ),
            false,
        ),
        (
            endpoint(command(&["pass", "show", "work/openai-2026"]), None, url),
            false,
        ),
        (
            endpoint(command(&["echo", "the-fetched-key"]), None, url),
            true,
        ),
        (
            endpoint(command(&["echo", "a1b2c3d4e5f6a7b8"]), None, url),
            true,
        ),
        (endpoint(env(), Some(("X-Team", "blue")), url), false),
        (
            endpoint(
                env(),
                Some(("anthropic-beta", "prompt-caching-2024-07-31")),
                url,
            ),
            false,
        ),
        (
            endpoint(env(), Some(("Authorization", "Basic hello")), url),
            true,
        ),
        (endpoint(env(), Some(("X-Api-Key", "short")), url), true),
        (
            endpoint(env(), Some(("X-Team", "9f8e7d6c5b4a3210")), url),
            true,
        ),
        (
            endpoint(env(), Some(("X-Team", "blue-the-fetched-key")), url),
            true,
        ),
        (
            endpoint(env(), None, "https://models.example.com/v1?token=x"),
            true,
        ),
        (
            endpoint(env(), None, "https://models.example.com/sk-a1b2c3d4e5f6/v1"),
            true,
        ),
    ];
    for (endpoint, expect) in table {
        let secrets: Vec<String> = ["the-fetched-key", "blue"].map(str::to_owned).to_vec();
        assert_eq!(may_hold_secret(&endpoint, &secrets), expect, "{endpoint:?}");
    }
}
