//! The blocks of a message, each by itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::parameters::is_name;
use super::{Checked, Kind, Undeclared, Violation, only_keys};

/// The names that calls may bear.
pub(super) struct Names<'a> {
    pub(super) tools: &'a BTreeSet<String>,
    pub(super) undeclared: &'a Undeclared,
}

pub(super) fn check_block(role: &str, block: &Value, names: &mut Names<'_>, at: &str) -> Checked {
    let keys = |known: &[&str]| only_keys(block, known, Kind::UnknownMessageKey, at);
    match (role, block["type"].as_str().unwrap_or_default()) {
        (_, "text") => {
            keys(&["type", "text", "cache_control", "citations"])?;
            check_text(block, at)
        }
        ("user", "image") => {
            keys(&["type", "source", "cache_control"])?;
            check_image(&block["source"], at)
        }
        ("user", "tool_result") => {
            keys(&[
                "type",
                "tool_use_id",
                "content",
                "is_error",
                "cache_control",
            ])?;
            check_result(block, at)
        }
        ("assistant", "tool_use") => {
            keys(&["type", "id", "name", "input", "cache_control", "caller"])?;
            check_call(block, names, at)
        }
        ("assistant", "thinking") => {
            keys(&["type", "thinking", "signature", "cache_control"])?;
            let signed = block["signature"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            filled(signed && block["thinking"].is_string(), at)
        }
        ("assistant", "redacted_thinking") => {
            keys(&["type", "data", "cache_control"])?;
            filled(
                block["data"].as_str().is_some_and(|text| !text.is_empty()),
                at,
            )
        }
        (role, kind) => {
            let message = format!("a message of role {role} may hold no block of type '{kind}'");
            Err(Violation::new(Kind::BadPart, at, message))
        }
    }
}

fn filled(holds: bool, at: &str) -> Checked {
    if holds {
        return Ok(());
    }
    let message = "a thought needs its text and its signature, a redacted one its data";
    Err(Violation::new(Kind::BadThought, at, message))
}

fn check_text(block: &Value, at: &str) -> Checked {
    match block["text"].as_str() {
        Some(text) if text.trim().is_empty() => {
            let message = "text content blocks must contain non-whitespace text";
            Err(Violation::new(Kind::BlankText, at, message))
        }
        Some(_) => Ok(()),
        None => Err(Violation::new(Kind::BadPart, at, "text: field required")),
    }
}

fn check_image(source: &Value, at: &str) -> Checked {
    let media = ["image/jpeg", "image/png", "image/gif", "image/webp"];
    let known = media.iter().any(|known| source["media_type"] == *known);
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let bytes = source["data"]
        .as_str()
        .is_some_and(|data| !data.is_empty() && data.len() % 4 == 0 && data.bytes().all(digit));
    let fits = match source["type"].as_str() {
        Some("base64") => known && bytes,
        Some("url") => source["url"].is_string(),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let message = format!(
        "an image needs base64 data and a type of {}",
        media.join(", ")
    );
    Err(Violation::new(Kind::BadImage, at, message))
}

fn check_result(block: &Value, at: &str) -> Checked {
    if block["tool_use_id"].as_str().is_none_or(str::is_empty) {
        let message = "tool_use_id: field required";
        return Err(Violation::new(Kind::MissingResultId, at, message));
    }
    if block.get("is_error").is_some_and(|flag| !flag.is_boolean()) {
        let message = "is_error: must be a boolean";
        return Err(Violation::new(Kind::WrongType, at, message));
    }
    let is_empty = match block.get("content") {
        None => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(parts)) => {
            for (i, part) in parts.iter().enumerate() {
                let at = format!("{at}.content[{i}]");
                match part["type"].as_str() {
                    Some("text") => check_text(part, &at)?,
                    Some("image") => check_image(&part["source"], &at)?,
                    _ => {
                        let message = "a result holds text and images";
                        return Err(Violation::new(Kind::BadPart, at, message));
                    }
                }
            }
            parts.is_empty()
        }
        Some(_) => {
            let message = "content: must be a string or a list of blocks";
            return Err(Violation::new(Kind::BadContent, at, message));
        }
    };
    if is_empty && block["is_error"] == true {
        let message = "content cannot be empty if `is_error` is true";
        return Err(Violation::new(Kind::BadContent, at, message));
    }
    Ok(())
}

fn check_call(block: &Value, names: &mut Names<'_>, at: &str) -> Checked {
    let id = block["id"].as_str().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || !id.bytes().all(allowed) {
        let message = format!("'{id}' does not match ^[a-zA-Z0-9_-]+$");
        return Err(Violation::new(Kind::BadCallId, format!("{at}.id"), message));
    }
    let name = block["name"].as_str().unwrap_or_default();
    if !is_name(name) {
        let message = format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,128}}$");
        return Err(Violation::new(
            Kind::BadToolName,
            format!("{at}.name"),
            message,
        ));
    }
    if names.tools.is_empty() {
        let message = "requests which have `tool_use` blocks in messages must define tools";
        return Err(Violation::new(Kind::ToolsMissing, at, message));
    }
    if !names.tools.contains(name) && !names.undeclared.allows(name) {
        let message = format!("'{name}' is not among the declared tools");
        return Err(Violation::new(
            Kind::UnknownTool,
            format!("{at}.name"),
            message,
        ));
    }
    if !block["input"].is_object() {
        let message = "input: must be an object";
        return Err(Violation::new(
            Kind::ArgumentsNotObject,
            format!("{at}.input"),
            message,
        ));
    }
    Ok(())
}
