//! Input items: their types, keys and ids, and what must follow what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Checked, Kind, Undeclared, Violation, kind_of};
use crate::strict::is_tool_name;

const ROLES: [&str; 4] = ["system", "developer", "user", "assistant"];
const STATUSES: [&str; 3] = ["in_progress", "completed", "incomplete"];
const PHASES: [&str; 2] = ["commentary", "final_answer"];

const MESSAGE_KEYS: [&str; 6] = ["type", "role", "content", "id", "status", "phase"];
/// The last one is no key of the API: a server adds it and wants it back.
const CALL_KEYS: [&str; 7] = [
    "type",
    "id",
    "call_id",
    "name",
    "arguments",
    "status",
    "provider_specific",
];
const RESULT_KEYS: [&str; 5] = ["type", "id", "call_id", "output", "status"];
const REASONING_KEYS: [&str; 6] = [
    "type",
    "id",
    "summary",
    "content",
    "encrypted_content",
    "status",
];

/// Items of tools that run on the server; only their id is looked at.
const HOSTED: [&str; 5] = [
    "code_interpreter_call",
    "compaction",
    "file_search_call",
    "image_generation_call",
    "web_search_call",
];

/// What is known of the items before the one at hand.
struct Walk<'a> {
    tools: &'a BTreeSet<String>,
    undeclared: &'a Undeclared,
    /// The calls by id, and whether each has its result.
    calls: BTreeMap<&'a str, bool>,
    ids: BTreeSet<&'a str>,
}

pub(super) fn check(
    input: Option<&Value>,
    tools: &BTreeSet<String>,
    undeclared: &Undeclared,
) -> Checked {
    let items = match input {
        Some(Value::String(text)) if !text.is_empty() => return Ok(()),
        Some(Value::Array(items)) if !items.is_empty() => items,
        _ => {
            let message = "'input' must be a text or an array of at least one item";
            return Err(Violation::new(Kind::NoInput, "input", message));
        }
    };
    let mut walk = Walk {
        tools,
        undeclared,
        calls: BTreeMap::new(),
        ids: BTreeSet::new(),
    };
    for (i, item) in items.iter().enumerate() {
        walk.item(items, i, item)?;
    }
    walk.all_answered("input")
}

impl<'a> Walk<'a> {
    fn item(&mut self, items: &[Value], i: usize, item: &'a Value) -> Checked {
        let at = format!("input[{i}]");
        if !item.is_object() {
            return Err(Violation::new(Kind::BadItem, at, "an item is an object"));
        }
        match kind_of(item) {
            "message" => {
                check_message(item, &at)?;
                self.id(item, "msg", &at)?;
                self.none_waits(items, i, &at)
            }
            "function_call" => {
                self.none_waits(items, i, &at)?;
                self.id(item, "fc", &at)?;
                self.call(item, &at)
            }
            "function_call_output" => {
                self.id(item, "fc", &at)?;
                self.result(item, &at)
            }
            "reasoning" => {
                check_reasoning(item, &at)?;
                self.id(item, "rs", &at)?;
                follows(items, i, &at)?;
                self.none_waits(items, i, &at)
            }
            "item_reference" => {
                let message = format!("item with id {} not found: nothing is stored", item["id"]);
                Err(Violation::new(Kind::ItemNotStored, at, message))
            }
            hosted if HOSTED.contains(&hosted) => self.id(item, "", &at),
            "" => {
                let message = "an item needs a 'type', or a 'role' if it is a message";
                Err(Violation::new(Kind::BadItem, at, message))
            }
            other => {
                let message = format!("invalid value: '{other}' is no type of item");
                Err(Violation::new(
                    Kind::UnknownItemType,
                    format!("{at}.type"),
                    message,
                ))
            }
        }
    }

