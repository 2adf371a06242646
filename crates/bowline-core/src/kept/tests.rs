//! Where models are asked.

use super::*;

#[test]
fn an_address_is_local_or_not() {
    let check = |api: &str, address: &str, expect: ModelPlace| {
        assert_eq!(ModelPlace::of_address(api, address), expect, "{address}");
    };
    let elsewhere = |host: &str| ModelPlace::Elsewhere(host.to_owned());
    for local in [
        "http://127.0.0.1:11434/v1",
        "http://localhost:8080",
        "http://LOCALHOST/v1",
        "http://[::1]:8000/v1",
        "http://0x7f.1/v1",
        "http://10.1.2.3/v1",
        "https://192.168.1.7:8443",
        "http://[fd12::1]/v1",
    ] {
        check("openai-chat", local, ModelPlace::Local);
    }
    for (address, host) in [
        ("https://models.example/v1", "models.example"),
        ("https://127.0.0.1.example/v1", "127.0.0.1.example"),
        ("https://localhost@models.example/v1", "models.example"),
        ("http://gpu-box:11434/v1", "gpu-box"),
        ("http://x.localhost/v1", "x.localhost"),
        ("http://169.254.169.254/v1", "169.254.169.254"),
        ("http://100.64.0.1/v1", "100.64.0.1"),
        ("http://203.0.113.9/v1", "203.0.113.9"),
        (
            "https://api.openai.com.example/v1",
            "api.openai.com.example",
        ),
    ] {
        check("openai", address, elsewhere(host));
    }
    check(
        "openai",
        "https://api.openai.com/v1",
        ModelPlace::Provider("openai".to_owned()),
    );
    check(
        "anthropic",
        "https://api.openai.com/v1",
        elsewhere("api.openai.com"),
    );
    for unread in ["", "models.example", "http://", "http://a b/"] {
        check(
            "openai",
            unread,
            elsewhere("an address that cannot be read"),
        );
    }
}
