//! Which providers there are, and what each needs to be reached.

/// The names that may stand before the slash in `--model provider/model`.
#[must_use]
pub const fn provider_names() -> &'static [&'static str] {
    &["openai", "openai-chat", "anthropic", "scripted"]
}

/// The environment variable that holds the key for `provider`; `None` if it takes no key.
#[must_use]
pub fn key_variable(provider: &str) -> Option<&'static str> {
    match provider {
        "openai" | "openai-chat" => Some("OPENAI_API_KEY"),
        "anthropic" => Some("ANTHROPIC_API_KEY"),
        _ => None,
    }
}

/// Where `provider` is reached when nobody says otherwise. The two OpenAI dialects carry `/v1`
/// and append only the last part of the path; Anthropic's appends `/v1/messages` itself.
#[must_use]
pub fn default_base_url(provider: &str) -> Option<&'static str> {
    match provider {
        "openai" | "openai-chat" => Some("https://api.openai.com/v1"),
        "anthropic" => Some("https://api.anthropic.com"),
        _ => None,
    }
}

/// The model that `provider` is asked for when there is a key and nobody names a model. A name
/// that goes out of use is answered with 404, which says to name another one.
#[must_use]
pub fn default_model(provider: &str) -> Option<&'static str> {
    match provider {
        "anthropic" => Some("claude-sonnet-5"),
        "openai" => Some("gpt-5"),
        _ => None,
    }
}