    fn id(&mut self, item: &'a Value, prefix: &str, at: &str) -> Checked {
        let at = format!("{at}.id");
        let id = match &item["id"] {
            Value::Null => return Ok(()),
            Value::String(id) => id,
            other => {
                let message = format!("{other} is no id");
                return Err(Violation::new(Kind::BadItemId, at, message));
            }
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = id.starts_with(prefix) && (1..=64).contains(&id.len());
        if !fits || !id.bytes().all(allowed) {
            let message = format!("invalid '{id}': expected an id that begins with '{prefix}'");
            return Err(Violation::new(Kind::BadItemId, at, message));
        }
        if !self.ids.insert(id) {
            let message = format!("duplicate item found with id {id}");
            return Err(Violation::new(Kind::DuplicateItemId, at, message));
        }
        Ok(())
    }

    fn call(&mut self, item: &'a Value, at: &str) -> Checked {
        check_keys(item, &CALL_KEYS, at)?;
        check_word(item, "status", &STATUSES, at)?;
        let at_name = format!("{at}.name");
        let name = item["name"].as_str().unwrap_or_default();
        if !is_tool_name(name) {
            let message = format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,64}}$");
            return Err(Violation::new(Kind::BadToolName, at_name, message));
        }
        if !self.tools.contains(name) && !self.undeclared.allows(name) {
            let message = format!("'{name}' is not among the declared tools");
            return Err(Violation::new(Kind::UnknownTool, at_name, message));
        }
        if !item["arguments"].is_string() {
            let message = "arguments must be a string of JSON";
            let at = format!("{at}.arguments");
            return Err(Violation::new(Kind::ArgumentsNotText, at, message));
        }
        let at = format!("{at}.call_id");
        let id = item["call_id"].as_str().unwrap_or_default();
        if !(1..=64).contains(&id.len()) {
            let message = "a call needs a call_id of 1 to 64 characters";
            return Err(Violation::new(Kind::EmptyCallId, at, message));
        }
        if self.calls.insert(id, false).is_some() {
            let message = format!("two calls have the id '{id}'");
            return Err(Violation::new(Kind::DuplicateCallId, at, message));
        }
        Ok(())
    }

    fn result(&mut self, item: &'a Value, at: &str) -> Checked {
        check_keys(item, &RESULT_KEYS, at)?;
        let parts = ["input_text", "input_image", "input_file"];
        check_content(&item["output"], &parts, &format!("{at}.output"))?;
        let at = format!("{at}.call_id");
        let id = item["call_id"].as_str().unwrap_or_default();
        if id.is_empty() {
            let message = "a result needs its call's id";
            return Err(Violation::new(Kind::MissingResultId, at, message));
        }
        match self.calls.insert(id, true) {
            Some(false) => Ok(()),
            Some(true) => {
                let message = format!("'{id}' has a result already");
                Err(Violation::new(Kind::DuplicateResult, at, message))
            }
            None => {
                let message = format!("no tool call found for function call output '{id}'");
                Err(Violation::new(Kind::OrphanResult, at, message))
            }
        }
    }

    /// No call may wait for its result here, at an item that is no result. Further items of the
    /// reply that the call belongs to may come.
    fn none_waits(&self, items: &[Value], i: usize, at: &str) -> Checked {
        let is_reply = |item: &Value| kind_of(item) != "message" || item["role"] == "assistant";
        if is_reply(&items[i]) && i > 0 && kind_of(&items[i - 1]) != "function_call_output" {
            return Ok(());
        }
        let Some((id, _)) = self.calls.iter().find(|(_, answered)| !**answered) else {
            return Ok(());
        };
        let comes = items[i..].iter().any(|item| {
            kind_of(item) == "function_call_output" && item["call_id"].as_str() == Some(id)
        });
        if comes {
            let message = format!("{at} comes before the result of call '{id}'");
            return Err(Violation::new(Kind::MessageBetween, at, message));
        }
        self.all_answered(at)
    }

    fn all_answered(&self, at: &str) -> Checked {
        match self.calls.iter().find(|(_, answered)| !**answered) {
            Some((id, _)) => {
                let message = format!("no tool output found for function call '{id}'");
                Err(Violation::new(Kind::UnansweredCall, at, message))
            }
            None => Ok(()),
        }
    }
}

/// Reasoning belongs to the item of the reply that comes next.
fn follows(items: &[Value], i: usize, at: &str) -> Checked {
    let mut after = items[i + 1..].iter();
    let next = after.find(|item| kind_of(item) != "reasoning");
    let fits = next.is_some_and(|item| {
        item["role"] == "assistant"
            || kind_of(item) == "function_call"
            || HOSTED.contains(&kind_of(item))
    });
    if fits {
        return Ok(());
    }
    let message = "an item of type 'reasoning' was provided without its required following item";
    Err(Violation::new(Kind::ReasoningAlone, at, message))
}

