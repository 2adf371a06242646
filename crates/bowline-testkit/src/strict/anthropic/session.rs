//! What comes back of Messages, and what counts as changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::session::{self, Holds, Reasoning, Rules};
use super::messages::{blocks, is_thought};
use super::parameters::is_name;
use super::{Kind, Undeclared};

/// A conversation in the Messages dialect. Its messages are those that [`normal`] gives.
pub type Session = session::Session<AnthropicRules>;

/// The messages of Anthropic's dialect.
#[derive(Debug)]
pub struct AnthropicRules;

/// The messages of a request as they are compared: without cache marks, and with content always a
/// list of blocks.
#[must_use]
pub fn normal(body: &Value) -> Vec<Value> {
    let messages = body["messages"].as_array().into_iter().flatten();
    let plain = |message: &Value| {
        let mut message = message.clone();
        if let Value::String(text) = &message["content"] {
            message["content"] = json!([{"type": "text", "text": text}]);
        }
        for block in message["content"].as_array_mut().into_iter().flatten() {
            if let Some(block) = block.as_object_mut() {
                block.remove("cache_control");
            }
        }
        message
    };
    messages.map(plain).collect()
}

impl Rules for AnthropicRules {
    const LIST: &'static str = "messages";

    fn expect_back(reply: &mut Value, earlier: &[Value], asked_for: &mut Undeclared) -> Holds {
        let Some(content) = reply["content"].as_array_mut() else {
            return Holds::Nothing;
        };
        // A client may not send back what the API would refuse: blank words, thoughts at the end.
        content.retain(|block| {
            let text = block["text"].as_str();
            !text.is_some_and(|text| text.trim().is_empty())
        });
        while content.last().is_some_and(is_thought) {
            content.pop();
        }
        let earlier = earlier.iter().flat_map(blocks);
        let mut ids: BTreeSet<String> = earlier
            .filter_map(|block| block["id"].as_str().map(str::to_owned))
            .collect();
        for call in content
            .iter_mut()
            .filter(|block| block["type"] == "tool_use")
        {
            let id = call["id"].as_str().unwrap_or_default().to_owned();
            // Ids are of the same letters as names.
            if !is_name(&id) || !ids.insert(id) {
                call["id"] = Value::Null;
            }
            let name = call["name"].as_str().unwrap_or_default();
            let sendable = is_name(name);
            asked_for.allow(name);
            if !sendable {
                call["name"] = Value::Null;
            }
        }
        if content.is_empty() {
            Holds::Nothing
        } else {
            Holds::Something
        }
    }

    fn difference(reasoning: Reasoning, was: &Value, is: &Value) -> Option<(Kind, String)> {
        if was["role"] == "assistant" {
            return assistant_difference(reasoning, blocks(was), blocks(is));
        }
        if was["content"] == is["content"] {
            return None;
        }
        let results = |message: &Value| -> Vec<Value> {
            let blocks = blocks(message).iter();
            blocks
                .filter(|block| block["type"] == "tool_result")
                .cloned()
                .collect()
        };
        let kind = if results(was) == results(is) {
            Kind::EditedMessage
        } else {
            Kind::EditedResult
        };
        Some((kind, format!("was {was}, came back as {is}")))
    }

    fn grew(was: &Value, is: &Value) -> bool {
        blocks(is).starts_with(blocks(was))
    }
}

fn assistant_difference(
    reasoning: Reasoning,
    was: &[Value],
    is: &[Value],
) -> Option<(Kind, String)> {
    let of = |blocks: &[Value], kind: &str| -> Vec<Value> {
        let blocks = blocks.iter();
        blocks
            .filter(|block| block["type"] == kind)
            .cloned()
            .collect()
    };
    let thoughts = |blocks: &[Value]| -> Vec<Value> {
        let blocks = blocks.iter();
        blocks.filter(|block| is_thought(block)).cloned().collect()
    };
    if of(was, "text") != of(is, "text") {
        let message = format!(
            "text was {:?}, came back as {:?}",
            of(was, "text"),
            of(is, "text")
        );
        return Some((Kind::EditedText, message));
    }
    let (were, are) = (of(was, "tool_use"), of(is, "tool_use"));
    if were.len() != are.len() {
        let message = format!("had {} calls, came back with {}", were.len(), are.len());
        return Some((Kind::EditedCalls, message));
    }
    let difference = were
        .iter()
        .zip(&are)
        .find_map(|(was, is)| call_difference(was, is));
    if difference.is_some() {
        return difference;
    }
    let (were, are) = (thoughts(was), thoughts(is));
    if are.iter().any(|thought| !were.contains(thought)) {
        let message = "`thinking` or `redacted_thinking` blocks cannot be modified";
        return Some((Kind::EditedReasoning, message.to_owned()));
    }
    if are.len() < were.len() {
        let message = "`thinking` or `redacted_thinking` blocks must be passed back";
        let required = reasoning == Reasoning::Required;
        return required.then(|| (Kind::LostReasoning, message.to_owned()));
    }
    let order = |blocks: &[Value]| -> Vec<Value> {
        blocks.iter().map(|block| block["type"].clone()).collect()
    };
    if order(was) != order(is) || were != are {
        let message = "the blocks came back in another order";
        return Some((Kind::EditedReasoning, message.to_owned()));
    }
    None
}

fn call_difference(was: &Value, is: &Value) -> Option<(Kind, String)> {
    let matches = |field: &str| was[field].is_null() || was[field] == is[field];
    if !matches("id") || !matches("name") {
        return Some((
            Kind::EditedCalls,
            format!("call was {was}, came back as {is}"),
        ));
    }
    // What is no JSON object cannot be sent; an empty one may stand for it.
    let mended = !was["input"].is_object() && is["input"] == json!({});
    if was["input"] != is["input"] && !mended {
        let message = format!("input was {}, came back as {}", was["input"], is["input"]);
        return Some((Kind::EditedArguments, message));
    }
    let (was, is) = (&was["caller"], &is["caller"]);
    (!is.is_null() && was != is).then(|| {
        let message = format!("caller was {was}, came back as {is}");
        (Kind::EditedExtra, message)
    })
}
