//! Turns an error status into a failure that says what to do.

use bowline_core::{FailureKind, ProviderFailure};
use serde_json::Value;

use super::scrub::excerpt;

/// What a server says about an error, whichever of the usual shapes it uses.
#[derive(Debug, Default)]
pub(crate) struct ErrorBody {
    pub(crate) message: String,
    /// `type` and `code`, joined by a space.
    pub(crate) code: String,
    /// The code, if it is a number.
    pub(crate) status: Option<u16>,
    /// Whether it is a web page.
    pub(crate) is_page: bool,
}

impl ErrorBody {
    /// More of a foreign message than this many characters is not shown.
    const SHOWN_CHARS: usize = 500;

    /// Reads a body: an error object, or any other text of which the first 200 characters count.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Array(items)) => items.first().map(Self::of_value).unwrap_or_default(),
            Ok(value) => Self::of_value(&value),
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                Self {
                    message: excerpt(&text, 200),
                    is_page: text.trim_start().starts_with('<'),
                    ..Self::default()
                }
            }
        }
    }

    /// Reads `{"error": {"message", "type", "code"}}` and its relatives.
    pub(crate) fn of_value(value: &Value) -> Self {
        let error = value
            .get("error")
            .filter(|error| !error.is_null())
            .unwrap_or(value);
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let field = |name: &str| error.get(name).and_then(text);
        let message = match error {
            Value::String(message) => message.clone(),
            _ => field("message")
                .or_else(|| field("detail"))
                .unwrap_or_else(|| error.to_string()),
        };
        let codes = ["type", "code", "status"].into_iter().filter_map(field);
        let number = error
            .get("code")
            .or_else(|| error.get("status"))
            .and_then(Value::as_u64);
        Self {
            message: excerpt(&message, Self::SHOWN_CHARS),
            code: codes.collect::<Vec<_>>().join(" "),
            status: number.and_then(|number| u16::try_from(number).ok()),
            is_page: false,
        }
    }

    /// The kind that the codes name, for errors that come without a telling status.
    pub(crate) fn kind(&self) -> Option<FailureKind> {
        let has = |parts: &[&str]| parts.iter().any(|part| self.code.contains(part));
        if has(&["context_length", "prompt_too_long"]) || says_too_long(&self.message) {
            return Some(FailureKind::TooLong);
        }
        if has(&[
            "insufficient_quota",
            "invalid_request",
            "invalid_prompt",
            "invalid_image",
            "request_too_large",
            "billing",
        ]) {
            return Some(FailureKind::BadRequest);
        }
        if has(&["rate_limit", "RESOURCE_EXHAUSTED", "too_many_requests"]) {
            return Some(FailureKind::RateLimited);
        }
        if has(&["invalid_api_key", "authentication", "permission"]) {
            return Some(FailureKind::Auth);
        }
        if has(&["not_found"]) {
            return Some(FailureKind::NotFound);
        }
        if has(&[
            "overloaded",
            "server_error",
            "unavailable",
            "api_error",
            "timeout",
        ]) {
            return Some(FailureKind::Unavailable);
        }
        self.status
            .filter(|status| (400..=599).contains(status))
            .map(kind_of_status)
    }
}

/// Whether a message says that the request has more tokens than the model takes: servers of one
/// dialect agree on no code for it.
fn says_too_long(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "prompt is too long",
        "maximum context length",
        "context window",
        "context length",
        "context size",
        "exceed_context_size",
        "input is too long",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// One refused request, with all that a message about it needs.
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    pub(crate) body: ErrorBody,
    pub(crate) shown: &'a str,
    pub(crate) model: &'a str,
    pub(crate) has_key: bool,
    pub(crate) key_source: &'a str,
    pub(crate) location: Option<&'a str>,
}

/// What kind of failure a status is.
pub(crate) const fn kind_of_status(status: u16) -> FailureKind {
    match status {
        401 | 403 => FailureKind::Auth,
        404 => FailureKind::NotFound,
        408 | 409 | 500..=599 => FailureKind::Unavailable,
        429 => FailureKind::RateLimited,
        _ => FailureKind::BadRequest,
    }
}

/// What to do when a server knows the model, or the path, not at all.
fn not_there(refusal: &Refusal<'_>) -> String {
    let Refusal {
        body, shown, model, ..
    } = refusal;
    let about_model = !model.is_empty() && body.message.contains(model)
        || ["model_not_found", "model not found"]
            .iter()
            .any(|part| body.code.contains(part) || body.message.to_lowercase().contains(part));
    if about_model && !body.is_page {
        return format!(
            "it does not know the model `{model}`: check its name, or name another with --model"
        );
    }
    let dialect = if shown.ends_with("/chat/completions") {
        "the base URL ends in /v1 with most servers; a server of another dialect is asked as \
         anthropic/ or openai/"
    } else if shown.ends_with("/responses") {
        "the base URL ends in /v1; a server of another dialect, without a Responses API, is \
         asked as openai-chat/"
    } else if shown.ends_with("/messages") {
        "the base URL carries no /v1 here; a server of another dialect is asked as openai-chat/"
    } else {
        "is it the right dialect?"
    };
    format!("check the model `{model}` and the base URL: {shown} was asked ({dialect})")
}

/// The failure for an error status. Its message is not yet free of secrets.
pub(crate) fn failure_of_status(refusal: &Refusal<'_>) -> ProviderFailure {
    let Refusal {
        status,
        body,
        shown,
        key_source,
        ..
    } = refusal;
    let mut kind = kind_of_status(*status);
    let hint = match status {
        401 if !refusal.has_key => format!("it wants a key: set {key_source}"),
        401 => format!("the key was refused: check {key_source}"),
        403 => format!("the key may not do this: check {key_source} and the account's rights"),
        404 | 405 => not_there(refusal),
        413 if body.kind() != Some(FailureKind::TooLong) => {
            "the request is too large for the server".to_owned()
        }
        429 if body.code.contains("insufficient_quota") => {
            // Waiting does not fill an account.
            kind = FailureKind::BadRequest;
            "the account's quota is used up: check its plan and billing".to_owned()
        }
        429 => "too many requests".to_owned(),
        400 | 413 | 422 | 500 if body.kind() == Some(FailureKind::TooLong) => {
            kind = FailureKind::TooLong;
            "the request is longer than the model takes".to_owned()
        }
        300..=399 => match refusal.location {
            Some(place) => format!("it points to {place}: set that as the base URL"),
            None => "it points elsewhere: check the base URL".to_owned(),
        },
        _ => String::new(),
    };
    let mut message = format!("{shown} answered {status}");
    let page = if body.is_page && matches!(status, 200..=499) {
        "that is a web page, not a model's API: check the base URL"
    } else {
        ""
    };
    for (before, part) in [
        (": ", hint.as_str()),
        ("; it says: ", body.message.as_str()),
        ("; ", page),
    ] {
        if !part.is_empty() {
            message.push_str(before);
            message.push_str(part);
        }
    }
    ProviderFailure {
        status: Some(*status),
        ..ProviderFailure::new(kind, message)
    }
}
