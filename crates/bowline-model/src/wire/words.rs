//! Words, names and ids, made fit for a request of any dialect.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bowline_core::{ContextText, Origin, ToolCall};

use super::made_wire_id;

/// A call whose name the API would refuse is told under this one.
const PLACEHOLDER_NAME: &str = "invalid_tool";

/// Stands where a conversation begins with a reply: servers want a user message first.
pub(crate) const OPENING: &str = "(what came before is left out)";

/// A person's words stand as they are; what others brought is wrapped, so that the model can tell.
pub(crate) fn spoken(text: &ContextText) -> Cow<'_, str> {
    let (tag, attribute) = match text.origin() {
        Origin::Person => return Cow::Borrowed(text.text()),
        Origin::Harness => ("notice", None),
        Origin::Tool(name) => ("tool_output", Some(("name", name))),
        Origin::File(path) => ("file", Some(("path", path))),
        Origin::Outside { from, .. } => ("outside", Some(("from", from))),
    };
    let attribute = attribute.map(|(key, value)| format!(" {key}=\"{}\"", attribute_value(value)));
    let attribute = attribute.unwrap_or_default();
    // The text must not be able to end its own wrapping.
    let inner = text
        .text()
        .replace(&format!("</{tag}"), &format!("<\\/{tag}"));
    Cow::Owned(format!("<{tag}{attribute}>\n{inner}\n</{tag}>"))
}

fn attribute_value(value: &str) -> String {
    let cleaned = value.chars().map(|c| match c {
        c if c.is_control() || "\"<>".contains(c) => '_',
        c => c,
    });
    cleaned.collect()
}

/// The name to send for a tool that the model called `name`.
pub(crate) fn tool_name(name: &str) -> &str {
    if is_tool_name(name) {
        name
    } else {
        PLACEHOLDER_NAME
    }
}

/// Whether every API takes `name` as a tool's: 1 to 64 letters, digits, `_` and `-`.
fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// The calls' ids as received, or made ones where those are doubled or not `sendable`.
pub(crate) fn wire_ids(calls: &[&ToolCall], sendable: impl Fn(&str) -> bool) -> Vec<String> {
    let mut used = BTreeSet::new();
    let mut id = |call: &&ToolCall| {
        if sendable(&call.wire_id) && used.insert(call.wire_id.clone()) {
            call.wire_id.clone()
        } else {
            made_wire_id(call.id)
        }
    };
    calls.iter().map(&mut id).collect()
}