fn check_message(item: &Value, at: &str) -> Checked {
    let role = item["role"].as_str().unwrap_or_default();
    if !ROLES.contains(&role) {
        let message = format!("{} is not one of {}", item["role"], ROLES.join(", "));
        return Err(Violation::new(
            Kind::UnknownRole,
            format!("{at}.role"),
            message,
        ));
    }
    check_keys(item, &MESSAGE_KEYS, at)?;
    check_word(item, "status", &STATUSES, at)?;
    check_word(item, "phase", &PHASES, at)?;
    let parts: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        _ => &["input_text", "input_image", "input_file"],
    };
    check_content(&item["content"], parts, &format!("{at}.content"))
}

fn check_content(content: &Value, kinds: &[&str], at: &str) -> Checked {
    let listed = match content {
        Value::String(_) => return Ok(()),
        Value::Array(listed) if !listed.is_empty() => listed,
        _ => {
            let message = "must be a string or a non-empty array of parts";
            return Err(Violation::new(Kind::BadContent, at, message));
        }
    };
    for (i, part) in listed.iter().enumerate() {
        let at = format!("{at}[{i}]");
        let kind = part["type"].as_str().unwrap_or_default();
        let (filled, keys): (bool, &[&str]) = match kind {
            "input_text" => (part["text"].is_string(), &["type", "text"]),
            "output_text" => (
                part["text"].is_string(),
                &["type", "text", "annotations", "logprobs"],
            ),
            "refusal" => (part["refusal"].is_string(), &["type", "refusal"]),
            "input_image" => (
                is_address(&part["image_url"]),
                &["type", "image_url", "detail"],
            ),
            _ => (part["file_id"].is_string(), &["type", "file_id"]),
        };
        if !kinds.contains(&kind) || !filled {
            let message = format!(
                "invalid value: {}; supported are {}, each with its payload",
                part["type"],
                kinds.join(", ")
            );
            return Err(Violation::new(Kind::BadPart, at, message));
        }
        check_keys(part, keys, &at)?;
    }
    Ok(())
}

fn is_address(url: &Value) -> bool {
    let is_data = |url: &str| {
        let (head, data) = url.split_once(";base64,").unwrap_or_default();
        head.starts_with("data:image/") && !data.is_empty()
    };
    let reachable = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    url.as_str()
        .is_some_and(|url| is_data(url) || reachable(url))
}

fn check_reasoning(item: &Value, at: &str) -> Checked {
    check_keys(item, &REASONING_KEYS, at)?;
    check_word(item, "status", &STATUSES, at)?;
    let are = |value: &Value, kind: &str| {
        let parts = value.as_array();
        parts.is_some_and(|parts| {
            parts
                .iter()
                .all(|part| part["type"] == kind && part["text"].is_string())
        })
    };
    if !are(&item["summary"], "summary_text") {
        let message = "'summary' must be an array of parts of type summary_text";
        return Err(Violation::new(
            Kind::BadItem,
            format!("{at}.summary"),
            message,
        ));
    }
    let content = &item["content"];
    if !content.is_null() && !are(content, "reasoning_text") {
        let message = "'content' must be an array of parts of type reasoning_text";
        return Err(Violation::new(
            Kind::BadItem,
            format!("{at}.content"),
            message,
        ));
    }
    let encrypted = item["encrypted_content"].as_str().unwrap_or_default();
    let has_words = content.as_array().is_some_and(|parts| !parts.is_empty());
    if encrypted.is_empty() && !has_words {
        let message = format!(
            "item with id {} not found: without encrypted_content it would have to be stored",
            item["id"]
        );
        return Err(Violation::new(Kind::MissingEncryptedContent, at, message));
    }
    Ok(())
}

fn check_word(item: &Value, key: &str, words: &[&str], at: &str) -> Checked {
    let value = &item[key];
    if value.is_null() || value.as_str().is_some_and(|word| words.contains(&word)) {
        return Ok(());
    }
    let message = format!("{value} is not one of {}", words.join(", "));
    Err(Violation::new(
        Kind::WrongType,
        format!("{at}.{key}"),
        message,
    ))
}

fn check_keys(value: &Value, known: &[&str], at: &str) -> Checked {
    let mut keys = value.as_object().into_iter().flat_map(Map::keys);
    match keys.find(|key| !known.contains(&key.as_str())) {
        Some(key) => {
            let at = format!("{at}.{key}");
            let message = format!("unknown parameter: '{at}'");
            Err(Violation::new(Kind::UnknownMessageKey, at, message))
        }
        None => Ok(()),
    }
}
